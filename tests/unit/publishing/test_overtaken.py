"""Somebody else was quicker: what a build does that looks up and finds the heads moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from mesh_assets.capabilities.publishing import again
from mesh_assets.capabilities.publishing.build import Built, build
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.words.errors import PromiseBroken, ReleaseConflict
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import BuildOutcome
from tests.shop import ORDERS, ORDERS_NAME, Shop, write_product

FIRST, SECOND = "2024-01-01", "2024-01-08"
VISIT, REVENUE = ProductName("shop", "visit"), ProductName("books", "revenue")
WEEKLY = """customProperties:
  - property: partitions
    value: {column: week, every: week, first: 2024-01-01, until: 2024-01-15}
"""
#: Says in a file that it ran, for each week that it made.
RECIPE = '''"""Visits of some weeks."""

from pathlib import Path

from mesh_assets import mesh


@mesh.recipe(inputs=[])
def visit(run: mesh.Run) -> str:
    with (Path(__file__).parents[3] / "ran.txt").open("a") as file:
        file.write(run.run_id + "\\n")
    weeks = ", ".join(f"date '{week}'" for week in run.weeks)
    return f"select * from (values ROWS) as rows(id, week) where week in ({weeks})"
'''


@pytest.fixture
def weekly(shop: Shop) -> Shop:
    """Two weeks of visits, published."""
    visits(shop, (10, FIRST), (20, SECOND))
    shop.build("shop.visit", run_id="both")
    return shop


def visits(shop: Shop, *rows: tuple[int, str]) -> None:
    folder = write_product(shop, "shop.visit", columns=(("id", "BIGINT"), ("week", "DATE")), recipe="")
    (folder / "recipe.sql").unlink()
    text = (folder / "contract.yaml").read_text(encoding="utf-8")
    (folder / "contract.yaml").write_text(text + WEEKLY, encoding="utf-8")
    values = ", ".join(f"({key}::bigint, date '{week}')" for key, week in rows)
    (folder / "recipe.py").write_text(RECIPE.replace("ROWS", values), encoding="utf-8")


def ran(shop: Shop) -> list[str]:
    return (shop.root / "ran.txt").read_text().split()


def build_week(shop: Shop, week: str, run_id: str) -> Built:
    workshop = replace(shop.workshop("shop", run_id=run_id), weeks=(week,), force=True)
    with workshop.registry:
        return build(workshop, VISIT)


@contextmanager
def overtaken(
    by: Callable[[], object], *, at: str = "release", times: int = 1, of: ProductName | None = None
) -> Iterator[None]:
    """Somebody else does something before the next calls of the registry's method (releases of a product)."""
    real, left = getattr(Registry, at), [times]

    def method(self: Registry, *args: Any, **kwargs: Any) -> object:
        if left[0] and (of is None or [each.product for each in args[0]] == [of]):
            left[0] -= 1
            by()
        return real(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Registry, at, method)
        yield


@pytest.mark.parametrize("moment", ["release", "pin"])
def test_two_weeks_published_at_once_both_land_and_no_recipe_runs_twice(weekly: Shop, moment: str) -> None:
    visits(weekly, (11, FIRST), (22, SECOND))

    with overtaken(lambda: build_week(weekly, SECOND, "neighbour"), at=moment):
        built = build_week(weekly, FIRST, "slower")

    assert built.version is not None and built.version.number == 3
    assert [row[0] for row in weekly.rows("shop.visit")] == [11, 22]
    assert [row[0] for row in weekly.rows("shop.visit", version=2)] == [10, 22]
    assert sorted(ran(weekly)) == ["both", "neighbour", "slower"]


def test_a_draft_that_is_kept_is_audited_against_what_came_meanwhile(weekly: Shop) -> None:
    """Each of two weeks keeps the contract beside the other as it was; together they have a key twice."""
    visits(weekly, (30, FIRST), (30, SECOND))

    with (
        overtaken(lambda: build_week(weekly, SECOND, "neighbour")),
        pytest.raises(PromiseBroken, match="primary_key"),
    ):
        build_week(weekly, FIRST, "slower")

    assert [row[0] for row in weekly.rows("shop.visit")] == [10, 30]
    assert sorted(ran(weekly)) == ["both", "neighbour", "slower"]


def test_who_loses_to_one_who_published_the_same_finds_nothing_to_do(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,30\n")

    with overtaken(lambda: shop.build("shop.orders", run_id="neighbour")):
        built = shop.build("shop.orders", run_id="slower")

    assert (built.record.outcome, shop.head("shop.orders")) == (BuildOutcome.UNCHANGED, 2)


def test_an_input_that_moved_is_read_again(shop: Shop) -> None:
    shop.build("shop.orders")

    def neighbour() -> None:
        shop.deliver(ORDERS + "3,30\n")
        shop.build("shop.orders", run_id="neighbour")

    with overtaken(neighbour):
        built = shop.build("books.revenue")

    assert shop.rows("books.revenue") == [(3, 60)]
    assert built.version is not None
    assert [each.number for each in built.version.certificate.inputs] == [2]


def test_who_is_overtaken_each_time_gives_up_and_says_who_won(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "LAST_PAUSE", 0.0)
    shop.build("shop.orders")
    rows = iter(range(3, 100))

    def neighbour() -> None:
        number = next(rows)
        shop.deliver(f"{ORDERS}{number},30\n")
        shop.build("shop.orders", run_id=f"neighbour-{number}")

    with (
        overtaken(neighbour, of=REVENUE, times=100),
        pytest.raises(ReleaseConflict, match=r"tester, run neighbour-\d+"),
    ):
        shop.build("books.revenue", run_id="loser")

    assert shop.head("books.revenue") is None
    with open_registry(shop.settings) as registry:
        last = registry.last_build(REVENUE)
    assert last is not None and last.outcome is BuildOutcome.FAILED


def test_a_run_that_lost_and_comes_again_with_other_rows_releases_these(shop: Shop) -> None:
    """Dagster retries a step under the same run id: its first commit must not be taken for the second."""
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,30\n")

    def crash() -> None:
        raise ConnectionError("the registry went away")

    with overtaken(crash), pytest.raises(ConnectionError):
        shop.build("shop.orders", run_id="retried")
    shop.deliver(ORDERS + "4,40\n")
    built = shop.build("shop.orders", run_id="retried")

    assert built.version is not None and built.version.number == 2
    assert shop.rows("shop.orders") == [(1, 10), (2, 20), (4, 40)]
    assert list(shop.settings.staging.glob("*")) == []


def test_registry_of_the_loser_has_one_line_for_its_build(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,30\n")
    with overtaken(lambda: shop.build("shop.orders", run_id="neighbour")):
        shop.build("shop.orders", run_id="slower")

    with open_registry(shop.settings) as registry:
        assert [each.run_id for each in registry.builds(ORDERS_NAME)] == ["slower", "neighbour", "run-1"]
