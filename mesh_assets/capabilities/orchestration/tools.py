"""Foreign tools as Dagster starts them: dbt through dagster-dbt, any program through Pipes."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path

import dagster as dg

from mesh_assets.capabilities.publishing.dbt_warm import run_warm
from mesh_assets.capabilities.publishing.workshop import DbtCall, ProgramCall, Tools
from mesh_assets.words.errors import ProgramFailed

#: Names the address of a warm dbt in the environment of a run that `mesh build` started.
WARM_DBT = "MESH_WARM_DBT"

#: What dagster-dbt needs to read dbt's output line by line.
DBT_FOR_DAGSTER = {"DAGSTER_DBT_CLI": "true", "PYTHONUNBUFFERED": "1", "DBT_LOG_FORMAT": "json"}


def dagster_tools(context: dg.AssetExecutionContext) -> Tools:
    """Tools whose output goes to this step's log."""
    return Tools(
        dbt=lambda call: _run_dbt(context, call),
        program=lambda call: _run_program(context, call),
    )


def _run_dbt(context: dg.AssetExecutionContext, call: DbtCall) -> None:
    """dbt with its lines in this step's output: from the warm one of `mesh build`, else by dagster-dbt."""
    address = os.environ.get(WARM_DBT)
    if address:
        run_warm(address, call, tell=print)
    else:
        _run_dbt_by_dagster(call)
    context.log.info(f"dbt {' '.join(call.arguments[:1])}: done in {call.target}")


def _run_dbt_by_dagster(call: DbtCall) -> None:
    """A dbt of its own: a failing model is told in dbt's words.

    Not by DbtCliResource: for every invocation that runs `dbt --version`, which asks the network for a newer
    one, and makes an adapter in this process, which only its streamed metadata would need: 7 CPU seconds.
    """
    from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation
    from packaging.version import Version

    from mesh_assets.capabilities.publishing.dbt import DbtFailed

    invocation = DbtCliInvocation.run(
        args=[str(Path(sys.executable).parent / "dbt"), *call.arguments],
        env={**os.environ, **DBT_FOR_DAGSTER, **call.environment},
        manifest={},
        dagster_dbt_translator=DagsterDbtTranslator(),
        project_dir=call.project,
        target_path=call.target,
        raise_on_error=False,
        context=None,
        adapter=None,
        cli_version=Version(version("dbt-core")),
    )
    invocation.wait()
    if not invocation.is_successful():
        raise DbtFailed(str(invocation.get_error() or "dbt failed"))


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
