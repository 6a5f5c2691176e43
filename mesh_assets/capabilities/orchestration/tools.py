"""Foreign tools as Dagster starts them: dbt through dagster-dbt, any program through Pipes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import dagster as dg

from mesh_assets.capabilities.publishing.workshop import DbtCall, ProgramCall, Tools
from mesh_assets.words.errors import ProgramFailed


def dagster_tools(context: dg.AssetExecutionContext) -> Tools:
    """Tools whose output goes to this step's log."""
    return Tools(
        dbt=lambda call: _run_dbt(context, call),
        program=lambda call: _run_program(context, call),
    )


def _run_dbt(context: dg.AssetExecutionContext, call: DbtCall) -> None:
    """dbt by dagster-dbt's resource: its log lines in ours, its target folder per run."""
    from dagster_dbt import DbtCliResource

    from mesh_assets.capabilities.publishing.dbt import DbtFailed

    resource = DbtCliResource(
        project_dir=str(call.project),
        profiles_dir=str(call.project),
        dbt_executable=str(Path(sys.executable).parent / "dbt"),
    )
    before = {name: os.environ.get(name) for name in call.environment}
    os.environ.update(call.environment)  # the resource passes on the environment of this process only
    try:
        invocation = resource.cli(list(call.arguments), raise_on_error=False, target_path=call.target)
        invocation.wait()
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
    if not invocation.is_successful():
        raise DbtFailed(str(invocation.get_error() or "dbt failed"))
    context.log.info(f"dbt {' '.join(call.arguments[:1])}: done in {call.target}")


def _run_program(context: dg.AssetExecutionContext, call: ProgramCall) -> None:
    """The program in its own process, through Pipes: an adapter speaks the protocol, the program never
    hears of it.
    """
    invocation = dg.PipesSubprocessClient().run(
        context=context.op_execution_context,
        command=[sys.executable, "-m", "mesh_assets.capabilities.orchestration.adapter"],
        extras={"command": list(call.command), "folder": str(call.folder), "request": dict(call.request)},
    )
    told = next(iter(invocation.get_custom_messages()), {"exit_code": 1, "tail": "it ended without a word"})
    if told["exit_code"]:
        raise ProgramFailed(
            product=call.product,
            program=" ".join(call.command[1:]) or call.command[0],
            code=told["exit_code"],
            tail=told["tail"],
        )
