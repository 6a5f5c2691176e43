"""Commits that no release followed: the next ones must not carry them along."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_assets.capabilities.lake import Handle, commit, connect, stage
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings, read_settings

FILLS = ProductName("rx", "fills")
FIRST, SECOND = "2024-01-01", "2024-01-08"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({"MESH_HOME": str(tmp_path)})


def publish(settings: Settings, run: str, rows: dict[str, int], *, base: int | None) -> int:
    """Commit one value per week; returns the snapshot."""
    values = ", ".join(f"(date '{week}', {value})" for week, value in rows.items())
    con = connect(settings)
    draft = stage(
        con,
        f"select * from (values {values}) as fills (week, units)",
        product=FILLS,
        run_id=run,
        settings=settings,
        partition_column="week",
        partitions=tuple(rows),
    )
    con.close()
    return commit(settings, draft, who="tester", extra={}, base=base).snapshot


def units(settings: Settings, snapshot: int) -> dict[str, int]:
    handle = Handle(settings, FILLS, number=1, snapshot=snapshot)
    return {str(week): value for week, value in handle.relation.fetchall()}


def test_a_partition_that_was_never_released_is_put_back_by_the_next_commit(settings: Settings) -> None:
    released = publish(settings, "run-1", {FIRST: 1, SECOND: 2}, base=0)
    publish(settings, "dies", {FIRST: 666}, base=released)

    after = publish(settings, "run-2", {SECOND: 3}, base=released)

    assert units(settings, after) == {FIRST: 1, SECOND: 3}
    assert units(settings, released) == {FIRST: 1, SECOND: 2}


def test_a_first_commit_that_was_never_released_leaves_nothing_behind(settings: Settings) -> None:
    publish(settings, "dies", {FIRST: 666}, base=0)

    after = publish(settings, "run-2", {SECOND: 3}, base=0)

    assert units(settings, after) == {SECOND: 3}


def test_partitions_that_nobody_touched_stay_the_same_files(settings: Settings) -> None:
    released = publish(settings, "run-1", {FIRST: 1, SECOND: 2}, base=0)

    after = publish(settings, "run-2", {SECOND: 3}, base=released)

    before = Handle(settings, FILLS, number=1, snapshot=released).files
    now = Handle(settings, FILLS, number=2, snapshot=after).files
    assert len(set(before) & set(now)) == 1
