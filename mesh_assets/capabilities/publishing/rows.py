"""Failing and quarantined rows on request: all of them, masked unless the reader may see.

What is stored along the way (samples, files of a refused draft, Dagster's metadata) is masked always. Here
rows are looked up again: in the refused draft that was kept, in the files of a published version, in its
quarantine.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.split import split, write_aside
from mesh_assets.capabilities.checks.subject import MASK
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.contracts.read import contract_from_text
from mesh_assets.capabilities.lake import connect, files_sql
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.publishing.inputs import input_sql, inputs_as_read, rows_of_version
from mesh_assets.capabilities.publishing.keep import draft_folder, kept_draft
from mesh_assets.words.errors import MayNotSee, MeshError, NoFailingRows, NoVersion
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.rules import Rule, products_of
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import BuildOutcome, Version

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from mesh_assets.capabilities.registry import Registry

#: What a quarantined row says of itself; the version is told by its run.
OF_QUARANTINE = ("mesh_rules", "mesh_run", "mesh_version", "mesh_time")


@dataclass(frozen=True)
class Reader:
    """Who asks: with which rights, of what."""

    settings: Settings
    registry: Registry
    asset: Asset
    unmasked: bool = False
    #: For comparing; None for one a core. A second thread costs a quarter more CPU.
    threads: int | None = None
    #: To compare on, if somebody has one open; else it is opened for each comparison, 12 ms of CPU.
    connection: DuckDBPyConnection | None = None

    @property
    def name(self) -> ProductName:
        return self.asset.name

    def contract(self, text: str | None) -> Contract:
        """The contract as it was, with what is personal by now as well; refuses who may not see it."""
        now = self.asset.contract
        if now is None:
            raise NoFailingRows(product=self.name, rule="any rule", problem="it has no contract")
        then = _as_it_was(now, text)
        hidden = then.personal | now.personal
        marked = tuple(
            replace(each, classification="personal") if each.name in hidden else each for each in then.columns
        )
        named = (str(self.name), self.name.domain)
        if self.unmasked and hidden and not any(each in self.settings.may_see for each in named):
            raise MayNotSee(product=self.name, columns=", ".join(sorted(hidden)))
        return replace(then, columns=marked)

    @property
    def head(self) -> Version:
        found = self.registry.head(self.name)
        if found is None:
            raise NoVersion(product=self.name)
        return found


def _as_it_was(now: Contract, text: str | None) -> Contract:
    try:
        return contract_from_text(now.place.file, now.product, text) if text else now
    except MeshError:  # a form that this mesh reads no longer
        return now


def write_failing_rows(reader: Reader, rule: str, target: Path) -> int:
    """Every row that broke the rule in the last build, as Parquet; how many they are."""
    last = reader.registry.last_build(reader.name)
    kept = kept_draft(reader.settings, reader.name)
    with closing(connect(reader.settings)) as con:
        if last and last.outcome is BuildOutcome.REFUSED and kept and kept.run_id == last.run_id:
            return _of_draft(reader, con, rule, target)
        if rule in reader.head.certificate.quarantine.get("rules", {}):
            return write_quarantined(reader, target, rule=rule)
        return _of_version(reader, con, rule, target)


def _of_draft(reader: Reader, con: DuckDBPyConnection, rule: str, target: Path) -> int:
    folder, kept = draft_folder(reader.settings, reader.name), kept_draft(reader.settings, reader.name)
    assert kept is not None
    contract = reader.contract((folder / "contract.yaml").read_text(encoding="utf-8"))
    files = sorted(str(path) for path in folder.glob("draft-*.parquet"))
    references = {product_name(name): sql for name, sql in kept.references.items()}
    columns = tuple((name, kind) for name, kind in kept.columns)
    return _write(
        reader,
        con,
        (files_sql(files, columns), contract, _rule(reader, contract, rule)),
        target,
        references=references,
        whole_sql=kept.others,
        beside=kept.beside if rule in kept.asked else None,
    )


def _of_version(reader: Reader, con: DuckDBPyConnection, rule: str, target: Path) -> int:
    head = reader.head
    contract = reader.contract(head.certificate.contract_text)
    found = _rule(reader, contract, rule)
    references = inputs_as_read(reader.settings, reader.registry, head)
    for name in products_of(found):  # what only a consumer's rule names is no input: as of now
        version = None if name in references else reader.registry.head(name)
        references |= {name: rows_of_version(reader.settings, version)} if version else {}
    relation = rows_of_version(reader.settings, head)
    return _write(reader, con, (relation, contract, found), target, references=references)


def _rule(reader: Reader, contract: Contract, rule: str) -> Rule:
    rules = (*contract.rules, *reader.asset.rules)
    found = next((each for each in rules if each.id == rule), None)
    if found is None:
        known = ", ".join(dict.fromkeys(each.id for each in rules))
        raise NoFailingRows(product=reader.name, rule=rule, problem=f"its rules are {known}")
    return found


def _write(
    reader: Reader,
    con: DuckDBPyConnection,
    what: tuple[str, Contract, Rule],
    target: Path,
    *,
    references: Mapping[ProductName, str],
    whole_sql: str | None = None,
    beside: str | None = None,
) -> int:
    relation, contract, rule = what
    file = reader.settings.domains / reader.name.domain / reader.name.product / "expectations.py"
    part = partial(split, con, contract=contract, rules=[rule], references=references, expectations=file)
    parts = part(relation, whole_sql=whole_sql, everywhere=True)
    more = part(beside) if beside else None
    if parts and more:
        parts = replace(parts, aside=f"{parts.aside} UNION ALL BY NAME {more.aside}")
    if parts is None:
        raise NoFailingRows(
            product=reader.name, rule=rule.id, problem="the rule is about the whole table, or could not run"
        )
    return write_aside(con, parts, contract, target, first=rule.columns, masked=not reader.unmasked)


def quarantine_sql(reader: Reader, rule: str | None = None) -> str:
    """The rows in quarantine beside the version that readers see, masked unless the reader may see."""
    head = reader.head
    contract = reader.contract(head.certificate.contract_text)
    if not head.certificate.quarantine.get("rows"):
        raise NoFailingRows(
            product=reader.name,
            rule=rule or "any rule",
            problem=f"version {head.number} has none in quarantine",
        )
    table = input_sql(reader.settings.of(head.stored), reader.name.quarantine, head.snapshot)
    hidden = frozenset() if reader.unmasked else contract.personal
    shown = [_shown(column.name, column.name in hidden) for column in contract.columns]
    shown += ["mesh_rules", "mesh_run", f"{_version_of_run(reader, table)} AS mesh_version", "mesh_time"]
    wanted = "" if rule is None else f" WHERE list_contains(mesh_rules, '{_quoted(rule)}')"
    order = ", ".join(f'"{name}"' for name in contract.key)
    query = f"SELECT * FROM ({table}){wanted}" + (f" ORDER BY {order}" if order else "")
    return f"SELECT {', '.join(shown)} FROM ({query})"


def _shown(name: str, hidden: bool) -> str:
    column = '"' + name.replace('"', '""') + '"'
    return f"CASE WHEN {column} IS NOT NULL THEN '{MASK}' END AS {column}" if hidden else column


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _version_of_run(reader: Reader, table: str) -> str:
    """A row knows the run that set it aside; versions are numbered by the release that came after."""
    with closing(connect(reader.settings)) as con:
        runs = [run for (run,) in con.execute(f"SELECT DISTINCT mesh_run FROM ({table})").fetchall()]
    found = {run: reader.registry.version_of_run(reader.name, run) for run in runs}
    cases = [f"WHEN '{_quoted(run)}' THEN {each.number}" for run, each in found.items() if each]
    return f"CASE mesh_run {' '.join(cases)} END::BIGINT" if cases else "NULL::BIGINT"


def quarantined(reader: Reader, *, rule: str | None = None, limit: int = 20) -> list[dict[str, Any]]:
    """Some rows in quarantine, as plain values."""
    query = quarantine_sql(reader, rule)
    with closing(connect(reader.settings)) as con:
        found = con.execute(f"{query} LIMIT {int(limit)}")
        names = [name for name, *_ in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def write_quarantined(reader: Reader, target: Path, *, rule: str | None = None) -> int:
    """The rows in quarantine as Parquet (or CSV, by the file's ending); how many they are."""
    query = quarantine_sql(reader, rule)
    form = "FORMAT csv, HEADER" if target.suffix == ".csv" else "FORMAT parquet"
    with closing(connect(reader.settings)) as con:
        written = con.execute(f"COPY ({query}) TO '{_quoted(str(target))}' ({form})").fetchone()
    return int(written[0]) if written else 0
