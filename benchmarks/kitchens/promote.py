"""Promotion and comparison of a kitchen, with rows x 1 and x 4: seconds, and CPU seconds of this process.

    python benchmarks/kitchens/promote.py [--products 12] [--rows 100000] [--times 1 4]

Makes a mesh of two domains in a temporary folder, builds it, opens a kitchen, changes every product there,
and measures `compare_kitchen` and `promote`. Nothing is left.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mesh_assets.capabilities.kitchens.changes import compare_kitchen
from mesh_assets.capabilities.kitchens.crossing import crossing
from mesh_assets.capabilities.kitchens.opening import open_kitchen
from mesh_assets.capabilities.kitchens.promote import promote
from mesh_assets.capabilities.kitchens.undo import undo
from tests.shop import Shop, add_domain, write_product

COLUMNS = (("id", "BIGINT"), ("amount", "DOUBLE"), ("name", "VARCHAR"), ("day", "DATE"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=12)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 4])
    asked = parser.parse_args()
    for times in asked.times:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(Path(folder), asked.products, asked.rows * times)))


def measure(folder: Path, products: int, rows: int) -> dict[str, object]:
    shop = make(folder, products, rows)
    found: dict[str, object] = {"products": products, "rows of each": rows}
    timed(found, "open", lambda: open_kitchen(shop.settings, "try"))
    here = replace(shop, more={"MESH_KITCHEN": "try"})
    for path in here.settings.domains.glob("*/p*/recipe.sql"):
        text = path.read_text().replace("i * 1.5", "case when i % 100 = 0 then i * 2.5 else i * 1.5 end")
        path.write_text(text)
    git(here.settings.domains, "commit", "--quiet", "-am", "changed")
    for name in names(products):
        here.build(name, run_id="kitchen-1")
    with crossing(shop.settings, "try") as sides:
        timed(found, "diff, fingerprints", lambda: compare_kitchen(sides, rows=False))
        timed(found, "diff, rows", lambda: compare_kitchen(sides))
    timed(found, "promote", lambda: promote(shop.settings, "try"))
    timed(found, "undo", lambda: undo(shop.settings, 1))
    return found


def make(folder: Path, products: int, rows: int) -> Shop:
    shop = Shop(folder)
    shop.deliver("order_id,amount\n1,1\n")
    for domain in ("left", "right"):
        mine = tuple(name.split(".")[1] for name in names(products) if name.startswith(domain))
        add_domain(shop, domain, mine)
    for name in names(products):
        recipe = (
            "select i::bigint as id, (i * 1.5)::double as amount, 'name ' || i as name, "
            f"date '2024-01-01' + (i % 365)::int as day from range({rows}) t(i)\n"
        )
        write_product(shop, name, columns=COLUMNS, recipe=recipe)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    (folder / ".gitignore").write_text(".mesh\nsources\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    for name in names(products):
        shop.build(name)
    return shop


def names(products: int) -> list[str]:
    return [f"{'left' if at % 2 else 'right'}.p{at}" for at in range(products)]


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.email=bench@example.com", "-c", "user.name=bench"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def timed(found: dict[str, object], what: str, work: Callable[[], object]) -> None:
    clock, cpu = time.monotonic(), time.process_time()
    work()
    found[what] = {"seconds": round(time.monotonic() - clock, 2), "cpu": round(time.process_time() - cpu, 2)}


if __name__ == "__main__":
    main()
