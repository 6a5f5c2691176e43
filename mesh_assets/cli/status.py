"""`mesh status`: the whole mesh on one screen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.terminal import cells, complete_product, print_json, stdout, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mesh_assets.capabilities.observability.health_facts import ProductFacts
    from mesh_assets.capabilities.observability.health_status import DayHealth, DomainHealth, MeshStatus
    from mesh_assets.capabilities.orchestration.running import RunNow

COLOURS = {"warned": "yellow", "paused": "yellow", "out of order": "yellow"}


def status(
    domains: Annotated[
        list[str] | None,
        typer.Argument(help="Only these domains. Default: all.", autocompletion=complete_product),
    ] = None,
    days: Annotated[
        int, typer.Option(min=0, max=3_660, help="How builds went over so many days, by domain.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Show whether every product is fresh, tested and served, and what is wrong, paused, announced, running.

    Exit code 0 if all is good, 1 otherwise; a rule that only warns, and an announcement, are no fault.

    **Examples**: `mesh status` · `mesh status hcp drug` · `mesh status --days 14` · `mesh status --json`
    """
    from mesh_assets.capabilities.lineage.read import domain_names
    from mesh_assets.capabilities.observability.health_status import history, mesh_status
    from mesh_assets.capabilities.orchestration.running import running_now
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.controls import UnknownScope
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    for name in domains or ():
        if name not in domain_names(settings):
            raise UnknownScope(scope=name, hint="")
    with open_registry(settings) as registry:
        now = datetime.now(UTC)
        found = mesh_status(settings, registry, now, domains or ())
        past = (
            [day for day in history(registry, now, days) if not domains or day.domain in domains]
            if days
            else []
        )
    runs = running_now(settings)
    if as_json:
        print_json(_plain(found, past, runs))
    else:
        _show(found, past, runs)
    if not found.good:
        raise typer.Exit(1)


def _show(found: MeshStatus, past: Sequence[DayHealth], runs: Sequence[RunNow]) -> None:
    console = stdout()
    names = ("products", "fresh", "tested", "served", "rules kept")
    shown = table("domain", *names, "what is wrong", right=names)
    for domain in found.domains:
        shown.add_row(*_cells(domain))
    console.print(shown)
    for each in found.broken:
        told = f"{each.domain} does not load since {each.since:%Y-%m-%d %H:%M}: {each.problem}"
        console.print(told, markup=False, style="bold red", soft_wrap=True)
    empty = {
        domain.domain for domain in found.domains if not any(each.version for each in _of(found, domain))
    }
    for product in found.products:
        for line in _lines(product) if product.product.domain not in empty else ():
            console.print(line, markup=False, soft_wrap=True)
    for name in sorted(empty):
        console.print(f"{name} has published nothing yet: `mesh build {name}`", markup=False)
    for scope, hold in found.controls.holds.items():
        console.print(f"what uses {scope} is held {hold.told()}", markup=False, soft_wrap=True)
    for announcement in found.announcements:
        console.print(f"announced: {announcement.told()}", markup=False, soft_wrap=True)
    if runs:
        told = ", ".join(f"{run.domain or 'run'} {run.run_id[:8]} {run.state}" for run in runs[:10])
        more = f" and {len(runs) - 10} more" if len(runs) > 10 else ""
        console.print(f"running now: {told}{more}", markup=False, soft_wrap=True)
    if past:
        console.print(_days(past))
    good = sum(product.good for product in found.products)
    console.print(f"{good} of {len(found.products)} products are fresh, tested and served")


def _of(found: MeshStatus, domain: DomainHealth) -> list[ProductFacts]:
    return [each for each in found.products if each.product.domain == domain.domain]


def _cells(domain: DomainHealth) -> list[str]:
    def share(count: int) -> str:
        colour = "green" if count == domain.products else "bold red"
        return f"[{colour}]{count}[/]"

    states = ", ".join(f"{count} {state}" for state, count in domain.states)
    coloured = f"[{'bold red' if not domain.good else 'yellow'}]{states}[/]" if states else ""
    kept = f"{domain.passed}/{domain.rules}" if domain.rules else ""
    name = f"{domain.domain} (paused)" if domain.pause else domain.domain
    return [
        *cells(name, domain.products),
        *map(share, (domain.fresh, domain.tested, domain.served)),
        kept,
        coloured,
    ]


def _lines(product: ProductFacts) -> list[str]:
    """What is to be known of a product that is not well, a line for each state."""
    name = str(product.product)
    told = {
        "missing": "was never published",
        "lost": f"version {product.version} has lost {len(product.lost)} files; `mesh doctor`",
        "refused": product.message,
        "failed": product.message,
        "late": f"is late since {product.late_since:%Y-%m-%d %H:%M} UTC ({product.promise})"
        if product.late_since
        else "",
        "out of order": "was made before its inputs changed: " + ", ".join(map(str, product.stale)),
        "paused": product.why_not or "",
    }
    lines = []
    for state in product.states:
        if state in told:
            text = told[state]
            lines.append(text if text.startswith(name) else f"{name} {text}")
    return lines


def _days(past: Sequence[DayHealth]) -> Any:
    numbers = ("published", "unchanged", "refused", "failed", "rules kept")
    shown = table("day", "domain", *numbers, right=numbers)
    for each in past:
        counts = (each.published, each.unchanged, each.refused, each.failed)
        kept = f"{each.passed / each.rules:.1%}" if each.rules else ""
        shown.add_row(*cells(each.day, each.domain, *(count or "" for count in counts), kept))
    return shown


def _plain(found: MeshStatus, past: Sequence[DayHealth], runs: Sequence[RunNow]) -> dict[str, Any]:
    return {
        "good": found.good,
        "now": found.now,
        "domains": [
            {
                **{
                    name: value
                    for name, value in vars(each).items()
                    if name not in ("states", "pause", "broken")
                },
                "states": {str(state): count for state, count in each.states},
                "paused": each.pause.reason if each.pause else None,
                "broken": vars(each.broken) if each.broken else None,
                "good": each.good,
            }
            for each in found.domains
        ],
        "products": [_product(each) for each in found.products],
        "holds": [vars(each) for each in found.controls.holds.values()],
        "announcements": [
            {**vars(each), "product": str(each.product), "kind": str(each.kind)}
            for each in found.announcements
        ],
        "running": [vars(each) for each in runs],
        "days": [vars(each) for each in past],
    }


def _product(product: ProductFacts) -> dict[str, Any]:
    facts = {**vars(product), "product": str(product.product), "stale": [str(each) for each in product.stale]}
    facts["announcements"] = [each.told() for each in product.announcements]
    return {**facts, "states": [str(state) for state in product.states], "good": product.good}
