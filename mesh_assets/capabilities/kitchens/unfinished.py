"""Promotions that were interrupted: whoever promotes, undoes or drops next ends them first.

Here: giving up what had shown nothing, and letting code follow what was shown. Not here: taking data back
whose code cannot follow (undo).
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from mesh_assets.capabilities.kitchens.code_landing import land_code
from mesh_assets.capabilities.kitchens.mended_rows import let_count
from mesh_assets.capabilities.kitchens.repository import repository_of
from mesh_assets.capabilities.publishing.stamp import leave_stamp
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.promotions import Promotion, PromotionState, PromotionUnfinished
from mesh_assets.words.settings import Settings


@contextmanager
def one_at_a_time(settings: Settings) -> Iterator[None]:
    """Promotions of one mesh wait for each other, on one machine; between machines the ledger decides."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "promotion.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def end_unfinished(settings: Settings, registry: Registry, kitchen: str) -> list[Promotion]:
    """Under the lock: a promotion of this kitchen that had shown nothing is given up, its process is gone; of
    whatever was shown the code follows. Raises CodeLeftBehind and TreeNotClean.
    """
    over = []
    for each in registry.unfinished_promotions():
        if each.state is PromotionState.BEGUN and each.kitchen == kitchen:
            over.append(give_up(registry, each))
        elif each.state is PromotionState.RELEASED:
            over.append(follow(settings, registry, each))
    return over


def give_up(registry: Registry, promotion: Promotion) -> Promotion:
    """Nothing was shown, and nothing will be: what lies in the lakes goes with the next expiry."""
    over = replace(promotion, state=PromotionState.GIVEN_UP, ended=datetime.now(UTC))
    registry.keep_promotion(over)
    return over


def follow(settings: Settings, registry: Registry, promotion: Promotion) -> Promotion:
    """The code of what is shown; may be asked for twice."""
    top = repository_of(settings)
    if top is None:
        raise PromotionUnfinished(id=promotion.id, kitchen=promotion.kitchen, state=str(promotion.state))
    let_count(settings, promotion)
    landed = land_code(registry, top, promotion)
    for each in promotion.moved:
        leave_stamp(settings, registry.version(each.product, each.after))
    return landed
