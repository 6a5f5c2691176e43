"""How long opening a kitchen takes: 1,000 products, certificates of 20 rules, a repository of 5,000 files.

`python -m benchmarks.kitchens.opening [--products 1000] [--files 5000]` prints a line of JSON. Rows of data
do not matter: no data file is opened. The command as a whole is measured too, beside the interpreter alone.

All kitchens stay until the end: ext4 does not give out a deleted file's inode for some seconds, and looks at
each of them anew for every file that is made meanwhile (5,000 files: 0.2 s of CPU, 4 s after a drop).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.measured import BYTECODE
from mesh_assets.capabilities.kitchens.opening import open_kitchen
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import BuildOutcome, BuildRecord
from tests.shop import Shop, make_shop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=1_000)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--times", type=int, default=5)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shop = make_mesh(Path(folder) / "shop", wanted.products, wanted.files)
        walls, cpus = zip(*(once(shop, f"within{n}") for n in range(wanted.times)), strict=True)
        turns = [command_once(shop, f"command{n}") for n in range(wanted.times)]
    print(
        json.dumps(
            {
                "products": wanted.products,
                "files in git": wanted.files,
                "open, wall s": round(statistics.median(walls), 3),
                "open, CPU s (git included)": round(statistics.median(cpus), 3),
                **{
                    f"{what}, {unit}": round(statistics.median(turn[what][at] for turn in turns), 3)
                    for what in turns[0]
                    for at, unit in enumerate(("wall s", "CPU s"))
                },
                "load": os.getloadavg()[0],
            }
        )
    )


def make_mesh(root: Path, products: int, files: int) -> Shop:
    shop = make_shop(root)
    made = shop.build("shop.orders").version
    assert made is not None
    rules = tuple({**made.certificate.rule_results[0], "id": f"rule_{n}"} for n in range(20))
    with open_registry(shop.settings) as registry:
        for start in range(0, products, 100):
            certificates = [
                replace(
                    made.certificate,
                    product=ProductName("wide", f"product_{number}"),
                    number=None,
                    rule_results=rules,
                    contract_text=made.certificate.contract_text * 2,
                )
                for number in range(start, min(start + 100, products))
            ]
            registry.release(
                certificates,
                expected=dict.fromkeys(each.product for each in certificates),
                reads={},
                who="bench",
                run_id=f"bench-{start}",
            )
            for each in certificates:
                registry.record_build(
                    BuildRecord(
                        each.product, "bench", BuildOutcome.PUBLISHED, datetime.now(UTC), 1.0, version=1
                    ),
                )
    for number in range(files):
        path = root / "domains" / "wide" / f"folder_{number // 50}" / f"file_{number}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"select {number}\n" * 20, encoding="utf-8")
    (root / ".gitignore").write_text(".mesh\nsources\n", encoding="utf-8")
    for arguments in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm1"],
    ):
        subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True)
    return shop


def once(shop: Shop, name: str) -> tuple[float, float]:
    return spent(lambda: open_kitchen(shop.settings, name))


def command_once(shop: Shop, name: str) -> dict[str, tuple[float, float]]:
    """The command, the list of commands and the interpreter, in turns."""
    environment = {**os.environ, **BYTECODE, **shop.environment}
    mesh = ("-m", "mesh_assets.cli")
    told = {"mesh kitchen open": (*mesh, "kitchen", "open", name), "mesh --help": (*mesh, "--help")}
    every = {**told, "python": ("-c", "pass")}
    return {what: spent(partial(_run, arguments, environment)) for what, arguments in every.items()}


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    subprocess.run([sys.executable, *arguments], env=environment, check=True, capture_output=True)


def spent(work: Callable[[], object]) -> tuple[float, float]:
    before, clock = _cpu(), time.monotonic()
    work()
    return time.monotonic() - clock, _cpu() - before


def _cpu() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
