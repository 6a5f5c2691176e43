"""What a kitchen has made is told as proved by data in the impact of a change, as a person asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from mesh_assets.capabilities.kitchens.running import Plan, run_kitchen
from mesh_assets.cli.app import app
from tests.shop import Shop
from tests.unit.kitchens.conftest import edit, opened


def told(shop: Shop, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    for setting, value in shop.environment.items():
        monkeypatch.setenv(setting, value)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("MESH_KITCHEN", raising=False)
    done = CliRunner().invoke(app, [*words])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if "--json" in words else done.stdout


def verdicts(found: Any) -> dict[str, tuple[str, list[str] | None]]:
    return {each["product"]: (each["verdict"], each["columns"]) for each in found["rebuild"]}


def test_an_impact_is_inferred_until_the_kitchen_has_run(
    built: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = opened(built)
    edit(here, "shop.orders", "select cast", "select distinct cast")
    inside = ("--kitchen", "try", "impact")

    assert verdicts(told(built, monkeypatch, *inside, "--json")) == {
        "shop.orders": ("inferred", None),
        "books.revenue": ("inferred", None),
    }

    run_kitchen(here.settings, Plan(audit_share=0.0))
    found = told(built, monkeypatch, *inside, "--json")
    assert verdicts(found) == {"shop.orders": ("proved by data (kitchen try)", [])}
    assert found["spared"] == ["books.revenue"]

    edit(here, "shop.orders", "cast(order_id as bigint)", "1 + cast(order_id as bigint)")
    run_kitchen(here.settings, Plan(audit_share=0.0))
    report = tmp_path / "impact.xml"
    shown = told(built, monkeypatch, *inside, "--markdown", f"--junit={report}")
    assert "| `shop.orders` | code | order_id | *proved by data (kitchen try)* |" in shown
    assert "books.revenue" not in shown.split("Spared")[0]
    cases = ElementTree.fromstring(report.read_text(encoding="utf-8")).findall("testcase")
    assert [each.get("name") for each in cases] == ["shop.orders"]
    assert "proved by data" in str(cases[0].findtext("system-out"))


def test_a_tree_with_other_code_than_the_kitchens_is_not_proved_by_it(
    built: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = opened(built)
    edit(here, "shop.orders", "select cast", "select distinct cast")
    run_kitchen(here.settings, Plan(audit_share=0.0))
    path = built.folder("shop.orders") / "recipe.sql"
    path.write_text(
        path.read_text(encoding="utf-8").replace("cast(amount", "3 * cast(amount"), encoding="utf-8"
    )
    outside = ("impact", "--kitchen-proofs", "try", "--json")

    assert verdicts(told(built, monkeypatch, *outside))["shop.orders"][0] == "inferred"

    own = here.settings.domains / "shop" / "orders" / "recipe.sql"
    path.write_text(own.read_text(encoding="utf-8"), encoding="utf-8")
    assert verdicts(told(built, monkeypatch, *outside)) == {
        "shop.orders": ("proved by data (kitchen try)", [])
    }
