"""A few seconds of what `python -m benchmarks.contention` does for minutes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.contention import WRONG, run


def test_writers_and_readers_at_once_lose_nothing_and_see_no_half_of_a_release(tmp_path: Path) -> None:
    counts = run(tmp_path, {}, seconds=4, writers=4, readers=2, pause=0.1)

    assert {word: counts[word] for word in WRONG} == dict.fromkeys(WRONG, 0)
    assert counts["pairs"] and counts["groups released"]
    assert not [word for word in counts if word.startswith("failed")]
