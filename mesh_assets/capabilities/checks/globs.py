"""Patterns of a fixed form (`^ORD-[0-9]{10}$`) as GLOB, which DuckDB matches in less time.

Most patterns of codes are such: a character or a set of characters for each place, from end to end. Both then
say the same of every text; any other pattern has no glob, and stays a regular expression.
"""

from __future__ import annotations

import re

#: Characters and ranges that a text is held against: beyond so many the regular expression is as fast.
MOST_STEPS = 16

#: A set of letters and digits, or a character that means itself to both; then how often.
_PLACE = re.compile(
    r"(?:\[(?P<any>(?:[0-9A-Za-z](?:-[0-9A-Za-z])?)+)\]|(?P<one>[0-9A-Za-z_ /:@#,-])"
    r"|\\x\{(?P<code>[0-9A-F]{2})\})"
    r"(?:\{(?P<times>[0-9]{1,2})\})?"
)
_RANGE = re.compile(r"[0-9A-Za-z]-[0-9A-Za-z]|[^\[\]]")
_CODES = {f"{ord(character):02X}": character for character in "-_ ./:@#,;+()"}


def glob_of(plain: str) -> str | None:
    """The glob that matches what this plain pattern (contracts.patterns) matches; None if there is none."""
    if not (plain.startswith("^") and plain.endswith("$")):
        return None
    glob, steps = "", 0
    at, end = 1, len(plain) - 1
    while at < end:
        found = _PLACE.match(plain, at, end)
        place = _place(found) if found else None
        if found is None or place is None:
            return None
        times = int(found["times"] or 1)
        glob, steps = glob + place * times, steps + len(_RANGE.findall(place)) * times
        at = found.end()
    return glob if 0 < steps <= MOST_STEPS else None


def _place(found: re.Match[str]) -> str | None:
    return f"[{found['any']}]" if found["any"] else found["one"] or _CODES.get(found["code"])
