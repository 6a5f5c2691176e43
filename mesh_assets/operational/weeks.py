"""The example's calendar: 104 weeks that start on Mondays, a few that may follow, and the fills of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

FIRST = date(2023, 1, 2)
COUNT = 104
#: Weeks after these can be made one by one: what operational systems deliver next.
FURTHER = 4
#: A fill, or its reversal, arrives at most so many weeks after the week of its date.
LATEST = 4

MONDAYS = tuple(FIRST + timedelta(weeks=number) for number in range(COUNT))
KEYS = tuple(monday.isoformat() for monday in MONDAYS)

#: Weekly volume in permille of an average week: quiet around the turn of the year and in July.
_SEASON = (860, 985, 1010, 1020, 1025, 1030, 1030, 1025, 1020, 1015, 1010, 1010, 1005,
           1000, 1000, 1000, 1005, 1005, 1000, 1000, 990, 960, 1000, 995, 990, 985,
           930, 975, 980, 985, 985, 990, 990, 995, 985, 940, 1000, 1010, 1015,
           1020, 1025, 1030, 1030, 1030, 1030, 1025, 1020, 930, 1030, 1035, 1030, 880)  # fmt: skip


@dataclass(frozen=True)
class Week:
    """A week and the row numbers of its fills: `first` <= number < `first + fills`."""

    number: int
    monday: date
    first: int
    fills: int

    @property
    def key(self) -> str:
        return self.monday.isoformat()


def weeks_of(scale: float, *, further: bool = False) -> tuple[Week, ...]:
    """All weeks with their fills; a million in all at scale 1, growing 8% from first to last. `further` ones
    come on top.
    """
    weights = [_SEASON[number % 52] * (1000 + 80 * number // COUNT) for number in range(COUNT)]
    total, wanted = sum(weights), round(1_000_000 * scale)
    bounds, reached = [0], 0
    for weight in weights:
        reached += weight
        bounds.append(wanted * reached // total)
    for number in range(COUNT, COUNT + FURTHER):  # numbered on, so that the rows before stay as they are
        weight = _SEASON[number % 52] * (1000 + 80 * number // COUNT)
        bounds.append(bounds[-1] + wanted * weight // total)
    return tuple(
        Week(number, FIRST + timedelta(weeks=number), bounds[number], bounds[number + 1] - bounds[number])
        for number in range(COUNT + FURTHER if further else COUNT)
    )


def week_number(monday: date) -> int | None:
    """The number of the week that starts on that day; None if it is none of the example's."""
    weeks, days = divmod((monday - FIRST).days, 7)
    return weeks if not days and 0 <= weeks < COUNT + FURTHER else None


def key_of(number: int) -> str:
    return (FIRST + timedelta(weeks=number)).isoformat()
