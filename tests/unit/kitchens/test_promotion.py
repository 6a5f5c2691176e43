"""A promotion brings all of a kitchen into production in one release, or nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_assets.capabilities.kitchens.agreement import approve
from mesh_assets.capabilities.kitchens.crossing import crossing
from mesh_assets.capabilities.kitchens.promote import Wanted, promote
from mesh_assets.capabilities.lake import lake_of
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.stale import stale_now
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from mesh_assets.words.promotions import (
    CodeConflict,
    ExpectationBroken,
    InTheWay,
    MadeElsewhere,
    NothingToPromote,
    NotRun,
    PromotionMode,
    PromotionState,
    SampledKitchen,
    TreeNotClean,
)
from tests.shop import Shop
from tests.unit.kitchens.conftest import edit, git, opened

DOUBLED = ("cast(amount as bigint) as amount", "cast(amount as bigint) * 2 as amount")


def changed(shop: Shop, name: str = "try") -> Shop:
    """A kitchen in which amounts are doubled, committed and built."""
    here = opened(shop, name)
    edit(here, "shop.orders", *DOUBLED)
    git(here.settings.domains, "commit", "--quiet", "-am", "amounts doubled")
    here.build("shop.orders", run_id=f"{name}-1")
    here.build("books.revenue", run_id=f"{name}-2")
    return here


def releases(shop: Shop) -> int:
    with open_registry(shop.settings) as registry:
        return len(registry.releases())


def nothing_is_stale(shop: Shop) -> bool:
    """No product of the mesh would be made by a build of now."""
    found = []
    for name, asset in read_mesh(shop.settings).assets.items():
        workshop = shop.workshop(name.domain)
        found += stale_now(workshop, asset) if asset.in_lake else ()
        workshop.registry.close()
    return not found


def test_code_and_data_of_two_domains_are_production_in_one_release(built: Shop) -> None:
    changed(built)
    before = releases(built)

    outcome = promote(built.settings, "try")

    assert outcome.promotion is not None
    assert outcome.promotion.state is PromotionState.LANDED
    assert releases(built) == before + 1
    assert built.rows("shop.orders") == [(1, 20), (2, 40)]
    assert [float(value) for value in built.rows("books.revenue")[0]] == [2.0, 60.0]
    assert "* 2" in (built.folder("shop.orders") / "recipe.sql").read_text(encoding="utf-8")
    assert git(built.root, "status", "--porcelain") == ""


def test_after_a_promotion_nothing_is_to_be_built(built: Shop) -> None:
    changed(built)

    promote(built.settings, "try")

    assert nothing_is_stale(built)


def test_promoted_files_are_the_kitchens_own_under_a_second_name(built: Shop) -> None:
    here = changed(built)

    promote(built.settings, "try")

    with open_registry(built.settings) as registry, open_registry(here.settings) as own:
        version = registry.head(product_name("shop.orders"))
        assert version is not None
        made = own.version(product_name("shop.orders"), int(version.certificate.promoted["version"]))
    theirs = Path(lake_of(built.settings, "shop").root, version.certificate.files[0])
    ours = Path(lake_of(here.settings, "shop").root, made.certificate.files[0])
    assert theirs.stat().st_ino == ours.stat().st_ino


def test_a_certificate_names_the_kitchen_and_what_production_has_beside_it(built: Shop) -> None:
    changed(built)

    promote(built.settings, "try", Wanted(who="ann"))

    with open_registry(built.settings) as registry:
        revenue = registry.head(product_name("books.revenue"))
        orders = registry.head(product_name("shop.orders"))
    assert revenue is not None and orders is not None
    assert revenue.certificate.promoted["kitchen"] == "try"
    assert revenue.certificate.who == "ann"
    assert revenue.certificate.inputs[0].number == orders.number
    assert revenue.certificate.inputs[0].snapshot == orders.snapshot
    assert revenue.certificate.git_commit == git(built.root, "rev-parse", "HEAD")


def test_a_dry_run_moves_nothing(built: Shop) -> None:
    changed(built)
    head = git(built.root, "rev-parse", "HEAD")

    outcome = promote(built.settings, "try", Wanted(dry=True))

    assert outcome.promotion is None
    assert {str(name) for name in outcome.plan.pieces} == {"shop.orders", "books.revenue"}
    assert (built.head("shop.orders"), git(built.root, "rev-parse", "HEAD")) == (1, head)


def test_a_stale_branch_does_not_revert_a_colleague(built: Shop) -> None:
    """Two kitchens of one instant; the second knows nothing of the first one's change."""
    changed(built, "first")
    second = opened(built, "second")
    edit(second, "books.revenue", "count(*) as order_count", "count(*) + 100 as order_count")
    git(second.settings.domains, "commit", "--quiet", "-am", "counts from 100")
    second.build("books.revenue", run_id="second-1")
    promote(built.settings, "first")

    outcome = promote(built.settings, "second")

    assert [str(name) for name in outcome.remade] == ["books.revenue"]
    assert [float(value) for value in built.rows("books.revenue")[0]] == [102.0, 60.0]
    assert nothing_is_stale(built)


def test_without_leave_to_make_anew_who_moved_is_named(built: Shop) -> None:
    changed(built)
    built.deliver("order_id,amount\n1,10\n2,20\n3,30\n")
    built.build("shop.orders", run_id="colleague")

    with pytest.raises(InTheWay, match=r"shop.orders is at version 2 since .*tester, run colleague"):
        promote(built.settings, "try", Wanted(rebase=False))

    assert built.rows("shop.orders") == [(1, 10), (2, 20), (3, 30)]


def test_what_moved_is_made_anew_from_the_kitchens_code_and_the_newer_data(built: Shop) -> None:
    changed(built)
    built.deliver("order_id,amount\n1,10\n2,20\n3,30\n")
    built.build("shop.orders", run_id="colleague")

    promote(built.settings, "try")

    assert built.rows("shop.orders") == [(1, 20), (2, 40), (3, 60)]
    assert [float(value) for value in built.rows("books.revenue")[0]] == [3.0, 120.0]


def test_code_that_does_not_merge_is_refused_with_the_path_and_the_person(built: Shop) -> None:
    changed(built)
    path = built.folder("shop.orders") / "recipe.sql"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(DOUBLED[0], "cast(amount as bigint) * 3 as amount"), encoding="utf-8")
    git(built.root, "commit", "--quiet", "-am", "thrice")

    with pytest.raises(CodeConflict, match=r"shop/orders/recipe.sql \(a, 20..-..-..: thrice\)"):
        promote(built.settings, "try")

    assert built.head("shop.orders") == 1


def test_code_that_was_not_built_is_not_promoted_with_data(built: Shop) -> None:
    here = opened(built)
    edit(here, "shop.orders", *DOUBLED)
    git(here.settings.domains, "commit", "--quiet", "-am", "doubled")

    with pytest.raises(NotRun, match=r"shop\.orders"):
        promote(built.settings, "try")


def test_code_alone_is_made_by_production(built: Shop) -> None:
    here = opened(built)
    edit(here, "shop.orders", *DOUBLED)
    git(here.settings.domains, "commit", "--quiet", "-am", "doubled")

    promote(built.settings, "try", Wanted(mode=PromotionMode.CODE))

    assert built.head("shop.orders") == 1
    assert not nothing_is_stale(built)


def test_data_alone_needs_a_reason_and_is_held(built: Shop) -> None:
    changed(built)
    head = git(built.root, "rev-parse", "HEAD")

    promote(built.settings, "try", Wanted(mode=PromotionMode.DATA, reason="amounts were halved"))

    assert git(built.root, "rev-parse", "HEAD") == head
    assert built.rows("shop.orders") == [(1, 20), (2, 40)]


def test_changes_in_no_commit_are_in_the_way(built: Shop) -> None:
    here = changed(built)
    edit(here, "books.revenue", "count(*)", "count(*) + 1")

    with pytest.raises(TreeNotClean, match=r"books/revenue/recipe.sql"):
        promote(built.settings, "try")


def test_a_sample_is_never_promoted(built: Shop) -> None:
    opened(built, sample="50%")

    with pytest.raises(SampledKitchen):
        promote(built.settings, "try")


def test_a_kitchen_without_a_change_has_nothing_to_promote(built: Shop) -> None:
    opened(built)

    with pytest.raises(NothingToPromote):
        promote(built.settings, "try")


def test_a_kitchen_goes_on_after_its_promotion(built: Shop) -> None:
    here = changed(built)
    promote(built.settings, "try")
    edit(here, "shop.orders", "* 2", "* 4")
    git(here.settings.domains, "commit", "--quiet", "-am", "four times")
    here.build("shop.orders", run_id="again-1")
    here.build("books.revenue", run_id="again-2")

    promote(built.settings, "try")

    assert built.rows("shop.orders") == [(1, 40), (2, 80)]
    with crossing(built.settings, "try") as sides:
        assert not sides.made


def test_an_input_that_moved_in_columns_that_are_not_read_is_not_in_the_way(built: Shop) -> None:
    here = opened(built)
    edit(here, "books.revenue", "sum(amount)", "sum(amount) + 1000")
    git(here.settings.domains, "commit", "--quiet", "-am", "a thousand more")
    here.build("books.revenue", run_id="kitchen-1")
    built.deliver("order_id,amount\n5,10\n6,20\n")
    built.build("shop.orders", run_id="colleague")
    built.build("books.revenue", run_id="colleague")

    outcome = promote(built.settings, "try", Wanted(rebase=False))

    assert not outcome.remade
    assert float(str(built.rows("books.revenue")[0][1])) == 1030.0
    assert nothing_is_stale(built)


def test_a_change_that_another_domain_reads_says_how_it_comes_into_production(built: Shop) -> None:
    """`mesh kitchen run` would not make it: the kitchen may not."""
    here = opened(built, domains=("shop",))
    edit(here, "shop.orders", *DOUBLED)
    git(here.settings.domains, "commit", "--quiet", "-am", "amounts doubled")
    here.build("shop.orders", run_id="try-1")
    (built.root / "notes.txt").write_text("production moves on", encoding="utf-8")
    git(built.root, "add", "notes.txt")
    git(built.root, "commit", "--quiet", "-m", "notes")

    with pytest.raises(
        MadeElsewhere, match=r"books\.revenue .* --code-only.* --domains books,shop`, and merge kitchen/try"
    ):
        promote(built.settings, "try")

    promote(built.settings, "try", Wanted(mode=PromotionMode.CODE))
    built.build("shop.orders", run_id="production-1")
    built.build("books.revenue", run_id="production-2")
    assert built.rows("books.revenue")[0][1] == 60
    assert nothing_is_stale(built)


def test_what_a_consumer_expects_holds_on_the_merged_state(built: Shop) -> None:
    """Written in production after the kitchen was opened: its own audit knows nothing of it."""
    changed(built)
    limit = "        logicalType: integer\n        logicalTypeOptions: {maximum: 30}\n"
    built.expects("books", "shop.orders", f"    properties:\n      - name: amount\n{limit}")
    git(built.root, "add", "--all")
    git(built.root, "commit", "--quiet", "-m", "expects small amounts")

    with pytest.raises(ExpectationBroken, match="which books expects and production keeps"):
        promote(built.settings, "try")

    assert built.rows("shop.orders") == [(1, 10), (2, 20)]
    (built.root / "OWNERS").write_text("domains/books/expects/ @counters\n", encoding="utf-8")
    git(built.root, "add", "--all")
    git(built.root, "commit", "--quiet", "-m", "owners")
    with crossing(built.settings, "try") as sides:
        approve(sides, "@counters")
    promote(built.settings, "try")
    assert built.rows("shop.orders") == [(1, 20), (2, 40)]
