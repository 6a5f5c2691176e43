"""What a change touches, by column, and what it spares."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mesh_assets.capabilities.lineage.impact import Proof, impact
from mesh_assets.capabilities.lineage.revisions import at_revision, now
from mesh_assets.words.names import product_name
from mesh_assets.words.revisions import NoSuchRevision
from tests.shop import Shop, make_shop, write_product

RECIPE = """-- source: order_log
select cast(order_id as bigint) as order_id, cast(amount as bigint) as amount from source.order_log
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """books.count reads rows only, books.revenue reads amounts; all is committed."""
    made = make_shop(tmp_path)
    write_product(
        made,
        "books.count",
        columns=(("orders", "BIGINT"),),
        recipe="-- input: shop.orders\nselect count(*) as orders from shop.orders\n",
    )
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@b.c commit -qm first"):
        subprocess.run(["git", "-C", str(tmp_path), *command.split()], check=True)
    return made


def touched(shop: Shop, **proved: Proof) -> dict[str, tuple[tuple[str, ...], frozenset[str] | None]]:
    with at_revision(shop.settings, "HEAD") as before:
        facts = {product_name(name.replace("__", ".")): proof for name, proof in proved.items()}
        found = impact(before, now(shop.settings), proved=facts)
    return {str(each.product): (each.why, each.columns) for each in found.touched}


def edit(shop: Shop, before: str, after: str) -> None:
    path = shop.folder("shop.orders") / "recipe.sql"
    assert before in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


def test_an_unchanged_tree_touches_nothing(shop: Shop) -> None:
    code = (
        'from mesh_assets import mesh\n\n\n@mesh.expectation(columns=["amount"])\ndef small(frame):\n'
        '    """Orders are small."""\n    return frame["amount"] < 100\n'
    )
    (shop.folder("shop.orders") / "expectations.py").write_text(code, encoding="utf-8")
    commit = "-c user.name=a -c user.email=a@b.c commit -qm rules"
    for command in ("add -A", commit):
        subprocess.run(["git", "-C", str(shop.root), *command.split()], check=True)

    assert touched(shop) == {}


def test_who_reads_none_of_the_columns_that_change_is_spared(shop: Shop) -> None:
    edit(shop, "cast(amount as bigint)", "2 * cast(amount as bigint)")

    found = touched(shop)

    assert found["shop.orders"] == (("code",), frozenset({"amount"}))
    assert found["books.revenue"] == (("input",), frozenset({"revenue"}))
    assert "books.count" not in found


def test_other_rows_touch_everybody(shop: Shop) -> None:
    edit(shop, "select cast", "select distinct cast")

    assert set(touched(shop)) == {"shop.orders", "books.revenue", "books.count"}


def test_a_comment_touches_nobody(shop: Shop) -> None:
    edit(shop, "select cast", "-- looked at again\nselect cast")

    assert touched(shop) == {}


def test_what_data_have_proved_the_same_goes_no_further(shop: Shop) -> None:
    edit(shop, "select cast", "select distinct cast")

    found = touched(shop, shop__orders=Proof(frozenset(), "kitchen try"))

    assert set(found) == {"shop.orders"}


def test_a_revision_that_is_none_is_told(shop: Shop) -> None:
    with pytest.raises(NoSuchRevision, match="nowhere"), at_revision(shop.settings, "nowhere"):
        pass
