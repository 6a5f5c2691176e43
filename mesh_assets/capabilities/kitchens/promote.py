"""Promotion: a kitchen's code and data become production's, in one release, or nothing of it does.

Files go into the lakes first, where nobody is shown them. Then one transaction of the registry moves all
heads, raises the fences and writes the ledger. Then production's branch and working tree follow. Whoever dies
between two of these finds in the ledger where it was: `resume` goes on. Before the transaction nothing has
happened; after it there is only forward.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from mesh_assets.capabilities.kitchens import landing as lakes
from mesh_assets.capabilities.kitchens.agreement import Agreement, refuse_without_agreement
from mesh_assets.capabilities.kitchens.crossing import Crossing, crossing
from mesh_assets.capabilities.kitchens.expected import refuse_newly_broken
from mesh_assets.capabilities.kitchens.mended_rows import corrected_here, let_count
from mesh_assets.capabilities.kitchens.merged import Together, merged_state
from mesh_assets.capabilities.kitchens.plan import Plan, judged, make_plan
from mesh_assets.capabilities.kitchens.rebase import make_anew, moved_heads, rebase, take_over
from mesh_assets.capabilities.kitchens.records import record_of
from mesh_assets.capabilities.kitchens.repository import commit_all, keep_name, refuse_unclean
from mesh_assets.capabilities.kitchens.undo import Undoing, take_back
from mesh_assets.capabilities.kitchens.unfinished import end_unfinished, follow, give_up, one_at_a_time
from mesh_assets.capabilities.publishing.code import who as whoever
from mesh_assets.capabilities.publishing.found import found_equal
from mesh_assets.capabilities.publishing.stamp import leave_stamp
from mesh_assets.capabilities.registry.promotions import Showing
from mesh_assets.capabilities.registry.releases import Order
from mesh_assets.words.errors import ReleaseConflict
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import (
    CodeConflict,
    CodeLeftBehind,
    InTheWay,
    KitchenExpired,
    MadeElsewhere,
    NothingToPromote,
    NothingUnfinished,
    NotRun,
    Promotion,
    PromotionMode,
    PromotionState,
    ReasonMissing,
    SampledKitchen,
)
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import PROD, BuildOutcome, BuildRecord, Version

#: How often production may move under one promotion before it gives up.
ATTEMPTS = 3


@dataclass(frozen=True)
class Wanted:
    """How somebody wants a kitchen promoted."""

    mode: PromotionMode = PromotionMode.WHOLE
    reason: str = ""
    who: str = ""
    #: Commits what the kitchen's tree has in no commit yet; "": that is refused.
    message: str = ""
    #: Make anew in the kitchen what production has moved on; else that is an error.
    rebase: bool = True
    dry: bool = False
    #: Told the name of each step before it begins.
    on_step: Callable[[str], None] = lambda _: None

    @property
    def code(self) -> bool:
        return self.mode is not PromotionMode.DATA

    @property
    def data(self) -> bool:
        return self.mode is not PromotionMode.CODE


@dataclass(frozen=True)
class Outcome:
    """What a promotion did, or would do."""

    #: None for a dry run.
    promotion: Promotion | None
    plan: Plan
    versions: tuple[Version, ...] = ()
    #: What was made anew in the kitchen on the way.
    remade: tuple[ProductName, ...] = ()
    approvals: Mapping[str, str] = field(default_factory=dict)


def promote(settings: Settings, name: str, wanted: Wanted | None = None) -> Outcome:
    """Bring a kitchen's changes into what it was opened from. Every refusal is a MeshError that says who is
    in the way and what to do; readers see then what they saw.
    """
    wanted = wanted or Wanted()
    with crossing(settings, name) as sides, one_at_a_time(sides.there):
        before = _ended(sides)
        _check(sides, wanted)
        wanted.on_step("agreement")
        agreed = refuse_without_agreement(sides, wanted.who)
        given = {each.owner: each.who for each in agreed.given}
        remade: list[ProductName] = []
        for left in reversed(range(ATTEMPTS)):
            try:
                done = _attempt(sides, wanted, agreed)
                return replace(done, remade=tuple(remade), approvals=given)
            except NothingToPromote:
                if before is None:
                    raise
                return Outcome(before, Plan({}, frozenset(), {}))
            except (ReleaseConflict, InTheWay):
                if not (left and wanted.rebase and wanted.data) or wanted.dry:
                    raise
            wanted.on_step("making anew what moved")
            remade += _follow(sides)
    raise AssertionError("the last attempt raises or returns")


def resume(settings: Settings, name: str) -> Promotion:
    """Finish a promotion that was interrupted; one that had shown nothing yet is given up. What promoting,
    undoing and dropping do as well before they begin; raises CodeLeftBehind.
    """
    with crossing(settings, name) as sides, one_at_a_time(sides.there):
        left = [each for each in sides.theirs.unfinished_promotions() if each.kitchen == name]
        if not left:
            raise NothingUnfinished(kitchen=name)
        # Of one that landed only Dagster has not heard, and a later one may stand half way.
        found = next((each for each in left if each.state is not PromotionState.LANDED), left[0])
        if found.state is PromotionState.BEGUN:
            return give_up(sides.theirs, found)
        return finish(sides, found)


def _ended(sides: Crossing) -> Promotion | None:
    """What an interrupted promotion of this kitchen came to, if it was shown."""
    over = None
    for each in end_unfinished(sides.there, sides.theirs, sides.name):
        if each.kitchen == sides.name and each.state is PromotionState.LANDED:
            over = finish(sides, each)
    return over


def ended(promotion: Promotion) -> Promotion:
    """Now."""
    return replace(promotion, ended=datetime.now(UTC))


def finish(
    sides: Crossing, promotion: Promotion, on_step: Callable[[str], None] = lambda _: None
) -> Promotion:
    """All that follows the release; may be done again."""
    let_count(sides.there, promotion)
    if promotion.state is PromotionState.RELEASED:
        on_step("code")
        promotion = follow(sides.there, sides.theirs, promotion)
    else:
        for each in promotion.moved:
            leave_stamp(sides.there, sides.theirs.version(each.product, each.after))
    on_step("kitchen")
    # Not what is shown by now: that may be made from what the kitchen does not show.
    brought = (sides.theirs.version(each.product, each.after) for each in promotion.moved)
    found = {version.product: version for version in brought if version.expired is None}
    take_over(sides, found, f"{promotion.run_id}-back")
    return promotion


def _check(sides: Crossing, wanted: Wanted) -> None:
    """What needs no look at any product."""
    if sides.here.sample and wanted.data:
        raise SampledKitchen(kitchen=sides.name, sample=sides.here.sample)
    if sides.kitchen.expired(datetime.now(UTC)) and wanted.data:
        raise KitchenExpired(kitchen=sides.name, expires=sides.kitchen.expires)
    if wanted.mode is PromotionMode.DATA and not wanted.reason:
        raise ReasonMissing()
    if not wanted.code or (wanted.data and not sides.has_code):
        return
    tree = sides.kitchen.code
    if wanted.message and not wanted.dry and _dirty(sides):
        commit_all(tree, wanted.message, who=wanted.who or whoever())
    told = f"Commit them: `git -C {tree} add -A; git -C {tree} commit`, or promote with --message TEXT"
    refuse_unclean(tree, f"the code of kitchen {sides.name}", told, untracked=True)
    told = "Commit them or put them back: a promotion moves this working tree"
    refuse_unclean(sides.repository, f"production's working tree {sides.repository}", told)


def _dirty(sides: Crossing) -> bool:
    from mesh_assets.capabilities.publishing.code import git

    return bool(git(sides.kitchen.code, "status", "--porcelain"))


def _attempt(sides: Crossing, wanted: Wanted, agreed: Agreement) -> Outcome:
    wanted.on_step("merge")
    code = wanted.code and sides.has_code
    with merged_state(sides, code=code, data=wanted.data) as state:
        plan = _whole(sides, make_plan(sides, state, repair=wanted.mode is PromotionMode.DATA), wanted)
        moves_code = bool(state.commit) and state.commit != sides.head
        if not plan.pieces and not plan.equal and not moves_code:
            what = {PromotionMode.CODE: "code", PromotionMode.DATA: "data"}.get(
                wanted.mode, "code and no data"
            )
            raise NothingToPromote(kitchen=sides.name, what=what)
        wanted.on_step("rules")
        plan = judged(plan, state)
        refuse_newly_broken(state, plan, agreed)
        if wanted.dry:
            return Outcome(None, plan)
        return _go(sides, wanted, state if moves_code else replace(state, commit=""), plan)


def _whole(sides: Crossing, plan: Plan, wanted: Wanted) -> Plan:
    """The plan, if nothing stands against it."""
    if wanted.mode is PromotionMode.CODE:
        return replace(plan, pieces={}, equal={}, reads={})
    if plan.moved:
        raise InTheWay(kitchen=sides.name, who=tuple(plan.moved.values()))
    if plan.stale and wanted.mode is PromotionMode.WHOLE:
        told = "; ".join(f"{name} ({why})" for name, why in plan.stale.items())
        if moved_heads(sides) or _behind(sides):
            raise InTheWay(kitchen=sides.name, who=(f"made from what is older than production's: {told}",))
        _refuse_elsewhere(sides, plan)
        raise NotRun(kitchen=sides.name, products=told)
    return plan


def _refuse_elsewhere(sides: Crossing, plan: Plan) -> None:
    """Running the kitchen again would not make them."""
    mine = sides.here.writable
    elsewhere = {name: why for name, why in plan.stale.items() if mine and name.domain not in mine}
    if elsewhere:
        raise MadeElsewhere(
            kitchen=sides.name,
            products="; ".join(f"{name} ({why})" for name, why in elsewhere.items()),
            domains=",".join(sorted({*mine, *(name.domain for name in elsewhere)})),
            branch=sides.kitchen.branch or "its code",
        )


def _behind(sides: Crossing) -> bool:
    from mesh_assets.capabilities.kitchens.repository import is_in

    return sides.has_code and not is_in(sides.repository, sides.head, sides.branch)


def _go(sides: Crossing, wanted: Wanted, state: Together, plan: Plan) -> Outcome:
    """From here on the ledger knows."""
    promotion = _begun(sides, wanted, state, corrected_here(sides, plan.pieces))
    try:
        wanted.on_step("lakes")
        certificates = lakes.bring(lakes.Landing(promotion, state, plan))
        order = Order(
            certificates=tuple(certificates),
            expected={name: (p.before.number if p.before else None) for name, p in plan.pieces.items()},
            reads=dict(plan.reads),
            environment=PROD,
            who=promotion.who,
            run_id=promotion.run_id,
        )
        fenced = {*plan.pieces, *plan.code} if promotion.after else set()
        showing = Showing(
            promotion,
            order,
            tuple(sorted(fenced)),
            _equal(plan, state, promotion),
            (),
            partial(record_of, by=promotion, message=f"promotion {promotion.id} of kitchen {sides.name}"),
        )
        wanted.on_step("release")
        shown, versions = sides.theirs.show_promotion(showing)
    except BaseException:
        give_up(sides.theirs, promotion)
        raise
    try:
        return Outcome(finish(sides, shown, wanted.on_step), plan, tuple(versions))
    except CodeLeftBehind as left:
        undone = take_back(sides.there, sides.theirs, shown.id, Undoing("its code did not merge"))
        raise CodeConflict(kitchen=sides.name, paths=(left.facts["paths"],), who=(undone.told,)) from None


def _begun(sides: Crossing, wanted: Wanted, state: Together, corrected: Mapping[str, Any]) -> Promotion:
    promotion = sides.theirs.begin_promotion(
        Promotion(
            id=0,
            kitchen=sides.name,
            mode=wanted.mode,
            state=PromotionState.BEGUN,
            who=wanted.who or whoever(),
            began=datetime.now(UTC),
            before=sides.head if state.commit else "",
            after=state.commit,
            reason=wanted.reason,
            plan={"run": f"promotion-{uuid4().hex[:12]}", **corrected},
        )
    )
    if promotion.after:
        keep_name(sides.repository, f"promotions/{promotion.id}", promotion.after)
    return promotion


def _equal(plan: Plan, state: Together, promotion: Promotion) -> list[BuildRecord]:
    """Products that stay, and need not be made for the change: so that nothing is made again for it."""
    records = []
    for name, keys in plan.equal.items():
        head = state.view.standing[name]
        before = found_equal(state.crossing.theirs, head)
        kept = {**head.certificate.input_keys, **before, **keys}
        records.append(
            BuildRecord(
                product=name,
                run_id=promotion.run_id,
                outcome=BuildOutcome.UNCHANGED,
                started=promotion.began,
                seconds=0.0,
                version=head.number,
                rows=head.rows,
                message=f"the same after promotion {promotion.id} of kitchen {promotion.kitchen}",
                details={"input_keys": kept},
            )
        )
    return records


def _follow(sides: Crossing) -> list[ProductName]:
    """Take over what moved, and make the kitchen's own anew on it, behind the same audit."""
    changed = [*sides.made]
    rebase(sides)
    vars(sides).pop("made", None)
    ended = make_anew(sides, changed)
    if ended is not None and not ended.released:
        told = "; ".join(f"{record.product}: {record.message}" for record in ended.records if record.message)
        raise NotRun(kitchen=sides.name, products=told)
    vars(sides).pop("made", None)
    return [built.record.product for built in ended.built] if ended else []
