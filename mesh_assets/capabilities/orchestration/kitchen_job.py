"""A kitchen from a Dagster job: opened, run, tested and promoted, for orchestrations that try things out.

A schedule, a sensor or another job can launch `mesh_kitchen` with a branch of code: it is merged into the
kitchen's branch, what it touches is made and tested there, and only if all is well is it promoted.

Annotations are evaluated here: Dagster looks at the class that stands beside `context`.
"""

from typing import Any

import dagster as dg

from mesh_assets.capabilities.orchestration.failing import one_failure
from mesh_assets.words.settings import Settings

NAME = "mesh_kitchen"


def kitchen_definitions(settings: Settings) -> dg.Definitions:
    """The job, for the code location of the whole mesh."""
    return dg.Definitions(jobs=[_job(settings)])


def _job(settings: Settings) -> dg.JobDefinition:
    @dg.op(
        name="open_run_promote",
        description="Opens a kitchen (or takes the one of that name), merges `branch` into its code, makes "
        "what is touched, and promotes it if every rule holds and `promote` is set. A kitchen that was "
        "promoted is dropped unless `keep` is set; one that failed stays, to be looked at.",
        config_schema={
            "name": dg.Field(str, description="The kitchen's name."),
            "start": dg.Field(str, default_value="main"),
            "branch": dg.Field(str, default_value="", description="A branch or commit with the change."),
            "promote": dg.Field(bool, default_value=False),
            "keep": dg.Field(bool, default_value=False),
        },
    )
    def open_run_promote(context: dg.OpExecutionContext) -> None:
        try_out(settings, context.op_config, context.log)

    @dg.job(name=NAME, description="Tries a change of code out in a kitchen, and promotes it if told to.")
    def mesh_kitchen() -> None:
        open_run_promote()

    return mesh_kitchen


def try_out(settings: Settings, wanted: dict[str, Any], log: Any) -> None:
    """The whole way, with functions that anybody may call; raises Failure with what stands against it."""
    with one_failure(settings.home):
        _try_out(settings, wanted, log)


def _try_out(settings: Settings, wanted: dict[str, Any], log: Any) -> None:
    from mesh_assets.capabilities.kitchens.dropping import drop_kitchen
    from mesh_assets.capabilities.kitchens.opening import Wish, open_kitchen
    from mesh_assets.capabilities.kitchens.repository import ask
    from mesh_assets.capabilities.kitchens.running import Plan, run_kitchen
    from mesh_assets.capabilities.orchestration.promoted import promote
    from mesh_assets.words.settings import in_kitchen

    name = str(wanted["name"])
    there = (settings.kitchen_home(name) / "kitchen.json").is_file()
    here = (
        in_kitchen(settings, name) if there else open_kitchen(settings, name, Wish(wanted["start"])).settings
    )
    if wanted["branch"]:
        ask(here.domains, "merge", "--no-edit", str(wanted["branch"]))
    done = run_kitchen(here, Plan(), lambda step: log.info(str(step)))
    if not done.good:
        raise dg.Failure(
            description=f"kitchen {name}: what it makes is not good; see `mesh kitchen show {name}`"
        )
    if not wanted["promote"]:
        log.info(
            f"kitchen {name} is made and good: `mesh kitchen diff {name}`, `mesh kitchen promote {name}`"
        )
        return
    outcome, _ = promote(settings, name)
    assert outcome.promotion is not None
    log.info(f"promotion {outcome.promotion.id}: {len(outcome.versions)} products in one release")
    if not wanted["keep"]:
        drop_kitchen(settings, name)
