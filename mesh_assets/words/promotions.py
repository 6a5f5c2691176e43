"""Promotions: a kitchen's changes on their way into production, and what stands in their way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from mesh_assets.words.errors import DocumentMalformed, YourCode, YourData
from mesh_assets.words.names import ProductName


class PromotionMode(StrEnum):
    #: Code and data, in one release.
    WHOLE = "whole"
    #: Production makes the data anew, behind the audit.
    CODE = "code"
    #: A repair; the code stays as it is.
    DATA = "data"
    #: An earlier promotion taken back.
    UNDO = "undo"


class PromotionState(StrEnum):
    #: Nothing is shown to readers yet.
    BEGUN = "begun"
    #: Readers see the data; the code is not in production's working tree yet.
    RELEASED = "released"
    #: Data and code are there; Dagster has not been told yet.
    LANDED = "landed"
    DONE = "done"
    #: Ended before anything was shown.
    GIVEN_UP = "given up"


#: States in which somebody has to go on, or take back.
UNFINISHED = (PromotionState.BEGUN, PromotionState.RELEASED, PromotionState.LANDED)


@dataclass(frozen=True)
class Moved:
    """One head that a promotion moved."""

    product: ProductName
    before: int | None
    after: int


@dataclass(frozen=True)
class Promotion:
    """A line of the ledger."""

    id: int
    kitchen: str
    mode: PromotionMode
    state: PromotionState
    who: str
    began: datetime
    #: Commits of production's branch before and after; "" where no code moves.
    before: str = ""
    after: str = ""
    reason: str = ""
    ended: datetime | None = None
    #: Of the release, None before there is one.
    release: int | None = None
    moved: tuple[Moved, ...] = ()
    #: The promotion that this one takes back.
    undoes: int | None = None
    #: What a resumed promotion has to know.
    plan: Mapping[str, Any] = field(default_factory=dict)

    @property
    def run_id(self) -> str:
        """Under which its files enter the lakes."""
        return str(self.plan.get("run", f"promotion-{self.id}"))


@dataclass(frozen=True)
class Approval:
    """An owner has agreed to one state of a kitchen."""

    kitchen: str
    owner: str
    who: str
    digest: str
    at: datetime


class OwnersMalformed(DocumentMalformed):
    """A line of the file of owners that means nothing."""


class NotAgreed(YourData):
    def __init__(self, *, kitchen: str, missing: Mapping[str, tuple[str, ...]], voided: tuple[str, ...] = ()):
        super().__init__(kitchen=kitchen, missing=dict(missing), voided=voided)

    def describe(self) -> str:
        lines = [
            f"  {' or '.join(owners.split())} for {', '.join(things)}"
            for owners, things in sorted(self.facts["missing"].items())
        ]
        voided = self.facts["voided"]
        since = f" ({', '.join(voided)} agreed to an earlier state of it)" if voided else ""
        return (
            f"kitchen {self.facts['kitchen']} was not promoted: owners have not agreed{since}:\n"
            + "\n".join(lines)
            + f"\nEach looks at `mesh kitchen diff {self.facts['kitchen']}` and says "
            f"`mesh kitchen approve {self.facts['kitchen']} --as OWNER`"
        )


class NotAnOwner(YourCode):
    template = "{owner} owns nothing here, so says the file of owners. Asked about kitchen {kitchen}: {asked}"


class CodeConflict(YourData):
    def __init__(self, *, kitchen: str, paths: tuple[str, ...], who: tuple[str, ...]) -> None:
        super().__init__(kitchen=kitchen, paths=paths, who=who)

    def describe(self) -> str:
        name, pairs = self.facts["kitchen"], zip(self.facts["paths"], self.facts["who"], strict=True)
        lines = "\n".join(f"  {path}" + (f" ({by})" if by else "") for path, by in pairs)
        return (
            f"kitchen {name} was not promoted: its code does not merge with what production runs now:\n"
            f"{lines}\n"
            f"Settle it in the kitchen: `mesh kitchen rebase {name}`, run it and promote it again"
        )


class CodeLeftBehind(YourData):
    """The data of a promotion is shown, and its code cannot follow."""

    template = (
        "promotion {id} of kitchen {kitchen} is shown, and its code does not merge with what was committed "
        "to production's branch since: {paths}. Take the data back, `mesh kitchen undo {id}`; or make room "
        "for the code there and say `mesh kitchen promote {kitchen} --resume`"
    )


class SettleByHand(YourData):
    template = (
        "the code of kitchen {kitchen} does not merge with what production runs now: {paths}. git has marked "
        "the places in {tree}. Settle them there, commit, and say `mesh kitchen rebase {kitchen}` again"
    )


class KitchenExpired(YourData):
    template = (
        "kitchen {kitchen} expired on {expires:%Y-%m-%d %H:%M} UTC, and what it read is not kept any more. "
        "Give it more time first: `mesh kitchen extend {kitchen}`"
    )


class ReasonMissing(YourCode):
    template = "data without code is a repair, and says why: --reason TEXT"


class TreeNotClean(YourData):
    template = "{what} has changes that are in no commit: {paths}. {remedy}"


class NoRepository(YourCode):
    template = (
        "{folder} is in no git repository, and a promotion moves code by git. Put the domains under version "
        "control, or promote data alone: `mesh kitchen promote {kitchen} --data-only --reason …`"
    )


class GitRefused(YourData):
    template = "git {what} did not work: {told}"


class SampledKitchen(YourData):
    template = (
        "kitchen {kitchen} is a preview over a sample ({sample}); its data can never be promoted. Open one "
        "over all rows, or promote the code alone: `mesh kitchen promote {kitchen} --code-only`"
    )


class NothingToPromote(YourData):
    template = (
        "kitchen {kitchen} has no {what} that production does not have. Change something in it, and make it: "
        "`mesh kitchen show {kitchen}` says where its code is, `mesh kitchen run {kitchen}` makes it"
    )


class InTheWay(YourData):
    """Production moved under a kitchen, in a way that its data does not survive."""

    def __init__(self, *, kitchen: str, who: tuple[str, ...]) -> None:
        super().__init__(kitchen=kitchen, who=who)

    def describe(self) -> str:
        lines = "\n".join(f"  {each}" for each in self.facts["who"])
        name = self.facts["kitchen"]
        return (
            f"kitchen {name} was not promoted: production has moved under it:\n{lines}\n"
            f"Take that over with `mesh kitchen rebase {name}` and `mesh kitchen run {name}`, then promote "
            "again"
        )


class NotRun(YourData):
    template = (
        "kitchen {kitchen} was not promoted: on the merged state of today these would be made anew: "
        "{products}. Make them in the kitchen: `mesh kitchen run {kitchen}`, then promote again"
    )


class MadeElsewhere(YourData):
    """Promoting data needs what uses it to be made as well, and the kitchen may not make it."""

    template = (
        "kitchen {kitchen} was not promoted: what it changes is read in domains that it may not write: "
        "{products}. Promote its code alone, and production makes them: `mesh kitchen promote {kitchen} "
        "--code-only`; or open one that may, `mesh kitchen open NAME --domains {domains}`, and merge "
        "{branch} into its code"
    )


class MergedBroken(YourData):
    template = (
        "kitchen {kitchen} was not promoted: on the merged state {product} breaks {rules}. Readers still see "
        "what they saw. See the rows in the kitchen: `mesh --kitchen {kitchen} why {product}`"
    )


class ExpectationBroken(YourData):
    template = (
        "kitchen {kitchen} was not promoted: on the merged state {product} does not keep {rule}, which "
        "{consumer} expects and production keeps. Mend it, or let an owner of {consumer} agree: "
        "`mesh kitchen approve {kitchen} --as OWNER`"
    )


class PromotionUnfinished(YourData):
    template = (
        "promotion {id} of kitchen {kitchen} is {state} and not finished. Go on with it, or end it where "
        "nothing was shown yet: `mesh kitchen promote {kitchen} --resume`"
    )


class NothingUnfinished(YourData):
    template = "no promotion of kitchen {kitchen} is unfinished. See `mesh kitchen promotions`"


class UnknownPromotion(YourCode):
    template = "there is no promotion {id}. See `mesh kitchen promotions`"


class CannotUndo(YourData):
    def __init__(self, *, id: int, reasons: tuple[str, ...]) -> None:
        super().__init__(id=id, reasons=reasons)

    def describe(self) -> str:
        lines = "\n".join(f"  {each}" for each in self.facts["reasons"])
        return (
            f"promotion {self.facts['id']} cannot be undone:\n{lines}\n"
            "Go forward instead: open a kitchen, and mend it there"
        )


class PartOfPromotion(YourData):
    template = (
        "{product} was not rolled back to version {number}: promotion {id} moved it together with {others}, "
        "and no run could have made it as it was beside them. Undo all of it: `mesh kitchen undo {id}`"
    )


class CodeMoved(YourData):
    """The run began before a promotion that changed what it makes."""

    template = (
        "{product} was not published: this run has read its code before promotion {id} of kitchen {kitchen} "
        "changed it. Nothing is lost: automation asks for it again, or start it anew (`mesh build {product}`)"
    )
