"""Rollback: forward, through the audit, held; builds neither undo it nor are confused by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_assets.capabilities.lake import files
from mesh_assets.capabilities.publishing.build import Built
from mesh_assets.capabilities.publishing.holds import told_of_hold
from mesh_assets.capabilities.publishing.rollback import roll_back
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import NothingToRollBack, PromiseBroken, VersionLost
from mesh_assets.words.versions import BuildOutcome
from tests.shop import AMOUNT_RULE, ORDERS, ORDERS_NAME, Shop, keep_quarantine, write_product
from tests.stores import Held, on_every_store

GOOD, BAD = [(1, 10), (2, 20)], [(1, 99)]


@pytest.fixture
def bad(shop: Shop) -> Shop:
    """Version 1 is good, version 2 has one row."""
    shop.build("shop.orders")
    shop.deliver("order_id,amount\n1,99\n")
    shop.build("shop.orders", run_id="run-2")
    assert shop.rows("shop.orders") == BAD
    return shop


def back(shop: Shop, number: int = 1, *, run_id: str = "back-1", why: str = "") -> Built:
    workshop = shop.workshop("shop", run_id=run_id)
    try:
        return roll_back(workshop, workshop.registry.version(ORDERS_NAME, number), why=why)
    finally:
        workshop.registry.close()


@on_every_store("shop")
def test_the_older_content_becomes_a_new_version(bad: Shop) -> None:
    built = back(bad, why="most rows are missing")

    assert built.version is not None
    certificate = built.version.certificate
    assert bad.head("shop.orders") == built.version.number == 3
    assert bad.rows("shop.orders") == GOOD
    assert bad.rows("shop.orders", version=2) == BAD
    assert certificate.rolled_back == {
        "from": 2, "to": 1, "who": "tester", "why": "most rows are missing", "run": "back-1"
    }  # fmt: skip
    assert certificate.rule_results


@on_every_store("shop")
def test_no_byte_is_copied_and_no_file_stands_in_the_ledger_twice(bad: Shop) -> None:
    built = back(bad)

    with open_registry(bad.settings) as registry:
        first = registry.version(ORDERS_NAME, 1)
    assert built.version is not None
    (old,), (new,) = (files(bad.settings, ORDERS_NAME, each.snapshot) for each in (first, built.version))
    assert old != new
    if not bad.settings.data:  # in a bucket the server makes a second object
        assert Path(old).samefile(new)
    Held(old).remove()
    assert bad.rows("shop.orders") == GOOD, "an expired version takes nothing away from this one"


def test_the_next_build_leaves_a_rollback_alone_and_says_so(bad: Shop) -> None:
    back(bad)

    built = bad.build("shop.orders", run_id="run-4")

    assert built.record.outcome is BuildOutcome.UNCHANGED
    assert "rolled version 2 back" in built.record.message
    assert bad.rows("shop.orders") == GOOD


def test_new_input_ends_the_hold(bad: Shop) -> None:
    back(bad)
    bad.deliver(ORDERS + "3,30\n")

    built = bad.build("shop.orders", run_id="run-4")

    assert built.record.outcome is BuildOutcome.PUBLISHED
    assert built.version is not None
    assert not built.version.certificate.hold
    assert bad.rows("shop.orders") == [*GOOD, (3, 30)]


def test_new_code_ends_the_hold(bad: Shop) -> None:
    back(bad)
    recipe = bad.folder("shop.orders") / "recipe.sql"
    recipe.write_text(recipe.read_text() + "where true\n")

    assert bad.build("shop.orders", run_id="run-4").record.outcome is BuildOutcome.PUBLISHED
    assert bad.rows("shop.orders") == BAD


def test_a_hold_that_somebody_ends_is_built_again(bad: Shop) -> None:
    built = back(bad)
    assert built.version is not None
    with open_registry(bad.settings) as registry:
        registry.end_hold(ORDERS_NAME, "back-1", "ann")
        assert told_of_hold(registry, built.version) == ""

    assert bad.build("shop.orders", run_id="run-4").record.outcome is BuildOutcome.PUBLISHED
    assert bad.rows("shop.orders") == BAD


def test_force_builds_what_is_held(bad: Shop) -> None:
    back(bad)

    bad.build("shop.orders", run_id="run-4", force=True)

    assert bad.rows("shop.orders") == BAD


@on_every_store("shop")
def test_what_no_longer_keeps_the_contract_does_not_come_back(bad: Shop) -> None:
    path = bad.folder("shop.orders") / "contract.yaml"
    path.write_text(path.read_text().replace("amount <= 0", "amount <= 15"))

    with pytest.raises(PromiseBroken, match="amount_positive"):
        back(bad)

    assert bad.rows("shop.orders") == BAD
    assert AMOUNT_RULE  # the rule of the shop: 10 was enough for it


def test_a_version_that_readers_see_is_no_aim(bad: Shop) -> None:
    with pytest.raises(NothingToRollBack):
        back(bad, 2)


@on_every_store("shop")
def test_a_version_whose_files_are_gone_says_so(bad: Shop) -> None:
    with open_registry(bad.settings) as registry:
        first = registry.version(ORDERS_NAME, 1)
    Held(files(bad.settings, ORDERS_NAME, first.snapshot)[0]).remove()

    with pytest.raises(VersionLost):
        back(bad)

    assert bad.rows("shop.orders") == BAD


@on_every_store("shop")
def test_the_rows_in_quarantine_come_back_as_well(shop: Shop) -> None:
    keep_quarantine(shop)
    shop.deliver(ORDERS + "3,-5\n")
    shop.build("shop.orders")
    shop.deliver("order_id,amount\n1,99\n")
    shop.build("shop.orders", run_id="run-2")

    built = back(shop)

    assert built.version is not None
    aside = built.version.certificate.quarantine
    assert (aside["rows"], len(aside["files"])) == (1, 1)
    assert len(files(shop.settings, ORDERS_NAME.quarantine, built.version.snapshot)) == 1


def test_rolling_back_a_rollback_goes_forward_too(bad: Shop) -> None:
    back(bad)

    built = back(bad, 2, run_id="back-2")

    assert built.version is not None
    assert built.version.number == 4
    assert bad.rows("shop.orders") == BAD
    assert bad.build("shop.orders", run_id="run-5").record.outcome is BuildOutcome.UNCHANGED


def test_what_reads_the_product_builds_again(bad: Shop) -> None:
    bad.build("books.revenue", run_id="run-2")
    back(bad)

    built = bad.build("books.revenue", run_id="run-3")

    assert built.record.outcome is BuildOutcome.PUBLISHED
    assert built.version is not None
    assert [each.number for each in built.version.certificate.inputs] == [3]


WEEKLY_RECIPE = """\"\"\"Orders from number 10 on are of the second week.\"\"\"
from mesh_assets import mesh

@mesh.recipe(sources=["order_log"])
def orders(run):
    weeks = ", ".join(f"date '{week}'" for week in run.weeks)
    return f\"\"\"select * from (select cast(order_id as bigint) as order_id,
        cast(amount as bigint) as amount,
        date '2024-01-01' + 7 * (cast(order_id as bigint) >= 10)::int as week from source.order_log)
        where week in ({weeks})\"\"\"
"""
FIRST, SECOND = "2024-01-01", "2024-01-08"


class TestWeeks:
    """A weekly product: weeks that are the same in both versions keep their files."""

    @pytest.fixture
    def weekly(self, shop: Shop) -> Shop:
        folder = write_product(
            shop,
            "shop.orders",
            columns=(("order_id", "BIGINT"), ("amount", "BIGINT"), ("week", "DATE")),
            recipe="select 1",
        )
        (folder / "recipe.sql").unlink()
        (folder / "recipe.py").write_text(WEEKLY_RECIPE, encoding="utf-8")
        with (folder / "contract.yaml").open("a", encoding="utf-8") as file:
            file.write(
                "customProperties:\n  - property: partitions\n"
                "    value: {column: week, every: week, first: 2024-01-01, until: 2024-01-15}\n"
            )
        shop.deliver(ORDERS + "11,110\n")
        shop.build("shop.orders")
        shop.deliver(ORDERS + "11,999\n")
        shop.build("shop.orders", run_id="run-2")
        return shop

    def amounts(self, shop: Shop) -> list[object]:
        return [row[1] for row in shop.rows("shop.orders")]

    @on_every_store("shop")
    def test_the_week_that_differs_comes_back_and_the_other_stays(self, weekly: Shop) -> None:
        with open_registry(weekly.settings) as registry:
            second = registry.version(ORDERS_NAME, 2)

        built = back(weekly)

        assert built.version is not None
        before, after = (
            files(weekly.settings, ORDERS_NAME, each.snapshot) for each in (second, built.version)
        )
        assert self.amounts(weekly) == [10, 20, 110]
        assert [file for file in before if FIRST in file] == [file for file in after if FIRST in file]
        assert [file for file in before if SECOND in file] != [file for file in after if SECOND in file]
        assert weekly.build("shop.orders", run_id="run-4").record.outcome is BuildOutcome.UNCHANGED

    def test_a_week_that_is_new_goes_with_it(self, weekly: Shop) -> None:
        weekly.deliver(ORDERS)
        weekly.build("shop.orders", run_id="run-3")
        assert self.amounts(weekly) == [10, 20]

        back(weekly, 2)
        assert self.amounts(weekly) == [10, 20, 999]
        back(weekly, 3, run_id="back-2")
        assert self.amounts(weekly) == [10, 20]
