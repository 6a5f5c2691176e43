"""A journey as an asset: its state is its metadata, its promises are its checks, beside the products.

Materializing it looks at the facts; the sensor does so by itself and reports what changed. Nothing is built.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from mesh_assets.capabilities.lineage.journeys import LOCATION
from mesh_assets.capabilities.observability.journeys import ROWS
from mesh_assets.words.journeys import Instance, Journey
from mesh_assets.words.settings import read_settings

LOOK_SECONDS = 30


def journey_key(journey: Journey) -> dg.AssetKey:
    return dg.AssetKey([LOCATION, journey.name])


def journey_asset(journey: Journey) -> dg.AssetsDefinition:
    key = journey_key(journey)

    @dg.multi_asset(
        name=f"{LOCATION}__{journey.name}",
        specs=[
            dg.AssetSpec(
                key=key,
                deps=[dg.AssetKey(list(name.asset_key)) for name in journey.targets],
                description=f"{journey.description}\n\nRuns {journey.when()}.",
                group_name=LOCATION,
                kinds={"journey"},
                tags={"mesh/asset": "journey"},
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(name=name, asset=key, description=told) for name, told in promises(journey)
        ],
    )
    def look() -> Iterator[Any]:
        instance = _current(journey)
        if instance is None:
            raise dg.Failure(description=f"{journey.trigger} was never published", allow_retries=False)
        for name, passed, told in _checked(journey, instance):
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name=name,
                passed=passed,
                severity=dg.AssetCheckSeverity.WARN,
                description=told,
            )
        yield dg.MaterializeResult(asset_key=key, metadata=state_metadata(instance))

    return look


def states_sensor(journeys: Sequence[Journey]) -> dg.SensorDefinition:
    """Reports the state of each journey as an asset event when it changed, without a run."""

    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        before = json.loads(context.cursor) if context.cursor else {}
        after, events = dict(before), []
        for journey in journeys:
            instance = _current(journey)
            if instance is None:
                continue
            fact = f"{instance.period.key} {instance.state} {instance.told}"
            if before.get(journey.name) != fact:
                after[journey.name] = fact
                events += _events(journey, instance)
        return dg.SensorResult(asset_events=events, cursor=json.dumps(after))

    return dg.SensorDefinition(
        name="journey_states",
        evaluation_fn=evaluate,
        minimum_interval_seconds=read_settings().between_looks(LOOK_SECONDS),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Looks how every journey stands and shows what changed on its asset.",
    )


def promises(journey: Journey) -> list[tuple[str, str]]:
    """(check, what it says), in the order in which `evaluate` tells of them."""
    found = [("complete", "Every step is done in its period.")]
    if journey.ready_by:
        found.append(("ready_by", f"Ready by {journey.ready_by.told()}."))
    if journey.in_order:
        found.append(("steps_in_order", "Each step is done after the one before it."))
    found += [
        (f"{ROWS}{name.domain}_{name.product}", f"{name} has {bounds.told()}.")
        for name, bounds in journey.rows.items()
    ]
    if journey.all_checks:
        found.append(("all_checks_passed", "Every rule of every step is kept, warnings included."))
    if journey.at_most_old:
        found.append(("at_most_old", f"What it gives was published at most {journey.at_most_old} before."))
    return found


def state_metadata(instance: Instance) -> dict[str, Any]:
    """The run of this period, for the asset's page."""
    period = instance.period
    return {
        "state": str(instance.state),
        "told": instance.told,
        "period": period.key,
        "deadline": period.deadline.isoformat(timespec="minutes") if period.deadline else "",
        "ready": instance.ready.isoformat(timespec="minutes") if instance.ready else "",
        "steps": dg.MetadataValue.table(
            records=[
                dg.TableRecord(
                    {
                        "step": each.step,
                        "done": each.done.isoformat(timespec="minutes") if each.done else "",
                        "waits for": each.told,
                    }
                )
                for each in instance.steps
            ],
            schema=dg.TableSchema([dg.TableColumn(name, "string") for name in ("step", "done", "waits for")]),
        ),
    }


def _checked(journey: Journey, instance: Instance) -> list[tuple[str, bool, str]]:
    """Every check gets a result: what is open has not been broken, and says that it is open."""
    told = {each.name: each for each in instance.expectations}
    return [
        (
            name,
            told[name].kept is not False,
            f"{told[name].told}{' (open)' if told[name].kept is None else ''}",
        )
        for name, _ in promises(journey)
        if name in told
    ]


def _events(journey: Journey, instance: Instance) -> list[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    key = journey_key(journey)
    found: list[dg.AssetMaterialization | dg.AssetCheckEvaluation] = [
        dg.AssetMaterialization(asset_key=key, metadata=state_metadata(instance))
    ]
    for name, passed, told in _checked(journey, instance):
        found.append(
            dg.AssetCheckEvaluation(
                asset_key=key,
                check_name=name,
                passed=passed,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"told": told},
            )
        )
    return found


def _current(journey: Journey) -> Instance | None:
    from mesh_assets.capabilities.observability.journey_facts import current
    from mesh_assets.capabilities.registry import open_registry

    with open_registry(read_settings()) as registry:
        return current(registry, journey)
