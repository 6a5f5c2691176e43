"""The one path: what readers see, and when."""

from __future__ import annotations

import json

import pytest

from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import (
    PromiseBroken,
    RecipeFailed,
    SourceMalformed,
    SourceMissing,
    UpstreamMissing,
    WrongColumns,
)
from mesh_assets.words.rules import Outcome
from mesh_assets.words.versions import BuildOutcome
from tests.shop import ORDERS, ORDERS_NAME, Shop, keep_quarantine
from tests.stores import on_every_store


@on_every_store("shop")
def test_a_draft_that_keeps_its_promise_becomes_what_readers_see(shop: Shop) -> None:
    built = shop.build("shop.orders")

    assert built.record.outcome is BuildOutcome.PUBLISHED
    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]


def test_readers_keep_the_old_version_when_a_rule_fails(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,-5\n")

    with pytest.raises(PromiseBroken, match=r"`amount_positive`.*Readers still see version 1"):
        shop.build("shop.orders", run_id="run-2")

    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]


def test_a_refused_draft_is_kept_with_its_failing_rows(shop: Shop) -> None:
    shop.deliver(ORDERS + "2,30\n")

    with pytest.raises(PromiseBroken):
        shop.build("shop.orders")

    with open_registry(shop.settings) as registry:
        results = registry.rule_results(ORDERS_NAME)
        last = registry.last_build(ORDERS_NAME)
    (broken,) = [result for result in results if result.failed_rows]
    assert (broken.rule.id, broken.failed_rows) == ("primary_key", 2)
    assert {row["order_id"] for row in broken.sample} == {2}
    assert last is not None and last.draft is not None


def test_nothing_new_is_published_when_nothing_changed(shop: Shop) -> None:
    shop.build("shop.orders")

    again = shop.build("shop.orders", run_id="run-2")

    assert again.record.outcome is BuildOutcome.UNCHANGED
    assert shop.head("shop.orders") == 1


def test_a_recipe_that_runs_again_and_finds_the_same_publishes_nothing(shop: Shop) -> None:
    shop.build("shop.orders")

    forced = shop.build("shop.orders", run_id="run-2", force=True)

    assert forced.record.outcome is BuildOutcome.UNCHANGED
    assert forced.verdict is not None


def test_a_harmless_edit_of_a_recipe_is_tried_once_and_then_known(shop: Shop) -> None:
    shop.build("shop.orders")
    recipe = shop.folder("shop.orders") / "recipe.sql"
    recipe.write_text(recipe.read_text() + "-- a remark\n")

    first = shop.build("shop.orders", run_id="run-2")
    second = shop.build("shop.orders", run_id="run-3")

    assert (first.record.outcome, second.record.outcome) == (BuildOutcome.UNCHANGED, BuildOutcome.UNCHANGED)
    assert first.verdict is not None and second.verdict is None


def test_new_rows_make_a_new_version_and_leave_the_old_one_readable(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,30\n")

    built = shop.build("shop.orders", run_id="run-2")

    assert built.record.version == 2
    assert shop.rows("shop.orders", version=1) == [(1, 10), (2, 20)]
    assert shop.rows("shop.orders", version=2) == [(1, 10), (2, 20), (3, 30)]


def test_a_changed_promise_is_published_even_if_the_rows_are_the_same(shop: Shop) -> None:
    shop.build("shop.orders")
    contract = shop.folder("shop.orders") / "contract.yaml"
    contract.write_text(contract.read_text().replace("version: 1.0.0", "version: 1.1.0", 1))

    built = shop.build("shop.orders", run_id="run-2")

    assert built.version is not None
    assert (built.version.number, built.version.contract_version) == (2, "1.1.0")


def test_a_product_waits_for_what_it_needs(shop: Shop) -> None:
    with pytest.raises(UpstreamMissing, match=r"books\.revenue needs shop\.orders"):
        shop.build("books.revenue")


@on_every_store("shop")
def test_another_domain_reads_the_published_version(shop: Shop) -> None:
    shop.build("shop.orders")

    built = shop.build("books.revenue")

    assert shop.rows("books.revenue") == [(2, 30)]
    assert built.version is not None
    assert [(str(each.product), each.number) for each in built.version.certificate.inputs] == [
        ("shop.orders", 1)
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("order_id\n1\n", "the column amount is missing"),
        ("", "the file is empty"),
    ],
)
def test_a_malformed_drop_is_named_before_the_recipe_runs(shop: Shop, text: str, told: str) -> None:
    shop.deliver(text)

    with pytest.raises(SourceMalformed, match=told):
        shop.build("shop.orders")


def test_a_byte_of_another_encoding_is_named_with_its_line(shop: Shop) -> None:
    (shop.root / "sources/shop/orders.csv").write_bytes(ORDERS.encode() + b"3,\x9230\n")

    with pytest.raises(SourceMalformed, match="line 4 has the byte 0x92, which is not utf-8"):
        shop.build("shop.orders")


def test_a_missing_drop_is_named_with_its_path(shop: Shop) -> None:
    (shop.root / "sources/shop/orders.csv").unlink()

    with pytest.raises(SourceMissing, match=r"shop/orders\.csv"):
        shop.build("shop.orders")


def test_a_value_that_cannot_be_cast_is_told_with_the_recipe(shop: Shop) -> None:
    shop.deliver(ORDERS + "3,many\n")

    with pytest.raises(RecipeFailed, match=r"Could not convert string .*many.*recipe\.sql"):
        shop.build("shop.orders")


def test_a_recipe_that_returns_other_columns_than_promised_is_told_both_ways(shop: Shop) -> None:
    (shop.folder("shop.orders") / "recipe.sql").write_text(
        "select 1::bigint as order_id, -2 as amount, 3 as vat"
    )

    with pytest.raises(PromiseBroken, match=r"`columns_as_promised`.*amount is stored as.*vat is not in"):
        shop.build("shop.orders")

    with open_registry(shop.settings) as registry:
        results = {result.rule.id: result.outcome for result in registry.rule_results(ORDERS_NAME)}
    assert results["primary_key"] is Outcome.PASSED
    assert results["amount_positive"] is Outcome.FAILED


def test_a_type_that_no_lake_keeps_is_told_before_anything_is_written(shop: Shop) -> None:
    (shop.folder("shop.orders") / "recipe.sql").write_text("select 1::bigint as order_id, sum(1) as amount")

    with pytest.raises(WrongColumns, match="amount is HUGEINT, which no lake can keep; the contract says"):
        shop.build("shop.orders")


def test_a_value_of_a_personal_column_is_not_told(shop: Shop) -> None:
    keep_quarantine(shop, personal="amount")
    shop.deliver(ORDERS + "3,many\n")

    with pytest.raises(RecipeFailed, match=r"Could not convert string '\*\*\*'.*recipe\.sql") as told:
        shop.build("shop.orders")

    assert "many" not in str(told.value)


def test_a_python_recipe_that_raises_is_told_with_its_line(shop: Shop) -> None:
    folder = shop.folder("shop.orders")
    (folder / "recipe.sql").unlink()
    (folder / "recipe.py").write_text(
        "from mesh_assets import mesh\n\n\n@mesh.recipe(sources=['order_log'])\n"
        "def orders(run: mesh.Run):\n    return 1 / 0\n"
    )

    with pytest.raises(RecipeFailed, match=r"ZeroDivisionError: division by zero at .*recipe\.py:6"):
        shop.build("shop.orders")


def test_a_failed_build_is_on_record(shop: Shop) -> None:
    shop.deliver("")

    with pytest.raises(SourceMalformed):
        shop.build("shop.orders")

    with open_registry(shop.settings) as registry:
        last = registry.last_build(ORDERS_NAME)
    assert last is not None
    assert last.outcome is BuildOutcome.FAILED
    assert "the file is empty" in last.message


@on_every_store("shop")
def test_a_build_that_died_between_commit_and_release_is_made_again(shop: Shop) -> None:
    """The lake has the rows, the registry does not: readers are on the old version, and the next build goes
    on.
    """
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,30\n")
    workshop = shop.workshop("shop", run_id="dies")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    workshop.registry.release = die  # type: ignore[method-assign, assignment]
    from mesh_assets.capabilities.publishing.build import build

    with workshop.registry, pytest.raises(KeyboardInterrupt):
        build(workshop, ORDERS_NAME)
    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]

    shop.build("shop.orders", run_id="run-3")

    assert shop.rows("shop.orders") == [(1, 10), (2, 20), (3, 30)]


def test_a_certificate_says_what_where_when_with_and_how(shop: Shop) -> None:
    version = shop.build("shop.orders").version

    assert version is not None
    certificate = version.certificate
    assert certificate.rows == 2
    assert {result["outcome"] for result in certificate.rule_results} == {"passed"}
    assert [source.path for source in certificate.sources] == ["shop/orders.csv"]
    assert certificate.packages["duckdb"] == "1.5.5"
    assert certificate.who == "tester"
    assert "amount_positive" in certificate.contract_text
    assert str(shop.root) not in repr(certificate)


def test_a_run_lets_go_of_its_pins(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue")

    with open_registry(shop.settings) as registry:
        assert registry.pins() == []


def test_a_text_that_is_no_value_of_its_type_is_one_failed_rule_and_all_others_report(shop: Shop) -> None:
    """A program's CSV has texts only; nothing is rounded, and one bad text is no void run."""
    folder = shop.folder("shop.orders")
    (folder / "recipe.sql").unlink()
    (folder / "program.yaml").write_text(
        'command: ["{python}", "orders/program.py"]\ninputs: []\nsources: []\n'
    )
    (folder / "program.py").write_text(
        "import json, pathlib, sys\n"
        "output = json.load(sys.stdin)['output']\n"
        "text = 'order_id,amount\\n1,10\\n2,many\\n3,1.5\\n'\n"
        "(pathlib.Path(output) / 'orders.csv').write_text(text)\n"
    )

    with pytest.raises(PromiseBroken, match=r"amount is stored as VARCHAR.*2 rows hold no BIGINT"):
        shop.build("shop.orders")

    with open_registry(shop.settings) as registry:
        results = {result.rule.id: result.outcome for result in registry.rule_results(ORDERS_NAME)}
    assert results["primary_key"] is Outcome.PASSED
    assert results["amount_positive"] is Outcome.ERROR


def test_a_run_keeps_what_it_reads_while_it_reads(shop: Shop) -> None:
    """The recipe itself looks at the pins: they are there while it runs, and gone afterwards."""
    shop.build("shop.orders")
    folder = shop.folder("books.revenue")
    (folder / "recipe.sql").unlink()
    (folder / "recipe.py").write_text(
        '''"""Who keeps the input now?"""
import json
from mesh_assets import mesh
from mesh_assets.capabilities.registry import open_registry

@mesh.recipe(inputs=["shop.orders"])
def revenue(run):
    with open_registry(run.read("shop.orders").settings) as registry:
        pins = registry.pins()
    told = [[pin.holder, str(pin.product), pin.number, pin.expires is not None] for pin in pins]
    (run.artifacts / "pins.json").write_text(json.dumps(told))
    return "select 1::bigint as order_count, 1::decimal(38,0) as revenue"
''',
        encoding="utf-8",
    )

    shop.build("books.revenue", run_id="run-9")

    kept = shop.settings.lakes / "books" / "artifacts" / "revenue" / "run-9" / "pins.json"
    assert json.loads(kept.read_text()) == [["run run-9 books.revenue", "shop.orders", 1, True]]
    with open_registry(shop.settings) as registry:
        assert registry.pins() == []
