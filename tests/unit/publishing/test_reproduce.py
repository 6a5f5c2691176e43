"""A version made again from its certificate: identical, or the columns that differ, or why it cannot be."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from mesh_assets.capabilities.lake import lake_of
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.publishing.code import git_state
from mesh_assets.capabilities.publishing.reproduce import Reproduced, reproduce
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import CannotReproduce
from mesh_assets.words.names import product_name
from tests.shop import ORDERS, Shop
from tests.stores import Held, on_every_store


def git(shop: Shop, *arguments: str) -> None:
    identity = ["-c", "user.name=tester", "-c", "user.email=tester@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=shop.root, check=True, capture_output=True)


def commit(shop: Shop) -> None:
    git(shop, "add", "-A", "domains")
    git(shop, "commit", "-q", "-m", "the domains as they are")
    git_state.cache_clear()


@pytest.fixture
def kept(shop: Shop) -> Iterator[Shop]:
    """The shop in a git repository, and both products built from its first commit."""
    git(shop, "init", "-q")
    commit(shop)
    shop.build("shop.orders")
    shop.build("books.revenue")
    yield shop
    git_state.cache_clear()


def again(shop: Shop, product: str, number: int = 1) -> Reproduced:
    with open_registry(shop.settings) as registry:
        found = reproduce(shop.settings, registry, registry.version(product_name(product), number))
        assert registry.pins() == []
    assert not list(shop.settings.scratch.glob("reproduce-*"))
    return found


@on_every_store("shop")
def test_a_version_is_identical_though_all_has_moved_on(kept: Shop) -> None:
    """Other code, other inputs, other versions since: the certificate names the old ones."""
    recipe = kept.folder("books.revenue") / "recipe.sql"
    recipe.write_text(recipe.read_text().replace("sum(amount)", "max(amount)"))
    commit(kept)
    kept.deliver(ORDERS + "3,30\n")
    for product in ("shop.orders", "books.revenue"):
        kept.build(product, run_id="run-2")

    found = again(kept, "books.revenue")

    assert found.identical
    assert found.packages == {}
    assert kept.head("books.revenue") == 2


def test_nothing_is_left_behind(kept: Shop) -> None:
    again(kept, "shop.orders")

    listed = subprocess.run(
        ["git", "worktree", "list"], cwd=kept.root, check=True, capture_output=True, text=True
    )
    assert len(listed.stdout.splitlines()) == 1
    with open_registry(kept.settings) as registry:
        assert len(registry.builds(product_name("shop.orders"))) == 1


def test_columns_that_come_out_otherwise_are_named(kept: Shop) -> None:
    recipe = kept.folder("shop.orders") / "recipe.sql"
    text = recipe.read_text().replace(
        "cast(amount as bigint) as amount", "(1 + random() * 1e15)::bigint as amount"
    )
    recipe.write_text(text)
    commit(kept)
    kept.build("shop.orders", run_id="run-2")

    found = again(kept, "shop.orders", 2)

    assert not found.identical
    assert found.difference is not None
    assert found.difference.changed_columns == {"amount": 2}
    assert (found.difference.added, found.difference.removed) == (0, 0)


def test_sources_that_changed_are_named(kept: Shop) -> None:
    kept.deliver(ORDERS + "3,30\n")

    with pytest.raises(CannotReproduce, match=r"changed since: shop/orders\.csv"):
        again(kept, "shop.orders")


def test_a_commit_that_is_gone_is_told(kept: Shop) -> None:
    shutil.rmtree(kept.root / ".git")
    git(kept, "init", "-q")
    (kept.folder("shop.orders") / "notes.md").write_text("another history")
    commit(kept)

    with pytest.raises(CannotReproduce, match="no commit"):
        again(kept, "shop.orders")


def test_uncommitted_code_is_told(kept: Shop) -> None:
    recipe = kept.folder("shop.orders") / "recipe.sql"
    recipe.write_text(recipe.read_text().replace("as bigint) as amount", "as bigint) + 1 as amount"))
    git_state.cache_clear()
    kept.build("shop.orders", run_id="run-2")

    with pytest.raises(CannotReproduce, match="uncommitted changes"):
        again(kept, "shop.orders", 2)


def test_what_was_made_outside_of_git_is_told(shop: Shop) -> None:
    git_state.cache_clear()
    shop.build("shop.orders")

    with pytest.raises(CannotReproduce, match="outside of a git repository"):
        again(shop, "shop.orders")


@on_every_store("shop")
def test_an_input_that_lost_its_files_is_told(kept: Shop) -> None:
    data = lake_of(kept.settings, "shop").data
    for file in list(store_at(data).below(data)):
        Held(file.path).remove()

    with pytest.raises(CannotReproduce, match=r"its input shop\.orders version 1"):
        again(kept, "books.revenue")


def test_a_version_whose_rows_expired_can_be_made_again(kept: Shop) -> None:
    kept.deliver(ORDERS + "3,30\n")
    kept.build("shop.orders", run_id="run-2")
    kept.deliver(ORDERS)
    with open_registry(kept.settings) as registry:
        registry.expire({product_name("shop.orders"): [1]}, who="keeper")

    assert again(kept, "shop.orders").identical
