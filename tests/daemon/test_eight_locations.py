"""Eight code locations, and everything that runs them dies in the middle.

shop.orders -> books.revenue --> board.report ---> boss.scorecard
            -> depot.parcels ----^                 ^
            -> north.sales ----> region.total -----'
            -> south.sales ------^
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.daemon.alive import Alive, serve
from tests.daemon.door import has_begun, open_door, put_behind_door, shut_door
from tests.network import make_network
from tests.shop import Shop, add_domain, write_product

SALES = "select count(*) as sales from shop.orders"
#: Product, what it reads, its column, its SQL.
MORE = (
    ("north.sales", ("shop.orders",), "sales", SALES),
    ("south.sales", ("shop.orders",), "sales", SALES),
    (
        "region.total",
        ("north.sales", "south.sales"),
        "sales",
        "select north.sales + south.sales as sales from north.sales as north, south.sales as south",
    ),
    (
        "boss.scorecard",
        ("board.report", "region.total"),
        "sales",
        "select total.sales + report.parcels as sales from region.total as total, board.report as report",
    ),
)
DOWNSTREAM = ("books.revenue", "depot.parcels", "board.report", *(product for product, *_ in MORE))
SERVERS = ("daemon", "webserver", "south")


def make_eight(shop: Shop) -> None:
    for product, reads, column, sql in MORE:
        domain, _, name = product.partition(".")
        add_domain(shop, domain, (name,), inputs=reads)
        text = "".join(f"-- input: {each}\n" for each in reads) + sql + "\n"
        write_product(shop, product, columns=((column, "BIGINT"),), recipe=text)
    put_behind_door(shop, "south.sales", SALES)


@pytest.fixture(scope="module")
def eight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alive]:
    shop = make_network(tmp_path_factory.mktemp("eight"))
    make_eight(shop)
    for product in ("shop.orders", "shop.prices", "depot.lost", *DOWNSTREAM):
        shop.build(product, run_id="before")
    with serve(shop) as alive:
        assert len(alive.ports) == 8
        alive.wait_until_quiet()
        yield alive


def in_the_middle(eight: Alive, orders: int) -> str:
    """Deliver so many orders, and wait until south.sales is being made; its run."""
    shut_door(eight.shop)
    eight.deliver_orders(3, *(f"{number},{number}" for number in range(4, orders + 1)))
    eight.wait_for("the recipe of south.sales", lambda: has_begun(eight.shop))
    (run,) = [each.id for each in eight.runs() if "south.sales" in each.products and each.status == "STARTED"]
    return run


def ends_well(eight: Alive, before: dict[str, int], orders: int) -> None:
    """Every product has one version more, of all orders, and nothing is left to be done."""
    number = before["boss.scorecard"] + 1
    eight.wait_for_version("boss.scorecard", number)
    eight.wait_until_quiet()
    assert heads(eight) == {name: head + 1 for name, head in before.items()}
    assert eight.shop.rows("boss.scorecard") == [(3 * orders,)]


def heads(eight: Alive) -> dict[str, int]:
    return {name: eight.shop.head(name) or 0 for name in DOWNSTREAM}


def built(eight: Alive, product: str) -> int:
    return len(eight.builds(product))


def test_daemon_webserver_and_a_location_die_in_the_middle_and_every_product_is_made_once(
    eight: Alive,
) -> None:
    before, builds = heads(eight), {name: built(eight, name) for name in DOWNSTREAM}
    run = in_the_middle(eight, 4)

    for name in SERVERS:
        eight.kill(name)
    eight.start_location("south")
    eight.start_daemon()
    eight.start_webserver()
    open_door(eight.shop)

    ends_well(eight, before, 4)
    assert eight.status(run) == "SUCCESS"
    assert {name: built(eight, name) for name in DOWNSTREAM} == {name: n + 1 for name, n in builds.items()}


def test_after_a_power_cut_what_ran_is_asked_for_again_and_all_is_complete(eight: Alive) -> None:
    before = heads(eight)
    run = in_the_middle(eight, 5)

    eight.kill_all()
    open_door(eight.shop)
    eight.start_all()

    ends_well(eight, before, 5)
    assert eight.status(run) == "FAILURE"
    assert [each.outcome for each in eight.builds("south.sales")].count("published") == before[
        "south.sales"
    ] + 1
