"""What the facts add up to: a domain's health, the whole mesh on one screen, and how the last days went.

Here: domains x fresh, tested, served; history by day. Not here: the facts themselves (health_facts).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from mesh_assets.capabilities.observability.health_facts import ProductFacts, State, facts
from mesh_assets.capabilities.observability.locations import BrokenLocation, notice, readable_mesh
from mesh_assets.words.controls import Announcement, Controls, Pause
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import BuildOutcome

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry

NOT_FRESH = {State.LATE, State.OUT_OF_ORDER}
NOT_TESTED = {State.REFUSED, State.FAILED}
NOT_SERVED = {State.MISSING, State.LOST, State.PAUSED, State.BROKEN}


@dataclass(frozen=True)
class DomainHealth:
    """One domain's products together: how many are fresh, tested and served."""

    domain: str
    products: int
    fresh: int
    tested: int
    served: int
    #: Rules of the last audits, and how many of them were kept.
    rules: int
    passed: int
    warned: int
    states: tuple[tuple[State, int], ...]
    pause: Pause | None = None
    broken: BrokenLocation | None = None

    @property
    def good(self) -> bool:
        return self.products == self.fresh == self.tested == self.served and self.broken is None


@dataclass(frozen=True)
class DayHealth:
    """How builds of a domain went on one day (UTC)."""

    domain: str
    day: date
    published: int
    unchanged: int
    refused: int
    failed: int
    rules: int
    passed: int


@dataclass(frozen=True)
class MeshStatus:
    """The whole mesh at one moment."""

    now: datetime
    domains: tuple[DomainHealth, ...]
    products: tuple[ProductFacts, ...]
    broken: tuple[BrokenLocation, ...]
    controls: Controls
    announcements: tuple[Announcement, ...]

    @property
    def good(self) -> bool:
        return all(domain.good for domain in self.domains) and not self.broken


def mesh_status(
    settings: Settings, registry: Registry, now: datetime, only: Collection[str] = ()
) -> MeshStatus:
    """Everything that one screen shows; of some domains if `only` names them."""
    mesh, problems = readable_mesh(settings)
    broken = notice(registry, problems)
    found = [each for each in facts(settings, registry, mesh, now) if _asked(each.product.domain, only)]
    controls = registry.controls(now)
    mine = {each.domain: each for each in broken if _asked(each.domain, only)}
    names = [name for name in sorted({*mesh.domains, *problems}) if _asked(name, only)]
    return MeshStatus(
        now=now,
        domains=tuple(
            domain_health(name, [each for each in found if each.product.domain == name], controls, mine)
            for name in names
        ),
        products=tuple(found),
        broken=tuple(mine.values()),
        controls=controls,
        announcements=tuple(each for each in registry.announcements() if _asked(each.product.domain, only)),
    )


def _asked(domain: str, only: Collection[str]) -> bool:
    return not only or domain in only


def domain_health(
    name: str, products: Sequence[ProductFacts], controls: Controls, broken: dict[str, BrokenLocation]
) -> DomainHealth:
    """What the facts of a domain's products add up to."""
    states = [set(each.states) for each in products]
    counts = Counter(state for each in states for state in each)
    return DomainHealth(
        domain=name,
        products=len(products),
        fresh=sum(not each & (NOT_FRESH | {State.MISSING}) for each in states),
        tested=sum(not each & (NOT_TESTED | {State.MISSING}) for each in states),
        served=sum(not each & NOT_SERVED for each in states),
        rules=sum(each.passed + each.warned + each.broke for each in products),
        passed=sum(each.passed for each in products),
        warned=sum(each.warned for each in products),
        states=tuple((state, counts[state]) for state in State if counts[state]),
        pause=controls.pauses.get(name),
        broken=broken.get(name),
    )


def history(registry: Registry, now: datetime, days: int) -> list[DayHealth]:
    """How builds of each domain went, day by day, the latest day first; days without builds are left out."""
    since = (now - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    by_day: dict[tuple[str, date], list[tuple[BuildOutcome, int, int]]] = {}
    for each in registry.builds_since(since):
        if not each.recheck and not each.product.private:
            key = (each.product.domain, each.started.date())
            ran = each.passed + each.warned + each.failed
            by_day.setdefault(key, []).append((each.outcome, ran, each.passed))
    return [
        _day(domain, day, builds)
        for (domain, day), builds in sorted(
            by_day.items(), key=lambda item: (-item[0][1].toordinal(), item[0])
        )
    ]


def _day(domain: str, day: date, builds: list[tuple[BuildOutcome, int, int]]) -> DayHealth:
    counts = Counter(outcome for outcome, _, _ in builds)
    return DayHealth(
        domain=domain,
        day=day,
        published=counts[BuildOutcome.PUBLISHED],
        unchanged=counts[BuildOutcome.UNCHANGED],
        refused=counts[BuildOutcome.REFUSED],
        failed=counts[BuildOutcome.FAILED],
        rules=sum(ran for _, ran, _ in builds),
        passed=sum(passed for _, _, passed in builds),
    )
