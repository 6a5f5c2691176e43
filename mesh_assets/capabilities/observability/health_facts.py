"""The facts of a product's health, in one look at the registry: late, missing, refused, failed, out of order.

Here: facts of each product, one function for `mesh status`, alerts and journeys.
Not here: what they add up to (health_status), what is wrong with an installation (health).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.contracts.sla import strictest
from mesh_assets.capabilities.lake.places import LakePlace, lake_of
from mesh_assets.capabilities.lineage.model import Asset, Mesh
from mesh_assets.capabilities.lineage.through import lake_inputs
from mesh_assets.capabilities.observability.lateness import late_since, looks
from mesh_assets.words.controls import Announcement, Controls
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import BuildOutcome, BuildRecord, Version

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry

GOOD = (BuildOutcome.PUBLISHED, BuildOutcome.UNCHANGED)


class State(StrEnum):
    """What may be said of a product; several at once. `warned` alone is no fault."""

    MISSING = "missing"
    LOST = "lost"
    REFUSED = "refused"
    FAILED = "failed"
    LATE = "late"
    OUT_OF_ORDER = "out of order"
    PAUSED = "paused"
    BROKEN = "broken"
    WARNED = "warned"


@dataclass(frozen=True)
class ProductFacts:
    """How one product stands at a moment; everything is told from the registry and from files."""

    product: ProductName
    #: The version that readers see, None before the first one.
    version: int | None = None
    published: datetime | None = None
    rows: int | None = None
    #: The last build, however it ended.
    outcome: BuildOutcome | None = None
    built: datetime | None = None
    run_id: str = ""
    message: str = ""
    #: When the mesh last looked and found that readers see what the inputs say.
    looked: datetime | None = None
    #: Since when the strictest service level is broken, and its words.
    late_since: datetime | None = None
    promise: str = ""
    #: Inputs whose content changed after this product was made from them.
    stale: tuple[ProductName, ...] = ()
    #: What rules said in the last audit.
    rules: int = 0
    passed: int = 0
    warned: int = 0
    broke: int = 0
    #: Files of the current version that are not there.
    lost: tuple[str, ...] = ()
    #: Why it may not be made now, in one sentence.
    why_not: str | None = None
    announcements: tuple[Announcement, ...] = ()
    #: Its domain's folder cannot be read: nothing is made, and the last version stays readable.
    broken: bool = False

    @property
    def states(self) -> tuple[State, ...]:
        """What is to be said of it, worst first; nothing of one that is well."""
        said = {
            State.MISSING: self.version is None,
            State.LOST: bool(self.lost),
            State.REFUSED: self.outcome is BuildOutcome.REFUSED,
            State.FAILED: self.outcome is BuildOutcome.FAILED,
            State.LATE: self.late_since is not None,
            State.OUT_OF_ORDER: bool(self.stale),
            State.PAUSED: self.why_not is not None,
            State.BROKEN: self.broken,
            State.WARNED: self.warned > 0,
        }
        return tuple(state for state, true in said.items() if true)

    @property
    def good(self) -> bool:
        """Fresh, tested and served; a rule that only warns is no fault."""
        return not set(self.states) - {State.WARNED}


@dataclass(frozen=True)
class _Known:
    """What the registry and the folders said, asked once for all products."""

    settings: Settings
    now: datetime
    heads: Mapping[ProductName, Version]
    builds: Mapping[ProductName, BuildRecord]
    good: Mapping[ProductName, BuildRecord]
    controls: Controls
    announced: Mapping[ProductName, tuple[Announcement, ...]]
    looks: Mapping[str, datetime]
    #: Lakes that were looked up in this look.
    places: dict[tuple[str, str], LakePlace] = field(default_factory=dict)


def facts(settings: Settings, registry: Registry, mesh: Mesh, now: datetime) -> list[ProductFacts]:
    """Every product by name, and those with a version whose domain could not be read into `mesh`."""
    known = _ask(settings, registry, now)
    found = [_of_asset(known, mesh, asset) for asset in mesh.products]
    unread = [head for name, head in known.heads.items() if name.domain not in mesh.domains]
    there = {folder.parent.name for folder in settings.domains.glob("*/domain.yaml")}
    found += [
        ProductFacts(**_served(known, head.product, head), **_built(known, head.product), broken=True)
        for head in unread
        if not head.product.private and head.product.domain in there
    ]
    return sorted(found, key=lambda each: each.product)


def _ask(settings: Settings, registry: Registry, now: datetime) -> _Known:
    announced: dict[ProductName, tuple[Announcement, ...]] = {}
    for each in registry.announcements():
        announced[each.product] = (*announced.get(each.product, ()), each)
    builds = registry.last_builds()
    bad = [name for name, build in builds.items() if build.outcome not in GOOD]
    return _Known(
        settings=settings,
        now=now,
        heads=registry.head_versions(),
        builds=builds,
        good={**builds, **registry.last_good_builds(bad)},
        controls=registry.controls(now),
        announced=announced,
        looks=looks(settings),
    )


def _of_asset(known: _Known, mesh: Mesh, asset: Asset) -> ProductFacts:
    head = known.heads.get(asset.name)
    needs = lake_inputs(mesh.domains[asset.name.domain], asset)
    looked = _looked(known, asset.name, head)
    level = strictest(asset.contract.service_levels) if asset.contract else None
    told = _built(known, asset.name)
    if head is not None and not told["passed"] and not told["warned"] and not told["broke"]:
        told |= _certified(head)
    return ProductFacts(
        **_served(known, asset.name, head),
        **told,
        looked=looked,
        late_since=late_since(level, looked, known.now) if level and looked else None,
        promise=level.description if level else "",
        stale=_stale(known, head),
        rules=len(asset.rules),
        why_not=known.controls.why_not(asset.name, needs),
        announcements=known.announced.get(asset.name, ()),
    )


def _served(known: _Known, name: ProductName, head: Version | None) -> dict[str, Any]:
    if head is None:
        return {"product": name}
    return {
        "product": name,
        "version": head.number,
        "published": head.published,
        "rows": head.rows,
        "lost": _lost(known, head),
    }


def _lost(known: _Known, head: Version) -> tuple[str, ...]:
    """Files of a version that are not there. Objects are not asked for here: `mesh doctor` does that, and
    a thousand of them would take minutes.
    """
    where = head.stored, head.product.domain
    if where not in known.places:
        known.places[where] = lake_of(known.settings.of(head.stored), head.product.domain)
    place = known.places[where]
    if place.objects:
        return ()
    return tuple(file for file in head.certificate.files if not (place.folder / file).is_file())


def _built(known: _Known, name: ProductName) -> dict[str, Any]:
    last = known.builds.get(name)
    if last is None:
        return {"passed": 0, "warned": 0, "broke": 0}
    return {
        "outcome": last.outcome,
        "built": last.started,
        "run_id": last.run_id,
        "message": last.message,
        "passed": last.passed,
        "warned": last.warned,
        "broke": last.failed,
    }


def _certified(head: Version) -> dict[str, Any]:
    """A build that ended before its audit says nothing of rules; the certificate of what readers see does."""
    outcomes = [result["outcome"] for result in head.certificate.rule_results]
    passed = sum(outcome == "passed" for outcome in outcomes)
    return {"passed": passed, "warned": len(outcomes) - passed}


def _looked(known: _Known, name: ProductName, head: Version | None) -> datetime | None:
    if head is None:
        return None
    good = known.good.get(name)
    moments = [head.published, known.looks.get(str(name))]
    moments.append(good.started if good and good.outcome in GOOD else None)
    return max(moment for moment in moments if moment is not None)


def _stale(known: _Known, head: Version | None) -> tuple[ProductName, ...]:
    """Inputs that changed since. A build that looked after the change and found nothing new settles it, and a
    rollback that is held is an owner's decision.
    """
    if head is None or head.certificate.hold:
        return ()
    good = known.good.get(head.product)
    settled = good.started if good and good.outcome is BuildOutcome.UNCHANGED else head.published
    return tuple(
        each.product
        for each in head.certificate.inputs
        if (current := known.heads.get(each.product)) is not None
        and current.fingerprint != each.fingerprint
        and (current.published > settled or good is None or good.outcome is not BuildOutcome.UNCHANGED)
    )
