"""`mesh quarantine`, and `mesh why` with rows: what they print, write and refuse."""

from __future__ import annotations

import json

import duckdb
import pytest

from mesh_assets.words.errors import PromiseBroken
from tests.shop import ORDERS, Shop, keep_quarantine

from .conftest import Command

BAD = "3,5\n3,6\n4,-4\n"


@pytest.fixture
def careful(shop: Shop) -> Shop:
    keep_quarantine(shop, personal="amount")
    shop.deliver(ORDERS + BAD)
    shop.build("shop.orders")
    return shop


def test_all_products_with_rows_aside_are_listed(careful: Shop, mesh: Command) -> None:
    listed = json.loads(mesh("quarantine", "--json").out)
    said = mesh("quarantine")

    assert [(each["product"], each["rows"], each["quarantined"]) for each in listed] == [
        ("shop.orders", 2, 3)
    ]
    assert "primary_key 2" in said.out
    assert said.code == 0


def test_nothing_aside_is_said(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")

    assert "nothing is in quarantine" in mesh("quarantine").out


def test_one_product_shows_its_rows_by_rule_and_masked(careful: Shop, mesh: Command) -> None:
    said = mesh("quarantine", "shop.orders")
    document = json.loads(mesh("quarantine", "shop.orders", "--json").out)

    assert "2 rows published, 3 in quarantine" in said.out
    assert document["rules"] == {"amount_exclusive_minimum": 1, "primary_key": 2}
    assert {row["amount"] for row in document["sample"]} == {"***"}
    assert {row["mesh_version"] for row in document["sample"]} == {1}
    assert "-4" not in said.out


def test_all_rows_are_written_masked(careful: Shop, mesh: Command) -> None:
    target = careful.root / "aside.parquet"

    said = mesh("quarantine", "shop.orders", "--rule", "primary_key", "--rows", str(target))

    assert said.code == 0
    assert duckdb.sql(f"select order_id, amount from '{target}'").fetchall() == [(3, "***")] * 2


def test_unmasked_rows_are_for_readers_who_may_see(
    careful: Shop, mesh: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = careful.root / "aside.parquet"
    ask = ("quarantine", "shop.orders", "--rows", str(target), "--unmasked")

    refused = mesh(*ask)
    assert refused.code == 1
    assert "shop.orders has personal columns (amount)" in refused.err
    assert not target.exists()

    for granted in ("shop", "books.revenue,shop.orders"):
        monkeypatch.setenv("MESH_MAY_SEE", granted)
        assert mesh(*ask).code == 0
        assert sorted(duckdb.sql(f"select amount from '{target}'").fetchall()) == [(-4,), (5,), (6,)]

    monkeypatch.setenv("MESH_MAY_SEE", "books")
    assert mesh(*ask).code == 1


def test_corrected_rows_come_back_by_the_ordinary_path(
    careful: Shop, mesh: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = careful.root / "mended.parquet"
    monkeypatch.setenv("MESH_MAY_SEE", "shop.orders")
    mesh("quarantine", "shop.orders", "--rows", str(target), "--unmasked")
    corrected = careful.root / "corrected.parquet"
    duckdb.sql(
        f"copy (select * replace (abs(amount) as amount) from '{target}' where order_id = 4) to '{corrected}'"
    )

    said = mesh("quarantine", "release", "shop.orders", "--rows", str(corrected))
    careful.build("shop.orders", run_id="run-2")

    assert "1 corrected rows of shop.orders are kept. Build it: `mesh build shop.orders`" in said.out
    assert careful.rows("shop.orders") == [(1, 10), (2, 20), (4, 4)]
    shown = json.loads(mesh("quarantine", "shop.orders", "--json").out)
    assert (shown["quarantined"], shown["corrections"][0]["rows"]) == (2, 1)
    assert (
        "1 corrected rows of shop.orders count no more"
        in mesh("quarantine", "release", "shop.orders", "--discard").out
    )


def test_a_masked_export_is_no_correction(careful: Shop, mesh: Command) -> None:
    target = careful.root / "aside.parquet"
    mesh("quarantine", "shop.orders", "--rule", "amount_exclusive_minimum", "--rows", str(target))

    said = mesh("quarantine", "release", "shop.orders", "--rows", str(target))

    assert said.code == 1
    assert "amount is VARCHAR, not BIGINT" in said.err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("quarantine", "shop.order"), 2, "Did you mean shop.orders"),
        (("quarantine", "books.revenue", "--rows", "x.parquet"), 1, "has no version"),
        (("quarantine", "release", "shop.orders"), 2, "give --rows FILE, or --discard"),
        (("quarantine", "release", "shop.orders", "--rows", "nowhere.csv"), 1, "there is no such file"),
        (("quarantine", "--rows", "x.parquet"), 2, "name a product"),
        (("quarantine", "shop.orders", "--unmasked"), 2, "goes with --rows"),
        (("why", "shop.orders", "--unmasked"), 2, "goes with --rows"),
        (("why", "shop.orders", "--rows", "x.parquet"), 2, "goes with --rule"),
        (("why", "shop.orders", "--rule", "nix", "--rows", "x.parquet"), 1, "its rules are"),
        (
            ("why", "shop.orders", "--rule", "not_more_than_a_million", "--rows", "x.parquet"),
            1,
            "the rule is about the whole table",
        ),
    ],
)
def test_a_mistake_is_one_message(
    careful: Shop, mesh: Command, arguments: tuple[str, ...], code: int, told: str
) -> None:
    said = mesh(*arguments)

    assert told in said.err
    assert said.code == code


def test_a_malformed_right_is_told(mesh: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_MAY_SEE", "everything *")

    said = mesh("products")

    assert "The setting MESH_MAY_SEE is" in said.err
    assert said.code == 2


def test_build_and_products_count_what_is_aside(careful: Shop, mesh: Command) -> None:
    (row,) = [each for each in json.loads(mesh("products", "--json").out) if each["product"] == "shop.orders"]

    assert row["quarantined"] == 3
    assert "quarantined" in mesh("products").out


class TestWhy:
    """Every failing row of a rule, out of a refused draft, a version, or the quarantine."""

    @pytest.fixture
    def refused(self, shop: Shop) -> Shop:
        """Thirty orders that nobody paid, more than any sample holds."""
        keep_quarantine(shop, limit=1, personal="order_id")
        shop.build("shop.orders")
        shop.deliver(ORDERS + "".join(f"{number},-1\n" for number in range(10_000, 10_030)))
        with pytest.raises(PromiseBroken):
            shop.build("shop.orders", run_id="run-2")
        return shop

    def test_all_rows_of_a_refused_draft(self, refused: Shop, mesh: Command) -> None:
        target = refused.root / "bad.parquet"

        said = mesh("why", "shop.orders", "--rule", "amount_exclusive_minimum", "--rows", str(target))

        assert said.code == 0
        rows = duckdb.sql(f"select order_id, amount from '{target}'").fetchall()
        assert len(rows) == 30
        assert {order_id for order_id, _ in rows} == {"***"}

    def test_a_personal_key_is_masked_wherever_the_draft_is_told_of(
        self, refused: Shop, mesh: Command
    ) -> None:
        said = mesh("why", "shop.orders")
        document = mesh("why", "shop.orders", "--json")
        rows = refused.settings.home / "drafts/shop/orders/rows/amount_exclusive_minimum.parquet"

        assert "***" in said.out
        assert "10007" not in said.out + document.out
        assert {row[0] for row in duckdb.sql(f"select order_id from '{rows}'").fetchall()} == {"***"}

    def test_all_rows_of_a_warning_of_a_published_version(self, shop: Shop, mesh: Command) -> None:
        contract = shop.folder("shop.orders") / "contract.yaml"
        rule = (
            "        quality:\n          - {name: amount_is_known, metric: invalidValues, mustBe: 0, "
            "severity: warning, arguments: {validValues: [10]}}\n"
        )
        before, _, after = contract.read_text().partition("        quality:\n")
        contract.write_text(before + rule + after)
        shop.deliver(ORDERS + "3,30\n")
        shop.build("shop.orders")
        shop.build("shop.orders", run_id="run-2")  # unchanged: it ran no rule
        target = shop.root / "warned.parquet"

        said = mesh("why", "shop.orders", "--json")
        mesh("why", "shop.orders", "--rule", "amount_is_known", "--rows", str(target))

        (warned,) = json.loads(said.out)["rules"]
        assert (warned["rule"], warned["failed_rows"]) == ("amount_is_known", 2)
        assert [row["amount"] for row in warned["sample"]] == [20, 30]
        assert sorted(duckdb.sql(f"select * from '{target}'").fetchall()) == [(2, 20), (3, 30)]

    def test_rows_in_quarantine_are_found_by_their_rule(self, careful: Shop, mesh: Command) -> None:
        target = careful.root / "aside.parquet"

        mesh("why", "shop.orders", "--rule", "primary_key", "--rows", str(target))
        said = mesh("why", "shop.orders")

        assert duckdb.sql(f"select count(*) from '{target}'").fetchall() == [(2,)]
        assert "3 rows are in quarantine: `mesh quarantine shop.orders`" in said.out
        assert said.code == 0
