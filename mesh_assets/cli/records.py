"""`mesh records`."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh_assets.cli.moments import span
from mesh_assets.cli.terminal import print_json, stdout


def records(
    older_than: Annotated[
        str | None,
        typer.Option(help="Of runs that ended so long ago: 30d, 12w. Default: MESH_RECORDS_DAYS, 30 days."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Let go of what plain steps said and printed in old runs of Dagster.

    Runs, materializations and checks stay, and a run that is under way is not touched.

    **Examples**: `mesh records --dry-run` · `mesh records --older-than 12w`
    """
    from mesh_assets.capabilities.orchestration.retention import prune
    from mesh_assets.words.settings import read_settings

    limit = span(older_than, "--older-than") if older_than else None
    done = prune(read_settings(), older_than=limit, dry_run=dry_run)
    if as_json:
        print_json({**vars(done), "older_than": done.older_than.total_seconds(), "dry_run": dry_run})
        return
    verb = "would go" if dry_run else "went"
    told = f"{done.events:,} events of {done.runs:,} runs and {done.logs:,} logs {verb}: {done.bytes:,} bytes"
    stdout().print(told)
    if done.busy:
        stdout().print(f"{len(done.busy)} runs are in use; again later: `mesh records`")
