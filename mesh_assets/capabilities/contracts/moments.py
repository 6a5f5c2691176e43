"""Formats of dates and times as JDK's DateTimeFormatter writes them: `dd/MM/yyyy HH:mm:ss.SSS`.

Here: what a format says of a text (its form), and of a stored value (the smallest unit that it can tell).
Not here: the SQL that looks for values of no such form (checks).

A text is of the format if the format writes exactly this text for some date or time: as many digits as
letters, `d` without a leading zero, English names, and a date that exists (the JDK's strict resolver). Years
are 1 to 9999.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

_YEAR = "[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9]"
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_OFFSET = "(?:0[0-9]|1[0-7])"

#: letters: (field, expression, how DuckDB's strptime reads it, what is written before it)
_PARTS: dict[str, tuple[str, str, str, str]] = {
    "yyyy": ("year", _YEAR, "%Y", ""),
    "uuuu": ("year", _YEAR, "%Y", ""),
    # The JDK's two digits count from 2000.
    "yy": ("short year", "[0-9]{2}", "%Y", "20"),
    "uu": ("short year", "[0-9]{2}", "%Y", "20"),
    "MM": ("month", "0[1-9]|1[0-2]", "%m", ""),
    "M": ("month", "[1-9]|1[0-2]", "%m", ""),
    "MMM": ("month", "|".join(name[:3] for name in _MONTHS), "%b", ""),
    "MMMM": ("month", "|".join(_MONTHS), "%B", ""),
    "dd": ("day", "0[1-9]|[12][0-9]|3[01]", "%d", ""),
    "d": ("day", "[1-9]|[12][0-9]|3[01]", "%d", ""),
    "HH": ("hour", "[01][0-9]|2[0-3]", "%H", ""),
    "H": ("hour", "1?[0-9]|2[0-3]", "%H", ""),
    "hh": ("half hour", "0[1-9]|1[0-2]", "%I", ""),
    "h": ("half hour", "[1-9]|1[0-2]", "%I", ""),
    "a": ("half", "AM|PM", "%p", ""),
    "mm": ("minute", "[0-5][0-9]", "%M", ""),
    "ss": ("second", "[0-5][0-9]", "%S", ""),
    "X": ("offset", f"Z|[+-]{_OFFSET}(?:[0-5][0-9])?", "%z", ""),
    "XX": ("offset", f"Z|[+-]{_OFFSET}[0-5][0-9]", "%z", ""),
    "XXX": ("offset", f"Z|[+-]{_OFFSET}:[0-5][0-9]", "%z", ""),
    "x": ("offset", f"[+-]{_OFFSET}(?:[0-5][0-9])?", "%z", ""),
    "xx": ("offset", f"[+-]{_OFFSET}[0-5][0-9]", "%z", ""),
    "xxx": ("offset", f"[+-]{_OFFSET}:[0-5][0-9]", "%z", ""),
    **dict.fromkeys(("Z", "ZZ", "ZZZ"), ("offset", f"[+-]{_OFFSET}[0-5][0-9]", "%z", "")),
    **{"S" * n: ("fraction", f"[0-9]{{{n}}}", "%f", "") for n in range(1, 7)},
}
#: What was probably meant by letters that the JDK reads as something else.
_MEANT = {"Y": "yyyy (Y is the year of a week)", "D": "dd (D is the day of the year)"}
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z'])")


class FormatRefused(ValueError):
    """A format that cannot be read exactly; the text is the reason."""


@dataclass(frozen=True)
class MomentFormat:
    """A format taken apart."""

    #: year, short year, month, day, hour, minute, second, fraction, offset.
    fields: frozenset[str]
    #: The whole text, each field a group.
    pattern: str
    #: What the groups are put together as, and how DuckDB's strptime reads that.
    rewritten: str
    strptime: str
    #: The smallest unit that it tells, in microseconds.
    step: int

    @property
    def has_date(self) -> bool:
        return bool(self.fields & {"year", "short year"}) and {"month", "day"} <= self.fields

    @property
    def type(self) -> str:
        """The DuckDB type of what a text of this format says."""
        if not self.has_date:
            return "TIME"
        if "offset" in self.fields:
            return "TIMESTAMP WITH TIME ZONE"
        return "TIMESTAMP" if "hour" in self.fields else "DATE"


def moment_format(text: str) -> MomentFormat:
    """A format's parts. Raises FormatRefused with the reason."""
    expressions: list[str] = []
    groups: list[tuple[str, str]] = []
    fields: list[str] = []
    digits = 0
    for quoted, letters, char in _tokens(text):
        if letters:
            field, expression, code, before = _part(text, letters)
            expressions.append(f"({expression})")
            fields.append(field)
            groups.append((f"{before}\\{len(fields)}", code))
            digits = len(letters) if field == "fraction" else digits
        else:
            expressions.append(re.escape(quoted.replace("''", "'") if char is None else char))
    found = _fields(text, fields)
    return MomentFormat(
        fields=found,
        pattern="".join(expressions),
        rewritten=" ".join(group for group, _ in groups),
        strptime=" ".join(code for _, code in groups),
        step=_step(found, digits),
    )


def _tokens(text: str) -> list[tuple[str, str, str | None]]:
    found: list[tuple[str, str, str | None]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FormatRefused(f"the format {text!r} has a quote that does not end")
        at = match.end()
        letters = match.group() if match.group(2) else ""
        if letters == "T":  # the standard's own examples write it without quotes
            found.append(("", "", "T"))
        elif match.group(3):
            found.append(("", "", match.group(3)))
        else:
            found.append((match.group(1) or ("'" if match.group() == "''" else ""), letters, None))
    return found


def _part(text: str, letters: str) -> tuple[str, str, str, str]:
    if letters in _PARTS:
        return _PARTS[letters]
    if letters[0] in _MEANT:
        raise FormatRefused(f"the format {text!r} has {letters!r}; write {_MEANT[letters[0]]}")
    known = ", ".join(_PARTS)
    raise FormatRefused(f"the format {text!r} has {letters!r}; the mesh reads {known} and text in quotes")


def _fields(text: str, fields: list[str]) -> frozenset[str]:
    found = set(fields)
    twice = next((field for field in fields if fields.count(field) > 1), None)
    if twice or {"year", "short year"} <= found or {"hour", "half hour"} <= found:
        raise FormatRefused(f"the format {text!r} says the {(twice or 'year or hour').split()[-1]} twice")
    if ("half hour" in found) != ("half" in found):
        raise FormatRefused(f"the format {text!r} needs both h and a, or H")
    if "half" in found:
        found = found - {"half", "half hour"} | {"hour"}
    order = ("hour", "minute", "second", "fraction")
    lacking = [unit for unit, finer in pairwise(order) if finer in found and unit not in found]
    if lacking:
        raise FormatRefused(f"the format {text!r} lacks the {lacking[0]}")
    if not found:
        raise FormatRefused(f"the format {text!r} has neither a date nor a time")
    return frozenset(found)


def _step(fields: frozenset[str], digits: int) -> int:
    if "fraction" in fields:
        return int(10 ** (6 - digits))
    for unit, step in (("second", 10**6), ("minute", 60 * 10**6), ("hour", 3600 * 10**6)):
        if unit in fields:
            return step
    return 24 * 3600 * 10**6
