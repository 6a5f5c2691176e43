"""A kitchen lives its whole life wherever production's registry, catalogs and files are."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_assets.capabilities.kitchens.changes import compare_kitchen
from mesh_assets.capabilities.kitchens.crossing import crossing
from mesh_assets.capabilities.kitchens.dropping import drop_kitchen
from mesh_assets.capabilities.kitchens.looking import look_at
from mesh_assets.capabilities.kitchens.promote import promote
from mesh_assets.capabilities.kitchens.running import Plan, Verdict, run_kitchen
from mesh_assets.capabilities.kitchens.undo import undo
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.upkeep.check import check
from mesh_assets.words.names import product_name
from tests.shop import Shop, keep_quarantine, make_shop
from tests.stores import environment_of, on_every_store
from tests.unit.kitchens.conftest import edit, git, in_git, opened
from tests.unit.kitchens.test_promotion import DOUBLED, nothing_is_stale

ORDERS = product_name("shop.orders")


@pytest.fixture
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Shop:
    shop = make_shop(tmp_path / "shop", **environment_of(request))
    keep_quarantine(shop)
    shop.deliver("order_id,amount\n1,10\n2,20\n3,-5\n")
    return in_git(shop)


def set_aside(shop: Shop) -> int:
    with open_registry(shop.settings) as registry:
        head = registry.head(ORDERS)
    assert head is not None
    return int(head.certificate.quarantine["rows"])


def sound(shop: Shop) -> bool:
    """Every file of both domains is there, and says what its certificate says."""
    with open_registry(shop.settings) as registry:
        return not check(shop.settings, registry, ["shop", "books"], deep=True)


@on_every_store("shop")
def test_a_kitchen_is_run_promoted_undone_and_dropped_wherever_production_is(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue")
    here = opened(shop)
    edit(here, "shop.orders", *DOUBLED)
    git(here.settings.domains, "commit", "--quiet", "-am", "amounts doubled")

    run = run_kitchen(here.settings, Plan(audit_share=0.0))
    with crossing(shop.settings, "try") as sides:
        (told,) = (each.compared for each in compare_kitchen(sides).data if each.product == ORDERS)
    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]
    assert look_at(shop.settings, "try").bytes > 0
    assert sound(here)
    promote(shop.settings, "try")

    assert run.of(Verdict.MADE) == (ORDERS, product_name("books.revenue"))
    assert shop.rows("shop.orders") == [(1, 20), (2, 40)]
    assert set_aside(shop) == 1
    assert [float(str(value)) for value in shop.rows("books.revenue")[0]] == [2.0, 60.0]
    assert nothing_is_stale(shop)
    assert sound(shop)
    assert told is not None and told.difference.changed == 2

    undo(shop.settings, 1)

    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]
    assert set_aside(shop) == 1
    assert nothing_is_stale(shop)
    drop_kitchen(shop.settings, "try")
    assert sound(shop)
    assert shop.rows("shop.orders", version=2) == [(1, 20), (2, 40)]
