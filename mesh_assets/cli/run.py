"""`mesh run`."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.progress import Progress, print_event, shown, tell_records
from mesh_assets.cli.terminal import complete_target, print_json, stderr, stdout, table

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.model import Mesh
    from mesh_assets.capabilities.orchestration.choosing import Site
    from mesh_assets.capabilities.orchestration.orders import Done
    from mesh_assets.capabilities.orchestration.plan import Plan
    from mesh_assets.words.names import ProductName
    from mesh_assets.words.orders import RunOrder

Target = Annotated[
    list[str] | None,
    typer.Argument(
        help="Products, domains, journeys, `*`; `+x` adds all that x needs, `x+` all that uses it.",
        autocompletion=complete_target,
    ),
]


def run(  # noqa: PLR0913, PLR0917 - its options
    target: Target = None,
    stale: Annotated[bool, typer.Option("--stale", help="What changed or went wrong (the default).")] = False,
    missing: Annotated[bool, typer.Option("--missing", help="Only what was never built.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run recipes even where nothing changed.")] = False,
    partition: Annotated[
        list[str] | None, typer.Option("--partition", help="Only this partition; repeat for several.")
    ] = None,
    first: Annotated[str, typer.Option("--from", help="Partitions from this day on (2024-01-01).")] = "",
    last: Annotated[str, typer.Option("--to", help="Partitions up to this day.")] = "",
    upstream: Annotated[bool, typer.Option("--upstream", help="And all that the targets need.")] = False,
    downstream: Annotated[bool, typer.Option("--downstream", help="And all that uses them.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Runs side by side.")] = 2,
    local: Annotated[bool, typer.Option("--local", help="Runs in processes of this command.")] = False,
    server: Annotated[
        str, typer.Option(help="Dagster's address; else what `mesh dev` started, if it runs.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would run, why, how long.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last interrupted order.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Events as lines of JSON; the last one sums up.")
    ] = False,
) -> None:
    """Build targets across domains in order, each domain in a Dagster run of its own code location.

    Only the targets themselves, unless asked for more; a journey is its products and all that they need. Exit
    code 0 if everything is published or unchanged, 1 if not, 130 if interrupted.

    **Examples**: `mesh run hcp` · `mesh run +field_reports.brand_scorecard --dry-run` · `mesh run
    weekly_brand_scorecard` · `mesh run prescriptions+ --from 2024-01-01 --to 2024-03-31` · `mesh run
    --resume`
    """
    if resume == bool(target):
        raise typer.BadParameter("name targets, or --resume, and not both", param_hint="TARGET")
    if sum((stale, missing, force)) > 1:
        raise typer.BadParameter("choose one of --stale, --missing and --force")
    # A scheduler stops a command with SIGTERM: that is an interruption as Ctrl-C is.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _site() as site:
        if resume:
            _finish(_resume(site, (server, local), as_json=as_json), as_json=as_json)
            return
        names, journey = _names(site, target or [], upstream=upstream, downstream=downstream)
        facts = {"jobs": jobs, "first": first, "last": last, "journey": journey, "asked": tuple(target or ())}
        order = _order(site.mesh, names, partition or [], mode=_mode(missing=missing, force=force), **facts)
        if dry_run:
            _tell_plan(site, order, as_json=as_json)
        else:
            _finish(_give(site, order, (server, local), as_json=as_json), as_json=as_json)


@contextmanager
def _site() -> Iterator[Site]:
    from mesh_assets.capabilities.lineage.read import read_mesh
    from mesh_assets.capabilities.orchestration.choosing import Site
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    with open_registry(settings) as registry:
        yield Site(settings, registry, read_mesh(settings))


def _mode(*, missing: bool, force: bool) -> Any:
    from mesh_assets.words.orders import Mode

    return Mode.FORCE if force else Mode.MISSING if missing else Mode.STALE


def _names(
    site: Site, asked: Sequence[str], *, upstream: bool, downstream: bool
) -> tuple[set[ProductName], str]:
    """The assets that targets name, and the journey if they are one."""
    from mesh_assets.capabilities.lineage.journeys import members, read_journeys
    from mesh_assets.capabilities.orchestration.asked import targets

    found_journeys = read_journeys(site.settings, site.mesh)
    journeys = {each.name: members(site.mesh, each) for each in found_journeys}
    found = targets(site.mesh, asked, journeys)
    more = site.mesh.upstream(found) if upstream else set()
    users = site.mesh.downstream(found) if downstream else set()
    return found | more | users, asked[0] if len(asked) == 1 and asked[0] in journeys else ""


def _order(mesh: Mesh, names: set[ProductName], partitions: Sequence[str], **facts: Any) -> RunOrder:
    from mesh_assets.capabilities.orchestration.asked import check_partitions
    from mesh_assets.words.orders import RunOrder

    order = RunOrder(names=tuple(sorted(names)), partitions=tuple(sorted(set(partitions))), **facts)
    check_partitions(mesh, order)
    return order


def _give(site: Site, order: RunOrder, launcher: tuple[str, bool], *, as_json: bool) -> Done:
    from mesh_assets.capabilities.orchestration.journey_stages import held_by_steps, stage_numbers
    from mesh_assets.capabilities.orchestration.orders import Desk, give, launcher_for

    held = held_by_steps(site, order)
    made = launcher_for(site.settings, local=launcher[1], url=launcher[0])
    names = [name for name in order.names if site.mesh.assets[name].in_lake]
    with shown(Progress(names, estimate=_estimate(site, names)), quiet=as_json) as progress:
        desk = Desk(site, made, _tells(progress, as_json=as_json), held, stages=stage_numbers(site, order))
        return give(desk, order)


def _resume(site: Site, launcher: tuple[str, bool], *, as_json: bool) -> Done:
    from mesh_assets.capabilities.orchestration.journey_stages import held_by_steps, stage_numbers
    from mesh_assets.capabilities.orchestration.orders import Desk, interrupted, launcher_for, resume

    kept = interrupted(site.settings, site)
    made = launcher_for(site.settings, local=launcher[1], url=launcher[0])
    names = [name for name in kept.order.names if name in site.mesh.assets]
    with shown(Progress(names), quiet=as_json) as progress:
        if not as_json:
            progress.note(f"resuming {' '.join(kept.order.asked)} of {kept.started:%Y-%m-%d %H:%M}")
        held, numbers = held_by_steps(site, kept.order), stage_numbers(site, kept.order)
        desk = Desk(site, made, _tells(progress, as_json=as_json), held, stages=numbers)
        return resume(desk, kept)


def _tells(progress: Progress, *, as_json: bool) -> Callable[[str, Mapping[str, Any]], None]:
    return print_event if as_json else progress.tell


def _estimate(site: Site, names: Sequence[ProductName]) -> float | None:
    """All of it, were it all built: shown beside the time that has passed, on a terminal only."""
    from mesh_assets.capabilities.orchestration.plan import usual_seconds

    if not stderr().is_terminal:
        return None
    known = [usual_seconds(site.registry, name) for name in names]
    return sum(each for each in known if each) or None


def _finish(done: Done, *, as_json: bool) -> None:
    from mesh_assets.capabilities.orchestration.coordinate import told_record

    if as_json:
        facts = {"order": done.order_id, "green": done.green, "seconds": round(done.seconds, 3)}
        print_event("summary", {**facts, "products": [told_record(each) for each in done.records]})
    else:
        tell_records(done.records)
    if not done.green:
        raise typer.Exit(1)


def _tell_plan(site: Site, order: RunOrder, *, as_json: bool) -> None:
    from mesh_assets.capabilities.orchestration.plan import plan

    found = plan(site, order)
    if as_json:
        steps = [{**vars(step), "product": str(step.product)} for step in found.steps]
        print_json({**vars(found), "steps": steps})
        return
    _print_plan(found)


def _print_plan(found: Plan) -> None:
    made = table(
        "product", "what", "run", "partitions", "seconds", "why", right=("run", "partitions", "seconds")
    )
    for step in found.steps:
        colour = {"build": "green", "skip": "yellow"}.get(step.action, "dim")
        made.add_row(
            str(step.product),
            f"[{colour}]{step.action}[/]",
            str(step.run or ""),
            _partitions(step.partitions),
            "" if step.seconds is None else f"{step.seconds:.1f}",
            "; ".join(step.reasons),
        )
    stdout().print(made)
    count = sum(step.action == "build" for step in found.steps)
    unknown = f", and {found.unknown} that were never built" if found.unknown else ""
    runs = f"{found.runs} run{'' if found.runs == 1 else 's'}"
    stdout().print(f"{count} of {len(found.steps)} to build in {runs}: about {found.seconds:.0f} s{unknown}")


def _partitions(keys: Sequence[str]) -> str:
    if not keys:
        return ""
    return keys[0] if len(keys) == 1 else f"{len(keys)}: {keys[0]} … {keys[-1]}"
