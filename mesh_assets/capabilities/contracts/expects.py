"""What a consumer expects of somebody else's product: `<consumer>/expects/<domain>.<product>.yaml`.

Here: reading such a file, an ODCS document of the columns that the consumer relies on, as rules about the
product.
Not here: finding the files (lineage), a domain's expectations of its own products (checks).

Types, and which columns there are, come from the producer's contract. A rule warns, unless it says that it
blocks and the producer's contract lets this consumer block.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.columns import columns_of
from mesh_assets.capabilities.contracts.document import (
    Document,
    Steps,
    allowed_words,
    close_to,
    parse,
    read_text,
    told,
)
from mesh_assets.capabilities.contracts.model import Contract, Domain
from mesh_assets.capabilities.contracts.read import ACCEPTS_BLOCKING, only_table
from mesh_assets.capabilities.contracts.rules import promises_of
from mesh_assets.capabilities.contracts.standard import check_contract_standard
from mesh_assets.words.errors import DocumentMalformed, ExpectationMismatch, NameMalformed
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.rules import Place, Rule, Severity, products_of

#: Of one consumer about one product: nobody may fill another domain's audit.
MOST_RULES = 50

_ABOUT = ("apiVersion", "kind", "id", "name", "version", "status", "domain", "description", "tags", "team")
_KEYS = (*_ABOUT, "schema", "authoritativeDefinitions")
#: Kinds of rules that every product has without a word: the producer's own affair.
_IMPLIED = frozenset({"row_count_positive", "physical_types"})
#: What the producer says of a column where the consumer does not.
_TYPES = ("logicalType", "physicalType")


def expected_product(path: Path) -> ProductName:
    """The product that a file is about, by its name; DocumentMalformed for any other name."""
    try:
        product = product_name(path.stem.replace("/", " ")) if path.suffix == ".yaml" else None
    except NameMalformed:
        product = None
    if product is None or product.private:
        raise DocumentMalformed(
            file=path,
            line=1,
            problem=f"{path.name!r} names no product of another domain",
            remedy="Name the file for the product: expects/<domain>.<product>.yaml",
        )
    if product.domain == path.parent.parent.name:
        raise DocumentMalformed(
            file=path,
            line=1,
            problem=f"{product} is of {product.domain} itself",
            remedy=f"Write these rules into {product.product}/contract.yaml",
        )
    return product


def read_own_words(path: Path) -> Document:
    """The file as far as it can be judged alone: YAML, ODCS, its names. DocumentMalformed if it is wrong."""
    product, consumer = expected_product(path), path.parent.parent.name
    if path.resolve().parent != path.parent.resolve():  # what it quotes of another file is told to many
        raise DocumentMalformed(
            file=path, line=1, problem="it is a link to another place", remedy="Write the file itself"
        )
    document = parse(str(path), read_text(path))
    _refuse_untyped_options(document)
    check_contract_standard(document)
    for key in document.value:
        if key not in _KEYS:
            raise document.refused(
                (key,), f"`{key}` is a promise, and this file only expects", allowed_words(key, _KEYS)
            )
    for key, wanted in (("id", f"{consumer}.expects.{product}"), ("domain", consumer)):
        found = document.value.get(key, wanted)
        if found != wanted:
            raise document.malformed((key,), f"`{key}` is {found!r}", f"Write {key}: {wanted}")
    only_table(document, product)
    return document


def read_expectations(path: Path, contract: Contract, consumer: Domain) -> tuple[Rule, ...]:
    """The rules that a consumer adds to the audit of a product, named `<consumer>__<rule>`.

    Raises DocumentMalformed (or RuleRefused) for what is wrong in the file itself, ExpectationMismatch for
    what the producer's contract does not have or does not allow; each with file and line.
    """
    document = read_own_words(path)
    if contract.product not in consumer.input_ports:
        raise _mismatch(
            document.place(("id",)),
            f"{consumer.name} has no input port for {contract.product}, and only who reads may expect",
            f"Add it to inputPorts of {consumer.name}/domain.yaml",
        )
    table = only_table(document, contract.product)
    explicit = frozenset(_with_a_severity(document, table))
    filled = _filled(document, table, contract)
    columns = columns_of(filled, table) if filled.at((*table, "properties")) else ()
    promised = [rule for rule in promises_of(filled, table, columns).rules if rule.kind not in _IMPLIED]
    if not 0 < len(promised) <= MOST_RULES:
        raise document.malformed(
            table, f"the file has {len(promised)} rules; it must have 1 to {MOST_RULES}", key=True
        )
    rules = tuple(_theirs(rule, consumer.name, rule.place in explicit) for rule in promised)
    for rule in rules:
        _refuse_blocking(rule, contract, consumer.name)
        _refuse_foreign(rule, contract, consumer)
    return rules


def _refuse_untyped_options(document: Document) -> None:
    """The standard tells by the type which options there are, and says something else if there is none."""
    columns = document.at(("schema", 0, "properties"))
    for number, written in enumerate(columns if isinstance(columns, list) else ()):
        if isinstance(written, dict) and "logicalTypeOptions" in written and "logicalType" not in written:
            raise document.malformed(
                ("schema", 0, "properties", number, "logicalTypeOptions"),
                f"{written.get('name')} has `logicalTypeOptions` and no `logicalType`",
                "Write the column's logicalType beside them",
                key=True,
            )


def _theirs(rule: Rule, consumer: str, explicit: bool) -> Rule:
    return replace(
        rule,
        id=f"{consumer}__{rule.id}",
        severity=rule.severity if explicit else Severity.WARNING,
        expected_by=consumer,
    )


def _refuse_blocking(rule: Rule, contract: Contract, consumer: str) -> None:
    if rule.blocking and consumer not in contract.custom.get(ACCEPTS_BLOCKING, ()):
        raise _mismatch(
            rule.place,
            f"{rule.id} blocks, and {contract.product} accepts no blocking expectations from {consumer}",
            f"Write severity: warning, or ask the producer for {ACCEPTS_BLOCKING}: [{consumer}]",
        )


def _refuse_foreign(rule: Rule, contract: Contract, consumer: Domain) -> None:
    """What the consumer may not read, its rules may not read either."""
    for name in products_of(rule):
        own = name.domain == consumer.name and not name.private
        if name != contract.product and not own and name not in consumer.input_ports:
            raise _mismatch(
                rule.place,
                f"{rule.id} compares with {name}, which {consumer.name} does not read",
                f"Compare with a product of {consumer.name}, or with one of its inputPorts",
            )


def _with_a_severity(document: Document, owner: Steps) -> Iterator[Place]:
    """Where a rule says for itself how severe it is."""
    value = document.at(owner)
    if isinstance(value, dict):
        for key in value:
            yield from _with_a_severity(document, (*owner, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            path = (*owner, number)
            if isinstance(each, dict) and owner[-1] in ("quality", "relationships"):
                custom = {entry.get("property") for entry in each.get("customProperties") or ()}
                if "severity" in each or "severity" in custom:
                    yield document.place(path)
            yield from _with_a_severity(document, path)


def _filled(document: Document, table: Steps, contract: Contract) -> Document:
    """The document as if it were the product's contract: with its name, and its types where it is silent."""
    value = deepcopy(document.value)
    value["id"], value["domain"] = str(contract.product), contract.product.domain
    filled = replace(document, value=value)
    value["schema"][0].setdefault("properties", [])
    promised = contract.raw["schema"][0]
    _fill(filled, table, promised, str(contract.product))
    return filled


def _fill(document: Document, owner: Steps, promised: dict[str, Any], label: str) -> None:
    known = {each["name"]: each for each in promised.get("properties") or ()}
    for number, written in enumerate(document.at((*owner, "properties")) or ()):
        path = (*owner, "properties", number)
        theirs = known.get(written["name"])
        if theirs is None:
            near = close_to(written["name"], known)
            raise _mismatch(
                document.place((*path, "name")),
                f"{label} has no column {written['name']!r}",
                f"Did you mean {near}?" if near else f"It has: {', '.join(known)}",
            )
        _fill_types(document, path, theirs, f"{label}.{written['name']}")
    if isinstance(document.at((*owner, "items")), dict) and isinstance(promised.get("items"), dict):
        _fill_types(document, (*owner, "items"), promised["items"], f"{label}[]")


def _fill_types(document: Document, path: Steps, theirs: dict[str, Any], label: str) -> None:
    written = document.at(path)
    for key in _TYPES:
        if key not in theirs:
            continue
        if str(written.setdefault(key, theirs[key])).lower() != str(theirs[key]).lower():
            raise _mismatch(
                document.place((*path, key)),
                f"{label} has the {key} {theirs[key]}, and {written[key]} is expected",
                f"Write {key}: {theirs[key]}, or leave it out",
            )
    _fill(document, path, theirs, label)


def _mismatch(place: Place | None, problem: str, remedy: str) -> ExpectationMismatch:
    at = place or Place(file="?", line=1)
    return ExpectationMismatch(
        file=at.file, line=at.line, column=at.column, problem=told(problem), remedy=remedy
    )
