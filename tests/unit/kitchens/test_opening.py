"""A kitchen is the whole mesh of one instant, and touches nothing of it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from mesh_assets.capabilities.kitchens.dropping import drop_kitchen
from mesh_assets.capabilities.kitchens.extending import extend_kitchen
from mesh_assets.capabilities.kitchens.looking import leftovers, look_at, look_at_all, plain_look
from mesh_assets.capabilities.kitchens.opening import Wish, open_kitchen
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.build import build
from mesh_assets.capabilities.publishing.stale import stale_now
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.upkeep.check import check
from mesh_assets.capabilities.upkeep.expiry import expire
from mesh_assets.words.errors import VersionExpired
from mesh_assets.words.kitchens import (
    CannotOpen,
    KitchenInUse,
    KitchenNameMalformed,
    KitchenState,
    KitchenTaken,
    OutsideKitchen,
    SampleMalformed,
    SpanMalformed,
    UnknownBase,
    UnknownDomains,
    UnknownKitchen,
    kitchen_name,
    time_to_live,
)
from mesh_assets.words.names import product_name
from mesh_assets.words.settings import read_settings
from tests.cuts import WEEKS, drop, make_cuts
from tests.shop import Shop, make_shop
from tests.unit.kitchens.conftest import edit, entered, everything_below, git, opened

REVENUE = product_name("books.revenue")
LATER = datetime.now(UTC) + timedelta(days=365)


def test_nothing_is_stale_in_a_kitchen_that_was_just_opened(built: Shop) -> None:
    inside = opened(built)

    stale = []
    for name, asset in read_mesh(inside.settings).assets.items():
        workshop = inside.workshop(name.domain)
        stale += stale_now(workshop, asset)
        workshop.registry.close()
    assert not stale


def test_a_change_is_made_and_read_in_the_kitchen_alone(built: Shop) -> None:
    before = everything_below(built.settings.lakes)
    inside = opened(built)
    edit(inside, "books.revenue", "sum(amount)", "sum(amount) * 2")

    made = inside.build("books.revenue", run_id="in-kitchen")

    assert made.version is not None and made.version.number == 2
    assert inside.rows("books.revenue") == [(2, Decimal(60))]
    assert built.rows("books.revenue") == [(2, Decimal(30))]
    assert built.head("books.revenue") == 1
    assert everything_below(built.settings.lakes) == before


def test_what_production_publishes_later_does_not_leak_in(built: Shop) -> None:
    inside = opened(built)
    built.deliver("order_id,amount\n1,1000\n")
    built.build("shop.orders", run_id="run-2")
    built.build("books.revenue", run_id="run-2")

    made = inside.build("books.revenue", run_id="in-kitchen", force=True)

    assert inside.rows("shop.orders") == [(1, 10), (2, 20)]
    assert made.version is not None and made.version.certificate.inputs[0].number == 1
    assert inside.rows("books.revenue") == [(2, Decimal(30))]
    look = look_at(built.settings, "try")
    assert look.releases == 2
    assert {str(name): pair for name, pair in look.moved.items()} == {
        "shop.orders": (1, 2),
        "books.revenue": (1, 2),
    }


def test_a_product_outside_of_its_domains_is_refused_before_its_recipe_runs(built: Shop) -> None:
    inside = opened(built, domains=("books",))

    with pytest.raises(OutsideKitchen, match=r"shop\.orders is not made in kitchen try, which may"):
        inside.build("shop.orders", run_id="in-kitchen", force=True)

    with open_registry(inside.settings) as registry:
        assert not registry.builds_here()


def test_what_a_kitchen_reads_is_not_expired_before_its_time(built: Shop) -> None:
    keep(built, "{versions: 2, days: 1}")
    opened(built)
    more_orders(built)
    mesh, name = read_mesh(built.settings), product_name("shop.orders")

    with open_registry(built.settings) as registry:
        kept = expire(built.settings, registry, mesh.assets.values(), who="tester", now=LATER)
        drop_kitchen(built.settings, "try")
        gone = expire(built.settings, registry, mesh.assets.values(), who="tester", now=LATER)

    assert not kept.versions
    assert [(each.version.product, each.version.number) for each in gone.versions] == [(name, 1)]


def more_orders(shop: Shop) -> None:
    """Two more versions of shop.orders."""
    for run in (2, 3):
        shop.deliver(f"order_id,amount\n1,{run}000\n")
        shop.build("shop.orders", run_id=f"run-{run}")


def keep(shop: Shop, policy: str) -> None:
    """Write a retention into the contract of shop.orders."""
    path = shop.folder("shop.orders") / "contract.yaml"
    text = f"customProperties:\n  - property: retention\n    value: {policy}\n"
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_a_kitchen_can_be_opened_from_a_kitchen(built: Shop) -> None:
    first = opened(built, "first")
    edit(first, "books.revenue", "sum(amount)", "sum(amount) * 2")
    git(first.settings.domains, "commit", "--quiet", "--all", "--message", "twice")
    first.build("books.revenue", run_id="in-first")

    second = opened(built, "second", start="first")

    assert second.rows("books.revenue") == [(2, Decimal(60))]
    assert second.rows("shop.orders") == [(1, 10), (2, 20)]
    assert second.build("books.revenue", run_id="in-second").record.outcome == "unchanged"
    assert second.settings.base is not None and second.settings.base.kitchen == "first"
    with pytest.raises(KitchenInUse, match="second was opened from it"):
        drop_kitchen(built.settings, "first")
    drop_kitchen(built.settings, "second")
    assert drop_kitchen(built.settings, "first").kept_branch == "kitchen/first"


def test_a_kitchen_can_be_opened_from_a_tag_and_from_a_release(built: Shop) -> None:
    with open_registry(built.settings) as registry:
        registry.tag(REVENUE, 1, "spring", who="tester")
    built.deliver("order_id,amount\n1,1000\n")
    built.build("shop.orders", run_id="run-2")
    built.build("books.revenue", run_id="run-2")

    tagged = opened(built, "of-tag", start="spring")
    earlier = opened(built, "of-release", start="release:1")

    assert tagged.rows("shop.orders") == [(1, 10), (2, 20)]
    assert tagged.head("books.revenue") == 1
    assert earlier.head("shop.orders") == 1
    assert earlier.head("books.revenue") is None
    with pytest.raises(UnknownBase, match="Nothing is called 'autumn'"):
        open_kitchen(built.settings, "none", Wish(start="autumn"))
    with pytest.raises(UnknownBase, match="1 to 4"):
        open_kitchen(built.settings, "none", Wish(start="release:9"))


def test_a_kitchen_whose_moment_was_expired_is_not_opened_and_leaves_nothing(built: Shop) -> None:
    keep(built, "{versions: 2, days: 1}")
    more_orders(built)
    mesh = read_mesh(built.settings)
    with open_registry(built.settings) as registry:
        assert expire(built.settings, registry, mesh.assets.values(), who="tester", now=LATER).versions

    with pytest.raises(VersionExpired):
        open_kitchen(built.settings, "then", Wish(start="release:1"))

    assert not list(leftovers(built.settings))
    assert "kitchen/then" not in git(built.root, "branch", "--list")


def test_of_two_kitchens_of_one_name_one_is_opened(built: Shop) -> None:
    opened(built)

    with pytest.raises(KitchenTaken, match="There is a kitchen try already"):
        open_kitchen(built.settings, "try")

    assert [each.kitchen.name for each in look_at_all(built.settings)] == ["try"]


def test_a_drop_frees_what_is_its_own_and_nothing_else(built: Shop) -> None:
    before = everything_below(built.settings.lakes)
    inside = opened(built)
    inside.build("books.revenue", run_id="in-kitchen", force=True)

    dropped = drop_kitchen(built.settings, "try")

    assert dropped.bytes > 0
    assert not built.settings.kitchen_home("try").exists()
    assert everything_below(built.settings.lakes) == before
    with open_registry(built.settings) as registry:
        assert not registry.pins() and not registry.kitchens()
    assert git(built.root, "worktree", "list").count("\n") == 0
    with pytest.raises(UnknownKitchen, match="There is no kitchen 'try'"):
        entered(built, "try").settings  # noqa: B018 - reading the settings is what fails


def test_code_that_is_in_no_commit_is_not_lost_unless_somebody_says_so(built: Shop) -> None:
    inside = opened(built)
    edit(inside, "books.revenue", "sum(amount)", "sum(amount) * 2")

    with pytest.raises(KitchenInUse, match=r"domains/books/revenue/recipe\.sql in its code is in no commit"):
        drop_kitchen(built.settings, "try")
    git(inside.settings.domains, "commit", "--quiet", "--all", "--message", "twice")

    assert drop_kitchen(built.settings, "try").kept_branch == "kitchen/try"
    with pytest.raises(CannotOpen, match="the branch kitchen/try is left of an earlier kitchen"):
        open_kitchen(built.settings, "try")


@pytest.mark.parametrize("stop", ["_seed", "_finish_checkout", "_write_record"])
def test_a_kitchen_whose_opening_was_killed_is_named_and_can_be_dropped(built: Shop, stop: str) -> None:
    died = os.fork()
    if not died:
        import mesh_assets.capabilities.kitchens.opening as opening
        import mesh_assets.capabilities.registry.direct as direct

        setattr(direct if stop == "_seed" else opening, stop, lambda *_: os._exit(9))
        open_kitchen(built.settings, "try")
    os.waitpid(died, 0)

    (told,) = leftovers(built.settings)
    assert "kitchen try is half opened: `mesh kitchen drop try`" in told
    assert "interrupted" in look_at(built.settings, "try").problem
    drop_kitchen(built.settings, "try")
    assert not list(leftovers(built.settings))
    assert opened(built).rows("books.revenue") == [(2, Decimal(30))]


@pytest.mark.parametrize("stop", ["_remove_objects", "_remove_tree", "_let_go"])
def test_a_drop_that_was_killed_is_named_and_can_be_done_again(built: Shop, stop: str) -> None:
    opened(built)
    died = os.fork()
    if not died:
        import mesh_assets.capabilities.kitchens.dropping as dropping

        setattr(dropping, stop, lambda *_: os._exit(9))
        drop_kitchen(built.settings, "try")
    os.waitpid(died, 0)

    (told,) = leftovers(built.settings)
    assert "kitchen try is half dropped: `mesh kitchen drop try`" in told
    drop_kitchen(built.settings, "try")
    assert not list(leftovers(built.settings))


def test_a_kitchen_whose_time_is_over_is_named_and_can_be_extended(built: Shop) -> None:
    made = open_kitchen(built.settings, "try", Wish(ttl=timedelta(microseconds=1)))

    (told,) = leftovers(built.settings)
    assert "the time of kitchen try ended" in told
    longer = extend_kitchen(built.settings, "try", timedelta(days=1))

    assert longer.expires > made.kitchen.expires
    assert not list(leftovers(built.settings))
    with open_registry(built.settings) as registry:
        assert {pin.expires for pin in registry.pins()} == {longer.expires}


def test_without_git_a_kitchen_has_the_code_of_its_base(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    shop.build("shop.orders")

    made = open_kitchen(shop.settings, "try")

    inside = entered(shop, "try")
    assert inside.settings.domains == shop.settings.domains
    assert not made.kitchen.branch
    assert "in no git repository" in made.notes[0]
    assert inside.rows("shop.orders") == [(1, 10), (2, 20)]
    drop_kitchen(shop.settings, "try")
    assert (shop.settings.domains / "shop" / "domain.yaml").is_file()


def test_uncommitted_code_of_production_is_told_of(built: Shop) -> None:
    recipe = built.folder("books.revenue") / "recipe.sql"
    recipe.write_text(f"{recipe.read_text()}\n-- a thought\n")

    made = open_kitchen(built.settings, "try")

    assert made.notes[0].startswith("1 file of the code here in no commit")


def test_a_week_is_made_anew_and_the_others_are_kept_without_a_copied_byte(
    tmp_path: Path,
) -> None:
    mesh = make_cuts(tmp_path)
    for week in WEEKS[:4]:
        drop(mesh, week, [(WEEKS.index(week), date.fromisoformat(week), 10)])
    mesh.build("till.fill")
    before = everything_below(mesh.settings.lakes)
    inside = opened(mesh)
    recipe = inside.settings.domains / "till" / "fill" / "recipe.py"
    recipe.write_text(recipe.read_text().replace("cast(amount as bigint)", "cast(amount as bigint) * 2"))

    workshop = replace(inside.workshop("till", run_id="in-kitchen"), weeks=WEEKS[:1])
    made = build(workshop, product_name("till.fill"))
    workshop.registry.close()

    assert made.version is not None
    assert [row[3] for row in inside.rows("till.fill")] == [20, 10, 10, 10]
    assert [row[3] for row in mesh.rows("till.fill")] == [10, 10, 10, 10]
    assert everything_below(mesh.settings.lakes) == before
    files = list((inside.settings.lakes / "till" / "data").rglob("*.parquet"))
    assert sorted(path.stat().st_nlink > 1 for path in files) == [False, True, True, True, True]
    with open_registry(inside.settings) as registry:
        assert not check(inside.settings, registry, ["till"], deep=True)


def test_what_a_look_tells_can_be_read_by_programs(built: Shop) -> None:
    inside = opened(built, domains=("books",))
    edit(inside, "books.revenue", "sum(amount)", "sum(amount) * 2")
    inside.build("books.revenue", run_id="in-kitchen")
    built.deliver("order_id,amount\n1,1000\n")
    built.build("shop.orders", run_id="run-2")

    told = plain_look(look_at(built.settings, "try"))

    assert told["made"] == {"books.revenue": 2}
    assert told["moved"] == {"shop.orders": [1, 2]}
    assert told["moved_inputs"] == ["shop.orders"]
    assert told["tests"] == {"passed": 1}
    assert told["uncommitted"] == 1
    assert told["domains"] == ["books"]
    assert told["state"] == KitchenState.OPEN.value


@pytest.mark.parametrize("name", ["main", "Try", "a b", "../x", "", "x" * 41, "-a"])
def test_a_name_that_is_no_folder_and_no_branch_is_refused(name: str) -> None:
    with pytest.raises(KitchenNameMalformed, match="is no name of a kitchen"):
        kitchen_name(name)


def test_mistakes_of_a_person_are_told(built: Shop) -> None:
    with pytest.raises(UnknownDomains, match="There is no domain shoop; there are books, shop"):
        open_kitchen(built.settings, "try", Wish(domains=("shoop",)))
    with pytest.raises(SpanMalformed, match="'7 days' is no span of time"):
        time_to_live("7 days")
    with pytest.raises(SampleMalformed, match="--sample '200%'"):
        open_kitchen(built.settings, "try", Wish(sample="200%"))
    with pytest.raises(UnknownKitchen, match="Kitchens here: none"):
        read_settings({**built.environment, "MESH_KITCHEN": "try"})
    assert time_to_live("12h") == timedelta(hours=12)
    assert not list(leftovers(built.settings))
