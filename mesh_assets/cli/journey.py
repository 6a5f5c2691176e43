"""`mesh journeys`, `mesh journey show`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.terminal import cells, complete_journey, print_json, stdout, table
from mesh_assets.words.journeys import Instance, Journey, JourneyState

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.model import Mesh
    from mesh_assets.words.settings import Settings

journey = typer.Typer(
    help="""Look at what people get of the mesh as a whole, and whether it was there in time.

    **Examples**: `mesh journey show call_planning --history 12` · `mesh journey report crm_sync`
    """,
    no_args_is_help=True,
)

COLOURS = {
    JourneyState.ON_TIME: "green",
    JourneyState.RUNNING: "cyan",
    JourneyState.LATE: "yellow",
    JourneyState.INCOMPLETE: "bold red",
    JourneyState.MISSING: "bold red",
    JourneyState.FAILED_TESTS: "bold red",
    JourneyState.OUT_OF_SEQUENCE: "bold red",
}
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


def journeys(as_json: AsJson = False) -> None:
    """Every journey, how it stands in the period that it is now, and why.

    Exit code 0 if all are on time or still running, 1 if one is late, missing, incomplete, out of sequence or
    failed its tests.

    **Examples**: `mesh journeys` · `mesh journeys --json`
    """
    from mesh_assets.capabilities.lineage.journeys import read_journeys
    from mesh_assets.capabilities.observability.journey_facts import current
    from mesh_assets.capabilities.registry import open_registry

    settings, mesh = _read()
    found = read_journeys(settings, mesh)
    with open_registry(settings) as registry:
        stands = {each.name: current(registry, each) for each in found}
    if as_json:
        print_json([{**_facts(each), "now": _plain(stands[each.name])} for each in found])
    else:
        made = table("journey", "state", "period", "deadline", "why")
        for each in found:
            made.add_row(*cells(each.name), *_row(stands[each.name]))
        stdout().print(made)
    if any(each is not None and not each.state.good for each in stands.values()):
        raise typer.Exit(1)


@journey.command()
def show(
    name: Annotated[str, typer.Argument(help="The journey.", autocompletion=complete_journey)],
    history: Annotated[int, typer.Option(min=1, max=1000, help="So many of its last runs.")] = 1,
    as_json: AsJson = False,
) -> None:
    """One journey: what a person gets, its steps, what it promises, and how its last runs went.

    Exit code as of `mesh journeys`, for the newest run.

    **Examples**: `mesh journey show weekly_brand_scorecard` · `mesh journey show call_planning --history 12`
    """
    from mesh_assets.capabilities.lineage.journeys import find_journey
    from mesh_assets.capabilities.observability.journey_facts import instances
    from mesh_assets.capabilities.registry import open_registry

    settings, mesh = _read()
    found = find_journey(settings, mesh, name)
    with open_registry(settings) as registry:
        runs = instances(registry, found, count=history)
    if as_json:
        print_json({**_facts(found), "runs": [_plain(each) for each in runs]})
    else:
        _tell(found, runs)
    if runs and not runs[0].state.good:
        raise typer.Exit(1)


@journey.command()
def report(
    job: Annotated[str, typer.Argument(help="The job's name, as journeys have it under `external`.")],
    failed: Annotated[bool, typer.Option("--failed", help="It ended badly.")] = False,
    run: Annotated[str, typer.Option(help="The tool's own id of the run; the same one counts once.")] = "",
    told: Annotated[str, typer.Option(help="A word on how it went.")] = "",
) -> None:
    """Say that a job of another tool ended: a step of journeys which this mesh does not execute.

    **Examples**: `mesh journey report crm_sync` · `mesh journey report crm_sync --failed --told "disk full"`
    """
    from uuid import uuid4

    from mesh_assets.capabilities.lineage.journeys import read_journeys
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.orders import JobReport

    settings, mesh = _read()
    found = read_journeys(settings, mesh)
    users = [each.name for each in found if job in [step.external for step in each.externals]]
    if not users:
        raise typer.BadParameter(f"no journey has a step with the external job {job!r}", param_hint="JOB")
    with open_registry(settings) as registry:
        new = registry.report_job(JobReport(job, run or str(uuid4()), datetime.now(UTC), not failed, told))
    heard = "reported" if new else "reported before"
    stdout().print(f"{job} {heard}, for {', '.join(users)}", soft_wrap=True)


def _read() -> tuple[Settings, Mesh]:
    from mesh_assets.capabilities.lineage.read import read_mesh
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    return settings, read_mesh(settings)


def _tell(found: Journey, runs: list[Instance]) -> None:
    console = stdout()
    console.print(f"[bold]{found.name}[/]  {cells(found.description)[0]}", soft_wrap=True)
    console.print(f"gives {', '.join(map(str, found.targets))}; runs {found.when()}", soft_wrap=True)
    upcoming = _next(found)
    if upcoming:
        console.print(f"next {upcoming}")
    if not runs:
        console.print(f"it has not begun: {found.trigger} was never published")
        return
    newest = runs[0]
    made = table("step", "done", "waits for")
    for each in newest.steps:
        made.add_row(*cells(each.step, _clock(each.done), each.told))
    console.print(made)
    for promise in newest.expectations:
        mark = {True: "[green]kept[/]  ", False: "[bold red]broken[/]", None: "[dim]open[/]  "}[promise.kept]
        console.print(f"{mark} {cells(promise.told)[0]}", soft_wrap=True)
    shown = table("period", "state", "deadline", "ready", "why")
    for one in runs:
        begin, deadline = _clock(one.period.begin), _clock(one.period.deadline)
        shown.add_row(begin, _state(one), deadline, _clock(one.ready), *cells(one.told))
    console.print(shown)


def _next(found: Journey) -> str:
    from mesh_assets.capabilities.observability.journeys import next_periods

    return ", ".join(_clock(moment) for moment in next_periods(found, datetime.now(UTC), 3))


def _row(instance: Instance | None) -> tuple[str, str, str, str]:
    if instance is None:
        return "[dim]not begun[/]", "", "", "its trigger was never published"
    period = instance.period
    return _state(instance), _clock(period.begin), _clock(period.deadline), cells(instance.told)[0]


def _state(instance: Instance) -> str:
    return f"[{COLOURS[instance.state]}]{instance.state.replace('_', ' ')}[/]"


def _clock(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _facts(found: Journey) -> dict[str, Any]:
    return {
        "journey": found.name,
        "description": found.description,
        "targets": [str(name) for name in found.targets],
        "when": found.when(),
        "owners": list(found.owners),
        "told": list(found.told),
    }


def _plain(instance: Instance | None) -> dict[str, Any] | None:
    if instance is None:
        return None
    period = instance.period
    return {
        "state": str(instance.state),
        "told": instance.told,
        "begin": period.begin.isoformat(),
        "end": period.end.isoformat() if period.end else None,
        "deadline": period.deadline.isoformat() if period.deadline else None,
        "ready": instance.ready.isoformat() if instance.ready else None,
        "steps": [
            {"step": each.step, "done": each.done.isoformat() if each.done else None, "told": each.told}
            for each in instance.steps
        ],
        "expectations": [vars(each) for each in instance.expectations],
    }
