"""The other side's branch and working tree follow a release, and may be asked to twice.

Somebody may commit there between the release and this: then the merge is made again on top of that.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mesh_assets.capabilities.kitchens.repository import (
    bring_files,
    commit,
    forget_name,
    head_of,
    is_in,
    keep_name,
    merge,
    move_branch,
)
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.promotions import CodeLeftBehind, Promotion, PromotionState

#: How often somebody may be quicker.
ATTEMPTS = 10


def land_code(registry: Registry, top: Path, promotion: Promotion) -> Promotion:
    """Let the branch show the promotion's commit; raises CodeLeftBehind, TreeNotClean with the data shown."""
    for _ in range(ATTEMPTS):
        head = head_of(top)
        if is_in(top, promotion.after, head):
            break
        target = promotion.after if head == promotion.before else _on_top(top, promotion, head)
        if move_branch(top, head, target):
            break
    bring_files(top, promotion.before, head_of(top))
    landed = replace(promotion, state=PromotionState.LANDED)
    registry.keep_promotion(landed)
    forget_name(top, f"promotions/{promotion.id}")
    return landed


def _on_top(top: Path, promotion: Promotion, head: str) -> str:
    """The promotion's commit merged into what somebody committed meanwhile."""
    found = merge(top, head, promotion.after)
    if found.conflicts:
        paths = ", ".join(found.conflicts)
        raise CodeLeftBehind(id=promotion.id, kitchen=promotion.kitchen, paths=paths)
    made = commit(
        top, found.tree, [head, promotion.after], f"Promote kitchen {promotion.kitchen}", who=promotion.who
    )
    keep_name(top, f"promotions/{promotion.id}", made)
    return made
