"""Whoever began before a promotion does not publish over it, and one that is killed is gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from mesh_assets.capabilities.kitchens.promote import Wanted, promote, resume
from mesh_assets.capabilities.publishing.build import build
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from mesh_assets.words.promotions import CodeMoved, NothingUnfinished, PromotionMode, PromotionState
from tests.shop import Shop
from tests.unit.kitchens.conftest import edit, git, opened
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


@pytest.mark.parametrize("step", ["release", "code"])
def test_a_promotion_that_is_killed_is_whole_or_nothing_for_readers_and_goes_on(
    built: Shop, step: str
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
    seen = (built.rows("shop.orders")[0][1], float(str(built.rows("books.revenue")[0][1])))
    shown = step == "code"
    assert seen == ((20, 60.0) if shown else (10, 30.0))
    over = resume(built.settings, "try")
    assert over.state is (PromotionState.LANDED if shown else PromotionState.GIVEN_UP)
    if not shown:
        with pytest.raises(NothingUnfinished):
            resume(built.settings, "try")
        promote(built.settings, "try")
    assert built.rows("shop.orders") == [(1, 20), (2, 40)]
    assert git(built.root, "status", "--porcelain") == ""
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
