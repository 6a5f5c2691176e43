"""A promotion taken back, forward: the versions of before are shown again, and its code is reverted.

All of it, as one release. What was published since on top of it stands in the way: it would be left on what
is not there any more.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

from mesh_assets.capabilities.kitchens.code_landing import land_code
from mesh_assets.capabilities.kitchens.mended_rows import back_again, let_count
from mesh_assets.capabilities.kitchens.records import record_of
from mesh_assets.capabilities.kitchens.repository import (
    commit,
    head_of,
    keep_name,
    refuse_unclean,
    repository_of,
    without,
)
from mesh_assets.capabilities.kitchens.unfinished import end_unfinished, one_at_a_time
from mesh_assets.capabilities.lake import lake_of, write_manifest
from mesh_assets.capabilities.lake.adopt import adopt
from mesh_assets.capabilities.lake.commit import Committed, Share, commit_all
from mesh_assets.capabilities.lake.places import staging_of
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.publishing.code import who as whoever
from mesh_assets.capabilities.publishing.keep import artifact_folder
from mesh_assets.capabilities.publishing.stamp import leave_stamp
from mesh_assets.capabilities.registry import Registry, as_json, open_registry
from mesh_assets.capabilities.registry.promotions import Showing
from mesh_assets.capabilities.registry.releases import Order
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import CannotUndo, CodeLeftBehind, Promotion, PromotionMode, PromotionState
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import (
    PROD,
    WHOLE,
    Certificate,
    Draft,
    InputVersion,
    Version,
)


@dataclass(frozen=True)
class Undone:
    promotion: Promotion
    versions: tuple[Version, ...]
    #: Products that the promotion had brought, and that are shown no more.
    retired: tuple[ProductName, ...]

    @property
    def told(self) -> str:
        return f"its data was shown for a moment, and promotion {self.promotion.id} has taken it back"


@dataclass(frozen=True)
class Undoing:
    """How somebody wants a promotion taken back."""

    reason: str = ""
    who: str = ""
    #: Told the name of each step before it begins.
    on_step: Callable[[str], None] = lambda _: None


def undo(settings: Settings, number: int, wanted: Undoing | None = None) -> Undone:
    """Take a promotion back; raises CannotUndo with every reason, UnknownPromotion."""
    with open_registry(settings) as registry, one_at_a_time(settings):
        with suppress(CodeLeftBehind):  # then its data goes back, and there is no code to revert
            end_unfinished(settings, registry, registry.promotion(number).kitchen)
        return take_back(settings, registry, number, wanted or Undoing())


def take_back(settings: Settings, registry: Registry, number: int, wanted: Undoing) -> Undone:
    """The same, by somebody who has the lock."""
    who = wanted.who or whoever()
    taken_back = registry.promotion(number)
    top = repository_of(settings) if taken_back.after else None
    _refuse(registry, taken_back, top)
    landed = taken_back.state is not PromotionState.RELEASED
    code = _reverted(top, taken_back, who) if top and landed else ("", "")
    begun = registry.begin_promotion(
        Promotion(
            id=0,
            kitchen=taken_back.kitchen,
            mode=PromotionMode.UNDO,
            state=PromotionState.BEGUN,
            who=who,
            began=datetime.now(UTC),
            before=code[0],
            after=code[1],
            reason=wanted.reason,
            undoes=number,
            plan={"run": f"undo-{uuid4().hex[:12]}", **back_again(taken_back)},
        )
    )
    if top and begun.after:
        keep_name(top, f"promotions/{begun.id}", begun.after)
    with _given_up_if_it_fails(registry, begun):
        at = head_of(top) if top and not landed else ""
        wanted.on_step("lakes")
        order, retired = _order(settings, registry, taken_back, begun)
        wanted.on_step("release")
        fenced = tuple(each.product for each in taken_back.moved) if begun.after or at else ()
        record = partial(record_of, by=begun, message=f"promotion {number} undone")
        shown, versions = registry.show_promotion(Showing(begun, order, fenced, (), retired, record, at))
    for version in versions:  # shown: whoever dies from here on is gone on with
        leave_stamp(settings, version)
    let_count(settings, shown)
    if top and shown.after:
        wanted.on_step("code")
        shown = land_code(registry, top, shown)
    return Undone(shown, tuple(versions), retired)


@contextmanager
def _given_up_if_it_fails(registry: Registry, begun: Promotion) -> Iterator[None]:
    try:
        yield
    except BaseException:
        registry.keep_promotion(replace(begun, state=PromotionState.GIVEN_UP, ended=datetime.now(UTC)))
        raise


def _refuse(registry: Registry, promotion: Promotion, top: Path | None) -> None:
    reasons = list(_reasons(registry, promotion))
    if reasons:
        raise CannotUndo(id=promotion.id, reasons=tuple(reasons))
    if top is not None:
        told = "Commit them or put them back: undoing moves this working tree"
        refuse_unclean(top, f"production's working tree {top}", told)


def _reasons(registry: Registry, promotion: Promotion) -> Iterator[str]:
    """Everything that stands in the way."""
    if promotion.state in (PromotionState.BEGUN, PromotionState.GIVEN_UP):
        yield "it was never released"
    elif (by := registry.undone_by(promotion.id)) is not None:
        yield f"promotion {by} has undone it already"
        return  # what is at another version since is so by that
    heads = registry.head_versions()
    moved = {each.product: each for each in promotion.moved}
    for name, each in moved.items():
        head = heads.get(name)
        if head is not None and head.number != each.after:
            yield f"{name} is at version {head.number} since ({head.certificate.who}, run {head.run_id})"
        if each.before is not None and registry.version(name, each.before).expired is not None:
            yield f"{name} version {each.before} has expired: its rows are gone"
    for name, head in heads.items():
        for read in head.certificate.inputs if name not in moved else ():
            if read.product in moved and read.number >= moved[read.product].after:
                who = f"{head.certificate.who}, run {head.run_id}"
                made = f"{name} version {head.number} was made from {read.product} version {read.number}"
                yield f"{made} ({who})"


def _reverted(top: Path, promotion: Promotion, who: str) -> tuple[str, str]:
    """The head of now, and a commit on it without the promotion's change; raises CannotUndo."""
    head = head_of(top)
    found = without(top, head, promotion.after)
    if found.conflicts:
        told = f"later commits changed the same places: {', '.join(found.conflicts)}"
        raise CannotUndo(id=promotion.id, reasons=(told,))
    message = f"Undo promotion {promotion.id} of kitchen {promotion.kitchen}"
    return head, commit(top, found.tree, [head], message, who=who)


def _order(
    settings: Settings, registry: Registry, taken_back: Promotion, begun: Promotion
) -> tuple[Order, tuple[ProductName, ...]]:
    """The versions of before enter their lakes again, ready to be heads; and what is shown no more."""
    heads = registry.head_versions()
    back = {
        each.product: registry.version(each.product, each.before)
        for each in taken_back.moved
        if each.before is not None
    }
    committed = _committed(settings, begun, back, heads)
    order = Order(
        certificates=tuple(_certificate(settings, begun, back[name], heads, committed) for name in back),
        expected={each.product: each.after for each in taken_back.moved},
        reads={},
        environment=PROD,
        who=begun.who,
        run_id=begun.run_id,
    )
    return order, tuple(each.product for each in taken_back.moved if each.before is None)


def _committed(
    settings: Settings,
    begun: Promotion,
    back: dict[ProductName, Version],
    heads: dict[ProductName, Version],
) -> dict[ProductName, Committed]:
    done: dict[ProductName, Committed] = {}
    try:
        for domain in sorted({name.domain for name in back}):
            names = [name for name in back if name.domain == domain]
            shares = [_share(settings, begun, back[name], heads[name]) for name in names]
            extra = {"undoes": begun.undoes, "versions": {str(name): back[name].number for name in names}}
            found = commit_all(settings, shares, who=begun.who, extra=extra)
            done |= dict(zip(names, found, strict=True))
    finally:
        shutil.rmtree(settings.staging / begun.run_id, ignore_errors=True)
    return done


def _share(settings: Settings, begun: Promotion, version: Version, head: Version) -> Share:
    draft = _adopted(settings, begun, version, version.product)
    held = version.certificate.quarantine.get("table") or head.certificate.quarantine.get("table")
    aside: Draft | None = None
    if held:
        of = version if version.certificate.quarantine.get("table") else head
        aside = _adopted(settings, begun, of, version.product.quarantine)
        aside = aside if of is version else replace(aside, files=())
    return Share(draft, aside, head.snapshot)


def _adopted(settings: Settings, begun: Promotion, version: Version, table: ProductName) -> Draft:
    keys = tuple(version.certificate.partitions)
    column = None if keys == (WHOLE,) else _column(settings, version)
    shutil.rmtree(staging_of(settings, table, begun.run_id), ignore_errors=True)
    return adopt(
        settings, table, version.snapshot, run_id=begun.run_id, partition_column=column, partitions=keys
    )


def _column(settings: Settings, version: Version) -> str:
    """By what the version is cut, as its own contract says."""
    from mesh_assets.capabilities.contracts.read import contract_from_text

    file = settings.domains / version.product.domain / version.product.product / "contract.yaml"
    cut = contract_from_text(str(file), version.product, version.certificate.contract_text).partitioning
    assert cut is not None
    return cut.column


def _certificate(
    settings: Settings,
    begun: Promotion,
    version: Version,
    heads: dict[ProductName, Version],
    committed: dict[ProductName, Committed],
) -> Certificate:
    """The older version's, with where and when it is now."""
    old, done = version.certificate, committed[version.product]
    place = lake_of(settings, version.product.domain)
    facts = {"from": heads[version.product].number, "to": version.number, "who": begun.who}
    quarantine = dict(old.quarantine)
    if quarantine.get("table"):
        quarantine["files"] = [place.relative(file) for file in done.files_beside]
    certificate = replace(
        old,
        number=None,
        snapshot=done.snapshot,
        files=tuple(place.relative(file) for file in done.files),
        finished=datetime.now(UTC),
        inputs=tuple(_input(each, committed) for each in old.inputs),
        run_id=begun.run_id,
        who=begun.who,
        quarantine=quarantine,
        rolled_back={**facts, "run": begun.run_id, "why": begun.reason, "promotion": begun.undoes},
        promoted={},
    )
    if old.artifacts:
        _copy_artifacts(settings, version, begun)
    write_manifest(settings, version.product, begun.run_id, as_json(certificate))
    return certificate


def _input(read: InputVersion, committed: dict[ProductName, Committed]) -> InputVersion:
    done = committed.get(read.product)
    return read if done is None else replace(read, snapshot=done.snapshot)


def _copy_artifacts(settings: Settings, version: Version, begun: Promotion) -> None:
    source = artifact_folder(settings, version.product, version.run_id)
    into = artifact_folder(settings, version.product, begun.run_id)
    store = store_at(source)
    for each in store.below(source):
        store.copy(each.path, f"{into}{each.path.removeprefix(source)}")
