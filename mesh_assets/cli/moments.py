"""Moments, days and spans of time as a person types them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import typer

SPAN = re.compile(r"^(\d{1,4})\s*([mhdw])$")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span(text: str, option: str) -> timedelta:
    """`90m`, `12h`, `30d`, `2w`."""
    found = SPAN.match(text.strip().lower())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no span of time; write 90m, 12h, 30d or 2w", param_hint=option)
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def moment(text: str, option: str, *, now: datetime | None = None) -> datetime:
    """A span from now, or a date or moment (UTC unless it names another offset); in the future."""
    now = now or datetime.now(UTC)
    if SPAN.match(text.strip().lower()):
        return now + span(text, option)
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        told = f"{text!r} is no moment; write 2h, 3d, 2030-01-31 or 2030-01-31T09:00"
        raise typer.BadParameter(told, param_hint=option) from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if found <= now:
        raise typer.BadParameter(f"{text} is over already", param_hint=option)
    return found


def day(text: str, option: str) -> date:
    """A date, `2030-01-31`."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write 2030-01-31", param_hint=option) from None
