"""When a product is made without anybody asking: the contract's customProperty `automation`.

    - property: automation
      value: eager              # when the content of an input changed (the default)
      value: all_new            # when every input has new content since the last time
      value: {cron: "0 6 * * 1", timezone: America/New_York, deadline: 2h}
      value: manual             # never

Here: reading the rule; when a cron was due, and since when it is late. Not here: what has changed, and
starting runs (orchestration).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mesh_assets.capabilities.contracts.document import Document, Steps, allowed_words, kind_of
from mesh_assets.capabilities.contracts.model import Automation
from mesh_assets.capabilities.contracts.periods import PeriodRefused, period, told
from mesh_assets.words.cron import CronRefused, last_tick, read_cron, ticks

AUTOMATION = "automation"
EAGER, ALL_NEW, CRON, MANUAL = "eager", "all_new", "cron", "manual"
WORDS = (EAGER, ALL_NEW, MANUAL)
_KEYS = (CRON, "timezone", "deadline")
_EXAMPLE = '{cron: "0 6 * * 1", timezone: America/New_York, deadline: 2h}'


def automation_of(document: Document, found: tuple[Steps, Any] | None) -> Automation:
    """The contract's rule; eager where it says nothing."""
    if found is None:
        return Automation(EAGER)
    path, value = found
    if isinstance(value, dict):
        return _cron_of(document, path, value)
    if value == CRON:
        raise document.malformed(path, "the automation is 'cron' and says no time", f"Write e.g. {_EXAMPLE}")
    if value not in WORDS:
        raise document.malformed(
            path, f"the automation is {kind_of(value)}", f"{allowed_words(value, WORDS)}, or {_EXAMPLE}"
        )
    return Automation(str(value))


def described(rule: Automation) -> str:
    """The rule in words, for people who look at the product."""
    if rule.kind == CRON:
        late = f", late after {told(rule.deadline)}" if rule.deadline else ""
        return f"cron: at {rule.cron} ({rule.timezone}), when its inputs are there{late}"
    return {
        EAGER: "eager: when the content of an input changed",
        ALL_NEW: "all_new: when all inputs are new",
        MANUAL: "manual: when somebody starts it",
    }[rule.kind]


def due_since(rule: Automation, now: datetime) -> datetime | None:
    """The last moment at which the cron named a build; None for a rule without a clock."""
    return last_tick(read_cron(rule.cron), ZoneInfo(rule.timezone), now) if rule.kind == CRON else None


def next_due(rule: Automation, now: datetime) -> datetime | None:
    """The next such moment."""
    if rule.kind != CRON:
        return None
    return next(ticks(read_cron(rule.cron), ZoneInfo(rule.timezone), now), None)


def late_since(rule: Automation, built: datetime | None, now: datetime) -> datetime | None:
    """Since when a product is late: its deadline went by, and no good build began since it was due.

    `built` is when the last build that published, or found nothing to do, began; None if there was none.
    """
    due = due_since(rule, now)
    if due is not None and rule.deadline is not None and now <= due + rule.deadline:
        due = due_since(rule, due - due.resolution)  # the newest one can still be met
    if due is None or rule.deadline is None or now <= due + rule.deadline:
        return None
    return None if built is not None and built >= due else due + rule.deadline


def _cron_of(document: Document, path: Steps, value: dict[str, Any]) -> Automation:
    for key in value:
        if key not in _KEYS:
            raise document.malformed(
                (*path, key), f"the key `{key}` is not known here", allowed_words(key, _KEYS), key=True
            )
    if not isinstance(value.get(CRON), str):
        raise document.malformed(
            (*path, CRON) if CRON in value else path,
            f"`cron` is {kind_of(value.get(CRON))}; it must be an expression of five fields",
            f"Write e.g. {_EXAMPLE}",
        )
    try:
        if last_tick(read_cron(value[CRON]), ZoneInfo("UTC"), datetime.now(UTC)) is None:
            raise CronRefused("it names no day of any year")
    except CronRefused as refused:
        problem = f"the cron {value[CRON]!r} cannot be read: {refused}"
        raise document.malformed((*path, CRON), problem, f"Write e.g. {_EXAMPLE}") from None
    return Automation(
        CRON,
        cron=value[CRON],
        timezone=_zone(document, (*path, "timezone"), value.get("timezone", "UTC")),
        deadline=_deadline(document, (*path, "deadline"), value) if "deadline" in value else None,
    )


def _zone(document: Document, path: Steps, value: Any) -> str:
    try:
        return ZoneInfo(value).key if isinstance(value, str) else _no_zone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise document.malformed(
            path, f"{kind_of(value)} is no time zone", "Write e.g. America/New_York, or UTC"
        ) from None


def _no_zone() -> str:
    raise ValueError


def _deadline(document: Document, path: Steps, value: dict[str, Any]) -> Any:
    try:
        return period(value["deadline"])
    except PeriodRefused as refused:
        raise document.malformed(
            path, f"the deadline: {refused}", refused.remedy or "Write e.g. 2h"
        ) from None
