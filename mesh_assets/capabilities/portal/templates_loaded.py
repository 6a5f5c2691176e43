"""The templates: everything that goes into one is escaped, and a name that is missing is an error."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mesh_assets.capabilities.portal.looks import clock, span

#: What stands where a value is missing.
NOTHING = "\N{EN DASH}"
FOLDER = Path(__file__).parent / "templates"


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "clock": clock,
        "span": span,
        "count": count,
        "time": time_of,
        "short": short,
        "size": size,
    }
    return made


def count(value: Any) -> str:
    """A number with its thousands apart."""
    return NOTHING if value is None else f"{value:,}"


def time_of(moment: datetime | None) -> Markup:
    """A moment for people and programs; the script adds how long ago it was."""
    if moment is None:
        return Markup(NOTHING)  # noqa: S704 - a dash of ours
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        utc.isoformat(timespec="seconds"), f"{utc:%Y-%m-%d %H:%M}"
    )


def short(text: str | None, most: int = 12) -> str:
    """The beginning of a long hash; of a fingerprint all but the end of its sum, which is what tells contents
    of as many rows apart.
    """
    if not text:
        return NOTHING
    facts, mark, total = text.rpartition(":")
    cut = f"{total[:6]}…" if len(total) > 7 else total
    return f"{facts}:{cut}" if mark else text[:most]


def size(length: int | None) -> str:
    if length is None:
        return NOTHING
    value = float(length)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
