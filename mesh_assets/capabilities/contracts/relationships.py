"""Foreign keys: a column's values exist in another product.

Here: `relationships` of properties and of the table.
Not here: reading the other product (checks gets it, pinned).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mesh_assets.capabilities.contracts.columns import column_named
from mesh_assets.capabilities.contracts.document import Document, Steps
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.site import severity_of
from mesh_assets.words.errors import NameMalformed
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Rule, Severity

#: ODCS's reference to another file, as far as it names a product of this mesh by its folders.
_LINK = re.compile(
    r"(?:\.\./|\./)*(?P<domain>[a-z]\w*)/(?P<product>\w+)/contract\.yaml#/?"
    r"schema/(?P=product)/properties/(?P<column>\w+)\Z"
)


def foreign_key_rules(
    document: Document, owner: Steps, column: Column | None, columns: tuple[Column, ...]
) -> Iterator[Rule]:
    """One rule for each relationship of a property (or of the table: column None)."""
    for number, written in enumerate(document.at((*owner, "relationships")) or ()):
        path = (*owner, "relationships", number)
        names = (column.name,) if column else _from(document, path, columns)
        product, targets = _to(document, path)
        if len(names) != len(targets):
            raise document.malformed(
                (*path, "to"), f"{len(names)} columns ({', '.join(names)}) refer to {len(targets)} columns"
            )
        yield Rule(
            id=f"{'_'.join(names)}_is_{product.product}",
            kind="foreign_key",
            columns=names,
            description=f"{' and '.join(names)}, where not null, is a {' and '.join(targets)} of {product}",
            severity=_severity(document, path, written),
            dimension="consistency",
            arguments={"to_product": str(product), "to_columns": list(targets)},
            place=document.place(path),
        )


def _from(document: Document, path: Steps, columns: tuple[Column, ...]) -> tuple[str, ...]:
    names: list[str] = []
    for at, reference in _references(document, (*path, "from")):
        name = reference.rpartition(".")[2]
        column_named(document, at, name, columns)
        names.append(name)
    return tuple(names)


def _to(document: Document, path: Steps) -> tuple[ProductName, tuple[str, ...]]:
    product: ProductName | None = None
    targets: list[str] = []
    for at, reference in _references(document, (*path, "to")):
        found, target = _target(document, at, reference)
        if product is not None and found != product:
            raise document.malformed(at, f"one relationship refers to two products, {product} and {found}")
        product = found
        targets.append(target)
    assert product is not None  # the standard asks for at least one target
    return product, tuple(targets)


def _target(document: Document, path: Steps, reference: str) -> tuple[ProductName, str]:
    linked = _LINK.match(reference)
    parts = list(linked.group("domain", "product", "column")) if linked else reference.split(".")
    if len(parts) != 3 or ("/" in reference and not linked):
        raise document.refused(
            path,
            f"the reference {reference!r} is not of the form that the mesh reads",
            "Write domain.product.column, e.g. geography.zip_area.zip5, or "
            "geography/zip_area/contract.yaml#/schema/zip_area/properties/zip5",
            key=False,
        )
    try:
        product = ProductName(parts[0], parts[1])
    except NameMalformed as error:
        raise document.malformed(path, str(error)) from None
    if str(product) == document.value["id"]:
        raise document.refused(
            path,
            f"{reference} is of the product itself, which the mesh does not check yet",
            "Say it as a quality rule of type sql",
            key=False,
        )
    return product, parts[2]


def _references(document: Document, path: Steps) -> list[tuple[Steps, str]]:
    written = document.at(path)
    if isinstance(written, list):
        return [((*path, number), reference) for number, reference in enumerate(written)]
    return [(path, written)]


def _severity(document: Document, path: Steps, written: dict[str, Any]) -> Severity:
    """ODCS gives relationships no severity: the customProperty `severity` does."""
    for number, custom in enumerate(written.get("customProperties", ())):
        if custom["property"] == "severity":
            return severity_of(document, (*path, "customProperties", number, "value"), custom["value"])
    return Severity.ERROR
