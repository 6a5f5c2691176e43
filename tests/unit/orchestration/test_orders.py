"""Orders: what they take next, what they plan and why, what they leave alone, how they are taken up again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.orchestration.asked import check_partitions, targets
from mesh_assets.capabilities.orchestration.batches import waves
from mesh_assets.capabilities.orchestration.choosing import Site, asked_partitions
from mesh_assets.capabilities.orchestration.launch_here import RunsHere
from mesh_assets.capabilities.orchestration.orders import Desk, give, interrupted, launcher_for, resume
from mesh_assets.capabilities.orchestration.plan import plan
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import ProductName
from mesh_assets.words.orders import (
    Mode,
    NoServer,
    NoSuchPartition,
    NothingToResume,
    OrderItem,
    OrderState,
    RunOrder,
    UnknownTarget,
)
from mesh_assets.words.settings import read_settings
from mesh_assets.words.versions import BuildOutcome
from tests.shop import ORDERS, Shop, write_product

TILL, REVENUE = ProductName("shop", "orders"), ProductName("books", "revenue")
BOTH = RunOrder(names=(REVENUE, TILL))


@pytest.fixture
def site(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    with open_registry(shop.settings) as registry:
        yield Site(shop.settings, registry, read_mesh(shop.settings))


@pytest.fixture
def sold(shop: Shop, site: Site) -> Site:
    """Both products are published."""
    shop.build("shop.orders")
    shop.build("books.revenue")
    return site


def steps(site: Site, order: RunOrder = BOTH) -> dict[str, tuple[str, str]]:
    return {str(each.product): (each.action, "; ".join(each.reasons)) for each in plan(site, order).steps}


def test_a_plan_says_that_nothing_was_ever_built(site: Site) -> None:
    found = plan(site, BOTH)

    assert steps(site) == {
        "shop.orders": ("build", "never built"),
        "books.revenue": ("build", "never built; after shop.orders"),
    }
    assert (found.runs, found.unknown) == (2, 2)


def test_a_plan_says_what_changed_and_estimates_from_history(shop: Shop, sold: Site) -> None:
    assert steps(sold) == {
        "shop.orders": ("keep", "nothing changed"),
        "books.revenue": ("keep", "nothing changed"),
    }

    shop.deliver(ORDERS + "3,30\n")

    assert steps(sold)["shop.orders"] == ("build", "source order_log changed: 1 changed (orders.csv)")
    assert steps(sold)["books.revenue"] == ("build", "after shop.orders")
    assert plan(sold, BOTH).seconds > 0

    shop.build("shop.orders", run_id="run-2")

    assert steps(sold)["books.revenue"] == ("build", "shop.orders moved from version 1 to 2")


def test_a_plan_names_changed_code_and_contract(shop: Shop, sold: Site) -> None:
    folder = shop.folder("books.revenue")
    recipe, contract = folder / "recipe.sql", folder / "contract.yaml"
    recipe.write_text(recipe.read_text() + "-- a remark\n")
    assert "its code changed" in steps(sold)["books.revenue"][1]

    contract.write_text(contract.read_text().replace("version: 1.0.0", "version: 1.1.0", 1))
    changed = Site(sold.settings, sold.registry, read_mesh(sold.settings))

    assert "its contract changed (1.0.0 to 1.1.0)" in steps(changed)["books.revenue"][1]


def test_missing_builds_only_what_was_never_built(shop: Shop, site: Site) -> None:
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,30\n")

    found = steps(site, RunOrder(names=(REVENUE, TILL), mode=Mode.MISSING))

    assert found["shop.orders"] == ("keep", "nothing missing")
    assert found["books.revenue"][0] == "build"


def test_a_pause_is_told_and_kept_by_an_order(shop: Shop, sold: Site) -> None:
    """A paused product with a version does not stop those who read it."""
    sold.registry.pause("shop", "stocktaking", "the owner")
    shop.deliver(ORDERS + "3,30\n")

    action, why = steps(sold)["shop.orders"]
    assert action == "skip" and "stocktaking" in why

    done = give(Desk(sold, RunsHere(sold.settings)), BOTH)
    outcomes = {str(each.product): each.outcome for each in done.records}

    assert outcomes == {"shop.orders": BuildOutcome.SKIPPED, "books.revenue": BuildOutcome.UNCHANGED}
    assert not done.green


def test_an_order_builds_in_runs_of_its_domains_and_is_on_record(shop: Shop, site: Site) -> None:
    told: list[tuple[str, Mapping[str, Any]]] = []

    done = give(Desk(site, RunsHere(site.settings), lambda event, facts: told.append((event, facts))), BOTH)

    assert done.green
    assert shop.rows("books.revenue") == [(2, 30)]
    started = [facts["domain"] for event, facts in told if event == "run_started"]
    assert started == ["shop", "books"]
    kept = site.registry.order(done.order_id)
    assert kept is not None and kept.state is OrderState.GREEN
    assert [item.outcome for item in kept.items] == [BuildOutcome.PUBLISHED] * 2


def test_a_refused_draft_stops_its_consumers_and_nobody_else(shop: Shop, site: Site) -> None:
    write_product(
        shop,
        "books.calendar",
        columns=(("day", "BIGINT"),),
        recipe="select 1::bigint as day\n",
    )
    domain = shop.root / "domains" / "books" / "domain.yaml"
    port = "outputPorts:\n  - name: calendar\n    version: 1.0.0\n    contractId: books.calendar\n"
    domain.write_text(domain.read_text().replace("outputPorts:\n", port, 1))
    shop.deliver("order_id,amount\n1,-10\n")
    wider = Site(site.settings, site.registry, read_mesh(site.settings))

    done = give(
        Desk(wider, RunsHere(wider.settings)),
        RunOrder(names=(TILL, REVENUE, ProductName("books", "calendar"))),
    )

    outcomes = {str(each.product): str(each.outcome) for each in done.records}
    assert outcomes == {"shop.orders": "refused", "books.revenue": "skipped", "books.calendar": "published"}
    assert not done.green


def test_what_an_interrupted_order_has_done_is_kept(shop: Shop, sold: Site) -> None:
    order = RunOrder(names=(TILL, REVENUE), mode=Mode.FORCE)
    begun = give(Desk(sold, RunsHere(sold.settings)), order)
    sold.registry.set_order(begun.order_id, OrderState.INTERRUPTED)
    sold.registry.note_order(begun.order_id, [OrderItem(REVENUE)])
    told: list[Mapping[str, Any]] = []

    kept = interrupted(sold.settings, sold)
    done = resume(
        Desk(sold, RunsHere(sold.settings), lambda event, facts: told.append({"event": event, **facts})), kept
    )

    assert kept.id == begun.order_id and done.green
    assert told[0]["kept"] == {"shop.orders": "unchanged"}
    assert [each["products"] for each in told if each["event"] == "run_started"] == [["books.revenue"]]
    with pytest.raises(NothingToResume):
        interrupted(sold.settings, sold)


def test_targets_are_products_domains_journeys_and_their_neighbours(site: Site) -> None:
    journeys = {"takings": [REVENUE]}

    assert targets(site.mesh, ["shop"], journeys) == {TILL}
    assert targets(site.mesh, ["shop.orders+"], journeys) == {TILL, REVENUE}
    assert targets(site.mesh, ["+books"], journeys) == {TILL, REVENUE}
    assert targets(site.mesh, ["takings"], journeys) == {REVENUE}
    with pytest.raises(UnknownTarget, match="Did you mean takings"):
        targets(site.mesh, ["taking"], journeys)


def test_the_examples_waves_build_everything_once_after_what_it_needs() -> None:
    mesh = read_mesh(read_settings({}))
    names = [name for name, asset in mesh.assets.items() if asset.in_lake]

    found = waves(mesh, names)

    flat = [name for level in found for batch in level for name in batch]
    assert sorted(flat) == sorted(names)
    seen: set[ProductName] = set()
    for level in found:
        made = {name for batch in level for name in batch}
        for batch in level:
            foreign = {need for name in batch for need in mesh.assets[name].needs if need not in batch}
            assert not {need for need in foreign & made if mesh.assets[need].in_lake}
        seen |= made


def test_a_day_means_the_partition_that_it_lies_in() -> None:
    mesh = read_mesh(read_settings({}))
    weekly = mesh.assets[ProductName("prescriptions", "rx_fill")]

    def asked(**facts: Any) -> tuple[str, ...] | None:
        return asked_partitions(weekly, RunOrder(names=(weekly.name,), **facts))

    assert asked() is None
    assert asked(partitions=("2024-01-01",)) == ("2024-01-01",)
    assert asked(partitions=("2024-01-04",)) == ("2024-01-01",)
    assert asked(first="2024-01-03", last="2024-01-15") == ("2024-01-01", "2024-01-08", "2024-01-15")


@pytest.mark.parametrize(
    "facts",
    [
        {"partitions": ("1999-01-04",)},
        {"partitions": ("2024-01-01", "2024-01-15")},
        {"first": "1990-01-01", "last": "1990-12-31"},
    ],
)
def test_partitions_that_do_not_exist_or_follow_each_other_are_refused(facts: dict[str, Any]) -> None:
    mesh = read_mesh(read_settings({}))

    with pytest.raises(NoSuchPartition):
        check_partitions(mesh, RunOrder(names=(ProductName("prescriptions", "rx_fill"),), **facts))


def test_an_address_where_nothing_answers_is_told(site: Site) -> None:
    with pytest.raises(NoServer, match="does not answer"):
        launcher_for(site.settings, url="http://127.0.0.1:9")


def test_without_a_server_runs_are_processes_here(site: Site) -> None:
    assert launcher_for(site.settings).where == "in process"
