"""A contract file judged by itself: what of it would run, and everything that would not, with its place.

Here: reading contracts that are no products of this mesh (several objects, ids that name no folder), and
going on after the first finding.
Not here: what a product of this mesh must be beyond that (read: one table, its folder's name).

How it goes on: the part of the file that a finding points at is taken out, and the rest is read again. So
every reader of a form stays as it is, with one error to raise, and no second reader has to agree with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from mesh_assets.capabilities.contracts.columns import columns_of
from mesh_assets.capabilities.contracts.document import Document, Steps, parse, read_text, value_of
from mesh_assets.capabilities.contracts.links import product_of
from mesh_assets.capabilities.contracts.model import DOCUMENTATION, Automation, Column, Contract
from mesh_assets.capabilities.contracts.rules import promises_of
from mesh_assets.capabilities.contracts.sla import ServiceLevel, service_levels
from mesh_assets.capabilities.contracts.standard import check_contract_standard
from mesh_assets.words.errors import DocumentMalformed, RuleRefused
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Rule

#: After so many findings a file is wrong altogether.
MOST_FINDINGS = 500


@dataclass(frozen=True)
class Finding:
    """Why a part of the file would not run."""

    #: `standard`: the file is not what ODCS says; `form`: the mesh does not run this form; `contract`: it
    #: contradicts itself; `run`: no pass can answer the rule on the declared types. And, which refuses
    #: nothing, `note`: what a product of this mesh would need beyond that.
    kind: str
    file: str
    line: int
    column: int
    problem: str
    remedy: str


@dataclass(frozen=True)
class Object:
    """One table of the contract, as far as it can be read."""

    #: The object's own name, and what it is stored as.
    written: str
    stored: str
    name: ProductName
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    #: Quality rules of `type: text`: [{column, name, description}].
    documentation: tuple[dict[str, Any], ...]
    service_levels: tuple[ServiceLevel, ...]


@dataclass(frozen=True)
class Reading:
    """What a contract file says. It loads if nothing was found against it."""

    file: str
    version: str
    objects: tuple[Object, ...]
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...] = ()
    #: What was read: the file, without the parts that findings are about. None if nothing could be.
    document: Document | None = None

    @property
    def loads(self) -> bool:
        return not self.findings


def read_alone(path: Path) -> Reading:
    """The contract in this file, whatever its name and folder. Raises nothing for what stands in it."""
    try:
        text = read_text(path)
    except DocumentMalformed as error:
        return Reading(str(path), "", (), (_finding("standard", error),))
    return read_text_alone(str(path), text)


def read_text_alone(file: str, text: str, *, of_the_mesh: bool = False) -> Reading:
    """The contract that this text is, as if it stood in that file.

    `of_the_mesh`: what a mesh asks beyond the standard is a finding and not a note.
    """
    try:
        document = parse(file, text)
    except DocumentMalformed as error:
        return Reading(file, "", (), (_finding("standard", error),))
    document = replace(document, notes=None if of_the_mesh else [])
    findings: list[Finding] = []
    standard = _until_it_passes(document, check_contract_standard, "standard", findings)
    objects: tuple[Object, ...] = ()
    left = None
    if standard is not None:
        read: list[tuple[Object, ...]] = []
        left = _until_it_passes(standard, lambda each: read.append(_objects(each)), "contract", findings)
        objects = read[0] if read else ()
    version = document.value.get("apiVersion")
    notes = tuple(_finding("note", error) for error in document.notes or ())
    known = version if isinstance(version, str) else ""
    return Reading(file, known, objects, tuple(findings), _apart(notes, findings), left)


def _apart(notes: tuple[Finding, ...], findings: list[Finding]) -> tuple[Finding, ...]:
    """Without what was noted of a part that is refused anyway."""
    refused = {(finding.line, finding.column) for finding in findings}
    return tuple(note for note in notes if (note.line, note.column) not in refused)


def _objects(document: Document) -> tuple[Object, ...]:
    tables = document.value.get("schema") or ()
    if not tables:
        if not document.alone:
            service_levels(document, ("schema", 0), ())
        told = "the contract has no `schema`: there is nothing to check"
        document.convention(document.malformed((), told, "Describe a table"))
    objects: dict[ProductName, Object] = {}
    for number in range(len(tables)):
        read = _object(document, ("schema", number))
        twin = objects.setdefault(read.name, read)
        if twin is not read:
            raise document.malformed(
                ("schema", number, "name"),
                f"the objects {twin.written!r} and {read.written!r} are both {read.name.product} for SQL",
                "Name one otherwise",
            )
    return tuple(objects.values())


def _object(document: Document, table: Steps) -> Object:
    columns = columns_of(document, table)
    levels = service_levels(document, table, columns)
    promises = promises_of(document, table, columns, levels)
    written = document.at(table)
    return Object(
        written=str(written["name"]),
        stored=str(written.get("physicalName") or written["name"]),
        name=product_of(document, table),
        columns=columns,
        rules=promises.rules,
        documentation=promises.documentation,
        service_levels=levels,
    )


def contract_of(reading: Reading, chosen: Object) -> Contract:
    """One object of the contract as a promise that data can be held to."""
    document = reading.document
    assert document is not None  # an object was read from it
    value = document.value
    tables = [table for table in value.get("schema") or () if str(table["name"]) == chosen.written]
    return Contract(
        product=chosen.name,
        version=str(value["version"]),
        api_version=reading.version,
        status=str(value.get("status", "")),
        title=str(value.get("name") or chosen.written),
        purpose="",
        limitations="",
        usage="",
        description="",
        columns=chosen.columns,
        rules=chosen.rules,
        owners=(),
        tags=(),
        partitioning=None,
        automation=Automation("manual"),
        sla=(),
        raw={**value, "schema": tables},
        text=document.text,
        place=document.place(),
        digest=sha256(document.text.encode()).hexdigest(),
        custom={DOCUMENTATION: chosen.documentation},
        service_levels=chosen.service_levels,
    )


def _until_it_passes(
    document: Document, read: Callable[[Document], None], kind: str, findings: list[Finding]
) -> Document | None:
    """The document without all that `read` raises for; None if nothing is left to read."""
    while True:
        try:
            read(document)
        except DocumentMalformed as error:
            found = _finding("form" if isinstance(error, RuleRefused) else kind, error)
            again = any(_is_the_same(found, other) for other in findings)
            if not again:
                findings.append(found)
            left = _without(document, found.line, found.column, whole=again)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            # A form that JSON schema lets through and no reader expects: an error of ours, told as one.
            told = f"the mesh cannot read this contract ({type(error).__name__}: {error})"
            findings.append(Finding("contract", document.file, 1, 1, told, "Please report it"))
            return None
        else:
            return document
        if len(findings) >= MOST_FINDINGS:
            told = f"the file has more than {MOST_FINDINGS} findings; what is behind this line is not judged"
            findings.append(Finding(kind, document.file, findings[-1].line, 1, told, "Mend these first"))
            return None
        if left is None:
            return None
        document = left


def _is_the_same(found: Finding, other: Finding) -> bool:
    """A part was taken out, and what is around it has the same to say; a later line is another finding."""
    there, here = (other.line, other.column), (found.line, found.column)
    return found.problem == other.problem and found.kind == other.kind and here <= there


def _finding(kind: str, error: DocumentMalformed) -> Finding:
    facts = error.facts
    problem = facts["problem"].partition(" more finding")[0]
    if problem != facts["problem"]:  # the others are told one by one
        problem = problem.rpartition(" (")[0]
    return Finding(kind, facts["file"], facts["line"], facts["column"], problem, facts["remedy"])


#: Keys without which the rest of a mapping means nothing: the mapping goes, not the key.
_BEARING = frozenset(
    (
        "apiVersion",
        "kind",
        "id",
        "version",
        "status",
        "schema",
        "name",
        "properties",
        "logicalType",
        "items",
        "map",
        "property",
        "value",
        "to",
        "from",
        "type",
        "metric",
        "rule",
        "query",
        "engine",
        "implementation",
    )
)
#: Mappings of which a single key can go. Of all others the list item goes that they stand in.
_LOOSE = frozenset(("", "schema", "properties", "items", "logicalTypeOptions"))


@dataclass(frozen=True)
class _Part:
    """Something that can be taken out: the container's list of children, and which of them."""

    siblings: list[Any]
    index: int
    item: bool


def _without(document: Document, line: int, column: int, *, whole: bool) -> Document | None:
    """The document without the smallest part around this place; `whole`: without the list item around it."""
    parts = [part for part in _around(document.root, line - 1, column - 1) if part.item or not whole]
    if not parts:
        return None
    del parts[-1].siblings[parts[-1].index]
    # The text is what verdicts are remembered by: what is left is another document.
    text = f"{document.text}\n# without {line}:{column}"
    value = value_of(document.file, document.root)
    return replace(document, text=text, value=value) if isinstance(value, dict) else None


def _around(root: Any, line: int, column: int) -> Iterator[_Part]:
    """The parts that hold this place, the outermost first."""
    node, name = root, ""
    while True:
        if isinstance(node, yaml.MappingNode):
            at = _last_before([key for key, _ in node.value], line, column)
            if at is None:
                return
            key = node.value[at][0].value
            if name in _LOOSE and key not in _BEARING:
                yield _Part(node.value, at, item=False)
            node, name = node.value[at][1], key
        elif isinstance(node, yaml.SequenceNode):
            at = _last_before(node.value, line, column)
            if at is None:
                return
            yield _Part(node.value, at, item=True)
            node = node.value[at]
        else:
            return


def _last_before(nodes: list[Any], line: int, column: int) -> int | None:
    """The child in which a place lies: the last that does not begin behind it."""
    found = None
    for number, node in enumerate(nodes):
        if (node.start_mark.line, node.start_mark.column) <= (line, column):
            found = number
    return found
