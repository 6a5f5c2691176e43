"""Secrets of this environment, and what code may do outside of the mesh in it.

Production's are in `MESH_SECRET_<DOMAIN>_<NAME>`, a kitchen's in `MESH_KITCHEN_SECRET_<DOMAIN>_<NAME>` (or in
the file that `…_FILE` names): a kitchen is never given production's. A manager is a function that MESH_VAULT
names.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from mesh_assets.words.settings import Settings
from mesh_assets.words.vaults import Address, Secret, SecretMissing, Vault, VaultMalformed, address_of

Resource = TypeVar("Resource")

PRODUCTION = "MESH_SECRET_"
KITCHEN = "MESH_KITCHEN_SECRET_"

#: Values that were given out in this process: messages of errors are told without them.
_given: dict[str, str] = {}


@dataclass(frozen=True)
class Variables:
    """Secrets in environment variables, or in files that they name."""

    prefix: str
    environ: Mapping[str, str]

    def get(self, domain: str, name: str) -> str | None:
        variable = f"{self.prefix}{Address(domain, name).word}"
        if self.environ.get(variable):
            return self.environ[variable]
        file = self.environ.get(f"{variable}_FILE")
        try:
            return Path(file).read_text(encoding="utf-8").rstrip("\n") or None if file else None
        except OSError:
            return None


def vault_of(settings: Settings) -> Vault:
    """What this environment keeps its secrets in."""
    manager = os.environ.get("MESH_VAULT")
    if not manager:
        return Variables(KITCHEN if settings.kitchen else PRODUCTION, os.environ)
    module, _, function = manager.partition(":")
    try:
        made: Callable[[str], Vault] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise VaultMalformed(value=manager, problem=str(error)) from None
    return made(settings.environment)


def secret(settings: Settings, text: str) -> Secret:
    """The secret at an address; raises SecretMalformed and SecretMissing."""
    address = address_of(text)
    value = vault_of(settings).get(address.domain, address.name)
    if value is None:
        raise _missing(settings, address)
    _given[value] = str(address)
    return Secret(address, value)


def missing(settings: Settings, addresses: Iterable[str]) -> list[str]:
    """Those that this environment has no value for."""
    vault = vault_of(settings)
    wanted = {address_of(each) for each in addresses}
    return sorted(str(each) for each in wanted if vault.get(each.domain, each.name) is None)


def without_secrets(text: str) -> str:
    """A text with the addresses of secrets in the place of their values."""
    for value, address in _given.items():
        text = text.replace(value, address)
    return text


def outside(settings: Settings, resource: Resource, *, kitchen_safe: bool = False) -> Resource:
    """The resource itself in production; in a kitchen something that records what it is asked to do, and does
    nothing, unless it is declared safe.
    """
    if not settings.kitchen or kitchen_safe:
        return resource
    return cast(Resource, Recorder(settings.home / "outside.jsonl", type(resource).__name__))


class Recorder:
    """Stands for a resource in a kitchen: every call is a line in a file, without values of secrets."""

    def __init__(self, file: Path, name: str) -> None:
        self._file, self._name = file, name

    def __getattr__(self, name: str) -> Recorder:
        if name.startswith("__"):
            raise AttributeError(name)
        return Recorder(self._file, f"{self._name}.{name}")

    def __call__(self, *arguments: Any, **named: Any) -> None:
        record(self._file, self._name, [repr(each) for each in arguments], named)


def record(file: Path, what: str, arguments: list[str], named: Mapping[str, Any]) -> None:
    """One line more of what would have been done outside."""
    told: dict[str, Any] = {"at": datetime.now(UTC).isoformat(), "what": what, "arguments": arguments}
    told |= {"named": {name: repr(each) for name, each in named.items()}}
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as opened:
        opened.write(without_secrets(json.dumps(told)) + "\n")


def _missing(settings: Settings, address: Address) -> SecretMissing:
    prefix = KITCHEN if settings.kitchen else PRODUCTION
    hint = "; production's own is not given to a kitchen" if settings.kitchen else ""
    named = f"kitchen {settings.kitchen}" if settings.kitchen else "production"
    return SecretMissing(address=address, environment=named, variable=prefix + address.word, hint=hint)
