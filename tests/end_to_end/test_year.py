"""Some weeks of a simulated year; `python -m benchmarks.year` drives all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.year.script import Kind
from benchmarks.year.simulate import simulate

#: Six weeks of this seed have a refused draft while the receiver is down, a recipe that fails until after the
#: deadline, late rows, and a bad file that is mended after four days.
SEED = 314


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning")
def test_weeks_of_trouble_end_in_the_lake_of_a_clean_rebuild_and_each_is_told_once(tmp_path: Path) -> None:
    year = simulate(tmp_path, weeks=6, seed=SEED)

    assert {Kind.SILENT, Kind.FAILS, Kind.LATE_ROWS, Kind.BAD_FILE} <= {week.kind for week in year.script}
    report = year.report
    assert (report.told_wrongly, report.made_twice, report.miscounted, report.differs) == ([], [], [], [])
    assert len(year.done.asked) == len(set(year.done.asked))
    assert report.figures["told"] > 0
