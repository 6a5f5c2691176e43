"""Foreign keys: a column's values exist in another product, or in another column of the product itself.

Here: `relationships` of properties and of the table.
Not here: what a reference names (links), reading the other product (checks gets it, pinned).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh_assets.capabilities.contracts.document import Document, Steps, kind_of
from mesh_assets.capabilities.contracts.links import product_of, target
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.site import severity_of
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Rule, Severity

#: The one type of relationship that the standard has so far.
TYPES = ("foreignKey",)


def foreign_key_rules(
    document: Document, owner: Steps, column: Column | None, columns: tuple[Column, ...]
) -> Iterator[Rule]:
    """One rule for each relationship of a property (or of the table: column None)."""
    written = document.at((*owner, "relationships"))
    if not written:
        return
    taken: set[str] = set()
    for number, each in enumerate(written):
        path = (*owner, "relationships", number)
        _refuse_other_types(document, path, each)
        rule = _rule(document, path, each, owner[:2], (column.name,) if column else None)
        if rule.id in taken:  # the same columns refer to two keys of one product
            rule = _rule(document, path, each, owner[:2], rule.columns, more_exactly=True)
        taken.add(rule.id)
        yield rule


def _refuse_other_types(document: Document, path: Steps, written: dict[str, Any]) -> None:
    if written.get("type", TYPES[0]) not in TYPES:
        raise document.refused(
            (*path, "type"),
            f"the relationship is of type {kind_of(written['type'])}, which the mesh does not run",
            f"Write {TYPES[0]}, or leave it out",
            key=False,
        )


def _rule(
    document: Document,
    path: Steps,
    written: dict[str, Any],
    table: Steps,
    names: tuple[str, ...] | None,
    *,
    more_exactly: bool = False,
) -> Rule:
    names = names or _from(document, path, table)
    product, targets = _to(document, path, table)
    if len(names) != len(targets):
        raise document.malformed(
            (*path, "to"), f"{len(names)} columns ({', '.join(names)}) refer to {len(targets)} columns"
        )
    own = product == product_of(document, table)
    subject = " and ".join(targets)
    said = f"{subject} of {'the product itself' if own else product}"
    suffix = f"_{'_'.join(targets)}" if more_exactly else ""
    return Rule(
        id=f"{'_'.join(names)}_is_{product.product}{suffix}",
        kind="foreign_key",
        columns=names,
        description=f"{' and '.join(names)}, where not null, is a {said}",
        severity=_severity(document, path, written),
        dimension="consistency",
        arguments={"to_product": str(product), "to_columns": list(targets)},
        place=document.place(path),
    )


def _from(document: Document, path: Steps, table: Steps) -> tuple[str, ...]:
    own, names = product_of(document, table), []
    for at, reference in _references(document, (*path, "from")):
        found = target(document, at, reference, table)
        if found.product != own:
            raise document.malformed(
                at, f"the relationship begins at {reference!r}, which is of {found.product}, not of {own}"
            )
        names.append(found.column)
    return tuple(names)


def _to(document: Document, path: Steps, table: Steps) -> tuple[ProductName, tuple[str, ...]]:
    product: ProductName | None = None
    targets: list[str] = []
    for at, reference in _references(document, (*path, "to")):
        found = target(document, at, reference, table)
        if product is not None and found.product != product:
            raise document.malformed(
                at, f"one relationship refers to two products, {product} and {found.product}"
            )
        product = found.product
        targets.append(found.column)
    if product is None:
        raise document.malformed(
            (*path, "to"), "the relationship leads to no column", "Write object.property"
        )
    return product, tuple(targets)


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
