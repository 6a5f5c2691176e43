"""Dagster's home for this mesh: the same instance for `mesh` commands and for the UI, kept between starts."""

from __future__ import annotations

import os
from pathlib import Path

from mesh_assets.words.settings import PROJECT, Settings


def prepare_dagster_home(settings: Settings) -> Path:
    """Write `<home>/dagster/dagster.yaml` with absolute folders, and point DAGSTER_HOME at it.

    The project's own dagster.yaml is the source: it names the same folders relative to the project, for a plain
    `dagster dev` there.
    """
    folder = settings.dagster_home
    folder.mkdir(parents=True, exist_ok=True)
    text = (PROJECT / "dagster.yaml").read_text(encoding="utf-8").replace(".mesh/dagster", str(folder))
    target = folder / "dagster.yaml"
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder
