"""Rows that break a rule are set aside and the rest is published: what readers see, what is on record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh_assets.capabilities.lake import connect
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.publishing.inputs import input_sql
from mesh_assets.capabilities.publishing.mending import discard_corrected, release_corrected
from mesh_assets.capabilities.publishing.rows import Reader, quarantined
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import CorrectionRefused, PromiseBroken
from mesh_assets.words.rules import Outcome
from mesh_assets.words.versions import BuildOutcome
from tests.shop import ORDERS, ORDERS_NAME, Shop, keep_quarantine, write_product
from tests.stores import on_every_store

GOOD = [(1, 10), (2, 20)]
#: One order twice, one that nobody paid.
BAD = "3,5\n3,6\n4,0\n"

Aside = list[tuple[Any, ...]]


@pytest.fixture
def careful(shop: Shop) -> Shop:
    """A shop whose orders are set aside when they are wrong, up to 70 percent of them."""
    keep_quarantine(shop, limit=70)
    return shop


def aside(shop: Shop) -> Aside:
    """(order_id, amount, rules) in quarantine beside the version that readers see."""
    with open_registry(shop.settings) as registry:
        head = registry.head(ORDERS_NAME)
        assert head is not None
        sql = input_sql(shop.settings, ORDERS_NAME.quarantine, head.snapshot)
    with connect(shop.settings) as con:
        return sorted(con.sql(f"SELECT order_id, amount, mesh_rules FROM ({sql})").fetchall())


def release(shop: Shop, text: str, *, name: str = "corrected.csv") -> int:
    file = shop.root / name
    file.write_text(text, encoding="utf-8")
    with open_registry(shop.settings) as registry:
        return release_corrected(shop.settings, registry, orders(shop), file, "mender")


def orders(shop: Shop) -> Asset:
    assets = read_domain_assets(shop.settings, "shop").assets
    return next(asset for asset in assets if asset.name == ORDERS_NAME)


def test_bad_rows_are_set_aside_and_the_rest_is_published(careful: Shop) -> None:
    careful.deliver(ORDERS + BAD)

    built = careful.build("shop.orders")

    assert built.record.outcome is BuildOutcome.PUBLISHED
    assert careful.rows("shop.orders") == GOOD
    assert aside(careful) == [
        (3, 5, ["primary_key"]),
        (3, 6, ["primary_key"]),
        (4, 0, ["amount_exclusive_minimum"]),
    ]


def test_the_certificate_counts_what_is_published_and_what_is_not(careful: Shop) -> None:
    careful.deliver(ORDERS + BAD)

    built = careful.build("shop.orders")

    assert built.version is not None
    certificate = built.version.certificate
    assert certificate.rows == 2
    assert certificate.quarantine["rows"] == 3
    assert certificate.quarantine["rules"] == {"amount_exclusive_minimum": 1, "primary_key": 2}
    assert certificate.quarantine["table"] == "shop.orders__quarantine"
    assert built.record.details["quarantined"] == 3
    assert str(careful.root) not in repr(certificate)


def test_the_fingerprint_is_that_of_the_published_rows(careful: Shop) -> None:
    careful.deliver(ORDERS + BAD)
    with_bad = careful.build("shop.orders").version
    careful.deliver(ORDERS)
    without = careful.build("shop.orders", run_id="run-2").version

    assert with_bad is not None and without is not None
    assert with_bad.fingerprint == without.fingerprint


def test_a_rule_whose_rows_are_aside_failed_and_stops_nothing(careful: Shop) -> None:
    careful.deliver(ORDERS + BAD)

    verdict = careful.build("shop.orders").verdict

    assert verdict is not None
    results = {result.rule.id: result for result in verdict.results}
    key = results["primary_key"]
    assert (key.outcome, key.failed_rows, key.quarantined_rows) == (Outcome.FAILED, 2, 2)
    assert key.summary == "failed on 2 of 5 rows, which are in quarantine"
    assert not verdict.stops_publication
    assert results["order_id_required"].summary == "holds on 2 rows"


def test_the_same_bad_rows_again_change_nothing(careful: Shop) -> None:
    careful.deliver(ORDERS + BAD)
    careful.build("shop.orders")

    looked = careful.build("shop.orders", run_id="run-2")
    forced = careful.build("shop.orders", run_id="run-3", force=True)

    assert (looked.record.outcome, forced.record.outcome) == (BuildOutcome.UNCHANGED, BuildOutcome.UNCHANGED)
    assert forced.verdict is not None
    assert forced.record.details["quarantined"] == 3


@on_every_store("shop")
def test_another_bad_row_makes_a_version_and_wakes_nobody(careful: Shop) -> None:
    careful.deliver(ORDERS + BAD)
    careful.build("shop.orders")
    careful.build("books.revenue")
    careful.deliver(ORDERS + BAD + "5,-1\n")

    built = careful.build("shop.orders", run_id="run-2")
    consumer = careful.build("books.revenue", run_id="run-2")

    assert (built.record.outcome, built.record.version) == (BuildOutcome.PUBLISHED, 2)
    assert len(aside(careful)) == 4
    assert consumer.record.outcome is BuildOutcome.UNCHANGED
    assert careful.rows("books.revenue") == [(2, 30)]


def test_rows_that_are_good_again_leave_the_quarantine(careful: Shop) -> None:
    careful.deliver(ORDERS + BAD)
    careful.build("shop.orders")
    careful.deliver(ORDERS + "3,5\n4,40\n")

    built = careful.build("shop.orders", run_id="run-2")

    assert built.version is not None
    assert built.version.certificate.quarantine["rows"] == 0
    assert aside(careful) == []
    assert careful.rows("shop.orders") == [*GOOD, (3, 5), (4, 40)]


def test_the_quarantine_of_an_older_version_stays_readable(careful: Shop) -> None:
    careful.deliver(ORDERS + BAD)
    first = careful.build("shop.orders").version
    careful.deliver(ORDERS)
    careful.build("shop.orders", run_id="run-2")

    assert first is not None
    sql = input_sql(careful.settings, ORDERS_NAME.quarantine, first.snapshot)
    with connect(careful.settings) as con:
        assert len(con.sql(sql).fetchall()) == 3


def test_a_draft_beyond_the_limit_is_refused(shop: Shop) -> None:
    keep_quarantine(shop, limit=50)
    shop.build("shop.orders")
    shop.deliver(ORDERS + BAD)

    with pytest.raises(PromiseBroken, match="3 of 5 rows would go to quarantine, and its limit is 50%"):
        shop.build("shop.orders", run_id="run-2")

    assert shop.head("shop.orders") == 1
    assert aside(shop) == []


def test_the_limit_itself_is_allowed(shop: Shop) -> None:
    keep_quarantine(shop, limit=60)
    shop.deliver(ORDERS + BAD)

    assert shop.build("shop.orders").record.outcome is BuildOutcome.PUBLISHED


def test_a_rule_about_the_table_is_held_against_what_remains(careful: Shop) -> None:
    """The sum is right with the bad rows, and wrong without them: nothing is published."""
    contract = careful.folder("shop.orders") / "contract.yaml"
    rule = "    quality:\n      - {name: sum_is_right, type: sql, query: 'select sum(amount) from {object}', "
    text = contract.read_text().replace("    quality:\n", rule + "mustBe: 41}\n", 1)
    contract.write_text(text)
    careful.deliver(ORDERS + BAD)

    with pytest.raises(PromiseBroken, match="`primary_key` failed on 2 of 5 rows"):
        careful.build("shop.orders")

    contract.write_text(text.replace("mustBe: 41", "mustBe: 30"))
    built = careful.build("shop.orders", run_id="run-2")

    assert built.record.outcome is BuildOutcome.PUBLISHED


def test_a_warning_is_counted_on_what_is_published(careful: Shop) -> None:
    contract = careful.folder("shop.orders") / "contract.yaml"
    rule = (
        "        quality:\n          - {name: amount_is_known, metric: invalidValues, mustBe: 0, "
        "severity: warning, arguments: {validValues: [10, 5]}}\n"
    )
    options = "        logicalTypeOptions: {exclusiveMinimum: 0}\n"
    contract.write_text(contract.read_text().replace(options, options + rule))
    careful.deliver(ORDERS + BAD)

    verdict = careful.build("shop.orders").verdict

    assert verdict is not None
    (warned,) = [result for result in verdict.results if result.rule.id == "amount_is_known"]
    assert (warned.failed_rows, warned.checked_rows, warned.quarantined_rows) == (1, 2, 0)


def test_a_row_that_points_at_a_row_set_aside_follows_it(careful: Shop) -> None:
    """Order 6 names order 5 as its first one, and order 5 names order 4, which nobody paid."""
    write_product(
        careful,
        "shop.orders",
        columns=(("order_id", "BIGINT"), ("amount", "BIGINT"), ("first_id", "BIGINT")),
        recipe="""-- source: order_log
select order_id::bigint as order_id, amount::bigint as amount,
    nullif(order_id::bigint - 1, 0) as first_id from source.order_log
""",
    )
    keep_quarantine(careful, limit=80)
    contract = careful.folder("shop.orders") / "contract.yaml"
    text = contract.read_text()
    before, _, after = text.partition("- name: first_id\n")
    own = "        relationships: [{type: foreignKey, to: shop.orders.order_id}]\n"
    after = after.replace("        classification: internal\n", "        classification: internal\n" + own, 1)
    before = before.replace(
        "The amount.\n", "The amount.\n        logicalTypeOptions: {exclusiveMinimum: 0}\n"
    )
    contract.write_text(f"{before}- name: first_id\n{after}")
    careful.deliver(ORDERS + "3,30\n4,0\n5,50\n6,60\n")

    careful.build("shop.orders")

    assert careful.rows("shop.orders") == [(1, 10, None), (2, 20, 1), (3, 30, 2)]
    assert [row[0] for row in aside(careful)] == [4, 5, 6]


def test_expectations_in_python_set_rows_aside_as_well(careful: Shop) -> None:
    (careful.folder("shop.orders") / "expectations.py").write_text(
        "from mesh_assets import mesh\n\n\n@mesh.expectation(columns=['amount'])\n"
        'def amount_is_not_seven(frame):\n    """Seven is unlucky."""\n    return frame["amount"] != 7\n'
    )
    careful.deliver(ORDERS + "3,7\n4,8\n5,7\n")

    careful.build("shop.orders")

    assert careful.rows("shop.orders") == [*GOOD, (4, 8)]
    assert [row[2] for row in aside(careful)] == [["amount_is_not_seven"]] * 2


def test_a_contract_that_ends_its_quarantine_empties_it(careful: Shop) -> None:
    careful.deliver(ORDERS + BAD)
    careful.build("shop.orders")
    contract = careful.folder("shop.orders") / "contract.yaml"
    contract.write_text(contract.read_text().partition("customProperties:")[0])
    careful.deliver(ORDERS)

    built = careful.build("shop.orders", run_id="run-2")

    assert built.version is not None
    assert built.version.certificate.quarantine["rows"] == 0
    assert aside(careful) == []


def test_a_build_that_died_before_its_release_leaves_both_tables_as_they_were(careful: Shop) -> None:
    careful.deliver(ORDERS + "4,0\n")
    careful.build("shop.orders")
    careful.deliver(ORDERS + "5,0\n6,60\n")
    workshop = careful.workshop("shop", run_id="dies")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    workshop.registry.release = die  # type: ignore[method-assign, assignment]
    from mesh_assets.capabilities.publishing.build import build

    with workshop.registry, pytest.raises(KeyboardInterrupt):
        build(workshop, ORDERS_NAME)
    assert (careful.rows("shop.orders"), aside(careful)) == (
        GOOD,
        [(4, 0, ["amount_exclusive_minimum"])],
    )

    careful.deliver(ORDERS)
    careful.build("shop.orders", run_id="run-3")

    assert (careful.rows("shop.orders"), aside(careful)) == (GOOD, [])


class TestCorrections:
    def test_corrected_rows_are_published_by_the_next_build(self, careful: Shop) -> None:
        careful.deliver(ORDERS + BAD)
        careful.build("shop.orders")

        assert release(careful, "order_id,amount\n3,6\n") == 1
        built = careful.build("shop.orders", run_id="run-2")

        assert careful.rows("shop.orders") == [*GOOD, (3, 6)]
        assert aside(careful) == [(4, 0, ["amount_exclusive_minimum"])]
        assert built.version is not None
        (source,) = [each for each in built.version.certificate.sources if each.name == "orders__corrections"]
        assert (careful.settings.home / source.path).is_file()
        assert source.sha256.startswith(source.path.split("/")[-1].removesuffix(".parquet"))
        again = careful.build("shop.orders", run_id="run-3")
        assert again.record.outcome is BuildOutcome.UNCHANGED

    def test_a_correction_is_audited_like_any_row(self, careful: Shop) -> None:
        careful.deliver(ORDERS + BAD)
        careful.build("shop.orders")
        release(careful, "order_id,amount\n4,-3\n")

        careful.build("shop.orders", run_id="run-2")

        assert (4, -3, ["amount_exclusive_minimum"]) in aside(careful)

    def test_releases_add_up_and_a_key_that_comes_again_counts_last(self, careful: Shop) -> None:
        careful.deliver(ORDERS + BAD)
        careful.build("shop.orders")
        release(careful, "order_id,amount\n3,6\n")
        release(careful, "order_id,amount\n4,44\n3,33\n")

        careful.build("shop.orders", run_id="run-2")

        assert careful.rows("shop.orders") == [*GOOD, (3, 33), (4, 44)]

    def test_a_mended_source_wins_over_a_correction(self, careful: Shop) -> None:
        careful.deliver(ORDERS + "3,0\n4,0\n")
        careful.build("shop.orders")
        release(careful, "order_id,amount\n3,33\n4,44\n")
        careful.deliver(ORDERS + "3,30\n")

        careful.build("shop.orders", run_id="run-2")

        assert careful.rows("shop.orders") == [*GOOD, (3, 30)]

    def test_discarding_puts_the_rows_back_into_quarantine(self, careful: Shop) -> None:
        careful.deliver(ORDERS + BAD)
        careful.build("shop.orders")
        release(careful, "order_id,amount\n3,6\n")
        careful.build("shop.orders", run_id="run-2")

        assert discard_corrected(careful.settings, ORDERS_NAME) == 1
        careful.build("shop.orders", run_id="run-3")

        assert careful.rows("shop.orders") == GOOD
        assert len(aside(careful)) == 3

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("order_id,amount\n1,6\n", "1 of its rows have a key that no row in quarantine has"),
            ("order_id,amount\n3,6\n3,7\n", "2 of its rows share a key"),
            ("order_id,amount\n,6\n", "1 of its rows have no key"),
            ("order_id\n3\n", "missing amount"),
            ("order_id,amount,vat\n3,6,1\n", "unknown vat"),
            ("order_id,amount\n3,many\n", "many"),
            ("order_id,amount\n", "it has no rows"),
        ],
    )
    def test_what_cannot_be_a_correction_is_told(self, careful: Shop, text: str, told: str) -> None:
        careful.deliver(ORDERS + BAD)
        careful.build("shop.orders")

        with pytest.raises(CorrectionRefused, match=told):
            release(careful, text)

    def test_a_product_without_quarantine_takes_no_corrections(self, shop: Shop) -> None:
        shop.build("shop.orders")

        with pytest.raises(CorrectionRefused, match="the product keeps no quarantine"):
            release(shop, "order_id,amount\n3,6\n")


def test_a_mask_is_never_taken_for_a_value(shop: Shop) -> None:
    """A masked export that somebody edits and hands in would publish asterisks."""
    write_product(
        shop,
        "shop.orders",
        columns=(("order_id", "BIGINT"), ("buyer", "VARCHAR")),
        recipe="""-- source: order_log
select order_id::bigint as order_id, 'Ann' || amount as buyer from source.order_log
""",
    )
    keep_quarantine(shop, personal="buyer")
    contract = shop.folder("shop.orders") / "contract.yaml"
    contract.write_text(
        contract.read_text().replace(
            "The buyer.\n", "The buyer.\n        logicalTypeOptions: {maxLength: 5}\n"
        )
    )
    shop.deliver(ORDERS + "3,5000\n")
    shop.build("shop.orders")

    with pytest.raises(CorrectionRefused, match=r"hold \*\*\* in place of a personal value"):
        release(shop, "order_id,buyer\n3,***\n")
    assert release(shop, "order_id,buyer\n3,Ann50\n") == 1


class TestWeeks:
    """A weekly product: a rebuilt week replaces what it has in quarantine, the others keep theirs."""

    RECIPE = """\"\"\"Orders from number 10 on are of the second week.\"\"\"

from mesh_assets import mesh


@mesh.recipe(sources=["order_log"])
def orders(run: mesh.Run) -> str:
    weeks = ", ".join(f"date '{week}'" for week in run.weeks)
    return f\"\"\"
        select *, date '2024-01-01' + 7 * (order_id >= 10)::int as week
        from (select order_id::bigint as order_id, amount::bigint as amount from source.order_log)
        where week in ({weeks})
    \"\"\"
"""

    @pytest.fixture
    def weekly(self, shop: Shop) -> Shop:
        write_product(
            shop,
            "shop.orders",
            columns=(("order_id", "BIGINT"), ("amount", "BIGINT"), ("week", "DATE")),
            recipe="",
        )
        (shop.folder("shop.orders") / "recipe.sql").unlink()
        (shop.folder("shop.orders") / "recipe.py").write_text(self.RECIPE)
        contract = shop.folder("shop.orders") / "contract.yaml"
        text = contract.read_text().replace(
            "The amount.\n", "The amount.\n        logicalTypeOptions: {exclusiveMinimum: 0}\n"
        )
        contract.write_text(
            text
            + """customProperties:
  - {property: onFailure, value: quarantine}
  - {property: quarantineLimit, value: 60}
  - property: partitions
    value: {column: week, every: week, first: 2024-01-01, until: 2024-01-15}
"""
        )
        return shop

    def build(self, shop: Shop, run_id: str) -> Any:
        return shop.build("shop.orders", run_id=run_id)

    def test_each_week_has_its_own(self, weekly: Shop) -> None:
        weekly.deliver(ORDERS + "3,0\n11,0\n12,120\n")
        first = self.build(weekly, "run-1").version
        weekly.deliver(ORDERS + "3,0\n11,110\n12,120\n")
        second = self.build(weekly, "run-2").version

        assert {key: each["rows"] for key, each in first.certificate.quarantine["partitions"].items()} == {
            "2024-01-01": 1,
            "2024-01-08": 1,
        }
        assert second.certificate.quarantine["rows"] == 1
        assert [row[0] for row in aside(weekly)] == [3]
        assert [row[0] for row in weekly.rows("shop.orders")] == [1, 2, 11, 12]
        assert self.build(weekly, "run-3").record.outcome is BuildOutcome.UNCHANGED

    @on_every_store("shop")
    def test_a_week_of_a_dead_run_is_put_back_with_its_quarantine(self, weekly: Shop) -> None:
        weekly.deliver(ORDERS + "3,0\n11,0\n12,120\n")
        self.build(weekly, "run-1")
        weekly.deliver(ORDERS + "3,0\n4,0\n11,0\n12,120\n")
        workshop = weekly.workshop("shop", run_id="dies")

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        workshop.registry.release = die  # type: ignore[method-assign, assignment]
        from mesh_assets.capabilities.publishing.build import build

        with workshop.registry, pytest.raises(KeyboardInterrupt):
            build(workshop, ORDERS_NAME)
        weekly.deliver(ORDERS + "3,0\n11,0\n13,0\n12,120\n14,140\n15,150\n")
        self.build(weekly, "run-3")

        assert [row[0] for row in aside(weekly)] == [3, 11, 13]

    def test_corrections_of_a_week_make_that_week_again(self, weekly: Shop) -> None:
        weekly.deliver(ORDERS + "3,0\n11,0\n12,120\n")
        self.build(weekly, "run-1")
        release(weekly, "order_id,amount,week\n11,111,2024-01-08\n")

        stale = self.build(weekly, "run-2")

        assert stale.verdict is not None
        assert set(stale.verdict.fingerprints) == {"2024-01-08"}
        assert [row[0] for row in aside(weekly)] == [3]
        assert (11, 111) in [row[:2] for row in weekly.rows("shop.orders")]


def test_personal_values_are_masked_wherever_they_are_kept(shop: Shop) -> None:
    keep_quarantine(shop, personal="order_id")
    shop.deliver(ORDERS + "77777,5\n77777,6\n")

    built = shop.build("shop.orders")

    with open_registry(shop.settings) as registry:
        reader = Reader(shop.settings, registry, orders(shop))
        shown = quarantined(reader)
        kept = registry.rule_results(ORDERS_NAME)
    assert built.version is not None
    assert {row["order_id"] for row in shown} == {"***"}
    assert [row["mesh_version"] for row in shown] == [1, 1]
    for where in (shown, kept, built.version.certificate):
        assert "77777" not in repr(where)
    manifests = list(shop.settings.lakes.rglob("manifests/**/*.json"))
    assert manifests
    assert all("77777" not in path.read_text() for path in manifests)
    assert json.loads(manifests[0].read_text())["quarantine"]["rows"] == 2
