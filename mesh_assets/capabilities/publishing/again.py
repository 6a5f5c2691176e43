"""Trying again after somebody else was quicker: bounded, with uneven pauses, with the draft that is there.

A release is refused when a head moved that it was built on or has read. Then the build looks again. Where
the keys of its partitions are what they were, its draft still is what the recipe would make: it is audited
against the new head and committed on it, and no recipe runs. Where they are not, it is made again.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from mesh_assets.capabilities.lake.spare import from_spare, spare_of
from mesh_assets.capabilities.lineage.model import RecipeKind
from mesh_assets.capabilities.lineage.observed import Seen
from mesh_assets.capabilities.publishing.certify import artifact_digests
from mesh_assets.capabilities.publishing.dbt import forget_models
from mesh_assets.capabilities.publishing.workshop import Bench, Work
from mesh_assets.words.errors import ReleaseConflict
from mesh_assets.words.versions import WHOLE, Draft

LOG = logging.getLogger(__name__)

Result = TypeVar("Result")

#: Attempts at a release, and how often a recipe may run for them: the first costs milliseconds, the second
#: what the recipe costs.
ATTEMPTS = 12
RECIPES = 3

#: Seconds: pauses are drawn from 0 to the first, then to twice that, and so on up to the last.
FIRST_PAUSE = 0.05
LAST_PAUSE = 2.0


@dataclass
class Tries:
    """What the attempts at one build know of each other."""

    #: The draft under second names, and the keys of its partitions when it was made.
    spare: Draft | None = None
    keys: dict[str, str] | None = None
    #: What the recipe was seen to read when it made the draft.
    seen: Seen | None = None
    recipes: int = 0

    def draft(self, bench: Bench, work: Work, make: Callable[[], Draft]) -> Draft:
        """The draft of an earlier attempt, where it is what the recipe would make now; else a new one."""
        again = self._again(bench, work)
        if again is None:
            return self._made(bench, work, make)
        bench.asked.seen = self.seen
        return again

    def _again(self, bench: Bench, work: Work) -> Draft | None:
        keys, spare = self.keys, self.spare
        if spare is None or keys is None or any(keys.get(key) != work.keys[key] for key in work.partitions):
            return None
        if spare.partition_column is None:
            return from_spare(bench.workshop.settings, spare)
        files = tuple(file for file in spare.files if file.partition in work.partitions)
        return from_spare(
            bench.workshop.settings, replace(spare, files=files, partitions=tuple(work.partitions))
        )

    def _made(self, bench: Bench, work: Work, make: Callable[[], Draft]) -> Draft:
        if self.recipes and work.asset.recipe.kind is RecipeKind.DBT:
            forget_models(bench.workshop)
        self.recipes += 1
        draft = make()
        self.seen = bench.asked.seen
        # A report that the recipe left lies on the bench, and is gone with it.
        lasting = not artifact_digests(bench.artifacts)
        self.spare = spare_of(bench.workshop.settings, draft) if lasting else None
        self.keys = {key: work.keys[key] for key in work.partitions or (WHOLE,)}
        return draft


def persist(attempt: Callable[[], Result], recipes: Callable[[], int]) -> Result:
    """The result of the first attempt that nobody overtook; raises the ReleaseConflict of the last one."""
    for number in range(1, ATTEMPTS):
        try:
            return attempt()
        except ReleaseConflict as lost:
            if recipes() >= RECIPES:
                raise
            LOG.info("attempt %d was overtaken and is made again: %s", number, lost)
            pause = min(LAST_PAUSE, FIRST_PAUSE * 2**number)
            time.sleep(random.uniform(0, pause))  # noqa: S311 - a pause is no secret
    return attempt()
