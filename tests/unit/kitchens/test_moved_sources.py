"""Files of operational systems are not pinned: what a kitchen read beyond the pin is told, and is judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh_assets.capabilities.kitchens.promote import Wanted, promote
from mesh_assets.capabilities.kitchens.raw import moved_since_pin
from mesh_assets.capabilities.kitchens.running import Plan, run_kitchen
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.cli.app import app
from mesh_assets.words.kitchens import MovedFile
from mesh_assets.words.names import product_name
from mesh_assets.words.promotions import InTheWay
from tests.shop import Shop
from tests.unit.kitchens.conftest import edit, git, opened

LATER = "order_id,amount\n1,10\n2,21\n"
MOVED = MovedFile("order_log", "shop/orders.csv", "changed")


def doubled(shop: Shop) -> Shop:
    """A kitchen whose code doubles amounts."""
    here = opened(shop)
    edit(here, "shop.orders", "cast(amount as bigint)", "2 * cast(amount as bigint)")
    git(here.settings.domains, "commit", "--quiet", "-am", "twice")
    return here


def test_a_source_that_moved_since_the_pin_is_told_by_run_show_and_diff(
    built: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = doubled(built)
    built.deliver(LATER)

    run = run_kitchen(here.settings, Plan(audit_share=0.0))

    assert "sources moved since the pin: order_log shop/orders.csv (changed)" in run.steps[0].why
    with open_registry(here.settings) as own:
        name = product_name("shop.orders")
        head = own.head(name)
        assert head is not None
        assert moved_since_pin(own, name, head) == (MOVED,)
    for setting, value in built.environment.items():
        monkeypatch.setenv(setting, value)
    page = tmp_path / "try.html"
    commands = (
        ["show", "try"],
        ["diff", "try"],
        ["diff", "try", "--json"],
        ["diff", "try", f"--html={page}"],
    )
    told = [CliRunner().invoke(app, ["kitchen", *words]).output for words in commands]
    assert all("shop/orders.csv" in each for each in (*told[:3], page.read_text(encoding="utf-8")))


def test_what_was_made_from_a_file_that_is_another_now_is_in_the_way_or_made_anew(built: Shop) -> None:
    here = doubled(built)
    run_kitchen(here.settings, Plan(audit_share=0.0))
    built.deliver(LATER)

    with pytest.raises(InTheWay, match=r"orders was made from files that are others now: order_log shop"):
        promote(built.settings, "try", Wanted(rebase=False))
    outcome = promote(built.settings, "try")

    assert product_name("shop.orders") in outcome.remade
    assert built.rows("shop.orders") == [(1, 20), (2, 42)]
    assert [float(value) for value in built.rows("books.revenue")[0]] == [2.0, 62.0]
