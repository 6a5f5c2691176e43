"""Fences: code that was read before a promotion changed it publishes nothing over what the promotion brought.

A run reads its code when it begins. If a promotion lands meanwhile, the run may make again what was there
before, out of good inputs and by the book, and a colleague's change would be gone without a word. So each
promotion leaves its commit on the products that it changed, and who publishes one of them has to have that
commit in the history of the code that was read.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.publishing.code import git
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.words.promotions import CodeMoved


def refuse_old_code(workshop: Workshop, asset: Asset) -> int:
    """The promotion whose fence the run's code has passed, 0 if there is none; raises CodeMoved."""
    fence = workshop.registry.fences([asset.name]).get(asset.name)
    if fence is None:
        return 0
    commit = workshop.domain.commit
    # Code that lies in no repository was brought there by other means, which know of no promotion.
    if commit and fence.commit and not _knows(workshop.settings.domains, fence.commit, commit):
        raise CodeMoved(product=asset.name, id=fence.promotion, kitchen=fence.kitchen)
    return fence.promotion


@lru_cache(maxsize=256)
def _knows(folder: Path, wanted: str, commit: str) -> bool:
    """History does not change, so the answer is kept."""
    return wanted == commit or git(folder, "merge-base", "--is-ancestor", wanted, commit) is not None
