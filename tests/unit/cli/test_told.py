"""Promises of `mesh events` and `mesh alert`: what scripts read, and what a person is told of a mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh_assets.cli.app import app
from mesh_assets.words.errors import MeshError
from tests.shop import Shop

RULES = """receivers:
  - {name: log, kind: file}
  - {name: hook, kind: webhook, url_from: HOOK_URL}
rules:
  - {name: refused, to: log, any: [{state: refused}]}
"""


@pytest.fixture
def told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    (shop.root / "alerts.yaml").write_text(RULES, encoding="utf-8")
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    shop.deliver("order_id,amount\n1,-5\n")
    with pytest.raises(MeshError, match="amount_positive"):
        shop.build("shop.orders")
    return shop


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, [*arguments])
    assert done.exit_code == code, done.output
    return done.output


def test_events_are_read_moved_and_read_again(told: Shop) -> None:
    before = json.loads(run("events", "--product", "shop", "--kind", "test", "--json"))
    assert "moved into the lake" in run("events", "flush")

    assert json.loads(run("events", "--product", "shop", "--kind", "test", "--json")) == before
    assert {event["outcome"] for event in before} >= {"passed", "failed"}
    assert "refused" in run("events", "--since", "2h", "--kind", "task")
    assert run("events", "--product", "books").strip() == "nothing of that kind happened"


def test_a_journey_that_tells_a_receiver_that_is_not_there_fails_the_check(
    told: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = told.root / "journeys"
    folder.mkdir()
    monkeypatch.setenv("MESH_JOURNEYS", str(folder))
    text = (
        "name: orders_are_in\ndescription: Orders.\ntargets: [shop.orders]\nschedule: {cron: '0 6 * * 1'}\n"
    )
    (folder / "orders_are_in.yaml").write_text(f"{text}told: [nobody, log]\n", encoding="utf-8")

    assert "orders_are_in tells 'nobody', which is no receiver" in run("alert", "check", code=1)


def test_alerts_are_told_once_listed_and_on_record(told: Shop) -> None:
    assert "HOOK_URL is not set here" in run("alert", "check")
    assert json.loads(run("alert", "send", "--json"))["sent"] == 1
    assert json.loads(run("alert", "send", "--json"))["sent"] == 0

    assert [(each["rule"], each["subject"]) for each in json.loads(run("alert", "list", "--json"))] == [
        ("refused", "shop.orders")
    ]
    assert [each["state"] for each in json.loads(run("alert", "outbox", "--json"))] == ["sent"]
    assert "sent log" in run("alert", "test", "log")
    assert "HOOK_URL is not set" in run("alert", "test", "hook", code=1)


def test_lineage_goes_to_a_file(told: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "lineage.ndjson"
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "file")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", str(target))

    assert json.loads(run("events", "emit", "--json"))["sent"] == 2
    assert json.loads(run("events", "emit", "--json"))["sent"] == 0
    assert [json.loads(line)["eventType"] for line in target.read_text().splitlines()] == ["START", "FAIL"]
