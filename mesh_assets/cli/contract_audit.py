"""`mesh contract audit`: anybody's files held to anybody's contract, without a mesh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.terminal import cells, print_json, stderr, stdout, table

if TYPE_CHECKING:
    from mesh_assets.capabilities.checks.borrowed import Audited
    from mesh_assets.words.rules import RuleResult

#: Rows of a rule's sample that a terminal shows; --json has them all, --rows the complete set.
SHOWN_ROWS = 5
COLOURS = {"passed": "green", "warned": "yellow", "failed": "red", "error": "red"}


def audit(
    contract: Annotated[Path, typer.Argument(help="An ODCS contract, of any version from 3.0 to 3.2.")],
    data: Annotated[
        list[Path],
        typer.Argument(help="Files of one table: Parquet, CSV, TSV, JSON, or one DuckDB file."),
    ],
    name: Annotated[
        str | None, typer.Option("--table", help="Which table of the contract the files are.")
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option("--reference", help="name=file: a table that rules point at. May be repeated."),
    ] = None,
    rules: Annotated[
        list[str] | None, typer.Option("--rule", help="Only this rule; may be repeated.")
    ] = None,
    rows: Annotated[
        Path | None, typer.Option("--rows", help="Write all failing rows here, a Parquet file per rule.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
    refused: Annotated[
        bool, typer.Option("--allow-refused", help="Pass although forms of the contract are refused.")
    ] = False,
) -> None:
    """Hold files to a contract: every rule in one scan, counted to the row. Nothing is stored or published.

    CSV and JSON columns take the promised type if every value is exactly one of it. Columns that the contract
    classifies as personal are masked. Rules that point at other tables need them with `--reference`.

    Exit code 0 if every blocking rule passed, 1 if one failed or could not run, 2 if a form of the contract
    is refused (unless `--allow-refused`), or contract or data cannot be read.

    **Examples**: `mesh contract audit orders.odcs.yaml orders.parquet` ·
    `mesh contract audit shop.yaml data/*.csv --table orders --reference customers=customers.csv` ·
    `mesh contract audit orders.odcs.yaml orders.parquet --rule primary_key --rows failing/`
    """
    from mesh_assets.capabilities.checks.borrowed import Order, audit_files

    order = Order(contract, tuple(data), name, _references(reference or []), rules or (), rows)
    with _progress() as told:
        audited = audit_files(order, told=told)
    if as_json:
        print_json(audited.as_json())
    else:
        _show(audited)
    if audited.failed:
        raise typer.Exit(1)
    raise typer.Exit(2 if audited.findings and not refused else 0)


def _references(written: list[str]) -> dict[str, Path]:
    pairs = [each.partition("=") for each in written]
    for name, equals, path in pairs:
        if not (name and equals and path):
            raise typer.BadParameter(f"--reference is name=file, and not {name!r}")
    return {name: Path(path) for name, _, path in pairs}


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """What is being done, on a terminal, and only while it is done."""
    console = stderr()
    if not console.is_terminal:
        yield lambda step: None
        return
    with console.status("") as status:
        yield lambda step: status.update(f"{step} …")


def _show(audited: Audited) -> None:
    console, results = stdout(), audited.verdict.results
    for finding in audited.findings:
        place = f"{finding.file}:{finding.line}:{finding.column}"
        remedy = f". {finding.remedy}" if finding.remedy else ""
        stderr().print(f"refused {place}: {finding.problem}{remedy}", markup=False, soft_wrap=True)
    outcomes = [_word(result) for result in results]
    counted = ", ".join(f"{outcomes.count(word)} {word}" for word in COLOURS if word in outcomes)
    more = f", {len(audited.findings)} refused" if audited.findings else ""
    console.print(
        f"[bold]{cells(audited.table)[0]}[/]: {audited.verdict.rows:,} rows, {counted or 'no rule'}{more}"
    )
    shown = table(
        "rule", "severity", "outcome", "failed rows", "found", "line", right=("failed rows", "line")
    )
    for result in results:
        shown.add_row(*_row(result))
    if results:
        console.print(shown)
    for result in results:
        _show_rows(result)
    for name in audited.missing:
        console.print(f"rules point at {name}: give its data with --reference {name.product}=FILE")
    for path in audited.written:
        console.print(f"written: {path}", soft_wrap=True, markup=False)


def _word(result: RuleResult) -> str:
    outcome = str(result.outcome)
    return "warned" if outcome == "failed" and not result.rule.blocking else outcome


def _row(result: RuleResult) -> list[str]:
    word, rule = _word(result), result.rule
    failed = None if result.failed_rows is None else f"{result.failed_rows:,}"
    line = rule.place.line if rule.place else None
    return [
        *cells(rule.id, rule.severity),
        f"[{COLOURS[word]}]{word}[/]",
        *cells(failed, result.summary, line),
    ]


def _show_rows(result: RuleResult) -> None:
    if not result.sample or result.rule.kind == "physical_types":
        return
    names = list(result.sample[0])
    shown = table(*names)
    for row in result.sample[:SHOWN_ROWS]:
        shown.add_row(*cells(*("null" if row[name] is None else row[name] for name in names)))
    console = stdout()
    console.print(f"[bold]{cells(result.rule.id)[0]}[/]")
    console.print(shown)
