"""From a reference as ODCS writes it to the product and the column that it names.

Here: both notations (`object.property` by names, `schema/<id>/properties/<id>` by ids), with a contract's
file before `#` or without; the mesh's own `domain.product.column`.
Not here: the rules made of them (relationships); whether another product has that column (lineage, which
sees the whole mesh).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.document import Document, Steps, close_to, parse, read_text
from mesh_assets.words.errors import DocumentMalformed, MeshError, NameMalformed
from mesh_assets.words.names import ProductName, product_name

#: `…contract.yaml#…`: what makes a contract depend on the text of another file.
TO_A_FILE = re.compile(r"\.ya?ml#")
_BY_ID = re.compile(r"/?schema/(?P<object>[^/]+)/properties/(?P<property>[^/]+)(?P<nested>/.+)?\Z")
_BY_FOLDERS = re.compile(r"(?:\.{1,2}/)*(?P<domain>\w+)/(?P<product>\w+)/contract\.yaml\Z")


@dataclass(frozen=True)
class Target:
    """A column of a product."""

    product: ProductName
    column: str


@dataclass(frozen=True)
class _Link:
    """A reference where it is written; `table` is the object whose relationship it belongs to."""

    document: Document
    path: Steps
    reference: str
    table: Steps


def target(document: Document, path: Steps, reference: str, table: Steps) -> Target:
    """What the reference names. Raises DocumentMalformed or RuleRefused, with its place."""
    link = _Link(document, path, reference, table)
    file, anchor, within = reference.rpartition("#")
    if anchor and file:
        return _in_another_file(link, file, within)
    if "/" in within:
        return _by_id(link, document, within)
    return _by_name(link, within)


def product_of(document: Document, table: Steps) -> ProductName:
    """The product that an object of a contract is: the contract's id, or for a contract that is no product of
    this mesh a name made of its domain and the object's.
    """
    tables, contract = document.value.get("schema") or [], document.value.get("id")
    if isinstance(contract, str) and len(tables) <= 1:
        try:
            return product_name(contract)
        except NameMalformed:
            pass
    written = document.at(table) or {}
    domain = document.value.get("domain") or document.value.get("dataProduct") or "contract"
    return ProductName(word_of(domain), word_of(written.get("name", "table")))


def word_of(text: Any) -> str:
    """Any text as a word that may stand in a product's name."""
    plain = re.sub(r"[^a-z0-9]+", "_", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", str(text)).lower()).strip("_")
    return (plain if re.match(r"[a-z]", plain) else f"x_{plain}")[:60].rstrip("_")


def _by_name(link: _Link, within: str) -> Target:
    """`object.property` of this contract or of the domain; `domain.product.column` of any."""
    first, *rest = within.split(".")
    found = _object(link.document, first, ("name",))
    if found is not None and (len(rest) == 1 or _has(link.document, found, rest[0])):
        return _in_object(link, link.document, found, rest, ("name",))
    own = product_of(link.document, link.table)
    if len(rest) == 1 and link.document.alone:
        return _in_another_contract(link, own.domain, first, rest[0])
    if len(rest) == 1 and len(link.document.value.get("schema") or []) <= 1:
        return Target(_product(link, own.domain, first), rest[0])
    if len(rest) == 2:
        named = _product(link, first, rest[0])
        if named == own:
            return _in_object(link, link.document, link.table, rest[1:], ("name",))
        return Target(named, rest[1])
    raise _no_object(link, first, ("name",))


def _in_another_contract(link: _Link, domain: str, named: str, column: str) -> Target:
    """A name that is no object here: of another contract, as far as anybody can tell from this one."""
    target = ProductName(domain, word_of(named))
    error = _no_object(link, named, ("name",))
    told = link.document.malformed(link.path, error.facts["problem"], f"It is taken for the product {target}")
    link.document.convention(told)
    return Target(target, column)


def _by_id(link: _Link, document: Document, within: str) -> Target:
    """`schema/<object>/properties/<property>`: by `id`, and by `name` where an element has no id."""
    parts = _BY_ID.match(within)
    if parts is None:
        raise link.document.refused(
            link.path,
            f"the reference {link.reference!r} names no column",
            "Write schema/<object id>/properties/<property id>",
            key=False,
        )
    if parts["nested"]:
        raise _nested(link)
    found = _object(document, parts["object"], ("id", "name"))
    if found is None:
        raise _no_object(link, parts["object"], ("id", "name"), document)
    return _in_object(link, document, found, [parts["property"]], ("id", "name"))


def _in_object(
    link: _Link, document: Document, table: Steps, names: list[str], keys: tuple[str, ...]
) -> Target:
    if len(names) > 1:
        raise _nested(link)
    properties = _properties(document, table)
    found = _named(properties, names[0], keys)
    if found is None:
        known = [str(each.get(key)) for each in properties for key in keys if each.get(key)]
        near = close_to(names[0], known)
        raise link.document.malformed(
            link.path,
            f"{link.reference!r}: {document.at((*table, 'name'))} has no column {names[0]!r}",
            f"Did you mean {near}?" if near else f"It has {', '.join(dict.fromkeys(known))}",
        )
    return Target(product_of(document, table), str(found.get("physicalName") or found["name"]))


def _in_another_file(link: _Link, file: str, within: str) -> Target:
    if "://" in file:
        raise link.document.refused(
            link.path,
            f"{link.reference!r} is a contract at a URL, and a build reads nothing from there",
            "Write domain.product.column of a product of this mesh",
            key=False,
        )
    place = _file(link, file)
    if place is None:
        return _by_folders(link, file, within)
    try:
        other = parse(str(place), read_text(place))
    except MeshError as error:
        raise link.document.malformed(link.path, f"{link.reference!r} cannot be read: {error}") from None
    found = _by_id(link, other, within) if "/" in within else _by_name_in(link, other, within)
    if not _a_product(place):
        return found
    folder = place.resolve().parent
    return Target(_product(link, folder.parent.name, folder.name), found.column)


def _by_name_in(link: _Link, other: Document, within: str) -> Target:
    first, *rest = within.split(".")
    found = _object(other, first, ("name",))
    if found is None or not rest:
        raise _no_object(link, first, ("name",), other)
    return _in_object(link, other, found, rest, ("name",))


def _file(link: _Link, file: str) -> Path | None:
    """The contract's file: beside this one, or from the folder of all domains."""
    here = Path(link.document.file).resolve().parent
    return next((path for path in (here / file, here.parent.parent / file) if path.is_file()), None)


def _a_product(place: Path) -> bool:
    return place.name == "contract.yaml" and (place.resolve().parent.parent / "domain.yaml").is_file()


def _by_folders(link: _Link, file: str, within: str) -> Target:
    """A file that is not there: its folders name the product, and the mesh asks for it when it loads."""
    folders, parts = _BY_FOLDERS.match(file), _BY_ID.match(within)
    if folders is None or parts is None or parts["nested"] or parts["object"] != folders["product"]:
        raise link.document.malformed(
            link.path,
            f"{link.reference!r}: there is no contract {file}",
            "Write its path from this file, or domain.product.column",
        )
    return Target(_product(link, folders["domain"], folders["product"]), parts["property"])


def _product(link: _Link, domain: str, product: str) -> ProductName:
    try:
        return ProductName(domain, product)
    except NameMalformed as error:
        raise link.document.malformed(link.path, str(error)) from None


def _object(document: Document, word: str, keys: tuple[str, ...]) -> Steps | None:
    tables = [table for table in document.value.get("schema") or [] if isinstance(table, dict)]
    found = _named(tables, word, keys)
    return None if found is None else ("schema", document.value["schema"].index(found))


def _properties(document: Document, table: Steps) -> list[dict[str, Any]]:
    return [each for each in document.at((*table, "properties")) or [] if isinstance(each, dict)]


def _has(document: Document, table: Steps, word: str) -> bool:
    return _named(_properties(document, table), word, ("name",)) is not None


def _named(elements: Iterable[dict[str, Any]], word: str, keys: tuple[str, ...]) -> dict[str, Any] | None:
    """The element of that id; without one, of that name."""
    listed = list(elements)
    for key in keys:
        for element in listed:
            if element.get(key) == word:
                return element
    return None


def _nested(link: _Link) -> DocumentMalformed:
    return link.document.refused(
        link.path,
        f"{link.reference!r} is inside of an object, and a key of the mesh is a column",
        "Refer to a column, or say it as a quality rule of type sql",
        key=False,
    )


def _no_object(
    link: _Link, word: str, keys: tuple[str, ...], document: Document | None = None
) -> DocumentMalformed:
    tables = (document or link.document).value.get("schema") or []
    known = [str(table[key]) for table in tables if isinstance(table, dict) for key in keys if table.get(key)]
    near = close_to(word, known)
    return link.document.malformed(
        link.path,
        f"{link.reference!r}: the contract has no object {word!r}",
        f"Did you mean {near}?" if near else f"It has {', '.join(dict.fromkeys(known)) or 'none'}",
    )
