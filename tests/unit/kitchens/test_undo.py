"""A promotion goes back as it came: whole, forward, and not past what others have built on it."""

from __future__ import annotations

import pytest

from mesh_assets.capabilities.kitchens.promote import promote
from mesh_assets.capabilities.kitchens.undo import Undoing, undo
from mesh_assets.capabilities.publishing.rollback import roll_back
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from mesh_assets.words.promotions import CannotUndo, PartOfPromotion
from tests.shop import Shop
from tests.unit.kitchens.conftest import git
from tests.unit.kitchens.test_promotion import changed, nothing_is_stale


def test_an_undone_promotion_leaves_code_and_data_as_they_were_and_nothing_to_build(built: Shop) -> None:
    tree = git(built.root, "rev-parse", "HEAD^{tree}")
    changed(built)
    promote(built.settings, "try")

    undone = undo(built.settings, 1, Undoing("doubled by mistake"))

    assert {version.number for version in undone.versions} == {3}
    assert built.rows("shop.orders") == [(1, 10), (2, 20)]
    assert [float(value) for value in built.rows("books.revenue")[0]] == [2.0, 30.0]
    assert git(built.root, "rev-parse", "HEAD^{tree}") == tree
    assert git(built.root, "status", "--porcelain") == ""
    assert nothing_is_stale(built)
    with pytest.raises(CannotUndo, match="promotion 2 has undone it already"):
        undo(built.settings, 1)


def test_what_was_published_since_stands_in_the_way_of_undoing(built: Shop) -> None:
    changed(built)
    promote(built.settings, "try")
    built.deliver("order_id,amount\n7,70\n")
    built.build("shop.orders", run_id="later")

    with pytest.raises(CannotUndo, match=r"shop.orders is at version 3 since \(tester, run later\)"):
        undo(built.settings, 1)


def test_one_product_of_a_promotion_is_not_rolled_back_alone(built: Shop) -> None:
    changed(built)
    promote(built.settings, "try")
    workshop = built.workshop("shop", run_id="rollback-1")
    with open_registry(built.settings) as registry:
        target = registry.version(product_name("shop.orders"), 1)

    with pytest.raises(PartOfPromotion, match=r"together with books.revenue.*mesh kitchen undo 1"):
        roll_back(workshop, target)
