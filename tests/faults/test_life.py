"""One life of a mesh; `python -m benchmarks.lake.life` lives many."""

from __future__ import annotations

from tests.faults.life import Life
from tests.lives import live


def test_readers_see_what_the_model_says_whatever_dies() -> None:
    live(Life, seed=5, steps=10)
