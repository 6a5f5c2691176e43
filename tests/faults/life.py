"""Whatever is done to a mesh, in whatever order, and wherever it dies: what readers see is what a model says.

Hypothesis chooses the acts and where they are killed. Each act is a process of its own; afterwards all that
readers can see is held against the model (truth), and an act that died is done again.

Here: the acts, and one life of so many. Not here: how often (the test beside this, and
`python -m benchmarks.lake.life`).
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from mesh_assets.capabilities.lake import connect
from mesh_assets.capabilities.lake.read import relation_sql
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from tests.faults.acts import Act, Do
from tests.faults.calls import Fault, What, compiled
from tests.faults.client import Mesh, faulty
from tests.faults.look import Content, content_of
from tests.faults.truth import acts_on
from tests.faults.world import SALE, VISIT, WEEK, WEEKS

#: At which call an act is killed; most of them make 150 to 700. 0 is never.
CALLS = st.one_of(st.just(0), st.integers(1, 300))
HOLDERS = st.sampled_from(["reader 1", "reader 2"])
SESSION = "session"


class Life(RuleBasedStateMachine):
    """One mesh, in files."""

    #: What came of all lives of this process.
    happened: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._opened = ExitStack()
        root = Path(self._opened.enter_context(TemporaryDirectory()))
        self.mesh: Mesh = self._opened.enter_context(faulty(root / "mesh", compiled(root)))
        self.session: tuple[Any, str, str, Content] | None = None

    @initialize(chance=st.integers(0, 255))
    def begin(self, chance: int) -> None:
        """Hypothesis' first example is the simplest, one act again and again: it is no life."""
        assume(chance)
        self.act(Act(Do.TOGETHER, self.mesh.run(), batch=self.mesh.batch()), 0)

    def teardown(self) -> None:
        try:
            self.close_session()
            self.mesh.after_grace()
        finally:
            self._opened.close()

    def act(self, act: Act, at: int) -> None:
        """Do it, killed at this call; what died is done again, by somebody else."""
        ended, applied = self.mesh.step(act, Fault(What.KILL_BEFORE, at) if at else Fault())
        self.happened[f"{act.do.value}, {'done' if ended.finished else 'killed'}"] += 1
        if not ended.finished and not (act.do is Do.ROLL_BACK and applied):
            self.mesh.surely(replace(act, run=self.mesh.run()))

    @rule(at=CALLS, product=st.sampled_from([SALE, VISIT]))
    def publish(self, at: int, product: object) -> None:
        self.act(Act(Do.BUILD, self.mesh.run(), str(product), batch=self.mesh.batch()), at)

    @rule(at=CALLS, week=st.sampled_from(WEEKS))
    def publish_a_week(self, at: int, week: str) -> None:
        self.act(Act(Do.WEEK, self.mesh.run(), str(WEEK), week=week, batch=self.mesh.batch()), at)

    @rule(at=CALLS)
    def release_two_products_together(self, at: int) -> None:
        self.act(Act(Do.TOGETHER, self.mesh.run(), batch=self.mesh.batch()), at)

    @precondition(lambda self: any(acts_on(self.mesh.truth)))
    @rule(at=CALLS, data=st.data())
    def roll_back(self, at: int, data: st.DataObject) -> None:
        product, number = data.draw(st.sampled_from(sorted(acts_on(self.mesh.truth))))
        self.act(Act(Do.ROLL_BACK, self.mesh.run(), product, number), at)

    @rule(at=CALLS)
    def expire(self, at: int) -> None:
        self.act(Act(Do.EXPIRE, self.mesh.run()), at)

    @rule(at=CALLS)
    def check_and_repair(self, at: int) -> None:
        self.act(Act(Do.MEND, self.mesh.run()), at)

    @precondition(lambda self: self.readable())
    @rule(holder=HOLDERS, do=st.sampled_from([Do.PIN, Do.TAG]), data=st.data())
    def pin_or_tag(self, holder: str, do: Do, data: st.DataObject) -> None:
        product, number = data.draw(st.sampled_from(self.readable()))
        name = holder if do is Do.PIN else holder.replace(" ", "-")
        self.act(Act(do, "", product, number, holder=name), 0)

    @rule(holder=HOLDERS)
    def unpin(self, holder: str) -> None:
        self.act(Act(Do.UNPIN, "", holder=holder), 0)

    @precondition(lambda self: self.session is None and self.readable())
    @rule(data=st.data())
    def open_session(self, data: st.DataObject) -> None:
        """A program of somebody else's reads a version in a transaction that it keeps open, and pins it."""
        product, number = data.draw(st.sampled_from(self.readable()))
        self.act(Act(Do.PIN, "", product, number, holder=SESSION), 0)
        place, name = self.mesh.world.settings, product_name(product)
        with open_registry(place) as registry:
            snapshot = registry.version(name, number).snapshot
        con = connect(place, threads=2)
        query = relation_sql(con, place, name, snapshot)
        con.execute("BEGIN")
        self.session = (con, query, product, self.mesh.truth.contents[product][number])
        self.read_again()

    @precondition(lambda self: self.session is not None)
    @rule()
    def read_again(self) -> None:
        """The session still reads what it read first."""
        assert self.session is not None
        con, query, product, rows = self.session
        assert content_of(product_name(product), con.execute(query).fetchall()) == rows
        self.happened["read again in an open transaction"] += 1

    @precondition(lambda self: self.session is not None)
    @rule()
    def close_session(self) -> None:
        if self.session is not None:
            self.read_again()
            self.session[0].close()
            self.session = None
            self.act(Act(Do.UNPIN, "", holder=SESSION), 0)

    def readable(self) -> list[tuple[str, int]]:
        truth = self.mesh.truth
        return [(product, number) for product in sorted(truth.contents) for number in truth.readable(product)]
