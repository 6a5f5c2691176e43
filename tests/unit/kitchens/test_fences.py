"""Whoever began before a promotion does not publish over it, and one that is killed is gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from mesh_assets.capabilities.kitchens.dropping import drop_kitchen
from mesh_assets.capabilities.kitchens.opening import Wish, open_kitchen
from mesh_assets.capabilities.kitchens.promote import Wanted, promote, resume
from mesh_assets.capabilities.kitchens.undo import undo
from mesh_assets.capabilities.publishing.build import build
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.kitchens import CannotOpen
from mesh_assets.words.names import product_name
from mesh_assets.words.promotions import (
    CodeConflict,
    CodeMoved,
    NothingUnfinished,
    PromotionMode,
    PromotionState,
)
from tests.shop import Shop
from tests.unit.kitchens.conftest import edit, entered, git, opened
from tests.unit.kitchens.test_promotion import changed, nothing_is_stale

#: Promotes, and dies without a word when it comes to a step.
DYING = """
import os, signal, sys
from mesh_assets.capabilities.kitchens import promote as promoting
from mesh_assets.words.settings import read_settings

def step(name):
    if name == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)

promoting.promote(read_settings(), "try", promoting.Wanted(on_step=step))
"""


def test_a_run_that_began_before_a_promotion_does_not_publish_over_it(built: Shop) -> None:
    changed(built)
    old = replace(built.workshop("shop", run_id="began-before"), force=True)
    promote(built.settings, "try")
    built.deliver("order_id,amount\n1,11\n")

    with pytest.raises(CodeMoved, match="before promotion 1 of kitchen try"):
        build(old, product_name("shop.orders"))

    with open_registry(built.settings) as registry:
        assert registry.builds_of("began-before") == {}  # automation takes it for unheard, and asks again
    assert built.build("shop.orders", run_id="anew").version is not None
    assert built.rows("shop.orders") == [(1, 22)]


def test_code_alone_fences_as_well(built: Shop) -> None:
    here = opened(built)
    edit(here, "shop.orders", "cast(amount as bigint)", "2 * cast(amount as bigint)")
    git(here.settings.domains, "commit", "--quiet", "-am", "doubled")
    old = replace(built.workshop("shop", run_id="began-before"), force=True)

    promote(built.settings, "try", Wanted(mode=PromotionMode.CODE))

    with pytest.raises(CodeMoved):
        build(old, product_name("shop.orders"))


@pytest.mark.parametrize(
    ("step", "then"),
    [("lakes", "promote"), ("release", "resume"), ("code", "promote"), ("code", "undo"), ("kitchen", "drop")],
)
def test_a_promotion_that_is_killed_is_whole_or_nothing_and_the_next_command_ends_it(
    built: Shop, step: str, then: str
) -> None:
    changed(built)

    done = subprocess.run(
        [sys.executable, "-c", DYING, step],
        env={**os.environ, **built.environment},
        capture_output=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    shown = step in ("code", "kitchen")
    assert seen(built) == ((20, 60.0) if shown else (10, 30.0))
    goes_on(built, then)
    stays = shown or then == "promote"
    assert seen(built) == ((20, 60.0) if stays and then != "undo" else (10, 30.0))
    with open_registry(built.settings) as registry:
        assert {each.state for each in registry.unfinished_promotions()} <= {PromotionState.LANDED}
    assert git(built.root, "status", "--porcelain") == ""
    assert nothing_is_stale(built)


@pytest.mark.parametrize("start", ["main", "other"])
def test_no_kitchen_is_opened_on_data_whose_code_is_on_its_way(built: Shop, start: str) -> None:
    """From `other`, a kitchen that moves by itself, one can be opened all the same."""
    open_kitchen(built.settings, "other")
    changed(built)
    told = []

    def step(name: str) -> None:
        if name == "code" and start == "main":
            with pytest.raises(CannotOpen, match="promotion 1 of kitchen try shows its data") as refused:
                open_kitchen(built.settings, "early")
            told.append(str(refused.value))
            assert not built.settings.kitchen_home("early").exists()
        elif name == "code":
            told.append(open_kitchen(built.settings, "early", Wish(start=start)).kitchen.base)

    promote(built.settings, "try", Wanted(on_step=step))

    assert len(told) == 1
    if start == "main":
        early = open_kitchen(built.settings, "early")
        assert early.kitchen.commit == git(built.root, "rev-parse", "HEAD")
        assert entered(built, "early").rows("shop.orders")[0][1] == 20


def test_who_goes_on_ends_what_stands_half_way_and_not_what_landed_before(built: Shop) -> None:
    """Of the first one only Dagster has not heard."""
    here = changed(built)
    promote(built.settings, "try")
    edit(here, "shop.orders", "* 2", "* 4")
    git(here.settings.domains, "commit", "--quiet", "-am", "four times")
    here.build("shop.orders", run_id="again-1")
    here.build("books.revenue", run_id="again-2")

    def step(name: str) -> None:
        if name == "code":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        promote(built.settings, "try", Wanted(on_step=step))

    assert resume(built.settings, "try").id == 2
    assert "* 4" in (built.folder("shop.orders") / "recipe.sql").read_text(encoding="utf-8")


def test_what_production_builds_upon_a_promotion_before_it_has_ended_is_not_half_of_a_kitchen(
    built: Shop,
) -> None:
    here = opened(built)
    edit(here, "books.revenue", "sum(amount)", "sum(amount) + 1000")
    git(here.settings.domains, "commit", "--quiet", "-am", "a thousand more")
    here.build("books.revenue", run_id="kitchen-1")

    def step(name: str) -> None:
        if name == "kitchen":
            built.deliver("order_id,amount\n1,11\n2,22\n")
            built.build("shop.orders", run_id="colleague")
            built.build("books.revenue", run_id="colleague")

    promote(built.settings, "try", Wanted(on_step=step))

    assert float(str(built.rows("books.revenue")[0][1])) == 1033.0
    assert here.rows("shop.orders") == [(1, 10), (2, 20)]
    assert float(str(here.rows("books.revenue")[0][1])) == 1030.0


def seen(shop: Shop) -> tuple[object, float]:
    """An amount, and the sum of all."""
    return shop.rows("shop.orders")[0][1], float(str(shop.rows("books.revenue")[0][1]))


def goes_on(shop: Shop, command: str) -> None:
    if command == "promote":
        assert promote(shop.settings, "try").promotion is not None
    elif command == "resume":
        assert resume(shop.settings, "try").state is PromotionState.GIVEN_UP
        with pytest.raises(NothingUnfinished):
            resume(shop.settings, "try")
    elif command == "undo":
        undo(shop.settings, 1)
    else:
        drop_kitchen(shop.settings, "try")


def committed_between(shop: Shop) -> Callable[[str], None]:
    """Somebody changes the same line in production after the release, and before the code."""

    def step(name: str) -> None:
        if name == "code":
            recipe = shop.folder("shop.orders") / "recipe.sql"
            text = recipe.read_text(encoding="utf-8")
            recipe.write_text(text.replace("as bigint) as amount", "as bigint) * 1 as amount"), "utf-8")
            git(shop.root, "commit", "--quiet", "-am", "times one")

    return step


def test_data_whose_code_cannot_follow_is_taken_back(built: Shop) -> None:
    changed(built)

    with pytest.raises(CodeConflict, match="promotion 2 has taken it back"):
        promote(built.settings, "try", Wanted(on_step=committed_between(built)))

    assert seen(built) == (10, 30.0)
    assert "* 1 as amount" in (built.folder("shop.orders") / "recipe.sql").read_text(encoding="utf-8")
    assert git(built.root, "status", "--porcelain") == ""
    built.build("shop.orders", run_id="goes-on")  # no fence is left that nobody could pass
    assert nothing_is_stale(built)


def test_somebody_who_commits_between_the_release_and_the_code_loses_nothing(built: Shop) -> None:
    changed(built)

    def step(name: str) -> None:
        if name == "code":
            (built.root / "notes.txt").write_text("hello", encoding="utf-8")
            git(built.root, "add", "notes.txt")
            git(built.root, "commit", "--quiet", "-m", "notes")

    promote(built.settings, "try", Wanted(on_step=step))

    assert (built.root / "notes.txt").read_text(encoding="utf-8") == "hello"
    assert "* 2" in (built.folder("shop.orders") / "recipe.sql").read_text(encoding="utf-8")
    assert git(built.root, "status", "--porcelain") == ""
