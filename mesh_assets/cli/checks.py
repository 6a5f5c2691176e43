"""`mesh checks`: how a product's rules stand, how they fared, and running them again."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.look import JsonOption, ProductArgument, mesh_and_registry
from mesh_assets.cli.matrix import LEGEND, marks, numbers, sparkline, symbols
from mesh_assets.cli.terminal import cells, complete_rule, print_json, stdout, table
from mesh_assets.words.errors import UnknownRule
from mesh_assets.words.names import product_name

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.model import Asset

COLOURS = {"passed": "green", "warned": "yellow", "failed": "red", "error": "red", "not run": "dim"}


def checks(
    product: ProductArgument,
    history: Annotated[bool, typer.Option("--history", help="From audit to audit, as a matrix.")] = False,
    rules: Annotated[
        list[str] | None,
        typer.Option("--rule", help="Only this rule; may be repeated.", autocompletion=complete_rule),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many audits `--history` shows.")] = 30,
    run: Annotated[
        bool, typer.Option("--run", help="First run the rules over the version that readers see.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what each rule of a product said last, by dimension; or from audit to audit.

    `--run` publishes nothing: it holds the published version against the rules as they stand now.

    Exit code 0 if every blocking rule (of those asked for) passed when it last ran, 1 if one failed, could
    not run or has never run.

    **Examples**: `mesh checks hcp.hcp_master` · `mesh checks prescriptions.rx_fill --history --limit 10` ·
    `mesh checks drug.brand --run --rule primary_key`
    """
    from mesh_assets.capabilities.observability.rules import all_blocking_passed, rule_rows

    mesh, registry = mesh_and_registry()
    asset = mesh.asset(product_name(product))
    chosen = _chosen(asset, rules or [])
    if run:
        from mesh_assets.capabilities.publishing.reaudit import recheck
        from mesh_assets.words.settings import read_settings

        recheck(read_settings(), registry, mesh.domains[asset.name.domain], asset.name, only=chosen)
    rows = [row for row in rule_rows(asset, registry.standings(asset.name)) if row["rule"] in chosen]
    if history:
        _show_history(asset, rows, registry.audits(asset.name, limit=limit, rules=chosen), as_json=as_json)
    elif as_json:
        print_json({"product": str(asset.name), "rules": rows})
    else:
        _show_standing(asset, rows)
    raise typer.Exit(0 if all_blocking_passed(rows) else 1)


def _chosen(asset: Asset, names: list[str]) -> set[str]:
    known = {rule.id for rule in asset.rules}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=2)
            raise UnknownRule(product=asset.name, name=name, near=tuple(near))
    return set(names) or known


def _show_standing(asset: Asset, rows: list[dict[str, Any]]) -> None:
    """One table with a heading per dimension; what all rules were said of stands above it once."""
    console = stdout()
    said_of = {_of(row["audit"]) for row in rows} - {None}
    more = ("said of (UTC)",) if len(said_of) > 1 else ()
    once = f"; said of {said_of.pop()} UTC" if len(said_of) == 1 else ""
    console.print(f"[bold]{asset.name}[/]: {_counted(rows)}{once}")
    shown = table("rule", "severity", "outcome", "measured", "failed rows", "failing since (UTC)", *more)
    for dimension in sorted({row["dimension"] or "" for row in rows}, key=lambda name: (not name, name)):
        shown.add_row(f"[bold]{dimension or 'no dimension'}[/]")
        for row in rows:
            if (row["dimension"] or "") == dimension:
                shown.add_row(*_standing(row), *(cells(_of(row["audit"])) if more else ()))
        shown.add_section()
    console.print(shown)


def _counted(rows: list[dict[str, Any]]) -> str:
    outcomes = [row["outcome"] for row in rows]
    told = [f"{outcomes.count(outcome)} {outcome}" for outcome in COLOURS if outcome in outcomes]
    return f"{_plural(len(rows), 'rule')}, {', '.join(told)}"


def _plural(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _standing(row: dict[str, Any]) -> list[str]:
    colour, since, failed = COLOURS[row["outcome"]], row["failing_since"], row.get("failed_rows")
    return [
        *cells(f"  {row['rule']}", row["severity"]),
        f"[{colour}]{row['outcome']}[/]",
        *cells(
            row.get("value"),
            f"{failed:,} of {row['checked_rows']:,}" if failed else None,
            f"{since:%Y-%m-%d %H:%M}, {_plural(row['failing_audits'], 'audit')}" if since else None,
        ),
    ]


def _of(audit: dict[str, Any] | None) -> str | None:
    if audit is None:
        return None
    what = f"version {audit['version']}" if audit["version"] else f"{audit['outcome']} draft"
    return f"{what}, {audit['started']:%Y-%m-%d %H:%M}"


def _show_history(asset: Asset, rows: list[dict[str, Any]], audits: Any, *, as_json: bool) -> None:
    from mesh_assets.capabilities.observability.rules import audit_rows

    told = audit_rows(audits)
    if as_json:
        print_json({"product": str(asset.name), "audits": told})
        return
    console = stdout()
    if not told:
        console.print(f"no rule of {asset.name} ever ran. Build it: `mesh build {asset.name}`")
        return
    first, last = told[0]["started"], told[-1]["started"]
    span = f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    console.print(f"[bold]{asset.name}[/]: {_plural(len(told), 'audit')}, {span}")
    shown = table("rule", marks(told), "passed", "not", "measured", right=("passed", "not"), fold=False)
    for row in rows:
        said = [audit["rules"].get(row["rule"]) for audit in told]
        outcomes = [each["outcome"] for each in said if each]
        measured = [each["value"] for each in said if each and each["value"] is not None]
        passed = outcomes.count("passed")
        trend = f"{sparkline(numbers(measured))} {measured[-1]}" if measured else None
        shown.add_row(*cells(row["rule"], symbols(said), passed, len(outcomes) - passed, trend))
    console.print(shown)
    console.print(LEGEND, style="dim", markup=False, soft_wrap=True)
