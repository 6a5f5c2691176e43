"""Names: one name in five places (folder, contract id, asset key, lake table, URL)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mesh_assets.words.errors import NameMalformed, VersionMalformed

WORD = re.compile(r"^_?[a-z][a-z0-9_]{0,61}$")

#: A version's number, or a tag.
VERSION_WORD = re.compile(r"^(\d{1,9}|[A-Za-z][A-Za-z0-9_.-]{0,63})$")

#: How the table of a product's quarantined rows is called: `hcp.hcp_master__quarantine`.
QUARANTINE = "__quarantine"


@dataclass(frozen=True, order=True)
class ProductName:
    """`hcp.hcp_master`: a domain and what it makes. A leading underscore means "ours alone"."""

    domain: str
    product: str

    def __post_init__(self) -> None:
        for word in (self.domain, self.product):
            if not WORD.match(word):
                raise NameMalformed(name=f"{self.domain}.{self.product}", word=word)

    def __str__(self) -> str:
        return f"{self.domain}.{self.product}"

    @property
    def private(self) -> bool:
        """True for an asset that other domains may not depend on."""
        return self.product.startswith("_")

    @property
    def quarantine(self) -> ProductName:
        """The table of the product's rows that were set aside; it has no head of its own."""
        return ProductName(self.domain, f"{self.product}{QUARANTINE}")

    @property
    def asset_key(self) -> tuple[str, str]:
        return (self.domain, self.product)


def at_version(text: str) -> tuple[ProductName, str | None]:
    """Read `domain.product@version`: the name, and a number or a tag, None where none is given."""
    name, mark, wanted = text.partition("@")
    if mark and not VERSION_WORD.match(wanted):
        raise VersionMalformed(text=text, wanted=wanted)
    return product_name(name), wanted or None


def product_name(text: str) -> ProductName:
    """Read `domain.product` (or `domain/product`, as asset keys and URLs write it)."""
    parts = re.split(r"[./]", text)
    if len(parts) != 2:
        raise NameMalformed(name=text, word=text)
    return ProductName(*parts)
