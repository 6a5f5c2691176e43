"""What happens in each week, from a seed, and what has to follow: the ledger that the mesh is held to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from random import Random

from benchmarks.year.mesh import FIRST, JOURNEY, LATE

#: Weeks that are there before the year begins: a month is over by then.
WARM = 5
SHOWN = f"journey {JOURNEY}"
FILL, SALE = "till.fill", "facts.sale"


class Kind(StrEnum):
    ON_TIME = "on time"
    LATE = "late"
    MISSING = "missing"
    BAD_FILE = "bad file"
    DUPLICATE = "duplicate"
    LATE_ROWS = "late rows"
    FAILS = "recipe fails"
    REFUSED = "rule broken"
    PAUSED = "paused"
    SILENT = "rule broken, receiver down"


#: What begins before the drop and ends when the week is put right.
AROUND = {Kind.FAILS: ("break", "mend"), Kind.PAUSED: ("pause", "resume")}
#: (subject, states): states are "" where it is over.
Told = tuple[str, str]


@dataclass(frozen=True)
class Action:
    at: datetime
    what: str
    week: date
    text: str = ""


@dataclass
class Week:
    week: date
    kind: Kind
    #: Days after its drop was due at which it came, or was put right.
    days: int
    actions: list[Action] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    #: What each version of the drop that a build may read makes `till.fill` look at.
    looks: int = 0

    @property
    def due(self) -> datetime:
        """Monday at six, when the week is over."""
        return datetime.combine(self.week + timedelta(weeks=1), time(6), UTC)


def warm_up() -> list[date]:
    return [FIRST + timedelta(weeks=n) for n in range(WARM)]


def write_script(weeks: int, seed: int) -> list[Week]:
    """Each kind once in a shuffled order, then by chance; the first and the last week are on time."""
    chance = Random(seed)
    kinds: list[Kind] = [each for each in Kind if each is not Kind.ON_TIME]
    chance.shuffle(kinds)
    while len(kinds) < weeks:
        kinds.append(chance.choice(list(Kind)))
    kinds = [Kind.ON_TIME, *kinds[: weeks - 2], Kind.ON_TIME]
    found = []
    for number, kind in enumerate(kinds):
        late = chance.choice([0, 2, 3, 4]) if kind is not Kind.LATE else chance.choice([2, 3, 4, 5])
        week = Week(FIRST + timedelta(weeks=WARM + number), kind, late)
        _write(week, chance)
        found.append(week)
    return found


def drop_text(week: date, chance: Random, *, late: bool = False) -> str:
    """A drop: three fills of the week, and some of weeks before it if it has late rows."""
    # A fill's number says of which drop it is, so none comes twice.
    first = (week - FIRST).days * 100
    days = [week + timedelta(days=chance.randrange(7)) for _ in range(3)]
    if late:
        days += [week - timedelta(days=chance.randrange(1, 7 * LATE)) for _ in range(2)]
    rows = [(first + n, max(day, FIRST), chance.randrange(1, 1000)) for n, day in enumerate(days)]
    return "fill_id,fill_date,amount\n" + "".join(f"{key},{day},{much}\n" for key, day, much in rows)


def _write(week: Week, chance: Random) -> None:
    """The week's actions, and what has to be told of them."""
    good = drop_text(week.week, chance, late=week.kind is Kind.LATE_ROWS)
    mended = week.due + (timedelta(days=week.days) if week.days else timedelta(hours=9))
    week.actions = list(_actions(week, good, mended))
    week.told = list(_told(week))
    week.looks = {Kind.MISSING: 0, Kind.REFUSED: 2, Kind.SILENT: 2}.get(week.kind, 1)


def _actions(week: Week, good: str, mended: datetime) -> Iterator[Action]:
    def action(at: datetime, what: str, text: str = "") -> Action:
        return Action(at, what, week.week, text)

    kind, due = week.kind, week.due
    if kind in AROUND:
        before, after = AROUND[kind]
        yield action(due - timedelta(hours=1), before)
        yield action(due, "drop", good)
        yield action(mended, after)
        return
    if kind is Kind.SILENT:
        yield action(due - timedelta(hours=1), "receiver down")
        yield action(mended + timedelta(hours=12), "receiver up")
    wrong = _wrong(kind, good)
    if wrong:
        yield action(due, "drop", wrong)
    if kind is not Kind.MISSING:
        yield action(mended if wrong or kind is Kind.LATE else due, "drop", good)
    if kind is Kind.DUPLICATE:
        yield action(due + timedelta(hours=2), "drop", good)
        yield action(due + timedelta(hours=3), "copy", good)


def _wrong(kind: Kind, good: str) -> str:
    """What comes instead of a good file at first; "" if that is good."""
    if kind is Kind.BAD_FILE:
        return "fill_id,amount\n1,2\n"
    if kind not in (Kind.REFUSED, Kind.SILENT):
        return ""
    head, row, *others = good.splitlines()
    return "\n".join([head, f"{row.rpartition(',')[0]},-5", *others, ""])


def _told(week: Week) -> Iterator[Told]:
    """In order. The journey of a week promises Tuesday noon; what is put right on Monday is in time."""
    product, state = {
        Kind.FAILS: (SALE, "failed"),
        Kind.REFUSED: (FILL, "refused"),
        Kind.SILENT: (FILL, "refused"),
        Kind.PAUSED: (SALE, "paused"),
    }.get(week.kind, ("", ""))
    refused, slow = state == "refused", week.days > 0
    if product:
        yield product, state
    if refused:
        yield SHOWN, "failed_tests"
    elif product and slow:
        yield SHOWN, "incomplete"
    elif week.kind in (Kind.LATE, Kind.MISSING) or (week.kind is Kind.BAD_FILE and slow):
        yield SHOWN, "missing"
    troubled = product or week.kind in (Kind.LATE, Kind.BAD_FILE)
    if troubled and slow:
        yield SHOWN, "late"
    if product:
        yield product, ""
    if refused or (slow and troubled) or week.kind is Kind.MISSING:
        yield SHOWN, ""


def fills_expected(script: list[Week]) -> dict[date, int]:
    """How often each week of `till.fill` is to be made: once for each content of a drop that it reads."""
    drops = dict.fromkeys(warm_up(), 1) | {each.week: each.looks for each in script}
    last = max(drops)
    found: dict[date, int] = {}
    for week in drops:
        if not drops[week]:
            continue
        later = [week + timedelta(weeks=n) for n in range(LATE + 1) if week + timedelta(weeks=n) <= last]
        found[week] = sum(drops[each] for each in later)
    warm = set(warm_up())
    # The drops of the warm-up come at once.
    return {
        week: count - sum(1 for n in range(LATE + 1) if week + timedelta(weeks=n) in warm) + (week in warm)
        for week, count in found.items()
    }
