"""`mesh versions`, tags and pins: what is listed, what a version may be called, who keeps it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from mesh_assets.capabilities.registry import open_registry
from tests.shop import ORDERS, ORDERS_NAME, Shop

from .conftest import Command


@pytest.fixture
def three(shop: Shop) -> Shop:
    """shop.orders in three versions of 2, 3 and 4 rows."""
    for number in (1, 2, 3):
        shop.deliver(ORDERS + "".join(f"{key},5\n" for key in range(3, 2 + number)))
        shop.build("shop.orders", run_id=f"run-{number}")
    return shop


def test_versions_tells_how_each_came_to_be(three: Shop, mesh: Command) -> None:
    mesh("tag", "shop.orders@2", "spring")
    mesh("pin", "shop.orders@2", "--holder", "report")

    rows = json.loads(mesh("versions", "shop.orders", "--json").out)

    assert [row["version"] for row in rows] == [3, 2, 1]
    assert [row["head"] for row in rows] == [True, False, False]
    assert [row["rows"] for row in rows] == [4, 3, 2]
    assert (rows[1]["tags"], rows[1]["pins"], rows[1]["who"]) == (["spring"], ["report"], "tester")
    assert rows[0]["rules"]["warned"] == 0


def test_versions_prints_the_newest_only(three: Shop, mesh: Command) -> None:
    said = mesh("versions", "shop.orders", "--limit", "1")

    assert "3 head" in said.out
    assert "run-2" not in said.out


def test_versions_of_what_was_never_built_says_how_to_build_it(mesh: Command) -> None:
    assert "mesh build shop.orders" in mesh("versions", "shop.orders").out


def test_a_tag_is_accepted_wherever_a_version_is(three: Shop, mesh: Command) -> None:
    assert mesh("tag", "shop.orders@1", "first").code == 0

    for arguments in (["shop.orders@first"], ["shop.orders", "--version", "first"], ["shop.orders@1"]):
        said = mesh("read", *arguments, "--format", "csv")
        assert len(said.out.splitlines()) == 3, arguments
    assert json.loads(mesh("show", "shop.orders@first", "--json").out)["certificate"]["number"] == 1


def test_a_tag_moves_only_when_told_to(three: Shop, mesh: Command) -> None:
    mesh("tag", "shop.orders@1", "live")

    refused = mesh("tag", "shop.orders@2", "live")
    moved = mesh("tag", "shop.orders@2", "live", "--move")

    assert refused.code == 1
    assert "is version 1 already" in refused.err
    assert moved.code == 0
    assert mesh("versions", "shop.orders", "--json").out.count("live") == 1


def test_a_tag_that_is_gone_names_no_version(three: Shop, mesh: Command) -> None:
    mesh("tag", "shop.orders@1", "live")
    mesh("tag", "shop.orders", "live", "--delete")

    said = mesh("read", "shop.orders@live")

    assert said.code == 1
    assert "no version 'live'; it has 1 to 3" in said.err
    assert mesh("tag", "shop.orders", "live", "--delete").code == 1


@pytest.mark.parametrize("name", ["3", "", "-x", "a b", "a@b"])
def test_a_tag_cannot_be_taken_for_a_number_or_an_option(three: Shop, mesh: Command, name: str) -> None:
    assert mesh("tag", "shop.orders@1", "--", name).code == 2


def test_a_version_that_is_none_is_told_with_what_there_is(three: Shop, mesh: Command) -> None:
    said = mesh("read", "shop.orders@9")

    assert said.code == 1
    assert "no version '9'; it has 1 to 3" in said.err
    assert mesh("read", "shop.orders@").code == 2
    assert mesh("read", "shop.ordres@1").code == 2
    assert mesh("read", "shop.orders@1", "--version", "2").code == 2


def test_a_pin_has_a_holder_and_an_end(three: Shop, mesh: Command) -> None:
    mesh("pin", "shop.orders@1", "--holder", "report", "--for", "90d")
    mesh("pin", "shop.orders@2", "--holder", "report")

    first, second = json.loads(mesh("pins", "shop.orders", "--json").out)

    left = datetime.fromisoformat(first["expires"]) - datetime.now(UTC)
    assert timedelta(days=89) < left <= timedelta(days=90)
    assert (second["holder"], second["version"], second["expires"]) == ("report", 2, None)


def test_unpin_lets_go_of_one_version_or_of_all(three: Shop, mesh: Command) -> None:
    for number in (1, 2, 3):
        mesh("pin", f"shop.orders@{number}", "--holder", "report")

    assert mesh("unpin", "shop.orders@2", "--holder", "report").code == 0
    assert [row["version"] for row in json.loads(mesh("pins", "--json").out)] == [1, 3]
    assert "2 pins" in mesh("unpin", "--holder", "report").err
    assert "nobody" in mesh("pins").out
    assert mesh("unpin", "--holder", "report").code == 1


@pytest.mark.parametrize(
    "options", [["--for", "soon"], ["--until", "2020-01-01"], ["--for", "1d", "--until", "2090-01-01"]]
)
def test_an_end_that_makes_no_sense_is_refused(three: Shop, mesh: Command, options: list[str]) -> None:
    assert mesh("pin", "shop.orders", *options).code == 2


def test_nobody_takes_the_pins_of_runs(three: Shop, mesh: Command) -> None:
    with open_registry(three.settings) as registry:
        registry.pin("run 7 books.revenue", {ORDERS_NAME: 1})

    assert mesh("unpin", "--holder", "run 7 books.revenue").code == 2


def test_an_expired_version_is_listed_and_is_no_longer_for_use(three: Shop, mesh: Command) -> None:
    with open_registry(three.settings) as registry:
        registry.expire({ORDERS_NAME: [1]}, who="keeper")

    assert "1, expired" in mesh("versions", "shop.orders").out
    for arguments in (
        ["pin", "shop.orders@1"],
        ["tag", "shop.orders@1", "old"],
        ["where", "shop.orders@1"],
        ["diff", "shop.orders", "1", "2"],
        ["rollback", "shop.orders", "--to", "1"],
    ):
        said = mesh(*arguments)
        assert said.code == 1, arguments
        assert "version 1" in said.err
