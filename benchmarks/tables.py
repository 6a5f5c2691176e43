"""Plain Markdown tables, and the line that says where they were measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    wide = [max(len(row[n]) for row in [list(head), *cells]) for n in range(len(head))]
    aligned = [
        "| "
        + " | ".join(c.rjust(w) if n else c.ljust(w) for n, (c, w) in enumerate(zip(row, wide, strict=True)))
        + " |"
        for row in [list(head), *cells]
    ]
    rule = "|" + "|".join("-" * (w + 2) if not n else "-" * (w + 1) + ":" for n, w in enumerate(wide)) + "|"
    return "\n".join([aligned[0], rule, *aligned[1:]])


def machine() -> str:
    """Cores, Python, packages, and how busy the machine is with other work."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("dagster", "dbt-core", "duckdb", "polars"))
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {packages}; load before: {load:.1f}"


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
