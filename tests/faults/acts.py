"""What is done to the mesh between two looks at it: each in a process of its own, which may die."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.lake import sweep
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.publishing.build import build
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.rollback import roll_back
from mesh_assets.capabilities.publishing.together import publish_together
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.capabilities.upkeep import expiry
from mesh_assets.capabilities.upkeep.check import check
from mesh_assets.capabilities.upkeep.repair import repair
from mesh_assets.words.errors import YourData
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.versions import BuildRecord
from tests.faults.world import DOMAINS, SALE, TOTAL
from tests.shop import Shop

#: When expiry and repair are told it is: all that is there is older than any grace.
LATER = timedelta(days=400)

#: How the holder of a run's own pins begins.
RUN = "run "


class Do(StrEnum):
    """What can be done."""

    BUILD = "build"
    WEEK = "week"
    TOGETHER = "together"
    ROLL_BACK = "roll back"
    EXPIRE = "expire"
    PIN = "pin"
    UNPIN = "unpin"
    #: Name a version; the name moves.
    TAG = "tag"
    #: Check and repair, as if it were much later.
    MEND = "mend"


@dataclass(frozen=True)
class Act:
    """One thing to do; `number` is a version, `batch` the content that was delivered for it."""

    do: Do
    run: str = ""
    product: str = ""
    number: int = 0
    week: str = ""
    batch: int = 0
    holder: str = ""

    def told(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, told: dict[str, Any]) -> Act:
        return cls(**{**told, "do": Do(told["do"])})


@dataclass(frozen=True)
class Place:
    """The mesh, read once: every act is done in a fork of the process that read it."""

    world: Shop
    mesh: Mesh

    def workshop(self, domain: str, registry: Registry, act: Act) -> Workshop:
        assets = self.mesh.domains[domain]
        return Workshop(
            settings=self.world.settings,
            registry=registry,
            domain=assets,
            run_id=act.run,
            who="tester",
            tools=Tools(dbt=run_dbt, program=run_program),
            selected=frozenset(asset.name for asset in assets.assets),
            weeks=(act.week,) if act.week else None,
        )


def perform(place: Place, act: Act) -> list[str]:
    """Do it; returns what there is to say of it."""
    with open_registry(place.world.settings) as registry:
        return _DOING[act.do](place, registry, act)


def _build(place: Place, registry: Registry, act: Act) -> list[str]:
    name = product_name(act.product)
    return [str(build(place.workshop(name.domain, registry, act), name).record.outcome)]


def _together(place: Place, registry: Registry, act: Act) -> list[str]:
    def workshop(domain: str, _: frozenset[ProductName], view: Registry) -> Workshop:
        return place.workshop(domain, view, act)

    ended = publish_together(place.mesh, [SALE, TOTAL], registry, workshop)
    if not ended.released:
        raise NotReleased(problem=_only_in_our_words(ended.records))
    return [str(record.outcome) for record in ended.records]


class NotReleased(YourData):
    """What a group's records say, as `mesh build --together` shows it."""

    template = "{problem}"


def _only_in_our_words(records: tuple[BuildRecord, ...]) -> str:
    """A record that begins with the name of a class is what somebody else's error said."""
    said = [record.message or "" for record in records]
    foreign = [each for each in said if re.match(r"[A-Za-z_.]+(Error|Exception|Shutdown)\w*: ", each)]
    assert not foreign, foreign
    return " | ".join(said)


def _roll_back(place: Place, registry: Registry, act: Act) -> list[str]:
    name = product_name(act.product)
    workshop = place.workshop(name.domain, registry, act)
    return [str(roll_back(workshop, registry.version(name, act.number)).record.outcome)]


def _expire(place: Place, registry: Registry, _: Act) -> list[str]:
    settings, now = place.world.settings, datetime.now(UTC) + LATER
    done = expiry.expire(settings, registry, place.mesh.assets.values(), who="tester", now=now)
    return [f"{len(done.versions)} versions", f"{len(done.files)} files"]


def _pin(_: Place, registry: Registry, act: Act) -> list[str]:
    registry.keep(act.holder, product_name(act.product), act.number)
    return []


def _unpin(_: Place, registry: Registry, act: Act) -> list[str]:
    registry.unpin(act.holder)
    return []


def _tag(_: Place, registry: Registry, act: Act) -> list[str]:
    registry.tag(product_name(act.product), act.number, act.holder, who="tester", move=True)
    return []


def _mend(place: Place, registry: Registry, act: Act) -> list[str]:
    """The pins of dead runs have ended by then, as they do by themselves after a day."""
    settings, now = place.world.settings, datetime.now(UTC) + LATER
    for pin in registry.pins():
        if pin.holder.startswith(RUN):
            registry.unpin(pin.holder)
    _expire(place, registry, act)
    found = check(settings, registry, DOMAINS, now=now)
    done = list(repair(settings, registry, found, who="tester", now=now))
    return done + [f"deleted {folder}" for folder in sweep(settings, grace=0)]


_DOING = {
    Do.BUILD: _build,
    Do.WEEK: _build,
    Do.TOGETHER: _together,
    Do.ROLL_BACK: _roll_back,
    Do.EXPIRE: _expire,
    Do.PIN: _pin,
    Do.UNPIN: _unpin,
    Do.TAG: _tag,
    Do.MEND: _mend,
}


def strays(place: Place) -> list[str]:
    """Files under the mesh's home, and objects, that nothing accounts for."""
    from mesh_assets.capabilities.lake import lake_of
    from mesh_assets.capabilities.lake.manifest import manifest_file
    from mesh_assets.capabilities.lake.stores import Objects, store_at
    from mesh_assets.capabilities.lake.upkeep import holdings

    settings = place.world.settings
    known = {str(settings.home / f"registry.sqlite{suffix}") for suffix in ("", "-wal", "-shm")}
    found = {str(path) for path in settings.home.rglob("*") if path.is_file()}
    found |= {str(path) for folder in (settings.staging, settings.scratch) for path in folder.glob("*")}
    with open_registry(settings) as registry:
        for domain in DOMAINS:
            lake = lake_of(settings, domain)
            known |= {str(lake.folder / f"catalog.sqlite{suffix}") for suffix in ("", "-wal", "-shm")}
            known |= {str(path) for path in (lake.lock, lake.record, lake.turns / "door", Path(lake.log))}
            known |= {f"{lake.data}/{file.path}" for file in holdings(settings, domain).files}
            known |= {
                manifest_file(settings, each.product, each.run_id) for each in registry.versions_of(domain)
            }
            if lake.objects:
                store = store_at(lake.root)
                found |= {each.path for each in store.below(lake.root)}
                found -= {each.path for each in store.below(lake.log)}
                found |= {each.path for each, _ in Objects().unfinished(lake.root)}
    return sorted(found - known)
