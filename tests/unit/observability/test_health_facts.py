"""What is said of a product's health, from a small mesh that is really built."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mesh_assets.capabilities.contracts.sla import Deadline, ServiceLevel
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.observability.health_facts import ProductFacts, State, facts
from mesh_assets.capabilities.observability.health_status import history, mesh_status
from mesh_assets.capabilities.observability.lateness import late_since
from mesh_assets.capabilities.observability.locations import notice, readable_mesh
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from mesh_assets.words.rules import Place
from mesh_assets.words.versions import BuildOutcome
from tests.shop import ORDERS, Shop

PLACE = Place("contract.yaml", 1, 1)


def promise(shop: Shop, product: str, hours: int) -> None:
    """Exchange the contract's service levels for one: looked at at least so often."""
    path = shop.folder(product) / "contract.yaml"
    before = path.read_text(encoding="utf-8").split("slaProperties:")[0]
    level = f"slaProperties:\n  - property: frequency\n    value: {hours}\n    unit: h\n"
    path.write_text(before + level, encoding="utf-8")


def look(shop: Shop, *, later: timedelta = timedelta(0)) -> dict[str, ProductFacts]:
    with open_registry(shop.settings) as registry:
        found = facts(shop.settings, registry, read_mesh(shop.settings), datetime.now(UTC) + later)
    return {str(each.product): each for each in found}


def test_a_product_is_missing_until_it_is_published_and_then_well(shop: Shop) -> None:
    assert look(shop)["shop.orders"].states == (State.MISSING,)

    shop.build("shop.orders")

    found = look(shop)["shop.orders"]
    assert found.good
    assert (found.version, found.rows, found.warned, found.broke) == (1, 2, 0, 0)
    assert found.passed == found.rules > 0


def test_a_consumer_is_out_of_order_until_it_is_made_from_what_is_there_now(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue")
    assert look(shop)["books.revenue"].good

    shop.deliver(ORDERS + "3,30\n")
    shop.build("shop.orders", run_id="run-2")
    assert look(shop)["books.revenue"].stale == (product_name("shop.orders"),)

    shop.build("books.revenue", run_id="run-2")
    assert look(shop)["books.revenue"].good


def test_a_consumer_that_looked_and_found_nothing_new_is_in_order(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue")
    shop.deliver("order_id,amount\n1,20\n2,10\n")  # other rows, the same sums
    shop.build("shop.orders", run_id="run-2")
    assert State.OUT_OF_ORDER in look(shop)["books.revenue"].states

    built = shop.build("books.revenue", run_id="run-2")

    assert built.record.outcome is BuildOutcome.UNCHANGED
    assert look(shop)["books.revenue"].good


def test_a_refused_product_is_told_with_its_reason_and_the_version_that_readers_keep(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.deliver("order_id,amount\n1,-10\n")
    try:
        shop.build("shop.orders", run_id="run-2")
    except Exception as error:
        assert "amount_positive" in str(error)

    found = look(shop)["shop.orders"]

    assert found.states == (State.REFUSED,)
    assert found.version == 1
    assert "amount_positive" in found.message


def test_a_product_is_late_when_nobody_looked_within_its_promise(shop: Shop) -> None:
    promise(shop, "shop.orders", hours=3)
    shop.build("shop.orders")

    assert look(shop, later=timedelta(hours=2))["shop.orders"].good
    late = look(shop, later=timedelta(hours=4))["shop.orders"]

    assert late.states == (State.LATE,)
    assert late.looked is not None and late.late_since == late.looked + timedelta(hours=3)


def test_a_deadline_is_told_in_its_own_zone_across_a_change_of_the_clock() -> None:
    level = ServiceLevel(
        "timeOfAvailability",
        "by nine",
        PLACE,
        deadline=Deadline(9, 0, "America/New_York", timedelta(hours=9)),
    )
    before = datetime(2026, 3, 7, 14, 30, tzinfo=UTC)  # 9:30 in New York: winter, 9:00 is 14:00 UTC
    after = datetime(2026, 3, 9, 13, 30, tzinfo=UTC)  # 9:30 in New York: summer, 9:00 is 13:00 UTC

    assert late_since(level, datetime(2026, 3, 7, 13, 0, tzinfo=UTC), before) is None
    assert late_since(level, datetime(2026, 3, 6, 13, 0, tzinfo=UTC), before) == datetime(
        2026, 3, 7, 14, 0, tzinfo=UTC
    )
    assert late_since(level, datetime(2026, 3, 9, 12, 0, tzinfo=UTC), after) is None
    assert late_since(level, datetime(2026, 3, 8, 12, 0, tzinfo=UTC), after) == datetime(
        2026, 3, 9, 13, 0, tzinfo=UTC
    )


def test_a_product_whose_files_are_gone_is_not_served(shop: Shop) -> None:
    shop.build("shop.orders")
    for path in shop.settings.lakes.glob("shop/**/*.parquet"):
        path.unlink()

    assert look(shop)["shop.orders"].states == (State.LOST,)


def test_a_pause_and_a_hold_are_told_where_they_bite(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue")
    with open_registry(shop.settings) as registry:
        registry.hold_users(product_name("shop.orders"), "cents on Monday", "ann")
    assert look(shop)["shop.orders"].good
    assert "cents on Monday" in (look(shop)["books.revenue"].why_not or "")


def test_a_broken_domain_is_named_and_since_when_while_the_others_are_told_as_ever(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue")
    path = shop.folder("shop.orders") / "contract.yaml"
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound.replace("schema:", "schemata:"), encoding="utf-8")
    now = datetime.now(UTC)

    with open_registry(shop.settings) as registry:
        first = mesh_status(shop.settings, registry, now)
        again = mesh_status(shop.settings, registry, now + timedelta(hours=1))
        (broken,) = first.broken
        assert broken.domain == "shop" and "contract.yaml" in broken.problem
        assert again.broken[0].since == broken.since
        states = {str(each.product): each for each in first.products}
        assert states["shop.orders"].states == (State.BROKEN,)
        assert states["shop.orders"].version == 1  # readers keep it
        assert states["books.revenue"].good
        assert not first.good

        path.write_text(sound, encoding="utf-8")
        assert mesh_status(shop.settings, registry, now).good


def test_what_was_broken_and_is_taken_away_is_broken_no_longer(shop: Shop) -> None:
    with open_registry(shop.settings) as registry:
        assert [each.domain for each in notice(registry, {"old": "no such file"})] == ["old"]
        assert notice(registry, {}) == []  # its folder is gone

        assert notice(registry, {"old": "no such module"}, loaded={"old", "shop"})
        assert [each.domain for each in notice(registry, {})] == ["old"]  # reading cannot tell
        assert notice(registry, {}, loaded={"shop"}) == []  # it has left the workspace


def test_who_looks_again_in_one_process_sees_every_edit_and_every_release(shop: Shop) -> None:
    """What was read is remembered; what changed is read anew, also where it broke and was mended."""
    contract = shop.folder("books.revenue") / "contract.yaml"
    good = contract.read_text(encoding="utf-8")

    def seen() -> tuple[set[str], set[str], dict[str, tuple[int, int]]]:
        mesh, problems = readable_mesh(shop.settings)
        with open_registry(shop.settings) as registry:
            heads = registry.head_versions()
        rows = {str(name): (each.number, each.certificate.rows) for name, each in heads.items()}
        return {str(each.name) for each in mesh.products}, set(problems), rows

    both = {"books.revenue", "shop.orders"}
    assert seen() == (both, set(), {})
    shop.build("shop.orders")
    contract.write_text("no contract", encoding="utf-8")
    assert seen() == ({"shop.orders"}, {"books"}, {"shop.orders": (1, 2)})
    shop.deliver(ORDERS + "3,30\n")
    shop.build("shop.orders", run_id="run-2")
    contract.write_text(good, encoding="utf-8")
    assert seen() == (both, set(), {"shop.orders": (2, 3)})


def test_history_tells_how_the_builds_of_each_day_went(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.build("shop.orders", run_id="run-2")
    now = datetime.now(UTC)
    with open_registry(shop.settings) as registry:
        (today,) = history(registry, now, 7)
        assert history(registry, now + timedelta(days=30), 7) == []

    assert (today.domain, today.published, today.unchanged, today.refused) == ("shop", 1, 1, 0)
    assert today.passed == today.rules > 0
