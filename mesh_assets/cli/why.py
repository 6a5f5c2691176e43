"""`mesh why`: what the last build's rules said, with the rows that broke them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.look import JsonOption, ProductArgument, mesh_and_registry
from mesh_assets.cli.terminal import cells, complete_rule, place_to_write, print_json, stderr, stdout, table
from mesh_assets.words.errors import UnknownRule
from mesh_assets.words.names import product_name
from mesh_assets.words.rules import Outcome, RuleResult
from mesh_assets.words.versions import BuildOutcome, BuildRecord

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.model import Asset
    from mesh_assets.capabilities.registry import Registry

GOOD = (BuildOutcome.PUBLISHED, BuildOutcome.UNCHANGED)
#: Rows of a sample that are printed; `--json` has all of it.
PRINTED_ROWS = 10

UnmaskedOption = Annotated[
    bool, typer.Option("--unmasked", help="With personal columns, where MESH_MAY_SEE allows it.")
]


def why(
    product: ProductArgument,
    rule: Annotated[str | None, typer.Option(help="Only this rule.", autocompletion=complete_rule)] = None,
    rows: Annotated[
        Path | None,
        typer.Option(
            help="Write all failing rows of the rule to this Parquet file.", callback=place_to_write
        ),
    ] = None,
    unmasked: UnmaskedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what the rules of a product's last build found, rule by rule, with failing rows.

    Samples are bounded and masked; `--rows` writes every failing row of one rule. Exit code 0 if the last
    build was published or unchanged, 1 if it was refused or failed.

    **Examples**: `mesh why prescriptions.rx_fill` · `mesh why hcp.hcp_master --rule npi_unique --rows
    bad.parquet`
    """
    if unmasked and rows is None:
        raise typer.BadParameter("goes with --rows FILE: what is printed is masked", param_hint="--unmasked")
    if rows is not None and rule is None:
        raise typer.BadParameter("goes with --rule NAME", param_hint="--rows")
    mesh, registry = mesh_and_registry()
    asset = mesh.asset(product_name(product))
    last = registry.last_build(asset.name)
    if last is None:
        stdout().print(f"{asset.name} was never built. Build it: `mesh build {asset.name}`")
        return
    if rows is not None and rule is not None:
        _write(registry, asset, rule, rows, unmasked=unmasked, as_json=as_json)
        return
    found = _results(registry, last)
    if rule is not None:
        _refuse_unknown(asset, rule, found)
    broken = [result for result in found if rule in (None, result.rule.id)]
    broken = [result for result in broken if result.outcome is not Outcome.PASSED]
    personal = asset.contract.personal if asset.contract else frozenset()
    if as_json:
        print_json(_document(last, broken, personal))
    else:
        _tell(last, broken, personal)
    raise typer.Exit(0 if last.outcome in GOOD else 1)


def _refuse_unknown(asset: Asset, name: str, found: Collection[RuleResult]) -> None:
    known = {rule.id for rule in asset.rules} | {result.rule.id for result in found}
    if name not in known:
        near = difflib.get_close_matches(name, sorted(known), n=2)
        raise UnknownRule(product=asset.name, name=name, near=tuple(near))


def _results(registry: Registry, last: BuildRecord) -> tuple[RuleResult, ...]:
    """What the last build found; if it ran no rule, what was found when the same was last made: a draft that
    was refused in between was made of something else.
    """
    found = registry.rule_results(last.product, run_id=last.run_id)
    if found or last.outcome is not BuildOutcome.UNCHANGED:
        return found
    head = registry.head(last.product)
    if head is not None and head.certificate.input_keys == last.details.get("input_keys"):
        found = registry.rule_results(last.product, run_id=head.certificate.run_id)
    return found or registry.rule_results(last.product, kept=True)


def _write(
    registry: Registry, asset: Asset, rule: str, target: Path, *, unmasked: bool, as_json: bool
) -> None:
    from mesh_assets.capabilities.publishing.rows import Reader, write_failing_rows
    from mesh_assets.words.settings import read_settings

    written = write_failing_rows(Reader(read_settings(), registry, asset, unmasked), rule, target)
    if as_json:
        facts = {"product": str(asset.name), "rule": rule, "rows": written, "file": str(target)}
        print_json({**facts, "masked": not unmasked})
    else:
        stderr().print(f"{asset.name}, {rule}: {written:,} rows -> {target}", soft_wrap=True)


def _document(last: BuildRecord, broken: list[RuleResult], personal: Collection[str]) -> dict[str, Any]:
    return {
        "product": str(last.product),
        "outcome": str(last.outcome),
        "message": last.message,
        "draft": last.draft,
        "quarantined": last.details.get("quarantined", 0),
        "rules": [_rule_json(result, personal) for result in broken],
    }


def _rule_json(result: RuleResult, personal: Collection[str]) -> dict[str, Any]:
    return {
        "rule": result.rule.id,
        "columns": list(result.rule.columns),
        "severity": str(result.rule.severity),
        "outcome": str(result.outcome),
        "failed_rows": result.failed_rows,
        "quarantined_rows": result.quarantined_rows,
        "checked_rows": result.checked_rows,
        "summary": result.summary,
        "sample": [_masked(row, personal) for row in result.sample],
    }


def _masked(row: Mapping[str, Any], personal: Collection[str]) -> dict[str, Any]:
    """A sample was masked when it was taken; what the contract calls personal since then is masked now."""
    from mesh_assets.capabilities.checks.subject import MASK

    return {name: MASK if name in personal and value is not None else value for name, value in row.items()}


def _tell(last: BuildRecord, broken: list[RuleResult], personal: Collection[str]) -> None:
    console = stdout()
    name = last.product
    console.print(f"[bold]{name}[/]: {last.outcome}, {last.started:%Y-%m-%d %H:%M} UTC, run {last.run_id}")
    if last.message:
        console.print(last.message, markup=False, soft_wrap=True)
    for result in broken:
        _show_broken(result, personal)
    if any(result.failed_rows for result in broken):
        console.print(
            f"\nAll failing rows of a rule: `mesh why {name} --rule RULE --rows FILE.parquet`", soft_wrap=True
        )
    if last.details.get("quarantined"):
        console.print(f"{last.details['quarantined']:,} rows are in quarantine: `mesh quarantine {name}`")
    if last.draft:
        console.print(f"The draft is kept in {last.draft}", markup=False, soft_wrap=True)


def _show_broken(result: RuleResult, personal: Collection[str]) -> None:
    console = stdout()
    colour = "red" if result.stops_publication else "yellow"
    columns = f" ({', '.join(result.rule.columns)})" if result.rule.columns else ""
    console.print(
        f"\n[{colour}]{result.rule.severity}[/] [bold]{result.rule.id}[/]{columns}: "
        + cells(result.summary)[0]
    )
    console.print(f"  {result.rule.description}", markup=False)
    if result.rule.place:
        console.print(f"  written at {result.rule.place}", markup=False, soft_wrap=True)
    if not result.sample:
        return
    names = list(dict.fromkeys(name for row in result.sample for name in row))
    shown = table(*names)
    for row in (_masked(row, personal) for row in result.sample[:PRINTED_ROWS]):
        shown.add_row(*cells(*("null" if row.get(name) is None else row[name] for name in names)))
    console.print(shown)
