"""Secrets by their address: code says `vault://domain/name`, each environment what that is, or no."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from mesh_assets.words.errors import YourCode

ADDRESS = re.compile(r"^vault://([a-z][a-z0-9_]*)/([a-z][a-z0-9_-]*)$")

#: How an address begins, for finding it in code.
SCHEME = "vault://"


class Vault(Protocol):
    """What an environment keeps its secrets in. `None`: it has none, or gives none, of that name."""

    def get(self, domain: str, name: str) -> str | None: ...


@dataclass(frozen=True)
class Address:
    """Where a secret is."""

    domain: str
    name: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.domain}/{self.name}"

    @property
    def word(self) -> str:
        """The end of the variable that has it."""
        return f"{self.domain}_{self.name}".replace("-", "_").upper()


class Secret:
    """A secret that says its address wherever it is written, and its value only to who asks for it."""

    __slots__ = ("_value", "address")

    def __init__(self, address: Address, value: str) -> None:
        self.address = address
        self._value = value

    def reveal(self) -> str:
        """The value. Hand it on; do not print it, and put it into no row."""
        return self._value

    def __repr__(self) -> str:
        return str(self.address)

    def __reduce__(self) -> str:
        raise TypeError(f"{self.address} is not written anywhere")


def address_of(text: str) -> Address:
    found = ADDRESS.match(text)
    if found is None:
        raise SecretMalformed(text=text[:80])
    return Address(found[1], found[2])


class SecretMalformed(YourCode):
    template = "{text!r} is no address of a secret: write vault://domain/name, e.g. vault://hcp/crm-token"


class SecretMissing(YourCode):
    template = (
        "{address} has no value in {environment}: set {variable}, or {variable}_FILE with the name of a file "
        "that has it{hint}"
    )


class VaultMalformed(YourCode):
    template = (
        "MESH_VAULT={value!r}: {problem}. Write module:function; it is called with `prod` or a kitchen's name"
    )
