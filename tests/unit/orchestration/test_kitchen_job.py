"""Kitchens from Dagster: a job tries a change out and promotes it, and Dagster hears what readers see."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.capabilities.orchestration.kitchen_job import NAME, kitchen_definitions
from mesh_assets.capabilities.orchestration.promoted import take_back
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.promotions import PromotionState
from tests.shop import make_shop
from tests.unit.kitchens.conftest import git, in_git


def test_a_job_opens_runs_and_promotes_a_kitchen_and_dagster_knows_the_data(tmp_path: Path) -> None:
    shop = in_git(make_shop(tmp_path))
    shop.build("shop.orders")
    shop.build("books.revenue")
    git(shop.root, "checkout", "--quiet", "-b", "better")
    path = shop.folder("shop.orders") / "recipe.sql"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("as bigint) as amount", "as bigint) * 2 as amount"), encoding="utf-8")
    git(shop.root, "commit", "--quiet", "-am", "doubled")
    git(shop.root, "checkout", "--quiet", "main")
    job = kitchen_definitions(shop.settings).resolve_job_def(NAME)
    wanted = {"name": "auto", "branch": "better", "promote": True}

    done = job.execute_in_process(run_config={"ops": {"open_run_promote": {"config": wanted}}})

    assert done.success
    assert shop.rows("shop.orders") == [(1, 20), (2, 40)]
    key = dg.AssetKey(["books", "revenue"])
    with open_instance(shop.settings) as instance, open_registry(shop.settings) as registry:
        event = instance.get_latest_materialization_event(key)
        version = registry.head_versions()
        (promotion,) = registry.promotions()
    assert promotion.state is PromotionState.DONE
    assert event is not None and event.asset_materialization is not None
    tags = event.asset_materialization.tags or {}
    assert {str(name): each.fingerprint for name, each in version.items()}["books.revenue"] in tags.values()
    undone, _ = take_back(shop.settings, promotion.id)
    assert undone.promotion.state is PromotionState.DONE
    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]
