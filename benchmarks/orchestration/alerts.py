"""What a round of alerts costs at 10, 100 and 1,000 products: how all stands, the rules, the outbox.

`python -m benchmarks.orchestration.alerts [--runs 10]`. CPU milliseconds of `look_and_tell` as the sensor
`mesh_alerts` does it every 30 seconds in a process that stays, with the example's own rules, one of which
asks for builds of the last month. `first`: nothing is remembered. `again`: nothing changed. `edited`: a
contract of one domain was saved. `late`: every product has become late, and each is told.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.portal.pages import make_mesh, publish
from benchmarks.tables import machine, median, table
from mesh_assets.capabilities.observability.alert_rules import read_alerts
from mesh_assets.capabilities.observability.alerts import look_and_tell
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.words.alerts import Alerts
from mesh_assets.words.settings import PROJECT, Settings, read_settings

SIZES = (10, 100, 1000)


def look(settings: Settings, registry: Registry, alerts: Alerts, later: timedelta = timedelta(0)) -> float:
    """CPU milliseconds of one round."""
    before = time.process_time()
    look_and_tell(settings, registry, alerts, now=datetime.now(UTC) + later)
    return (time.process_time() - before) * 1000


def edit(settings: Settings) -> None:
    contract = next(iter(sorted(settings.domains.glob("*/*/contract.yaml"))))
    contract.write_text(contract.read_text(encoding="utf-8") + "# saved\n", encoding="utf-8")


def measure(products: int, runs: int) -> list[object]:
    with tempfile.TemporaryDirectory(prefix="mesh-alerts-") as folder:
        settings = make_mesh(Path(folder), products)
        alerts = read_alerts(read_settings({**_alerts(), "MESH_HOME": str(settings.home)}))
        with open_registry(settings) as registry:
            publish(settings, registry, products)
            first = look(settings, registry, alerts)
            again = median([look(settings, registry, alerts) for _ in range(runs)])
            edited = []
            for _ in range(runs):
                edit(settings)
                edited.append(look(settings, registry, alerts))
            late = look(settings, registry, alerts, timedelta(days=400))
    return [f"{products:,}", *(f"{each:.0f}" for each in (first, again, median(edited), late))]


def _alerts() -> dict[str, str]:
    return {"MESH_ALERTS": str(PROJECT / "mesh_assets" / "alerts.yaml")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    asked = parser.parse_args()
    print(machine())
    head = ["products", "first, CPU ms", "again", "edited", "late"]
    print(table(head, [measure(size, asked.runs) for size in SIZES]))


if __name__ == "__main__":
    main()
