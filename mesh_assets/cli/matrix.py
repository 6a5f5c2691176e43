"""A history in few characters: a symbol per outcome, a mark per audit, a line of blocks per measure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

SYMBOLS = {"passed": "✓", "warned": "!", "failed": "✗", "error": "E"}
MARKS = {"published": "P", "unchanged": "U", "refused": "R", "checked": "c"}
LEGEND = (
    "✓ passed  ! warned  ✗ failed  E could not run  · not run; oldest left. "
    "Above: P published, U unchanged, R refused, c checked again without a build"
)
BLOCKS = "▁▂▃▄▅▆▇█"


def marks(audits: Sequence[Mapping[str, Any]]) -> str:
    """How each audit ended."""
    return "".join(MARKS.get(audit["outcome"], "?") for audit in audits)


def symbols(said: Sequence[Mapping[str, Any] | None]) -> str:
    """What one rule said in each audit."""
    return "".join(SYMBOLS[each["outcome"]] if each else "·" for each in said)


def numbers(values: Sequence[str]) -> list[float]:
    """Measured values as numbers (`1,204`, `12.5%`); what is none is left out."""
    found = (re.match(r"-?[0-9][0-9,]*(\.[0-9]+)?", value) for value in values)
    return [float(each.group().replace(",", "")) for each in found if each]


def sparkline(values: Sequence[float]) -> str:
    """The values between their own least and greatest; all alike is a low line."""
    if not values:
        return ""
    low, high = min(values), max(values)
    steps = (high - low) / (len(BLOCKS) - 1)
    return "".join(BLOCKS[round((value - low) / steps) if steps else 0] for value in values)
