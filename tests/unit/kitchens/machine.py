"""What two people and production do to a mesh in any order, each in the middle of the other's promotions.

Here: the acts, the model, and one life of so many steps. Not here: how often (the test beside this, and
`python -m benchmarks.kitchens.life`).
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from mesh_assets.capabilities.kitchens.dropping import drop_kitchen
from mesh_assets.capabilities.kitchens.opening import open_kitchen
from mesh_assets.capabilities.kitchens.promote import Wanted, promote, resume
from mesh_assets.capabilities.kitchens.running import Plan, Verdict, run_kitchen
from mesh_assets.capabilities.kitchens.undo import Undoing, undo
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import MeshError
from mesh_assets.words.promotions import (
    CannotUndo,
    CodeConflict,
    CodeLeftBehind,
    NothingUnfinished,
    PromotionMode,
    PromotionState,
)
from tests.lives import live as one_life
from tests.shop import Shop
from tests.unit.kitchens.conftest import entered, git
from tests.unit.kitchens.numbers import (
    ORDERS,
    REVENUE,
    SECOND,
    Numbers,
    made_by,
    merged,
    numbers_in,
    write_numbers,
    written,
)

KITCHENS = st.sampled_from(["one", "two"])
NUMBER = st.integers(1, 4)
#: Steps of a promotion, and of an undoing, before which somebody else may be quicker.
STEPS = st.sampled_from(["", "merge", "rules", "lakes", "release", "code", "kitchen"])
#: What somebody else does there; `die` ends the process of whoever promotes.
ELSE = st.sampled_from(["build", "change", "note", "open", "expire", "die"])


class Died(BaseException):
    """As if the process were gone."""


@dataclass
class Meanwhile:
    """Somebody else, once, before one step of a promotion or an undoing; readers look before each."""

    step: str
    act: Callable[[], None]
    look: Callable[[], None]
    #: Told when the code has followed.
    landed: Callable[[], None] = lambda: None
    acted: bool = False

    def __call__(self, step: str) -> None:
        self.look()
        if step == "kitchen":
            self.landed()
        if step == self.step and not self.acted:
            self.acted = True
            self.act()
            self.look()


class Kitchens(RuleBasedStateMachine):
    """Truth: the two numbers of production's code. Data are right if they are what this code makes."""

    #: A shop with the numbers, built; each life has a copy.
    origin: Shop
    #: What came of all lives of this process.
    happened: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="kitchens-"))
        self.shop = Shop(self.folder / "shop")
        self.serial = itertools.count(1)
        self.open: set[str] = set()
        self.code: Numbers = (1, 0)
        self.amount = 0
        #: Of each promotion that stands: the numbers before and after it.
        self.promoted: dict[int, tuple[Numbers, Numbers]] = {}

    @initialize(chance=st.integers(0, 255))
    def begin(self, chance: int) -> None:
        """Hypothesis' first example is the simplest, one act again and again: it is no life."""
        assume(chance)
        shutil.copytree(self.origin.root, self.shop.root)
        self.code = written(self.shop)

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def told(self, what: str) -> None:
        self.happened[what] += 1

    def run_id(self) -> str:
        return f"life-{next(self.serial)}"

    def enter(self, name: str) -> Shop:
        if name not in self.open:
            open_kitchen(self.shop.settings, name)
            self.open.add(name)
            self.told("opened")
        return entered(self.shop, name)

    def build(self) -> None:
        """As automation would: refused if a promotion's code is on its way."""
        try:
            self.shop.build("shop.orders", run_id=self.run_id())
            self.shop.build("books.revenue", run_id=self.run_id())
        except MeshError as refused:
            self.told(f"build refused: {type(refused).__name__}")
        else:
            self.told("built")

    def deliver(self) -> None:
        self.amount += 1
        self.shop.deliver(f"order_id,amount\n1,{self.amount}\n2,{SECOND}\n")

    @rule()
    def deliver_and_build(self) -> None:
        self.deliver()
        self.build()

    @rule(factor=st.none() | NUMBER, offset=st.none() | NUMBER)
    def change_production(self, factor: int | None, offset: int | None) -> None:
        """Somebody works without a kitchen."""
        write_numbers(self.shop, factor, offset)
        self.code = written(self.shop)
        self.build()

    @rule(name=KITCHENS, factor=st.none() | NUMBER, offset=st.none() | NUMBER, run=st.booleans())
    def change(self, name: str, factor: int | None, offset: int | None, run: bool) -> None:
        write_numbers(self.enter(name), factor, offset)
        if run:
            self.run_kitchen(name, 0.0)

    @rule(name=KITCHENS, share=st.sampled_from([0.0, 1.0]))
    def run_kitchen(self, name: str, share: float) -> None:
        """What it has made is what its own code makes, and no skip was wrong."""
        here = self.enter(name)
        run = run_kitchen(here.settings, Plan(audit_share=share))
        assert run.good, run.steps
        self.told("kitchen run")
        for step in run.steps:
            self.told(f"kitchen run: {step.verdict}")
        assert made_by(here) == written(here), run.steps

    @rule(name=KITCHENS, offset=st.none() | NUMBER, factor=st.none() | NUMBER, step=STEPS, act=ELSE)
    def change_and_promote(
        self, name: str, offset: int | None, factor: int | None, step: str, act: str
    ) -> None:
        if factor is None and offset is None:
            factor = written(self.enter(name))[0] % 4 + 1
        self.change(name, factor, offset, True)
        self.promote(name, step, act, 1 + (offset or 0) % 4)

    @rule(name=KITCHENS, step=STEPS, act=ELSE, factor=NUMBER)
    def promote(self, name: str, step: str, act: str, factor: int) -> None:
        wanted, start = written(self.enter(name)), self.at_merge_base(name)
        before, ledger = self.seen(), self.ledger()
        meanwhile = self.meanwhile(step, act, factor)
        meanwhile.landed = lambda: self.landed(merged(start, wanted, self.code))
        try:
            promote(self.shop.settings, name, Wanted(on_step=meanwhile))
        except MeshError as refused:
            self.told(f"promotion refused: {type(refused).__name__}")
            assert meanwhile.acted or self.seen() == before, refused
            if isinstance(refused, CodeConflict):
                assert start != self.code, "a conflict needs somebody else's change"
        except Died:
            self.told(f"promotion died before {step}")
            self.go_on(name, by_dropping=factor == 1)
            if step == "code" and self.ledger() > ledger:
                self.landed(merged(start, wanted, self.code))
        else:
            self.told("promoted" + (f", {act} before {step}" if meanwhile.acted else ""))
        assert written(self.shop) == self.code, (start, wanted)
        self.build()  # what somebody changed in the middle was perhaps not made

    def go_on(self, name: str, *, by_dropping: bool) -> None:
        """Somebody ends what died."""
        if by_dropping:
            drop_kitchen(self.shop.settings, name, force=True)
            self.forget(name)
        else:
            with suppress(NothingUnfinished):
                resume(self.shop.settings, name)
        with open_registry(self.shop.settings) as registry:
            states = {each.state for each in registry.unfinished_promotions()}
        assert states <= {PromotionState.LANDED}

    def ledger(self) -> int:
        """The newest promotion's number."""
        with open_registry(self.shop.settings) as registry:
            return max((each.id for each in registry.promotions()), default=0)

    def landed(self, code: Numbers) -> None:
        number = self.ledger()
        with open_registry(self.shop.settings) as registry:
            promotion = registry.promotion(number)
        assert promotion.mode is PromotionMode.WHOLE
        between = (code, code)
        if promotion.after:
            between = self.at(promotion.before), self.at(promotion.after)
        self.promoted[number], self.code = between, code

    @precondition(lambda self: self.promoted)
    @rule(step=STEPS, act=ELSE, factor=NUMBER)
    def undo_the_last(self, step: str, act: str, factor: int) -> None:
        number, seen = max(self.promoted), self.seen()
        was, became = self.promoted[number]
        meanwhile = self.meanwhile(step, act if act != "die" else "build", factor)
        try:
            undo(self.shop.settings, number, Undoing(on_step=meanwhile))
        except MeshError as refused:
            self.told(f"undoing refused: {type(refused).__name__}")
            assert meanwhile.acted or self.seen() == seen
            assert meanwhile.acted or isinstance(refused, CannotUndo)
            if isinstance(refused, CodeLeftBehind):  # as it says: its data go back, too
                undo(self.shop.settings, self.ledger())
                del self.promoted[number]
        else:
            self.told("undone" + (f", {act} before {step}" if meanwhile.acted else ""))
            del self.promoted[number]
            self.code = merged(became, was, self.code)
        assert written(self.shop) == self.code, (was, became)
        self.build()

    @rule(name=KITCHENS)
    def drop(self, name: str) -> None:
        if name in self.open:
            drop_kitchen(self.shop.settings, name, force=True)
            self.forget(name)
            self.told("dropped")

    def forget(self, name: str) -> None:
        with suppress(Exception):
            git(self.shop.root, "branch", "--quiet", "-D", f"kitchen/{name}")
        self.open.discard(name)

    @rule()
    def expire(self) -> None:
        """Whatever nobody holds goes; what a kitchen reads is held."""
        with open_registry(self.shop.settings) as registry:
            known = {name: [each.number for each in registry.versions(name)] for name in (ORDERS, REVENUE)}
            gone = registry.expire(known, who="upkeep")
        self.happened["versions expired"] += len(gone)
        for name in self.open:
            assert entered(self.shop, name).rows("shop.orders")

    def meanwhile(self, step: str, act: str, factor: int) -> Meanwhile:
        acts: dict[str, Callable[[], None]] = {
            "build": self.deliver_and_build,
            "change": lambda: self.change_production(factor, None),
            "note": self.note,
            "open": self.open_and_look,
            "expire": self.expire,
            "die": self.die,
        }
        return Meanwhile(step, acts[act], self.readers_see_one_state)

    def die(self) -> None:
        raise Died

    def note(self) -> None:
        """A commit that has to do with nothing."""
        (self.shop.root / f"note-{next(self.serial)}.txt").write_text("hello", encoding="utf-8")
        git(self.shop.root, "add", "--all")
        git(self.shop.root, "commit", "--quiet", "-m", "note")

    def open_and_look(self) -> None:
        """Code and data of a kitchen that is opened now are of one moment: nothing is to be made."""
        name = f"third-{next(self.serial)}"
        try:
            open_kitchen(self.shop.settings, name)
        except MeshError as refused:
            self.told(f"opening refused: {type(refused).__name__}")
            return
        here = entered(self.shop, name)
        assert not run_kitchen(here.settings).of(Verdict.MADE)
        assert made_by(here) == written(here)
        drop_kitchen(self.shop.settings, name)
        self.told("opened in the middle")

    def at_merge_base(self, name: str) -> Numbers:
        return self.at(git(self.shop.root, "merge-base", "HEAD", f"kitchen/{name}"))

    def at(self, commit: str) -> Numbers:
        """The numbers in a commit."""
        paths = (f"{commit}:domains/{each}/recipe.sql" for each in ("shop/orders", "books/revenue"))
        first, second = (git(self.shop.root, "show", each) for each in paths)
        return numbers_in(first, second)

    def seen(self) -> tuple[object, ...]:
        heads = (self.shop.head("shop.orders"), self.shop.head("books.revenue"))
        return (*heads, git(self.shop.root, "rev-parse", "HEAD"))

    def readers_see_one_state(self) -> None:
        made_by(self.shop)

    @invariant()
    def code_is_as_the_model_says_and_in_one_piece(self) -> None:
        if self.shop.root.is_dir():
            assert written(self.shop) == self.code
            assert git(self.shop.root, "status", "--porcelain") == ""

    @invariant()
    def data_are_what_the_code_makes(self) -> None:
        if self.shop.root.is_dir():
            assert made_by(self.shop) == self.code, made_by(self.shop)


def live(origin: Shop, *, seed: int, steps: int) -> None:
    """One life, the same for one seed."""
    Kitchens.origin = origin
    one_life(Kitchens, seed=seed, steps=steps)
