"""The model: what the mesh's readers should see, in a few dictionaries.

It knows what each act is to do when it ends well. An act that a fault ended has done that, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mesh_assets.capabilities.upkeep.check import Kind
from tests.faults.acts import RUN, Act, Do
from tests.faults.look import UNREAD, Content, Seen
from tests.faults.world import KEPT, PRODUCTS, SALE, TOTAL, WEEK, WEEKS

#: What a run that died leaves, and a repair or the next release mends: no reader is shown any of it.
LEFT_BEHIND = {Kind.LEFTOVER, Kind.NEVER_RELEASED, Kind.MANIFEST_DIFFERS, Kind.MANIFEST_LOST}


class Broken(AssertionError):
    """A promise was broken."""


@dataclass
class Truth:
    """Versions with their rows, what expired, and who keeps what."""

    contents: dict[str, dict[int, Content]] = field(
        default_factory=lambda: {str(name): {} for name in PRODUCTS}
    )
    expired: set[tuple[str, int]] = field(default_factory=set)
    pins: set[tuple[str, str, int]] = field(default_factory=set)
    #: What runs that died keep until a day is over.
    dead: set[tuple[str, int]] = field(default_factory=set)

    def head(self, product: str) -> int:
        """The newest version; 0 if there is none."""
        return max(self.contents[product], default=0)

    def rows(self, product: str) -> Content:
        """What readers see of a product now."""
        return self.contents[product].get(self.head(product), 0)

    def readable(self, product: str) -> list[int]:
        return [number for number in self.contents[product] if (product, number) not in self.expired]

    def expendable(self) -> set[tuple[str, int]]:
        """What an expiry, long after everything, lets go of."""
        held = {(product, number) for _, product, number in self.pins} | self.dead
        return {
            (product, number)
            for product in self.contents
            for number in sorted(self.contents[product])[:-KEPT]
            if (product, number) not in held | self.expired
        }

    def news(self, act: Act) -> dict[str, Content]:
        """Product -> rows of the version that an act makes, of those that it makes one of."""
        made: dict[str, Content] = {}
        if act.do is Do.BUILD:
            made = {act.product: act.batch}
        elif act.do is Do.WEEK:
            before = self.rows(str(WEEK))
            weeks = list(before) if isinstance(before, tuple) else [0] * len(WEEKS)
            weeks[WEEKS.index(act.week)] = act.batch
            made = {str(WEEK): tuple(weeks)}
        elif act.do is Do.TOGETHER:
            made = {str(SALE): act.batch, str(TOTAL): act.batch}
        elif act.do is Do.ROLL_BACK:
            made = {act.product: self.contents[act.product][act.number]}
        return {product: rows for product, rows in made.items() if rows != self.rows(product)}

    def settle(self, act: Act, seen: Seen, *, finished: bool) -> bool:
        """Take in what an act did, and hold all that is seen against it; True if it had its effect.

        One that `finished` has done all; any other all, or nothing, but for expiry: it lets go of one
        version after the other, and goes on at the next call.
        """
        applied = self._released(act, seen, finished=finished)
        self._expired(act, seen, finished=finished)
        self._pinned(act, seen, finished=finished)
        self.compare(seen)
        return applied

    def compare(self, seen: Seen) -> None:
        """Raise Broken if readers see anything else than they should."""
        for product, known in self.contents.items():
            numbers = {number for number in known if (product, number) not in self.expired}
            _same(f"versions of {product}", set(seen.contents[product]), numbers)
            for number in numbers:
                if (rows := seen.contents[product][number]) != UNREAD:
                    _same(f"{product} version {number}", rows, known[number])
            _same(f"the head of {product}", seen.heads.get(product, 0), self.head(product))
        for number, of in seen.made_of.items():
            rows = self.contents[str(SALE)].get(of)
            _same(f"{TOTAL} version {number} beside {SALE} {of}", self.contents[str(TOTAL)][number], rows)
        bad = [told for kind, told in seen.findings if kind not in LEFT_BEHIND]
        _same("damage found", bad, [])

    def _released(self, act: Act, seen: Seen, *, finished: bool) -> bool:
        new = {
            product: sorted(set(each) - set(self.contents[product]))
            for product, each in seen.contents.items()
            if set(each) - set(self.contents[product])
        }
        wanted = self.news(act)
        if not new and not (finished and wanted):
            return finished or not wanted
        _same(f"products that `{act.do}` released", sorted(new), sorted(wanted))
        for product, rows in wanted.items():
            _same(f"numbers of {product}", new[product], [self.head(product) + 1])
            self.contents[product][self.head(product) + 1] = rows
        return True

    def _expired(self, act: Act, seen: Seen, *, finished: bool) -> None:
        gone = set(seen.expired) - self.expired
        may = self.expendable() if act.do in (Do.EXPIRE, Do.MEND) else set()
        if act.do is Do.MEND:
            self.dead.clear()
            may = self.expendable()
        if not gone <= may or (finished and gone != may):
            raise Broken(f"`{act.do}` expired {sorted(gone)}, and was to expire {sorted(may)}")
        self.expired |= gone

    def _pinned(self, act: Act, seen: Seen, *, finished: bool) -> None:
        before, after = self.pins, set(self.pins)
        if act.do is Do.PIN:
            after.add((act.holder, act.product, act.number))
        elif act.do is Do.TAG:
            name = f"tag {act.holder}"
            after = {pin for pin in after if pin[:2] != (name, act.product)} | {
                (name, act.product, act.number)
            }
        elif act.do is Do.UNPIN:
            after = {pin for pin in after if pin[0] != act.holder}
        pins = {pin for pin in seen.pins if not pin[0].startswith(RUN)}
        if pins != after and (finished or pins != before):
            raise Broken(f"pins are {sorted(pins)}, and were to be {sorted(after)}")
        self.pins = pins
        self.dead = {(product, number) for holder, product, number in seen.pins if holder.startswith(RUN)}


def _same(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise Broken(f"{what}: {found}, and not {wanted}")


def acts_on(truth: Truth) -> Iterator[tuple[str, int]]:
    """Versions that a rollback may go to: those that can be read and have other rows than the newest."""
    for product, known in truth.contents.items():
        for number in truth.readable(product):
            if known[number] != truth.rows(product):
                yield product, number
