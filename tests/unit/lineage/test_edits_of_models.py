"""Seeded edits of the example's models: nothing is skipped that comes out different. The long run:
`python -m benchmarks.impact.fuzz --edits 600`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.impact.fuzz import run
from benchmarks.impact.world import make_world
from mesh_assets.operational.write import write_sources
from mesh_assets.words.settings import read_settings


def test_no_model_is_skipped_that_comes_out_different(tmp_path: Path) -> None:
    write_sources(tmp_path, scale=0.01)
    world = make_world(replace(read_settings({}), sources=tmp_path))

    tally = run(world, edits=15, seed=11, seconds=4)

    assert tally.edits > 0
    assert tally.wrong == []
