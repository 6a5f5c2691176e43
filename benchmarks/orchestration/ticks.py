"""What a tick of automation costs in meshes of 10, 100 and 1,000 products, beside a sensor without work.

`python -m benchmarks.orchestration.ticks [--runs 200]`. CPU milliseconds of evaluating one domain's sensor,
as its code server does it, without the daemon's own part, which is the same for every sensor. `idle`: nothing
happened since the last tick. `elsewhere`: something was released that the domain does not read. `decision`:
something may be wanted, and the whole mesh is looked at.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from benchmarks.tables import machine, median, table
from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.orchestration import automation
from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.words.automation import Watched
from mesh_assets.words.names import ProductName, product_name
from tests.network import automate
from tests.shop import Shop, make_shop

SIZES = (10, 100, 1000)
A_DOMAIN = 10


@dg.sensor(target=dg.AssetSelection.all(), minimum_interval_seconds=1)
def bare(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    return dg.SkipReason("nothing")


def fill(shop: Shop, registry: Registry, products: int) -> None:
    """As many products as asked for, ten to a domain, each made of the one before and published once."""
    pattern = registry.head(product_name("shop.orders"))
    assert pattern is not None
    names = [ProductName(f"d{n // A_DOMAIN}", f"p{n}") for n in range(products)]
    certificates = [replace(pattern.certificate, product=name, number=None) for name in names]
    nothing: dict[ProductName, int | None] = dict.fromkeys(names)
    registry.release(certificates, expected=nothing, reads={}, who="benchmark", run_id="all")
    now, seen = datetime.now(UTC), pattern.fingerprint
    rows = [
        Watched(name, "eager", (before,), now, {before: seen})
        for before, name in zip([product_name("shop.orders"), *names], names, strict=False)
    ]
    for domain in dict.fromkeys(name.domain for name in names):
        registry.declare_automation(domain, [row for row in rows if row.product.domain == domain])


def cost(work: Callable[[], object], runs: int) -> float:
    """CPU milliseconds, the median."""
    work()
    found = []
    for _ in range(runs):
        before = time.process_time()
        work()
        found.append((time.process_time() - before) * 1000)
    return median(found)


def measure(products: int, runs: int) -> list[object]:
    with (
        tempfile.TemporaryDirectory(prefix="mesh-ticks-") as folder,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        shop = make_shop(Path(folder))
        shop.build("shop.orders")
        shop.build("books.revenue")
        assets = read_domain_assets(shop.settings, "books")
        location = automation.Location(shop.settings, assets, automation._managed(assets))
        sensor = automation.automation_sensor(assets, shop.settings)
        repository = domain_definitions("books", shop.settings).get_repository_def()
        with open_registry(shop.settings) as registry:
            fill(shop, registry, products)
            # A tick as the daemon asks for it; without threads it looks once and does not stay.
            first = sensor.evaluate_tick(
                dg.build_sensor_context(instance=instance, repository_def=repository)
            )
            context = dg.build_sensor_context(
                instance=instance, cursor=first.cursor, repository_def=repository
            )
            idle = cost(lambda: sensor.evaluate_tick(context), runs)
            elsewhere = cost(lambda: automation.look(location, registry, instance), max(runs // 5, 5))
            automate(shop, "books.revenue", '{cron: "0 0 1 1 *"}')
            clock = read_domain_assets(shop.settings, "books")
            due = automation.Location(shop.settings, clock, automation._managed(clock))
            registry.pause("books", "so that a decision comes to nothing", "benchmark")
            far = datetime.now(UTC) + timedelta(days=400)
            decision = cost(lambda: automation.look(due, registry, instance, far), max(runs // 5, 5))
            nothing = cost(lambda: bare.evaluate_tick(dg.build_sensor_context(instance=instance)), runs)
    figures = (nothing, idle, elsewhere, decision)
    return [f"{products:,}", *(f"{each:.2f}" for each in figures), f"{idle / nothing:.1f}",
            f"{elsewhere / nothing:.1f}", f"{decision / nothing:.1f}"]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    asked = parser.parse_args()
    print(machine())
    stages = ("idle", "elsewhere", "decision")
    head = ["products", "bare ms", *(f"{each} ms" for each in stages), *(f"{each}, ratio" for each in stages)]
    print(table(head, [measure(size, asked.runs) for size in SIZES]))


if __name__ == "__main__":
    main()
