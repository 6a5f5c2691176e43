"""When a service level is kept: how long a look is good for, and by how much a product is late.

Here: the arithmetic of windows and deadlines, in the zone that a contract names, across changes of the clock.
Not here: reading `slaProperties` (contracts/sla), Dagster's own policies (orchestration/freshness).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mesh_assets.capabilities.contracts.sla import Deadline, ServiceLevel
from mesh_assets.words.settings import Settings


def late_since(level: ServiceLevel, looked: datetime, now: datetime) -> datetime | None:
    """The moment from which the promise is broken, None while it is kept."""
    if level.within is not None:
        due = looked + level.within
        return due if now > due else None
    assert level.deadline is not None  # whoever asks has a promise that can be watched
    passed = _last_deadline(level.deadline, now)
    return passed if looked <= passed - level.deadline.window else None


def _last_deadline(deadline: Deadline, now: datetime) -> datetime:
    """The latest moment of the deadline that is not after now."""
    zone = ZoneInfo(deadline.zone)
    day = now.astimezone(zone).date()
    while True:
        moment = datetime.combine(day, time(deadline.hour, deadline.minute), tzinfo=zone).astimezone(UTC)
        if moment <= now:
            return moment
        day -= timedelta(days=1)


def looks(settings: Settings) -> dict[str, datetime]:
    """Product -> when `mesh build` last found it unchanged without a run (orchestration/looks writes it)."""
    try:
        text = (settings.dagster_home / "looked.json").read_text(encoding="utf-8")
        return {name: datetime.fromisoformat(moment) for name, moment in json.loads(text).items()}
    except (OSError, ValueError, AttributeError):
        return {}
