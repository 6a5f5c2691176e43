"""The mesh: the recipe's rows written, fingerprinted, certified, committed to the lake and released.

The contract promises columns and has no rule: what rules cost is `benchmarks.audit`.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.lake.shelf import publish, write_shelf
from benchmarks.lake.writers import run

NEEDS = (
    "duckdb",
    "sqlalchemy.dialects.sqlite",
    "mesh_assets.capabilities.lake.read",
    "mesh_assets.capabilities.publishing.build",
    "mesh_assets.capabilities.publishing.dbt",
    "mesh_assets.capabilities.checks.audit",
    "benchmarks.contention_mesh",
)


def write(source: Path, folder: Path) -> None:
    publish(write_shelf(folder, source), source.stem)


if __name__ == "__main__":
    run(write, *NEEDS)
