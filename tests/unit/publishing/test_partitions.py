"""Weeks become months, files become partitions, and what comes late re-opens what it touches and no more."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.publishing.supply import known_partitions
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import MeshError, UpstreamMissing
from mesh_assets.words.names import product_name
from mesh_assets.words.partitions import MONTH, WEEK, overlapping
from tests.cuts import FIRST, LATE, MONTHS, WEEKS, build_all, drop, file_plans, made, make_cuts
from tests.shop import Shop

Row = tuple[int, date, int]


@pytest.fixture
def mesh(tmp_path: Path) -> Shop:
    return make_cuts(tmp_path)


def day(week: str, weekday: int = 0) -> date:
    return date.fromisoformat(week) + timedelta(days=weekday)


def one_fill_each(mesh: Shop) -> dict[str, list[Row]]:
    """A fill on the Sunday of every week: so the week at a month's end counts in the month after."""
    rows = {week: [(number, day(week, 6), 10)] for number, week in enumerate(WEEKS)}
    for week, each in rows.items():
        drop(mesh, week, each)
    return rows


def test_a_month_is_made_of_the_weeks_that_overlap_it(mesh: Shop) -> None:
    one_fill_each(mesh)

    build_all(mesh, "first")

    assert made(mesh)["brand.performance"] == list(MONTHS)
    # The first week ends on 1 December, that of New Year on 5 January; the last ends in no month.
    assert mesh.rows("brand.performance") == [(date(2024, 12, 1), 50), (date(2025, 1, 1), 40)]


def test_a_change_in_one_week_reopens_that_week_and_the_months_that_overlap_it(mesh: Shop) -> None:
    rows = one_fill_each(mesh)
    build_all(mesh, "first")
    made(mesh)

    drop(mesh, "2024-12-16", [*rows["2024-12-16"], (99, day("2024-12-16"), 5)])
    build_all(mesh, "second")

    found = made(mesh)
    assert found["facts.sale"] == ["2024-12-16"]
    assert found["brand.performance"] == ["2024-12-01"]


def test_a_change_in_the_week_over_new_year_reopens_both_months_and_publishes_the_one_that_moved(
    mesh: Shop,
) -> None:
    rows = one_fill_each(mesh)
    build_all(mesh, "first")
    made(mesh)

    drop(mesh, "2024-12-30", [*rows["2024-12-30"], (99, date(2024, 12, 31), 5)])
    build_all(mesh, "second")

    assert made(mesh)["brand.performance"] == ["2024-12-01", "2025-01-01"]
    assert mesh.rows("brand.performance") == [(date(2024, 12, 1), 55), (date(2025, 1, 1), 40)]


def test_a_month_that_was_found_equal_is_not_made_again_after_another_one_was_published(mesh: Shop) -> None:
    rows = one_fill_each(mesh)
    build_all(mesh, "first")
    # A fill on 2 February, in the week with which January ends.
    drop(mesh, "2025-01-27", [*rows["2025-01-27"], (99, day("2025-01-27", 6), 5)])
    build_all(mesh, "equal")
    drop(mesh, "2024-12-16", [*rows["2024-12-16"], (98, day("2024-12-16"), 5)])
    build_all(mesh, "published")
    made(mesh)

    drop(mesh, "2024-12-09", [*rows["2024-12-09"], (97, day("2024-12-09"), 5)])
    build_all(mesh, "again")

    assert made(mesh)["brand.performance"] == ["2024-12-01"]


def test_a_late_fill_reopens_the_week_of_its_date_and_not_the_week_that_brought_it(mesh: Shop) -> None:
    rows = one_fill_each(mesh)
    build_all(mesh, "first")
    made(mesh)

    drop(mesh, "2025-01-13", [*rows["2025-01-13"], (99, day("2024-12-23"), 5)])
    build_all(mesh, "second")

    found = made(mesh)
    # Every week that may read the drop looks at it; one of them changed.
    assert found["till.fill"] == ["2024-12-23", "2024-12-30", "2025-01-06", "2025-01-13"]
    assert found["facts.sale"] == ["2024-12-23"]
    assert found["brand.performance"] == ["2024-12-01"]


def test_a_drop_that_changes_nothing_wakes_nobody(mesh: Shop) -> None:
    rows = one_fill_each(mesh)
    build_all(mesh, "first")
    made(mesh)

    drop(
        mesh, "2025-01-13", [*rows["2025-01-13"], (99, day("2024-12-16"), 5)]
    )  # four weeks: too late for any
    build_all(mesh, "second")

    assert set(made(mesh)) == {"till.fill"}
    assert mesh.head("facts.sale") == 1


def test_a_month_waits_for_the_first_of_its_weeks_and_is_made_again_with_each_that_comes(mesh: Shop) -> None:
    drop(mesh, WEEKS[0], [(1, day(WEEKS[0], 6), 10)])
    build_all(mesh, "first")
    assert made(mesh)["brand.performance"] == ["2024-11-01", "2024-12-01"]

    drop(mesh, WEEKS[1], [(2, day(WEEKS[1]), 10)])
    build_all(mesh, "second")

    assert made(mesh)["brand.performance"] == ["2024-12-01"]
    assert mesh.rows("brand.performance") == [(date(2024, 12, 1), 20)]


def test_a_month_without_any_week_is_not_made(mesh: Shop) -> None:
    with pytest.raises(UpstreamMissing):
        mesh.build("brand.performance")


@st.composite
def deliveries(draw: st.DrawFn) -> list[tuple[str, list[tuple[int, int]]]]:
    """Drops in some order: the week, and (weeks late, weekday) of each of its fills."""
    fills = st.lists(st.tuples(st.integers(0, LATE), st.integers(0, 6)), max_size=3)
    return [(week, draw(fills)) for week in draw(st.permutations(WEEKS[3:7]))[:2]]


@settings(max_examples=3, deadline=None)
@given(deliveries())
def test_whatever_comes_late_the_result_is_that_of_building_all_at_once(
    later: list[tuple[str, list[tuple[int, int]]]],
) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        step_by_step, at_once = make_cuts(Path(one)), make_cuts(Path(other))
        base = {**one_fill_each(step_by_step), **one_fill_each(at_once)}
        build_all(step_by_step, "base")
        number = 100
        for turn, (week, fills) in enumerate(later):
            made(step_by_step)
            rows = list(base[week])
            for weeks_late, weekday in fills:
                number += 1
                rows.append((number, day(week, weekday) - timedelta(weeks=weeks_late), number))
            touched = {str(each - timedelta(days=each.weekday())) for _, each, _ in rows[1:]}
            for target in (step_by_step, at_once):
                drop(target, week, rows)
            build_all(step_by_step, f"turn-{turn}")
            found = made(step_by_step)
            months = {month for each in touched for month in overlapping(each, WEEK, MONTH)} & set(MONTHS)
            assert set(found.get("facts.sale", ())) == touched
            assert set(found.get("brand.performance", ())) == months
        build_all(at_once, "all")
        for product in ("till.fill", "facts.sale", "brand.performance"):
            assert step_by_step.rows(product) == at_once.rows(product)


def test_each_file_is_a_partition_and_a_new_one_leaves_the_others_alone(mesh: Shop) -> None:
    file_plans(mesh, "acme 2024", ("A", 10))
    file_plans(mesh, "best_2024", ("B", 20))
    mesh.build("plans.plan", run_id="first")
    made(mesh)

    file_plans(mesh, "core_2024", ("C", 30))
    file_plans(mesh, "best_2024", ("B", 21))
    mesh.build("plans.plan", run_id="second")

    assert made(mesh)["plans.plan"] == ["best_2024", "core_2024"]
    assert mesh.rows("plans.plan") == [
        ("A", 10, "acme 2024"),
        ("B", 21, "best_2024"),
        ("C", 30, "core_2024"),
    ]


def test_a_bad_file_holds_back_its_own_partition_only(mesh: Shop) -> None:
    file_plans(mesh, "best_2024", ("B", 20))
    file_plans(mesh, "acme_2024", ("A", 10)).write_text("plan_id\nA\n")

    mesh.build("plans.plan", run_id="first")
    assert mesh.rows("plans.plan") == [("B", 20, "best_2024")]

    with pytest.raises(MeshError, match="members"):
        mesh.build("plans.plan", run_id="second")


def test_known_are_partitions_with_rows_and_those_that_were_made_and_found_empty(mesh: Shop) -> None:
    def known() -> set[str]:
        with open_registry(mesh.settings) as registry:
            return set(known_partitions(registry, product_name("till.fill")))

    assert known() == set()
    for number, week in enumerate(WEEKS[:9]):
        drop(mesh, week, [(number, day(week), 10)] if number != 4 else [])
    mesh.build("till.fill", run_id="first")
    assert known() == set(WEEKS[:9])

    drop(mesh, WEEKS[9], [])
    mesh.build("till.fill", run_id="second")
    assert known() == set(WEEKS)


def test_the_first_week_of_the_example_is_the_last_of_november() -> None:
    assert (str(FIRST), overlapping(str(FIRST), WEEK, MONTH)) == (WEEKS[0], ("2024-11-01", "2024-12-01"))
