"""Text that has no types of its own, given the promised ones where nothing is lost by it.

Here: CSV columns as SQL of the promised types.
Not here: opening files (data_files), comparing columns with the contract (columns).

A column with one text that is not exactly one value of its type stays text: the audit then tells which column
it is and how many rows it has of them, beside all other rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.columns import unreadable
from mesh_assets.capabilities.checks.stored import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def typed_columns(con: DuckDBPyConnection, reader: str, promised: Mapping[str, str]) -> str:
    """A select list over a relation of texts; columns without a promise stay as they are."""
    seen = [str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()]
    wanted = {name: promised[name] for name in seen if name in promised}
    counted = ", ".join(f"count_if({unreadable(identifier(name), kind)})" for name, kind in wanted.items())
    bad = con.execute(f"SELECT {counted} FROM {reader}").fetchone() if wanted else ()
    readable = {name for name, count in zip(wanted, bad or (), strict=True) if not count}
    return ", ".join(
        f"CAST({identifier(name)} AS {wanted[name]}) AS {identifier(name)}"
        if name in readable
        else identifier(name)
        for name in seen
    )
