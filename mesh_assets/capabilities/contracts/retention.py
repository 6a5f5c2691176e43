"""How long published versions can be read after newer ones came.

    customProperties:
      - property: retention
        value: {versions: 10, days: 30}     # both or one; a version stays while either says so
    slaProperties:
      - {property: retention, value: 7, unit: y}     # the standard's form: days, and no number of versions

Here: reading the policy. Not here: which versions it lets go, and letting them go (upkeep).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.contracts.document import Document, Steps, kind_of
from mesh_assets.capabilities.contracts.model import Retention
from mesh_assets.capabilities.contracts.periods import told

if TYPE_CHECKING:
    from mesh_assets.capabilities.contracts.sla import ServiceLevel

RETENTION = "retention"

#: The version that readers see and the one before it always stay: rules of change and a rollback need it.
FEWEST = 2

#: A run, or a reader that began with what was current, is over by then.
LONGEST_RUN = timedelta(days=1)

_HUNDRED_YEARS = 36_600


def retention_of(
    document: Document, found: tuple[Steps, Any] | None, levels: Sequence[ServiceLevel]
) -> Retention:
    """The contract's policy; the default where it says nothing."""
    promised = [level for level in levels if level.keeps is not None]
    if found is None:
        kept = max((level.keeps for level in promised if level.keeps), default=None)
        return Retention(versions=FEWEST, days=kept) if kept else Retention()
    path, value = found
    if not isinstance(value, dict) or not value or set(value) - {"versions", "days"}:
        raise document.malformed(
            path,
            f"the retention is {kind_of(value)}",
            "Write e.g. {versions: 10, days: 30}, or one of the two",
        )
    days = value.get("days")
    if promised and days is not None:
        raise document.malformed(
            (*path, "days"),
            f"the retention is said twice: {days} days here, and in slaProperties (line "
            f"{promised[0].place.line})",
            "Keep one of them",
        )
    kept = max((level.keeps for level in promised if level.keeps), default=None)
    least = _whole(document, (*path, "days"), days, 1) if days is not None else 0
    return Retention(
        versions=_whole(document, (*path, "versions"), value.get("versions", FEWEST), FEWEST),
        days=kept or max(timedelta(days=least), LONGEST_RUN),
    )


def described(policy: Retention) -> str:
    """`the last 10 versions, and those superseded within 30 days`"""
    return f"the last {policy.versions} versions, and those superseded within {told(policy.days)}"


def _whole(document: Document, path: Steps, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _HUNDRED_YEARS:
        raise document.malformed(
            path,
            f"`{path[-1]}` is {kind_of(value)}",
            f"Write a whole number from {least} to {_HUNDRED_YEARS}",
        )
    return int(value)
