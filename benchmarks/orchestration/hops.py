"""From a publication to the start of the run that it brings about, in another code location.

`python -m benchmarks.orchestration.hops [--hops 100]`. A chain of five products goes to and fro between two
locations, with a real webserver, daemon and run queue as `mesh dev` sets them up; each publication of its
head is four hops. Seconds from the release of the input to Dagster's record of the run (asked), and to the
event that the run has started (its process has imported the mesh); wall clock. Measured from the time when
every sensor has ticked: before that, a hop may wait until the daemon has them (`--cold` counts it).
Hops of more than five seconds are listed with the ticks that there were meanwhile.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from benchmarks.tables import machine, median, table
from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from tests.daemon.alive import Alive, serve
from tests.shop import ORDERS, Shop, make_shop, write_product

COLUMNS = (("order_count", "BIGINT"), ("revenue", "DECIMAL(38,0)"))
GOAL = 5.0
CHAIN = ("shop.orders", "books.revenue", "shop.bonus", "books.cost", "shop.profit")


def make_chain(root: Path) -> Shop:
    """shop.orders -> books.revenue -> shop.bonus -> books.cost -> shop.profit"""
    shop = make_shop(root)
    for upstream, product in pairwise(CHAIN[1:]):
        recipe = f"-- input: {upstream}\nselect order_count, revenue + 1 as revenue from {upstream}\n"
        write_product(shop, product, columns=COLUMNS, recipe=recipe)
    return shop


class Hop(NamedTuple):
    product: str
    #: The moment of the release that it begins with.
    since: float
    asked: float
    started: float


def hops(alive: Alive, shop: Shop) -> list[Hop]:
    """Every hop that there was, in order of time."""
    found = []
    runs = {run.id: run for run in alive.runs()}
    with open_registry(shop.settings) as registry:
        for upstream, product in pairwise(CHAIN):
            published = {each.number: each.published for each in registry.versions(product_name(upstream))}
            for version in registry.versions(product_name(product)):
                run, before = runs.get(version.run_id), published[version.certificate.inputs[0].number]
                if run is not None and run.started is not None:
                    since = before.timestamp()
                    found.append(Hop(product, since, run.created - since, run.started - since))
    return sorted(found, key=lambda hop: hop.since)


def slow(shop: Shop, measured: list[Hop]) -> list[str]:
    """Hops over the goal, with the ticks of the sensor that asked."""
    told = []
    with open_instance(shop.settings) as instance:
        states = {each.instigator_name: each for each in instance.all_instigator_state()}
        for number, hop in enumerate(measured, 1):
            if hop.started <= GOAL:
                continue
            told.append(
                f"hop {number}, {hop.product}: asked after {hop.asked:.1f} s, started {hop.started:.1f} s"
            )
            state = states[f"{hop.product.partition('.')[0]}_automation"]
            ticks = instance.get_ticks(
                state.instigator_origin_id,
                state.selector_id,
                after=hop.since - 6,
                before=hop.since + hop.started,
            )
            told += [
                f"  tick {tick.timestamp - hop.since:+.1f} to {(tick.end_timestamp or 0) - hop.since:+.1f} s,"
                f" {tick.status.value}: {tick.skip_reason or tick.run_ids or tick.error}"
                for tick in reversed(ticks)
            ]
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hops", type=int, default=100)
    parser.add_argument("--cold", action="store_true", help="Count hops while the daemon starts, too.")
    parser.add_argument("--keep", type=Path, help="An empty folder for the mesh and its logs, which stay.")
    asked = parser.parse_args()
    wanted = asked.hops
    print(machine())
    with (
        nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory(prefix="mesh-hops-") as folder
    ):
        shop = make_chain(Path(folder))
        with serve(shop) as alive:
            if not asked.cold:
                alive.wait_until_quiet()
            for number in range(1, wanted // (len(CHAIN) - 1) + 1):
                shop.deliver(ORDERS + f"3,{number}\n")
                alive.publish("shop.orders")
                alive.wait_for_version(CHAIN[-1], number)
            measured = hops(alive, shop)
        remarks = slow(shop, measured)
    rows = []
    for name in ("asked", "started"):
        values = sorted(getattr(each, name) for each in measured)
        rows.append([name, len(values), *(f"{value:.1f}" for value in (
            median(values), values[int(len(values) * 0.95)], values[-1]
        ))])  # fmt: skip
    print(table(["publication to run", "hops", "median s", "95 % s", "most s"], rows))
    print("\n".join([machine(), *remarks]))


if __name__ == "__main__":
    main()
