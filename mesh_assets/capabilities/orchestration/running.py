"""What runs now, asked of Dagster's run database without importing Dagster: `mesh status` answers at once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from mesh_assets.words.settings import Settings

UNDER_WAY = ("QUEUED", "NOT_STARTED", "MANAGED", "STARTING", "STARTED", "CANCELING")


@dataclass(frozen=True)
class RunNow:
    """A run of Dagster's that waits or runs."""

    run_id: str
    domain: str
    state: str
    since: datetime | None


def running_now(settings: Settings) -> list[RunNow]:
    """Every run under way, the oldest first; nothing where Dagster has not run yet."""
    path = settings.dagster_home / "storage" / "history" / "runs.db"
    if not path.is_file():
        return []
    marks = ", ".join("?" * len(UNDER_WAY))
    query = f"""
        SELECT runs.run_id, runs.status, COALESCE(runs.start_time, strftime('%s', runs.create_timestamp)),
               (SELECT value FROM run_tags WHERE run_tags.run_id = runs.run_id AND key = 'mesh/domain')
        FROM runs WHERE runs.status IN ({marks}) ORDER BY runs.id"""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as session:
            rows = session.execute(query, UNDER_WAY).fetchall()
    except sqlite3.OperationalError:  # a database that Dagster is making at this moment
        return []
    return [
        RunNow(run_id, domain or "", status.lower(), _moment(began)) for run_id, status, began, domain in rows
    ]


def _moment(seconds: str | float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)
