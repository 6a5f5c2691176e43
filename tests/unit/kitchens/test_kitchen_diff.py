"""What a kitchen changes is told in four layers, and its page can be shown to anybody."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh_assets.capabilities.kitchens.agreement import approve
from mesh_assets.capabilities.kitchens.changes import compare_kitchen, plain
from mesh_assets.capabilities.kitchens.crossing import crossing
from mesh_assets.capabilities.kitchens.promote import promote
from mesh_assets.capabilities.kitchens.report import html_page
from mesh_assets.cli.app import app
from mesh_assets.words.promotions import NotAgreed, NotAnOwner
from tests.shop import Shop
from tests.unit.kitchens.conftest import edit, git
from tests.unit.kitchens.test_promotion import changed


def test_four_layers_are_told_and_hostile_text_is_only_text(
    built: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = changed(built)
    contract = here.settings.domains / "shop" / "orders" / "contract.yaml"
    text = contract.read_text(encoding="utf-8")
    text = re.sub(r"(description: ).*", r'\1"<script>alert(1)</script>"', text, count=1)
    contract.write_text(text, encoding="utf-8")
    git(here.settings.domains, "commit", "--quiet", "-am", "<script>alert(2)</script>")

    with crossing(built.settings, "try") as sides:
        found = compare_kitchen(sides)
    told, page = plain(found), html_page(found)

    assert [each["path"] for each in told["code"]["files"]["shop"]]
    assert [each["product"] for each in told["contracts"]] == ["shop.orders"]
    orders = next(each for each in told["data"] if each["product"] == "shop.orders")
    assert (orders["changed"], orders["columns"]["changed"]) == (2, {"amount": 2})
    assert told["operations"] == []  # the same sources, written in another tree
    assert "<script" not in page and "&lt;script&gt;alert(2)" in page
    assert "<svg" in page and "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    for name, value in built.environment.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["kitchen", "diff", "try", "--json", "--html", str(tmp_path / "a.html")])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["kitchen"] == "try"
    assert CliRunner().invoke(app, ["kitchen", "diff", "try"]).exit_code == 0


def test_owners_agree_to_one_state_and_a_later_change_is_another(built: Shop) -> None:
    (built.root / "OWNERS").write_text(
        "domains/shop/ @tills\ndomains/books/ @counters ann\n", encoding="utf-8"
    )
    git(built.root, "add", "OWNERS")
    git(built.root, "commit", "--quiet", "-m", "owners")
    here = changed(built)

    with pytest.raises(NotAgreed, match=r"@tills for shop.orders"):
        promote(built.settings, "try")
    with crossing(built.settings, "try") as sides:
        with pytest.raises(NotAnOwner, match="@counters, ann, @tills"):
            approve(sides, "@nobody")
        approve(sides, "tills", "tim")
        approve(sides, "ann", "ann")
    edit(here, "shop.orders", "* 2", "* 3")
    git(here.settings.domains, "commit", "--quiet", "-am", "three times")
    with pytest.raises(NotAgreed, match=r"@tills, ann agreed to an earlier state"):
        promote(built.settings, "try")

    edit(here, "shop.orders", "* 3", "* 2")
    git(here.settings.domains, "commit", "--quiet", "-am", "twice again")
    promote(built.settings, "try")

    assert built.rows("shop.orders") == [(1, 20), (2, 40)]
