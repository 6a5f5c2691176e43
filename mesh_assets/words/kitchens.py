"""Kitchens: meshes that read another one's versions, of one instant, and write only what is theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from mesh_assets.words.errors import YourCode, YourData

#: Below the home: a folder per kitchen, whatever its base is.
KITCHENS = "kitchens"

#: The file in a kitchen's folder that makes it one: it is written last, and removed first.
RECORD = "kitchen.json"

#: What an opening leaves until it is done, for whoever clears a killed one away.
BEGUN = "opening.json"

#: A word that is part of a branch, a folder, a bucket's prefix and an address.
NAME = re.compile(r"^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$")
LONGEST = 40

#: Words that mean something else where a kitchen's name can stand.
TAKEN = ("main", "prod")

#: How long a kitchen keeps what it reads unless told otherwise.
TTL = timedelta(days=7)

_SPAN = re.compile(r"^(\d{1,5})([hdw])$")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


class KitchenState(StrEnum):
    #: Its versions are pinned; it cannot be used yet. A process that died leaves it so.
    OPENING = "opening"
    OPEN = "open"
    #: It cannot be used any more; what is its own is being removed.
    DROPPING = "dropping"


@dataclass(frozen=True)
class MovedFile:
    """A file of a source that two builds have not read alike."""

    source: str
    path: str
    #: `changed` (another content), `new`, `gone`.
    how: str


@dataclass(frozen=True)
class Kitchen:
    """A row of the table: whose, since when, of what."""

    name: str
    owner: str
    opened: datetime
    #: Until then nothing that it reads expires in production.
    expires: datetime
    #: `prod`, or the name of the kitchen that it was opened from.
    base: str
    #: The last release of the base that it has, 0 for none.
    base_release: int
    #: The commit that its branch began at; "" without git.
    commit: str
    #: "" without git: then it has no code of its own.
    branch: str
    home: Path
    code: Path
    #: Domains that may be written; () for all.
    domains: tuple[str, ...] = ()
    #: How its inputs are thinned out, "" for not at all. A sampled kitchen is a preview.
    sample: str = ""
    state: KitchenState = KitchenState.OPEN
    #: The directory of the base's repository, for removing the worktree; "" without git.
    repository: str = ""

    @property
    def holder(self) -> str:
        """Whose pins these are."""
        return holder_of(self.name)

    def expired(self, now: datetime) -> bool:
        return self.expires <= now


def holder_of(name: str) -> str:
    """The holder of a kitchen's pins."""
    return f"kitchen:{name}"


def branch_of(name: str) -> str:
    """The branch that a kitchen's code is on."""
    return f"kitchen/{name}"


def kitchen_name(text: str) -> str:
    """The name, if it can be one."""
    if not NAME.match(text) or len(text) > LONGEST or text in TAKEN:
        raise KitchenNameMalformed(name=text, longest=LONGEST)
    return text


def time_to_live(text: str) -> timedelta:
    """`12h`, `7d` or `2w` as a span of time."""
    found = _SPAN.match(text)
    if found is None or int(found[1]) == 0:
        raise SpanMalformed(text=text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


class KitchenNameMalformed(YourCode):
    template = (
        "{name!r} is no name of a kitchen: lower-case letters, digits, - and _ between them, beginning with "
        "a letter, at most {longest}; main and prod are taken"
    )


class SpanMalformed(YourCode):
    template = "{text!r} is no span of time: write hours, days or weeks, e.g. 12h, 7d, 2w"


class UnknownKitchen(YourCode):
    def __init__(self, *, name: str, known: tuple[str, ...] = (), why: str = "") -> None:
        super().__init__(name=name, known=known, why=why)

    def describe(self) -> str:
        known = ", ".join(self.facts["known"]) or "none"
        why = f": {self.facts['why']}" if self.facts["why"] else ""
        told = f"There is no kitchen {self.facts['name']!r}{why}. Kitchens here: {known}"
        return f"{told}. See `mesh kitchen list`"


class KitchenTaken(YourCode):
    template = (
        "There is a kitchen {name} already ({state}, of {owner}). Use it (`mesh --kitchen {name} …`), or "
        "`mesh kitchen drop {name}` first"
    )


class KitchenNotOpen(YourData):
    template = "Kitchen {name} is {state}: {why}. To be rid of it: `mesh kitchen drop {name}`"


class UnknownBase(YourCode):
    template = (
        "Nothing is called {wanted!r} that a kitchen could be opened from: write main, the name of a "
        "kitchen, a tag of versions, or release:N. {hint}"
    )


class OutsideKitchen(YourCode):
    """A write to a domain that the kitchen was not opened for."""

    template = (
        "{product} is not made in kitchen {kitchen}, which may write {domains}. Open one that may: "
        "`mesh kitchen open NAME --domains {domain}`"
    )


class UnknownDomains(YourCode):
    template = "There is no domain {wanted}; there are {known}"


class KitchenInUse(YourData):
    template = "Kitchen {name} is not dropped: {why}"


class CannotOpen(YourCode):
    template = "Kitchen {name} was not opened: {problem}. Nothing of it is left; {remedy}"


class SampleMalformed(YourCode):
    template = "{option} {text!r}: {problem}"


class WrongSkip(YourData):
    """The pruner left out what would have changed: what it says of columns is not true."""

    def __init__(self, *, kitchen: str, products: tuple[str, ...]) -> None:
        super().__init__(kitchen=kitchen, products=products)

    def describe(self) -> str:
        name, names = self.facts["kitchen"], ", ".join(self.facts["products"])
        return (
            f"The run of kitchen {name} skipped what it should not have: {names} came out different when the "
            "audit made it anyway. What was made is published in the kitchen. Run it again without skipping "
            f"(`mesh kitchen run {name} --no-skip`), and look at its recipe: it reads more than it says"
        )
