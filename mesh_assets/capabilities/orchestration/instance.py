"""Dagster's home for this mesh: the same instance for `mesh` commands and for the UI, kept between starts."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.words.settings import PROJECT, Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

#: Events that Dagster hands to its log as one batch (event_log.py): a week of a product is an event or two.
EVENTS_AT_ONCE = 200


def prepare_dagster_home(settings: Settings) -> Path:
    """Write `<home>/dagster/dagster.yaml` with absolute folders, and point DAGSTER_HOME at it.

    The project's own dagster.yaml is the source: it names the same folders relative to the project, for a
    plain `dagster dev` there.
    """
    folder = settings.dagster_home
    folder.mkdir(parents=True, exist_ok=True)
    text = (PROJECT / "dagster.yaml").read_text(encoding="utf-8").replace(".mesh/dagster", str(folder))
    target = folder / "dagster.yaml"
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(EVENTS_AT_ONCE))
    return folder


@contextmanager
def open_instance(settings: Settings) -> Iterator[DagsterInstance]:
    """Dagster's instance of this mesh. One process at a time opens it.

    Two that create its SQLite tables together leave an alembic table with two heads, which nothing can open
    again.
    """
    from dagster import DagsterInstance

    folder = prepare_dagster_home(settings)
    with (folder / "opening.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        instance = DagsterInstance.get()
        fcntl.flock(lock, fcntl.LOCK_UN)
    with instance:
        yield instance


def cancel_runs(settings: Settings, run_ids: Sequence[str]) -> None:
    """Tell Dagster of runs whose processes were stopped, so that its UI does not show them as running."""
    with open_instance(settings) as instance:
        for run_id in run_ids:
            run = instance.get_run_by_id(run_id)
            if run is not None and not run.is_finished:
                instance.report_run_canceled(run)


def fail_runs(settings: Settings, run_ids: Sequence[str], message: str) -> None:
    """Tell Dagster of runs whose processes are gone."""
    with open_instance(settings) as instance:
        for run_id in run_ids:
            run = instance.get_run_by_id(run_id)
            if run is not None and not run.is_finished:
                instance.report_run_failed(run, message)
