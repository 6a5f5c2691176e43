"""Generated contracts tried: do they load, and does an audit find what was planted, to the row?

Here: writing the files, auditing them twice (as they keep the contract, and broken), comparing.
Not here: what is generated (generated), how files are audited (borrowed).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from mesh_assets.capabilities.checks.borrowed import Audited, Order, audit_files
from mesh_assets.capabilities.checks.generated import Expected, Generated, generated
from mesh_assets.capabilities.checks.generated_forms import FORMS
from mesh_assets.capabilities.checks.stored import text
from mesh_assets.words.errors import MeshError
from mesh_assets.words.rules import Outcome, RuleResult

#: Rules that nothing is planted against.
_EVERYWHERE = frozenset(("physical_types", "row_count", "row_count_positive"))


@dataclass
class Tried:
    """What came of trying some seeds."""

    contracts: int
    #: By version; by form: violations planted, and rules audited.
    versions: Counter[str] = field(default_factory=Counter)
    planted: Counter[str] = field(default_factory=Counter)
    audited: Counter[str] = field(default_factory=Counter)
    #: What was not as it had to be, each with its seed.
    wrong: list[str] = field(default_factory=list)


def try_seeds(seeds: range) -> Tried:
    """Generate, write and audit each."""
    tried = planned(seeds)
    for made in map(generated, seeds):
        tried.wrong += [f"seed {made.seed} ({made.version}, {made.file}): {told}" for told in wrong_in(made)]
    return tried


def planned(seeds: range) -> Tried:
    """What these seeds plant, and nothing found wrong yet."""
    tried = Tried(contracts=len(seeds))
    for made in map(generated, seeds):
        tried.versions[made.version] += 1
        for each in made.expected:
            tried.planted[each.form] += each.count
            tried.audited[each.form] += 1
    return tried


def wrong_in(made: Generated) -> Iterator[str]:
    """Whatever an audit says of this contract's files and should not."""
    with TemporaryDirectory(prefix="mesh_generated_") as folder:
        contract = Path(folder) / "generated.odcs.yaml"
        contract.write_text(made.text, encoding="utf-8")
        try:
            kept, broken = (
                audit_files(Order(contract, (_written(Path(folder) / name, made.file, rows),)))
                for name, rows in (("keeps", made.keeps), ("breaks", made.breaks))
            )
        except MeshError as error:
            yield str(error)
            return
    yield from (f"refused: {finding.problem}" for finding in kept.findings)
    for result in kept.verdict.results:
        if result.outcome is not Outcome.PASSED:
            yield f"good rows: {result.rule.id} {result.summary}"
    yield from _not_as_planted(made, broken)


def _written(folder: Path, kind: str, query: str) -> Path:
    import duckdb

    folder.mkdir()
    path = folder / f"t.{kind}"
    with duckdb.connect() as con:
        if kind == "duckdb":
            con.execute(f"ATTACH {text(str(path))} AS made")
            con.execute(f"CREATE TABLE made.t AS {query}")
        else:
            con.execute(f"COPY ({query}) TO {text(str(path))} (FORMAT {kind})")
    return path


def _not_as_planted(made: Generated, broken: Audited) -> Iterator[str]:
    left = {id(result): result for result in broken.verdict.results}
    for each in made.expected:
        found = [result for result in left.values() if _answers(result, each)]
        if len(found) != 1:
            yield f"{each.form} of {each.column} became {len(found)} rules"
            continue
        del left[id(found[0])]
        if not _is_as_planted(found[0], each):
            yield f"{each.form} of {each.column}: {each.count} planted, and it {found[0].summary}"
    for result in left.values():
        if result.rule.kind not in _EVERYWHERE or result.outcome is not Outcome.PASSED:
            yield f"nothing planted: {result.rule.id} {result.summary}"


def _answers(result: RuleResult, each: Expected) -> bool:
    rule = result.rule
    return (rule.kind, rule.columns, rule.path) == (each.kind, (each.column,), each.path)


def _is_as_planted(result: RuleResult, each: Expected) -> bool:
    outcome = Outcome.FAILED if each.count else Outcome.PASSED
    found = result.value if each.measured else result.failed_rows
    return result.outcome is outcome and str(found) == str(each.count)


def generated_section(tried: Tried) -> list[str]:
    """What the page of the corpus says of them."""
    versions = ", ".join(f"{count} of {version}" for version, count in sorted(tried.versions.items()))
    rows = [
        f"| {form.name} | {tried.audited[form.name]} | {tried.planted[form.name]} |"
        for form in FORMS
        if tried.audited[form.name]
    ]
    found = "every one was found, to the row, and nothing else" if not tried.wrong else "not all were found"
    good = tried.contracts - len({each.split(" ")[1] for each in tried.wrong})
    return [
        "## Generated contracts",
        "",
        f"{tried.contracts} contracts by seed ({versions}), each with rows that keep it",
        "and rows that break its rules a known number of times, as Parquet, CSV, JSON or a DuckDB table:",
        f"{good} load, and pass on the rows that keep them; of {tried.planted.total()} violations planted in",
        f"{tried.audited.total()} rules {found}.",
        "`mesh contract corpus --generated 5000` tries more.",
        "",
        "| form | rules | violations planted and found |",
        "| --- | ---: | ---: |",
        *rows,
        *(f"- {each}" for each in tried.wrong),
    ]
