"""Which products are to be made now: the rules of contracts against what readers see.

Here: the decision, from facts alone. Not here: where the facts come from and what starts a run (automation).

Two questions are kept apart. *Wanted*: the content of its inputs is not what it was last asked for, or its
hour has come. *Ready*: it may be made, all that it reads was published, and nothing that it reads is about to
change (or a diamond's bottom would be made twice). Content counts and not events: what was published while
nobody looked is found, and the same content is asked for once, however its build ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mesh_assets.capabilities.contracts.automation import ALL_NEW, CRON, EAGER, due_since
from mesh_assets.capabilities.contracts.model import Automation
from mesh_assets.words.automation import Picture, Watched
from mesh_assets.words.controls import Controls
from mesh_assets.words.names import ProductName

#: How long a product waits for an input that should be made again and that nobody has asked for: the location
#: of the input may be down for a week.
PATIENCE = timedelta(minutes=10)
#: How long for one that was asked for and of which nothing is heard.
LONGEST_RUN = timedelta(hours=6)
#: The wait before a product is asked for again whose run ended without a word, doubled each time.
PAUSE = timedelta(seconds=30)
#: Runs without a word after which only new content is a reason to ask.
MOST_LOST = 3
SOON = timedelta(seconds=2)


@dataclass(frozen=True)
class Managed:
    """A product of the domain that decides, in order: nothing comes before what it reads."""

    name: ProductName
    automation: Automation
    #: How it is cut: `week`, …; None for a product without partitions.
    cut: str | None


@dataclass(frozen=True)
class Answers:
    """What costs something to find out, asked only when it decides."""

    #: Partitions that a build would make now; () if the product is as its inputs say.
    stale: Callable[[ProductName], tuple[str, ...]]
    #: Content of the inputs that the product's version was made of; None before the first version.
    made_of: Callable[[ProductName], Mapping[ProductName, str] | None]
    #: Products that runs have in hand which nobody here asked for.
    running: Callable[[], frozenset[ProductName]]


@dataclass
class Decision:
    """What a tick comes to."""

    #: What is to be made, in one run, with the partitions that need it.
    ask: dict[ProductName, tuple[str, ...]] = field(default_factory=dict)
    #: Those that were asked for because of another one of the run.
    joined: set[ProductName] = field(default_factory=set)
    #: Rows that changed without a request.
    noted: list[Watched] = field(default_factory=list)
    #: Why a wanted product is not asked for now.
    waiting: dict[ProductName, str] = field(default_factory=dict)
    #: Look again then, whatever happens.
    again: datetime | None = None

    def look_again(self, moment: datetime) -> None:
        self.again = moment if self.again is None else min(self.again, moment)


def content_of(picture: Picture, each: Watched) -> dict[ProductName, str]:
    """What readers see of a product's inputs now."""
    return {name: picture.heads[name].fingerprint for name in each.inputs if name in picture.heads}


def anything_wanted(picture: Picture, products: Sequence[Managed], answers: Answers, now: datetime) -> bool:
    """False if a look at the whole mesh would come to nothing; a glimpse of the domain is enough to know."""
    tick = _Tick(picture, Controls(), answers, now, dict(picture.watched))
    rows = picture.watched
    return any(
        rows[each.name].token or tick.wanted(rows[each.name], each.automation)
        for each in products
        if each.name in rows
    )


def decide(
    picture: Picture, products: Sequence[Managed], controls: Controls, answers: Answers, now: datetime
) -> Decision:
    """The run that the domain needs now, if it needs one."""
    tick = _Tick(picture, controls, answers, now, dict(picture.watched))
    cut: str | None = None
    for each in products:
        if each.name not in tick.watched or not tick.wants(each):
            continue
        if cut and each.cut and cut != each.cut:  # a run has one range of partitions
            tick.wait(each.name, "another run of its domain comes first")
            tick.decision.look_again(now + SOON)
            continue
        partitions = tick.partitions(each)
        if partitions is not None:
            tick.decision.ask[each.name] = partitions
            cut = cut or each.cut
    return tick.decision


@dataclass
class _Tick:
    picture: Picture
    controls: Controls
    answers: Answers
    now: datetime
    #: As in the picture, with what this tick noted.
    watched: dict[ProductName, Watched]
    decision: Decision = field(default_factory=Decision)
    _expected: dict[ProductName, bool] = field(default_factory=dict)

    def wants(self, each: Managed) -> bool:
        """True if the product is wanted, or joins what it reads, and may be made now."""
        row = self.watched[each.name]
        joins = each.automation.kind == EAGER and any(name in self.decision.ask for name in row.inputs)
        if not (joins or self.wanted(row, each.automation)):
            return False
        problem = self._why_not(row)
        if problem:
            self.wait(each.name, problem)
        return problem is None

    def wanted(self, row: Watched, rule: Automation) -> bool:
        if rule.kind == CRON:
            due = due_since(rule, self.now)
            missed = row.asked is None or row.seen is None or due is None or due > row.asked
            return due is not None and due > row.since and missed
        return self._content_wants(row)

    def _content_wants(self, row: Watched) -> bool:
        content = content_of(self.picture, row)
        if not content:
            return False
        if row.rule == EAGER:
            return content != row.seen
        if row.rule == ALL_NEW:
            seen = self._seen(row)
            return all(content.get(name) != seen.get(name) for name in row.inputs)
        return False

    def _seen(self, row: Watched) -> Mapping[ProductName, str]:
        """What an `all_new` product has had: with its version if that came later than the last request."""
        head = self.picture.heads.get(row.product)
        later = head is not None and (row.asked is None or head.published > row.asked)
        made = self.answers.made_of(row.product) if later or row.seen is None else None
        return {**(row.seen or {}), **(made or {})}

    def _why_not(self, row: Watched) -> str | None:
        """Why a wanted product is not made now."""
        others = self._in_other_hands(row)
        if others:
            self.decision.look_again(self.now + SOON)
            return others
        paused = self.controls.why_not(row.product, row.inputs)
        if paused:
            return paused
        there = {*self.picture.heads, *self.decision.ask}
        missing = [name for name in row.inputs if name not in there]
        if missing:
            return f"{missing[0]} was never published"
        pause = PAUSE * 2 ** (row.lost - 1) if row.lost else timedelta()
        if row.asked is not None and self.now < row.asked + pause:
            self.decision.look_again(row.asked + pause)
            return f"its last {row.lost} runs ended without a word"
        return None

    def _in_other_hands(self, row: Watched) -> str | None:
        """What is being made now, or is about to be: soon there is more to see."""
        if self._has_a_run(row):
            return "its run is not over"
        if row.product in self.picture.in_hand:
            return "an order has it in hand"
        coming = [name for name in row.inputs if name not in self.decision.ask and self.expected(name)]
        if coming:
            return f"{coming[0]} is about to change"
        return "a run has it in hand" if row.product in self.answers.running() else None

    def _has_a_run(self, row: Watched) -> bool:
        if not row.token or row.product in self.picture.told:
            return False
        return row.asked is None or self.now < row.asked + LONGEST_RUN

    def wait(self, name: ProductName, reason: str) -> None:
        self.decision.waiting[name] = reason

    def partitions(self, each: Managed) -> tuple[str, ...] | None:
        """What a run has to make of a wanted product, () for whatever it finds; None if there is nothing."""
        row = self.watched[each.name]
        if not self.wanted(row, each.automation):
            self.decision.joined.add(each.name)
            return ()
        content = content_of(self.picture, row)
        if each.cut is None and each.automation.kind == EAGER and content == self.answers.made_of(each.name):
            stale: tuple[str, ...] = ()
        else:
            stale = self.answers.stale(each.name)
        if stale or each.automation.kind == CRON:
            return stale
        if any(name in self.decision.ask for name in row.inputs):
            self.decision.joined.add(each.name)
            return ()
        self.note(replace(row, seen=content))
        return None

    def note(self, row: Watched) -> None:
        self.watched[row.product] = row
        self.decision.noted.append(row)

    def expected(self, name: ProductName) -> bool:
        """True if the product is about to be made again, by automation or by an order."""
        if name not in self._expected:
            self._expected[name] = False  # a circle, which no mesh has, ends here
            self._expected[name] = self._is_expected(name)
        return self._expected[name]

    def _is_expected(self, name: ProductName) -> bool:
        row = self.watched.get(name)
        if name in self.picture.in_hand:
            return True
        if row is None or self.controls.why_not(name, row.inputs) is not None:
            return False
        if self._has_a_run(row):
            return True
        if any(need not in self.picture.heads for need in row.inputs):
            return False
        if row.rule == EAGER and any(self.expected(need) for need in row.inputs):
            return True
        newest = max((self.picture.heads[need].published for need in row.inputs), default=None)
        return newest is not None and self.now < newest + PATIENCE and self._content_wants(row)
