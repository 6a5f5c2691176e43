"""Whatever two people do in kitchens and in production, readers see one state, and nobody's work is lost."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mesh_assets.capabilities.kitchens.opening import open_kitchen
from mesh_assets.capabilities.kitchens.promote import promote
from tests.shop import Shop
from tests.unit.kitchens.conftest import entered, git
from tests.unit.kitchens.machine import live
from tests.unit.kitchens.numbers import FACTOR, OFFSET, with_numbers, write, written


@pytest.fixture(scope="module")
def numbers(template: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return with_numbers(tmp_path_factory.mktemp("numbers"), template)


def test_readers_see_one_state_and_nobodys_work_is_lost(numbers: Shop) -> None:
    live(numbers, seed=44, steps=12)


def test_two_who_promote_at_once_both_find_their_change_in_production(numbers: Shop, tmp_path: Path) -> None:
    shutil.copytree(numbers.root, tmp_path / "shop")
    shop = Shop(tmp_path / "shop")
    for name, product, pattern, text in (
        ("one", "shop/orders", FACTOR, r"\1 * 3 as amount"),
        ("two", "books/revenue", OFFSET, "+ 7)::decimal"),
    ):
        open_kitchen(shop.settings, name)
        here = entered(shop, name)
        write(here, product, pattern, text)
        git(here.settings.domains, "commit", "--quiet", "-am", name)
        here.build("shop.orders", run_id=name)
        here.build("books.revenue", run_id=name)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: promote(shop.settings, name), ("one", "two")))

    assert written(shop) == (3, 7)
    assert int(str(shop.rows("books.revenue")[0][1])) == 97
