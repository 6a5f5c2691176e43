"""Fault after fault at seeded calls: what readers see is compared, and the next attempt succeeds."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.faults.acts import Act, Do
from tests.faults.calls import KILLS, ON_FILES, ON_SOCKETS, Fault, What
from tests.faults.client import Ended, Mesh
from tests.faults.truth import acts_on
from tests.faults.world import SALE, VISIT, WEEK, WEEKS

#: Points of one mesh, the first publications of its two lakes among them.
LIFE = 40

#: How often each act is chosen.
WEIGHTS = {
    Do.BUILD: 4,
    Do.WEEK: 4,
    Do.TOGETHER: 4,
    Do.ROLL_BACK: 3,
    Do.EXPIRE: 3,
    Do.PIN: 1,
    Do.UNPIN: 1,
    Do.TAG: 1,
    Do.MEND: 2,
}

#: Calls of an act that was never counted, in all.
USUAL = 250

DAY = 86_400


@dataclass
class Counts:
    """What came of it."""

    points: Counter[str] = field(default_factory=Counter)
    #: By the call that met the fault.
    calls: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    #: How processes ended that a fault did not kill.
    ends: Counter[str] = field(default_factory=Counter)
    #: What was said in no words of ours, and how often.
    raised: Counter[str] = field(default_factory=Counter)
    #: Faults after which the act turned out to be done.
    done: int = 0
    too_late: int = 0

    def add(self, act: Act, fault: Fault, ended: Ended, *, applied: bool) -> None:
        if not ended.counted.where:
            self.too_late += 1
            return
        self.points[fault.what.name] += 1
        self.calls[ended.counted.where] += 1
        self.acts[str(act.do)] += 1
        self.done += applied and not ended.finished
        if fault.what not in KILLS:
            self.ends[f"{fault.what.name}: {_word(ended)}"] += 1
        if ended.status not in (0, 3, -9):
            self.raised[f"{fault.what.name} at {ended.counted.where}: {ended.error[:150]}"] += 1

    @property
    def total(self) -> int:
        return sum(self.points.values())


class Points:
    """One mesh's life under faults."""

    def __init__(self, mesh: Mesh, seed: str) -> None:
        self.mesh, self.chance, self.counts = mesh, random.Random(seed), Counts()
        self._calls: dict[Do, tuple[int, int, int]] = {}
        #: What is being done, for whoever has to tell of a failure.
        self.last = ""

    def live(self, points: int = LIFE) -> None:
        """So many acts with a fault each, then a time after any grace."""
        for number, act in enumerate(self._acts()):
            if number == points:
                break
            self.point(act)
        self.mesh.after_grace()

    def point(self, act: Act) -> None:
        fault = self._fault(act)
        self.last = f"{act} with {fault}"
        ended, applied = self.mesh.step(act, fault)
        self.counts.add(act, fault, ended, applied=applied)
        if ended.finished:
            if fault.what not in ON_SOCKETS:
                counted = ended.counted
                self._calls[act.do] = (counted.calls, counted.files, counted.sockets)
        elif not (act.do is Do.ROLL_BACK and applied):
            self.last = f"{act} again after {fault} at {ended.counted.where}"
            # A step that is tried again has its run's id; a person who asks again has another.
            again = act if self.chance.random() < 0.5 else replace(act, run=self.mesh.run())
            self.mesh.surely(again)

    def _acts(self) -> Iterator[Act]:
        yield from self.mesh.publications()
        while True:
            act = self._act(self.chance.choices([*WEIGHTS], [*WEIGHTS.values()])[0])
            if act is not None:
                yield act

    def _act(self, do: Do) -> Act | None:
        mesh, truth, chance = self.mesh, self.mesh.truth, self.chance
        if do is Do.BUILD:
            return Act(do, mesh.run(), str(chance.choice([SALE, VISIT])), batch=mesh.batch())
        if do is Do.WEEK:
            return Act(do, mesh.run(), str(WEEK), week=chance.choice(WEEKS), batch=mesh.batch())
        if do is Do.TOGETHER:
            return Act(do, mesh.run(), batch=mesh.batch())
        if do is Do.ROLL_BACK:
            targets = sorted(acts_on(truth))
            if not targets:
                return None
            product, number = chance.choice(targets)
            return Act(do, mesh.run(), product, number)
        if do in (Do.PIN, Do.TAG):
            product = chance.choice(sorted(truth.contents))
            numbers = truth.readable(product)
            holder = f"reader {chance.randint(1, 3)}" if do is Do.PIN else chance.choice(["spring", "audit"])
            return Act(do, "", product, chance.choice(numbers), holder=holder) if numbers else None
        if do is Do.UNPIN:
            return Act(do, "", holder=f"reader {chance.randint(1, 3)}")
        return Act(do, mesh.run())

    def _fault(self, act: Act) -> Fault:
        calls, files, sockets = self._calls.get(act.do, (USUAL, USUAL, USUAL))
        whats: list[What] = [*KILLS] * 4 + [*ON_FILES, What.CLOCK]
        if self.mesh.kills_only:
            whats = [What.KILL_BEFORE]
        elif self.mesh.world.more:
            whats += [*ON_SOCKETS] * 2
        what = self.chance.choice(whats)
        most = files if what in ON_FILES else sockets if what in (What.CUT_BEFORE, What.CUT_AFTER) else calls
        seconds = self.chance.choice([-1, 1]) * self.chance.randint(3600, 30 * DAY)
        return Fault(what, self.chance.randint(1, max(most, 1)), seconds)


def _word(ended: Ended) -> str:
    if ended.status == 0:
        return "done all the same"
    if ended.status < 0:
        return f"died of signal {-ended.status}"
    return "said so" if ended.status == 3 else "raised an error of somebody else's"
