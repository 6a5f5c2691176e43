"""Letting go of Dagster's own records: what plain steps said in old runs, and what they printed.

Here: which events go and which stay, runs that may be touched, bytes. Not here: versions of products
and their files (upkeep), ticks of schedules and sensors (dagster.yaml, `retention`).

Runs, materializations, observations and checks stay for ever: they are the history that the UI and freshness
stand on. A run's page still opens, with its beginning, its end, its failures and what it made.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.words.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance, RunRecord

#: What of a finished run's events stays: its states, what it made, what it checked, what failed.
KEPT = ("PIPELINE_", "ASSET_", "STEP_FAILURE", "RUN_")
#: On a run whose records were let go of.
PRUNED_TAG = "mesh/records_pruned"
#: Runs that are asked for at once.
PAGE = 500
#: Seconds to wait for somebody who reads a run's events.
WAIT = 5


@dataclass
class Pruned:
    """What went, or would go."""

    older_than: timedelta
    runs: int = 0
    events: int = 0
    logs: int = 0
    bytes: int = 0
    #: Runs whose database was in use: next time.
    busy: list[str] = field(default_factory=list)


def prune(
    settings: Settings,
    *,
    older_than: timedelta | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> Pruned:
    """Let go of the records of runs that ended before `older_than` ago; a run under way is never touched."""
    kept_for = older_than or timedelta(days=settings.records_kept)
    before = (now or datetime.now(UTC)) - kept_for
    done = Pruned(kept_for)
    with open_instance(settings) as instance:
        for record in _ended(instance, before):
            _prune_run(instance, record.dagster_run.run_id, done, dry_run=dry_run)
    _own_logs(settings, before, done, dry_run=dry_run)
    return done


def _ended(instance: DagsterInstance, before: datetime) -> Iterator[RunRecord]:
    """Finished runs that ended before then and whose records are there, oldest last."""
    from dagster import DagsterRunStatus, RunsFilter

    over = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
    cursor: str | None = None
    while True:
        found = instance.get_run_records(
            RunsFilter(statuses=over, created_before=before), limit=PAGE, cursor=cursor
        )
        for record in found:
            ended = record.end_time if record.end_time is not None else record.update_timestamp.timestamp()
            if ended < before.timestamp() and PRUNED_TAG not in record.dagster_run.tags:
                yield record
        if len(found) < PAGE:
            return
        cursor = found[-1].dagster_run.run_id


def _prune_run(instance: DagsterInstance, run_id: str, done: Pruned, *, dry_run: bool) -> None:
    from sqlalchemy.exc import OperationalError

    try:
        events, reclaimed = _prune_events(instance, run_id, dry_run=dry_run)
    except OperationalError:  # somebody reads it at this moment
        done.busy.append(run_id)
        return
    logs, printed = _prune_prints(instance, run_id, dry_run=dry_run)
    done.runs += 1
    done.events += events
    done.logs += logs
    done.bytes += reclaimed + printed
    if not dry_run:
        instance.add_run_tags(run_id, {PRUNED_TAG: datetime.now(UTC).date().isoformat()})


def _prune_events(instance: DagsterInstance, run_id: str, *, dry_run: bool) -> tuple[int, int]:
    """(events, bytes) that went."""
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as Events
    from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
    from sqlalchemy import and_, delete, func, or_, select

    storage: Any = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)
    kind = Events.c.dagster_event_type
    stays = or_(*(kind.startswith(word, autoescape=True) for word in KEPT))
    goes = and_(Events.c.run_id == run_id, or_(kind.is_(None), ~stays))
    shard = _shard(storage, run_id)
    if shard is not None and not shard.is_file():
        return 0, 0
    before = _size(shard)
    with storage.run_connection(run_id) as connection:
        if dry_run:
            count = connection.scalar(select(func.count()).where(goes)) or 0
            size = connection.scalar(select(func.sum(func.length(Events.c.event))).where(goes)) or 0
            return int(count), int(size)
        gone = int(connection.execute(delete(Events).where(goes)).rowcount)
    if shard is not None:
        _shrink(shard)
    return gone, max(before - _size(shard), 0)


def _shard(storage: Any, run_id: str) -> Path | None:
    """The run's own database, where each run has one."""
    path = getattr(storage, "path_for_shard", None)
    return None if path is None else Path(path(run_id))


def _shrink(shard: Path) -> None:
    """Give the space back, unless somebody reads the run at this moment."""
    with (
        suppress(sqlite3.OperationalError),
        closing(sqlite3.connect(shard, isolation_level=None, timeout=WAIT)) as session,
    ):
        session.execute("VACUUM")
        session.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _size(shard: Path | None) -> int:
    """With what SQLite keeps beside it."""
    if shard is None:
        return 0
    return sum(path.stat().st_size for path in shard.parent.glob(f"{shard.name}*"))


def _prune_prints(instance: DagsterInstance, run_id: str, *, dry_run: bool) -> tuple[int, int]:
    """(files, bytes) of what steps wrote to their outputs, kept by Dagster."""
    manager: Any = instance.compute_log_manager
    folder = getattr(manager, "_base_dir", None)
    files = [path for path in (Path(folder) / run_id).rglob("*") if path.is_file()] if folder else []
    found = len(files), sum(path.stat().st_size for path in files)
    if files and not dry_run:
        manager.delete_logs(prefix=[run_id])
        for path in sorted((Path(str(folder)) / run_id).rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        with suppress(OSError):
            (Path(str(folder)) / run_id).rmdir()
    return found


def _own_logs(settings: Settings, before: datetime, done: Pruned, *, dry_run: bool) -> None:
    """What runs of `mesh build` and `mesh run` printed, a file each."""
    for path in (settings.home / "logs").glob("*.log"):
        with suppress(FileNotFoundError):
            facts = path.stat()
            if facts.st_mtime < before.timestamp():
                done.logs += 1
                done.bytes += facts.st_size
                if not dry_run:
                    path.unlink()
