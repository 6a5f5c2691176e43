"""An audit of anybody's files by anybody's contract: no mesh, no lake, nothing published.

Here: which object of the contract is meant, what it refers to, one audit, what it says.
Not here: reading the contract (contracts/alone), opening files (data_files), the audit itself (audit).

Forms that the contract has and nobody runs are not passed over: they are told beside the results, and an
audit with one of them has not passed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.checks.data_files import Reader, file_kind
from mesh_assets.capabilities.checks.failures import write_failures
from mesh_assets.capabilities.contracts.alone import Finding, Object, Reading, contract_of, read_alone
from mesh_assets.capabilities.contracts.document import close_to
from mesh_assets.capabilities.contracts.links import word_of
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.contracts.nested import ANYTHING
from mesh_assets.words.errors import ContractRefused, DataUnreadable, NoSuchTable
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import RuleResult, Verdict, products_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Audited:
    """What an audit of files says, and what of the contract it could not be asked."""

    contract: Contract
    table: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    #: Files of failing rows, if somebody asked for them.
    written: tuple[Path, ...] = ()
    #: Products that rules point at, and of which no data was given.
    missing: tuple[ProductName, ...] = ()

    @property
    def failed(self) -> bool:
        return self.verdict.stops_publication

    def as_json(self) -> dict[str, Any]:
        """Plain values, for scripts."""
        return {
            "contract": self.contract.place.file,
            "table": self.table,
            "rows": self.verdict.rows,
            "passed": not self.failed and not self.findings,
            "rules": [_plain(result) for result in self.verdict.results],
            "refused": [vars(finding) for finding in self.findings],
            "notes": [vars(note) for note in self.notes],
            "rows_written": [str(path) for path in self.written],
        }


@dataclass(frozen=True)
class Order:
    """What somebody asks for."""

    contract: Path
    data: tuple[Path, ...]
    table: str | None = None
    #: By the name that the contract gives it: the data of another table that rules point at.
    references: Mapping[str, Path] | None = None
    rules: Collection[str] = ()
    rows: Path | None = None


def audit_files(order: Order, *, told: Callable[[str], None] = lambda step: None) -> Audited:
    """The contract's rules over these files. Each step is `told` before it is taken."""
    for path in (*order.data, *(order.references or {}).values()):
        file_kind(path)
    reading = read_alone(order.contract)
    chosen = _chosen(reading, order)
    contract = contract_of(reading, chosen)
    only = _only(contract, order.rules)
    with _reader() as reader:
        told(f"reading {', '.join(path.name for path in order.data[:3])}")
        relation = reader.relation(order.data, (chosen.stored, chosen.written), _promised(contract))
        references = _references(reader, reading, contract, order.references or {})
        told(f"auditing {len(only or contract.rules)} rules")
        verdict = audit(reader.con, relation, contract, references=references, only=only)
        written: tuple[Path, ...] = ()
        if order.rows is not None:
            told("writing failing rows")
            written = write_failures(
                reader.con, relation, contract, verdict, order.rows, references=references
            )
    ran = [result.rule for result in verdict.results]
    named = dict.fromkeys(name for rule in ran for name in products_of(rule))
    missing = tuple(name for name in named if name not in references and name != contract.product)
    return Audited(contract, chosen.written, verdict, reading.findings, reading.notes, written, missing)


@contextmanager
def _reader() -> Iterator[Reader]:
    import duckdb

    with TemporaryDirectory(prefix="mesh_audit_") as folder:
        con: DuckDBPyConnection = duckdb.connect()
        try:
            con.execute("SET TimeZone = 'UTC'")
            con.execute(f"SET temp_directory = '{folder}'")
            yield Reader(con, Path(folder))
        finally:
            con.close()


def _chosen(reading: Reading, order: Order) -> Object:
    """The object that is asked for, the only one, or the one that the file is called like."""
    if not reading.objects:
        first = (*reading.findings, *reading.notes)[0]
        raise ContractRefused(
            file=first.file, line=first.line, column=first.column, problem=first.problem, remedy=first.remedy
        )
    names = {
        word: each for each in reading.objects for word in (each.name.product, each.stored, each.written)
    }
    if order.table is not None:
        if order.table in names:
            return names[order.table]
        raise NoSuchTable(
            file=reading.file, table=order.table, near=close_to(order.table, names), tables=_tables(reading)
        )
    stem = order.data[0].name.partition(".")[0]
    if len(reading.objects) == 1 or stem in names:
        return names.get(stem, reading.objects[0])
    raise NoSuchTable(file=reading.file, table=stem, near=None, tables=_tables(reading))


def _tables(reading: Reading) -> tuple[str, ...]:
    return tuple(each.written for each in reading.objects)


def _only(contract: Contract, names: Collection[str]) -> set[str] | None:
    known = {rule.id for rule in contract.rules}
    for name in names:
        if name not in known:
            raise NoSuchTable(
                file=contract.place.file,
                table=name,
                near=close_to(name, known),
                tables=tuple(sorted(known)),
                what="rule",
            )
    return set(names) or None


def _promised(contract: Contract) -> dict[str, str]:
    return {each.name: each.physical_type for each in contract.columns if each.logical_type != ANYTHING}


def _references(
    reader: Reader, reading: Reading, contract: Contract, given: Mapping[str, Path]
) -> dict[ProductName, str]:
    """The relations of the products that rules name, as far as their data is given."""
    wanted = dict.fromkeys(product for rule in contract.rules for product in products_of(rule))
    found: dict[ProductName, str] = {}
    for name, path in given.items():
        target = next((product for product in wanted if _is_called(product, name)), None)
        if target is None:
            told = ", ".join(str(product) for product in wanted) or "none"
            problem = f"no rule of {contract.product.product} refers to {name!r}"
            raise DataUnreadable(file=path, problem=problem, remedy=f"It refers to: {told}")
        names = (target.product, name)
        found[target] = reader.relation((path,), names, _types_of(target, reading, contract))
    return found


def _is_called(product: ProductName, name: str) -> bool:
    return name == str(product) or word_of(name.rpartition(".")[2]) == product.product


def _types_of(target: ProductName, reading: Reading, contract: Contract) -> dict[str, str]:
    """Of an object of the same contract, its own; of any other, those of the columns that point at it."""
    for each in reading.objects:
        if each.name == target:
            return _promised(contract_of(reading, each))
    own = _promised(contract)
    pointing = [rule for rule in contract.rules if rule.arguments.get("to_product") == str(target)]
    return {
        other: own[name]
        for rule in pointing
        for name, other in zip(rule.columns, rule.arguments["to_columns"], strict=True)
        if name in own
    }


def _plain(result: RuleResult) -> dict[str, Any]:
    rule = result.rule
    return {
        "rule": rule.id,
        "kind": rule.kind,
        "outcome": str(result.outcome),
        "severity": str(rule.severity),
        "dimension": rule.dimension,
        "failed_rows": result.failed_rows,
        "checked_rows": result.checked_rows,
        "value": result.value,
        "summary": result.summary,
        "description": rule.description,
        "line": rule.place.line if rule.place else None,
        "sample": [dict(row) for row in result.sample],
    }
