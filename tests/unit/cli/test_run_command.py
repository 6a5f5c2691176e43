"""`mesh run` and `mesh journeys` as a person or a script meets them, in this process."""

from __future__ import annotations

import json
import re
from io import StringIO

import pytest
from typer.testing import CliRunner

from mesh_assets.cli.app import app
from mesh_assets.cli.progress import Progress
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.orders import NoSuchPartition
from tests.shop import ORDERS, Shop

JOURNEY = """name: takings
description: What was taken.
targets: [books.revenue]
schedule: {cron: "* * * * *"}
steps:
  - {name: bank, external: bank_sync}
  - {name: count, products: [books.revenue]}
expectations:
  rows: {books.revenue: {minimum: 1, maximum: 1}}
"""


@pytest.fixture
def here(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    folder = shop.root / "journeys"
    folder.mkdir()
    (folder / "takings.yaml").write_text(JOURNEY, encoding="utf-8")
    return shop


def mesh(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    if isinstance(done.exception, MeshError):
        raise done.exception
    return done.exit_code, done.stdout


@pytest.mark.parametrize("arguments", [[], ["shop", "--resume"], ["shop", "--missing", "--force"]])
def test_what_contradicts_itself_is_refused(here: Shop, arguments: list[str]) -> None:
    assert mesh("run", *arguments)[0] == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--from", "2024-02-30"], "--from is '2024-02-30', which is no day; write 2024-01-01"),
        (["--to", "week 7"], "--to is 'week 7', which is no day"),
        (["--from", "2024-03-01", "--to", "2024-01-31"], "--from 2024-03-01 lies after --to 2024-01-31"),
        (["--from", "2024-01-01"], "nothing that is selected has partitions"),
    ],
)
def test_days_of_a_backfill_that_are_none_or_turned_round_are_told_before_anything_runs(
    here: Shop, options: list[str], told: str
) -> None:
    with pytest.raises(NoSuchPartition, match=re.escape(told)):
        mesh("run", "*", *options, "--dry-run")


def test_a_dry_run_is_a_document_and_builds_nothing(here: Shop) -> None:
    code, out = mesh("run", "*", "--dry-run", "--json")

    plan = json.loads(out)
    assert code == 0
    assert [(each["product"], each["action"]) for each in plan["steps"]] == [
        ("shop.orders", "build"),
        ("books.revenue", "build"),
    ]
    assert plan["steps"][0]["reasons"] == ["never built"]
    assert here.head("shop.orders") is None


def test_events_are_lines_of_json_and_the_last_one_sums_up(here: Shop) -> None:
    here.build("shop.orders")
    here.build("books.revenue")

    code, out = mesh("run", "books", "--json")

    told = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [each["event"] for each in told] == ["order_started", "product_ended", "order_ended", "summary"]
    assert told[-1]["green"] and told[-1]["products"][0]["outcome"] == "unchanged"


def test_only_the_targets_are_touched_unless_more_is_asked(here: Shop) -> None:
    here.build("shop.orders")
    here.build("books.revenue")
    here.deliver(ORDERS + "3,30\n")

    alone = json.loads(mesh("run", "books", "--dry-run", "--json")[1])
    wider = json.loads(mesh("run", "books", "--upstream", "--dry-run", "--json")[1])

    assert [each["product"] for each in alone["steps"]] == ["books.revenue"]
    assert [each["product"] for each in wider["steps"]] == ["shop.orders", "books.revenue"]


def test_a_journeys_run_waits_for_the_foreign_job(here: Shop) -> None:
    here.build("shop.orders")

    code, out = mesh("run", "takings", "--json")

    summary = json.loads(out.splitlines()[-1])
    skipped = {each["product"]: each for each in summary["products"]}["books.revenue"]
    assert (code, skipped["outcome"]) == (1, "skipped")
    assert "the job bank_sync has reported no success" in skipped["message"]


def test_journeys_are_shown_and_the_exit_code_says_how_they_stand(here: Shop) -> None:
    code, out = mesh("journeys", "--json")
    (found,) = json.loads(out)
    assert (found["journey"], found["now"]["state"], code) == ("takings", "running", 0)

    assert mesh("journey", "report", "bank_sync", "--run", "7")[1].startswith(
        "bank_sync reported, for takings"
    )
    assert "reported before" in mesh("journey", "report", "bank_sync", "--run", "7")[1]
    assert mesh("journey", "report", "nobody")[0] == 2

    here.deliver("order_id,amount\n1,-1\n")
    with pytest.raises(MeshError):
        here.build("shop.orders")
    shown = json.loads(mesh("journey", "show", "takings", "--json", "--history", "3")[1])
    assert shown["targets"] == ["books.revenue"]
    assert len(shown["runs"]) <= 3


def test_the_tree_shows_products_of_a_domain_while_it_runs_and_what_went_wrong() -> None:
    from rich.console import Console

    progress = Progress([ProductName("shop", "orders"), ProductName("books", "revenue")], estimate=12.0)
    progress.tell("order_started", {"kept": {}})
    progress.tell("product_started", {"product": "shop.orders"})

    def picture() -> str:
        console = Console(width=80, record=True, file=StringIO())
        console.print(progress)
        return console.export_text()

    assert "about 12 s in all" in picture()
    assert "orders running" in picture() and "revenue" not in picture()

    progress.tell("product_ended", {"product": "shop.orders", "outcome": "refused", "message": ""})
    progress.tell("product_ended", {"product": "books.revenue", "outcome": "skipped", "message": "waits"})

    assert "✗ shop 1/1" in picture()
    assert "revenue skipped" in picture()
