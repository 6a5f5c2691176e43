"""Journeys in Dagster: a job with an op per step, its schedule or trigger, and an asset with a check per
promise.

Annotations are evaluated here: Dagster looks at the class that stands beside `context`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import dagster as dg

from mesh_assets.capabilities.lineage.journeys import LOCATION, journey_files, read_journey, read_journeys
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.observability.locations import readable_mesh
from mesh_assets.capabilities.orchestration.journey_assets import journey_asset, states_sensor
from mesh_assets.capabilities.orchestration.journey_stages import Stage, stages
from mesh_assets.capabilities.orchestration.mesh_wide import mesh_wide_definitions
from mesh_assets.capabilities.orchestration.surroundings import SURROUNDINGS, surroundings
from mesh_assets.words.errors import DocumentMalformed
from mesh_assets.words.journeys import Journey
from mesh_assets.words.names import product_name
from mesh_assets.words.orders import Mode, RunOrder
from mesh_assets.words.settings import Settings, read_settings

#: Runs that wait for runs: dagster.yaml lets one of them at a time leave the queue.
COORDINATOR_TAG = "mesh/coordinator"
#: Seconds between two looks for a foreign job's report.
LOOK_EVERY = 5.0
TRIGGER_SECONDS = 15

OPTIONS = {
    "launch": dg.Field(
        dg.String,
        default_value="auto",
        description="Who starts the domains' runs: `auto` (this server if it is found, else here), `local`, "
        "or an address",
    ),
    "mode": dg.Field(dg.String, default_value=Mode.STALE.value, description="stale, missing or force"),
    "jobs": dg.Field(dg.Int, default_value=2, description="Runs side by side"),
}


def journey_definitions(settings: Settings) -> dg.Definitions:
    """The code location beside the domains: every journey, and what belongs to the mesh as a whole."""
    mesh, found = _readable(settings)
    jobs = {journey.name: journey_job(mesh, journey) for journey in found}
    scheduled = [journey for journey in found if journey.cron]
    triggered = [journey for journey in found if journey.trigger]
    own = dg.Definitions(
        metadata={SURROUNDINGS: surroundings()},
        jobs=list(jobs.values()),
        assets=[journey_asset(journey) for journey in found],
        schedules=[_schedule(journey, jobs[journey.name]) for journey in scheduled],
        sensors=[
            *(_trigger(journey, jobs[journey.name]) for journey in triggered),
            *([states_sensor(found)] if found else []),
        ],
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(own, *mesh_wide_definitions(settings))


def _readable(settings: Settings) -> tuple[Mesh, list[Journey]]:
    """All journeys; while a domain cannot be read, those that do without it.

    This location tells people of what is broken: a mistake in a domain must not take it away.
    """
    mesh, problems = readable_mesh(settings)
    if not problems:
        return mesh, read_journeys(settings, mesh)
    found = []
    for path in journey_files(settings):
        with suppress(DocumentMalformed):
            found.append(read_journey(path, mesh))
    return mesh, found


def journey_job(mesh: Mesh, journey: Journey) -> dg.JobDefinition:
    """The journey as a line of steps. Beside each stands its verdict: red there, and the line goes on for
    what does not depend on it.
    """
    line = stages(mesh, journey)
    ops = [(_step_op(journey, stage), _verdict_op(journey, stage)) for stage in line]

    @dg.graph(name=f"{journey.name}_steps")
    def steps() -> None:
        bad: Any = None
        for work, verdict in ops:
            bad = work() if bad is None else work(bad)
            verdict(bad)

    return steps.to_job(
        name=journey.name,
        description=f"{journey.description}\n\nRuns {journey.when()}.",
        tags={"mesh/journey": journey.name, COORDINATOR_TAG: "journey"},
        executor_def=dg.in_process_executor,
        metadata={"targets": ", ".join(map(str, journey.targets)), "owners": ", ".join(journey.owners)},
    )


def _step_op(journey: Journey, stage: Stage) -> dg.OpDefinition:
    @dg.op(
        name=f"{journey.name}__{stage.name}",
        description=f"job {stage.external}" if stage.external else ", ".join(map(str, stage.names)),
        ins={"before": dg.In(list, default_value=[])},
        out=dg.Out(list),
        config_schema=OPTIONS,
        tags={"mesh/journey": journey.name},
    )
    def work(context: dg.OpExecutionContext, before: list[str]) -> list[str]:
        if stage.external:
            return _wait_for(context, journey, stage, before)
        return _build(context, journey, stage, before)

    return work


def _verdict_op(journey: Journey, stage: Stage) -> dg.OpDefinition:
    mine = {str(name) for name in stage.names} | ({stage.external} if stage.external else set())

    @dg.op(
        name=f"{journey.name}__{stage.name}_green",
        description=f"Red if something of {stage.name} was refused, failed or left out.",
        ins={"bad": dg.In(list)},
        out=dg.Out(dg.Nothing),
    )
    def verdict(bad: list[str]) -> None:
        found = sorted(mine & set(bad))
        if found:
            raise dg.Failure(description=f"not green: {', '.join(found)}", allow_retries=False)

    return verdict


def _build(
    context: dg.OpExecutionContext, journey: Journey, stage: Stage, before: Sequence[str]
) -> list[str]:
    """Carry out the stage's part of the journey; returns what is bad so far, for the steps behind it."""
    from mesh_assets.capabilities.orchestration.choosing import GOOD, Site
    from mesh_assets.capabilities.orchestration.orders import Desk, give, launcher_for
    from mesh_assets.capabilities.registry import open_registry

    options = context.op_config
    settings = read_settings()
    order = RunOrder(
        names=stage.names,
        mode=Mode(options["mode"]),
        jobs=options["jobs"],
        asked=(f"{journey.name}: {stage.name}",),
        journey=journey.name,
        started_by="journey",
        parent=context.run_id,
    )
    launch = options["launch"]
    launcher = launcher_for(
        settings, local=launch == "local", url="" if launch in ("auto", "local") else launch
    )
    context.log.info(f"{stage.name}: {len(stage.names)} products, runs {launcher.where}")
    bad = frozenset(product_name(name) for name in before if "." in name)
    held = (
        {name: f"{', '.join(sorted(set(before)))} is missing" for name in stage.names} if _cut(before) else {}
    )
    with open_registry(settings) as registry:
        site = Site(settings, registry, read_mesh(settings))
        done = give(Desk(site, launcher, _tells(context), held, bad), order)
    for record in done.records:
        context.log.info(f"{record.product} {record.outcome} {record.message}".rstrip())
    context.add_output_metadata(
        {"order": done.order_id, **{str(each.product): str(each.outcome) for each in done.records}}
    )
    return [*before, *(str(each.product) for each in done.records if each.outcome not in GOOD)]


def _cut(before: Sequence[str]) -> bool:
    """A foreign job that did not report holds back everything after it: nobody knows what it feeds."""
    return any("." not in name for name in before)


def _tells(context: dg.OpExecutionContext) -> Any:
    """Children in the step's log, each with a link to its run."""

    def tell(event: str, facts: Mapping[str, Any]) -> None:
        if event == "run_started":
            what = f"run {facts['run']} builds {', '.join(facts['products'])}"
            context.log_event(
                dg.AssetObservation(
                    asset_key=dg.AssetKey([LOCATION, context.job_def.name]),
                    description=what,
                    metadata={
                        "run": dg.MetadataValue.dagster_run(facts["run"]),
                        "domain": facts["domain"],
                        "products": ", ".join(facts["products"]),
                    },
                )
            )
            context.log.info(what)
        elif event == "run_ended":
            context.log.info(f"run {facts['run']} of {facts['domain']}: {facts['told']}")

    return tell


def _wait_for(
    context: dg.OpExecutionContext, journey: Journey, stage: Stage, before: Sequence[str]
) -> list[str]:
    """Look for the report of a foreign job, as long as the step says."""
    from mesh_assets.capabilities.orchestration.choosing import Site
    from mesh_assets.capabilities.orchestration.journey_stages import waiting_for
    from mesh_assets.capabilities.registry import open_registry

    settings = read_settings()
    until = time.monotonic() + stage.within.total_seconds()
    with open_registry(settings) as registry:
        site = Site(settings, registry, read_mesh(settings))
        while why := waiting_for(site, journey, [stage.external]):
            if time.monotonic() >= until:
                context.log.warning(why[stage.external])
                return [*before, stage.external]
            time.sleep(LOOK_EVERY)
    context.log.info(f"{stage.external} has reported")
    return list(before)


def _schedule(journey: Journey, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{journey.name}_schedule",
        job=job,
        cron_schedule=journey.cron,
        execution_timezone=journey.zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Begins a run of {journey.name}: {journey.when()}.",
    )


def _trigger(journey: Journey, job: dg.JobDefinition) -> dg.SensorDefinition:
    """A run for each version of the product that is published from now on, once."""
    assert journey.trigger is not None
    product = journey.trigger

    def evaluate(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        from mesh_assets.capabilities.registry import open_registry

        with open_registry(read_settings()) as registry:
            head = registry.head(product)
        number = str(head.number if head else 0)
        if context.cursor is None or context.cursor == number:
            yield dg.SkipReason(f"{product} is at version {number}")
        else:
            yield dg.RunRequest(run_key=f"{journey.name}-{product}-{number}")
        context.update_cursor(number)

    return dg.SensorDefinition(
        name=f"{journey.name}_trigger",
        job=job,
        evaluation_fn=evaluate,
        minimum_interval_seconds=read_settings().between_looks(TRIGGER_SECONDS),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Begins a run of {journey.name} {journey.when()}.",
    )
