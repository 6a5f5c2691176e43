"""Which runs a domain asks for: looks at a real registry, runs in this process, no daemon in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest

from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.orchestration.automation import _DECLARED as DECLARED
from mesh_assets.capabilities.orchestration.automation import Found, Location, look, run_request
from mesh_assets.capabilities.orchestration.automation import _declare as declare
from mesh_assets.capabilities.orchestration.automation import _managed as managed
from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from tests.network import automate, make_network, price
from tests.shop import ORDERS, Shop

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:dagster", "ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning"
)


@dataclass
class World:
    """The four domains, one Dagster instance, and ticks by hand."""

    shop: Shop
    instance: dg.DagsterInstance
    #: What was run, in order: `domain: product product`.
    ran: list[str] = field(default_factory=list)

    def look(self, domain: str, now: datetime | None = None) -> Found:
        """One look of a domain's sensor; nothing runs."""
        assets = read_domain_assets(self.shop.settings, domain)
        location = Location(self.shop.settings, assets, managed(assets))
        with open_registry(self.shop.settings) as registry:
            DECLARED.discard((self.shop.settings.registry, domain))
            declare(location, registry)
            return look(location, registry, self.instance, now)

    def run(self, domain: str, found: Found) -> bool:
        """The run that a look asked for, in this process, once for each run key; True if there was one."""
        if found.request is None:
            return False
        assets = read_domain_assets(self.shop.settings, domain)
        location = Location(self.shop.settings, assets, managed(assets))
        wanted = run_request(location, found.request, self.instance)
        if self.instance.get_runs(dg.RunsFilter(tags={"mesh/asked": str(wanted.run_key)})):
            return True
        job = domain_definitions(domain, self.shop.settings).resolve_implicit_global_asset_job_def()
        names = sorted(key.path[1] for key in wanted.asset_selection or ())
        self.ran.append(f"{domain}: {' '.join(names)}")
        job.execute_in_process(
            instance=self.instance,
            asset_selection=list(wanted.asset_selection or ()),
            tags=dict(wanted.tags),
            raise_on_error=False,
        )
        return True

    def settle(self, *domains: str) -> list[str]:
        """Ticks of all domains until none asks for anything; what ran."""
        self.ran.clear()
        for _ in range(12):
            asked = [self.run(domain, self.look(domain)) for domain in domains or DOMAINS]
            if not any(asked):
                return list(self.ran)
        raise AssertionError(f"it never ends: {self.ran}")


DOMAINS = ("shop", "books", "depot", "board")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    shop = make_network(tmp_path)
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.ephemeral() as instance:
        yield World(shop, instance)


def started(world: World) -> World:
    """All built once, and every domain has looked."""
    world.shop.build("shop.orders")
    world.shop.build("shop.prices")
    assert sorted(world.settle()) == ["board: report", "books: revenue", "depot: lost parcels"]
    assert world.settle() == []
    return world


def test_a_publication_starts_what_uses_it_once_and_a_diamond_ends_once(world: World) -> None:
    started(world)
    world.shop.deliver(ORDERS + "3,30\n")
    world.shop.build("shop.orders", run_id="run-2")

    assert sorted(world.settle()) == ["board: report", "books: revenue", "depot: parcels"]
    assert world.settle() == []
    assert [row[0] for row in world.shop.rows("board.report")] == [60]


def test_the_bottom_of_a_diamond_waits_for_the_side_that_is_not_made_yet(world: World) -> None:
    started(world)
    world.shop.deliver(ORDERS + "3,30\n")
    world.shop.build("shop.orders", run_id="run-2")
    world.run("books", world.look("books"))

    found = world.look("board")

    assert found.request is None
    assert found.reason == "waiting: board.report: depot.parcels is about to change"
    assert found.again is not None


def test_it_waits_ten_minutes_for_a_side_whose_location_is_down(world: World) -> None:
    started(world)
    world.shop.deliver(ORDERS + "3,30\n")
    world.shop.build("shop.orders", run_id="run-2")
    world.run("books", world.look("books"))

    found = world.look("board", datetime.now(UTC) + timedelta(minutes=11))

    assert found.request is not None and found.request.products == (product_name("board.report"),)


def test_a_refused_draft_starts_nothing(world: World) -> None:
    started(world)
    world.shop.deliver(ORDERS + "3,-5\n")
    with pytest.raises(Exception, match="was not published"):
        world.shop.build("shop.orders", run_id="run-2")

    assert world.settle() == []


def test_an_unchanged_build_starts_nothing(world: World) -> None:
    started(world)
    world.shop.build("shop.orders", run_id="run-2", force=True)

    assert world.settle() == []


def test_a_side_that_turns_out_unchanged_does_not_hold_the_bottom_back(world: World) -> None:
    started(world)
    world.shop.deliver("order_id,amount\n1,20\n2,10\n")  # as many parcels, as heavy; the same revenue
    world.shop.build("shop.orders", run_id="run-2")

    assert sorted(world.settle()) == ["books: revenue", "depot: parcels"]


def test_a_product_that_always_fails_is_asked_for_once_for_each_content_of_its_inputs(world: World) -> None:
    started(world)
    price(world.shop, "order_id,price\n1,-5\n")
    world.shop.build("shop.prices", run_id="run-2")

    assert world.settle() == ["depot: lost"]
    assert world.settle() == []
    price(world.shop, "order_id,price\n1,-6\n")
    world.shop.build("shop.prices", run_id="run-3")
    assert world.settle() == ["depot: lost"]
    assert world.settle() == []


def test_one_that_was_never_asked_for_catches_up_with_what_it_missed(world: World) -> None:
    started(world)
    for n in (3, 4, 5):
        world.shop.deliver(ORDERS + f"{n},30\n")
        world.shop.build("shop.orders", run_id=f"run-{n}")

    assert world.settle("books") == ["books: revenue"]


def test_what_was_built_by_hand_is_not_asked_for(world: World) -> None:
    started(world)
    world.shop.deliver(ORDERS + "3,30\n")
    world.shop.build("shop.orders", run_id="run-2")
    world.shop.build("books.revenue", run_id="run-3")

    assert world.settle("books") == []


def test_a_request_that_dagster_never_heard_of_is_made_again_under_its_own_name(world: World) -> None:
    started(world)
    world.shop.deliver(ORDERS + "3,30\n")
    world.shop.build("shop.orders", run_id="run-2")

    first, second = world.look("books"), world.look("books")

    assert first.request is not None
    assert first.request == second.request


def test_a_run_that_ends_without_a_word_is_asked_for_three_times_with_growing_pauses(world: World) -> None:
    started(world)
    world.shop.deliver(ORDERS + "3,30\n")
    world.shop.build("shop.orders", run_id="run-2")
    now, asked = datetime.now(UTC), []
    for _ in range(8):
        found = world.look("books", now)
        if found.request is not None:
            asked.append(now)
            tags = {"mesh/asked": found.request.token}
            world.instance.add_run(
                dg.DagsterRun(job_name="gone", tags=tags, status=dg.DagsterRunStatus.FAILURE)
            )
        now = max(now, found.again or now)

    pauses = [(later - before).total_seconds() for before, later in pairwise(asked)]
    assert pauses == [30, 60]


def test_a_run_that_a_person_stopped_is_not_asked_for_again(world: World) -> None:
    started(world)
    world.shop.deliver(ORDERS + "3,30\n")
    world.shop.build("shop.orders", run_id="run-2")
    found = world.look("books")
    assert found.request is not None
    tags = {"mesh/asked": found.request.token}
    world.instance.add_run(dg.DagsterRun(job_name="gone", tags=tags, status=dg.DagsterRunStatus.CANCELED))

    assert world.settle("books") == []


def test_nothing_of_what_is_paused_is_asked_for_and_it_catches_up_when_it_is_resumed(world: World) -> None:
    started(world)
    with open_registry(world.shop.settings) as registry:
        registry.pause("books", "stocktaking", "ann")
    world.shop.deliver(ORDERS + "3,30\n")
    world.shop.build("shop.orders", run_id="run-2")

    assert sorted(world.settle()) == ["board: report", "depot: parcels"]
    with open_registry(world.shop.settings) as registry:
        registry.resume("books", "ann")
    assert sorted(world.settle()) == ["board: report", "books: revenue"]


def test_all_new_waits_until_every_input_is_new(world: World) -> None:
    automate(world.shop, "board.report", "all_new")
    started(world)
    world.shop.deliver(ORDERS.replace("20", "21"))  # another revenue and weight, as many parcels
    world.shop.build("shop.orders", run_id="run-2")
    assert sorted(world.settle("books")) == ["books: revenue"]
    assert world.settle("board") == []

    assert world.settle() == ["depot: parcels", "board: report"]
    assert world.settle() == []


def test_a_manual_product_is_never_asked_for(world: World) -> None:
    automate(world.shop, "books.revenue", "manual")
    world.shop.build("shop.orders")

    assert world.settle("books") == []


def test_a_cron_asks_at_its_hour_in_its_zone_and_once(world: World) -> None:
    """Six in New York is ten in UTC until the clocks go back, then eleven."""
    automate(world.shop, "books.revenue", '{cron: "0 6 * * *", timezone: America/New_York, deadline: 1h}')
    world.shop.build("shop.orders")
    assert world.look("books", moment("2030-11-01T12:00")).request is not None  # it was missed today
    asked = []
    for now in map(moment, ("2030-11-01T12:05", "2030-11-02T09:59", "2030-11-02T10:00", "2030-11-02T10:30",
                            "2030-11-03T10:30", "2030-11-03T11:00", "2030-11-03T23:00")):  # fmt: skip
        found = world.look("books", now)
        if found.request is not None:
            asked.append(now)
            tags = {"mesh/asked": found.request.token}
            world.instance.add_run(
                dg.DagsterRun(job_name="gone", tags=tags, status=dg.DagsterRunStatus.CANCELED)
            )

    assert asked == [moment("2030-11-01T12:05"), moment("2030-11-02T10:00"), moment("2030-11-03T11:00")]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_product_in_hand_of_an_order_or_of_a_person_is_left_alone(world: World) -> None:
    started(world)
    world.shop.deliver(ORDERS + "3,30\n")
    world.shop.build("shop.orders", run_id="run-2")
    world.instance.add_run(
        dg.DagsterRun(
            job_name="by_hand",
            asset_selection=frozenset([dg.AssetKey(["books", "revenue"])]),
            status=dg.DagsterRunStatus.STARTED,
        )
    )

    found = world.look("books")

    assert (found.request, found.reason) == (None, "waiting: books.revenue: a run has it in hand")


def test_a_broken_neighbour_does_not_keep_a_domain_from_deciding(world: World) -> None:
    started(world)
    (world.shop.root / "domains" / "depot" / "domain.yaml").write_text("{", encoding="utf-8")
    world.shop.deliver(ORDERS + "3,30\n")
    world.shop.build("shop.orders", run_id="run-2")

    assert world.settle("shop", "books") == ["books: revenue"]


def test_what_fails_in_a_run_stops_nothing_beside_it(world: World) -> None:
    """One step per product: a failing check of one op would stop all that the op makes."""
    started(world)
    price(world.shop, "order_id,price\n1,-5\n")
    world.shop.build("shop.prices", run_id="run-2")
    world.shop.deliver(ORDERS + "3,30\n")
    world.shop.build("shop.orders", run_id="run-3")

    assert world.settle("depot") == ["depot: lost parcels"]
    assert world.shop.head("depot.parcels") == 2
