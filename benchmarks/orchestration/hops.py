"""From a publication to the start of the run that it brings about, in another code location.

`python -m benchmarks.orchestration.hops [--hops 100]`. A chain of five products goes to and fro between two
locations, with a real webserver, daemon and run queue as `mesh dev` sets them up; each publication of its
head is four hops. Seconds from the release of the input to Dagster's record of the run (asked), and to the
event that the run has started (its process has imported the mesh); wall clock.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

from benchmarks.tables import machine, median, table
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from tests.daemon.alive import Alive, serve
from tests.shop import ORDERS, Shop, make_shop, write_product

COLUMNS = (("order_count", "BIGINT"), ("revenue", "DECIMAL(38,0)"))
CHAIN = ("shop.orders", "books.revenue", "shop.bonus", "books.cost", "shop.profit")


def make_chain(root: Path) -> Shop:
    """shop.orders -> books.revenue -> shop.bonus -> books.cost -> shop.profit"""
    shop = make_shop(root)
    for upstream, product in pairwise(CHAIN[1:]):
        recipe = f"-- input: {upstream}\nselect order_count, revenue + 1 as revenue from {upstream}\n"
        write_product(shop, product, columns=COLUMNS, recipe=recipe)
    return shop


def hops(alive: Alive, shop: Shop) -> list[tuple[float, float]]:
    """(asked, started) of every hop that there was."""
    found = []
    runs = {run.id: run for run in alive.runs()}
    with open_registry(shop.settings) as registry:
        for upstream, product in pairwise(CHAIN):
            published = {each.number: each.published for each in registry.versions(product_name(upstream))}
            for version in registry.versions(product_name(product)):
                run, before = runs.get(version.run_id), published[version.certificate.inputs[0].number]
                if run is not None and run.started is not None:
                    since = before.timestamp()
                    found.append((run.created - since, run.started - since))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hops", type=int, default=100)
    parser.add_argument("--keep", type=Path, help="An empty folder for the mesh and its logs, which stay.")
    asked = parser.parse_args()
    wanted = asked.hops
    print(machine())
    with nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory("mesh-hops-") as folder:
        shop = make_chain(Path(folder))
        with serve(shop) as alive:
            for number in range(1, wanted // (len(CHAIN) - 1) + 1):
                shop.deliver(ORDERS + f"3,{number}\n")
                alive.publish("shop.orders")
                alive.wait_for_version(CHAIN[-1], number)
            measured = hops(alive, shop)
    rows = []
    for place, name in enumerate(("asked", "started")):
        values = sorted(each[place] for each in measured)
        rows.append([name, len(values), *(f"{value:.1f}" for value in (
            median(values), values[int(len(values) * 0.95)], values[-1]
        ))])  # fmt: skip
    print(table(["publication to run", "hops", "median s", "95 % s", "most s"], rows))


if __name__ == "__main__":
    main()
