"""A second name for a draft's files: a commit takes the first, and a lost release wants the draft back."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake.places import staging_of

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings
    from mesh_assets.words.versions import Draft

#: Behind the run's id, for the folder of what is kept between attempts.
SPARE = ".spare"


def spare_of(settings: Settings, draft: Draft) -> Draft | None:
    """The draft under names that no commit takes away; None on a disk that links nothing."""
    return _linked(draft, staging_of(settings, draft.product, draft.run_id + SPARE))


def from_spare(settings: Settings, spare: Draft) -> Draft | None:
    """The draft again, to be committed; the spare one stays."""
    return _linked(spare, staging_of(settings, spare.product, spare.run_id))


def drop_spare(settings: Settings, run_id: str) -> None:
    """Let go of the spare drafts of a run."""
    shutil.rmtree(settings.staging / (run_id + SPARE), ignore_errors=True)


def _linked(draft: Draft, folder: Path) -> Draft | None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = []
    for number, file in enumerate(draft.files):
        target = folder / f"{number}.parquet"
        try:
            os.link(file.path, target)
        except OSError:
            return None
        files.append(replace(file, path=str(target)))
    return replace(draft, files=tuple(files))
