"""SQL as the tree that DuckDB's own parser makes of it: what is judged is what would run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.stored import CannotRun, text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def tree_of(con: DuckDBPyConnection, query: str, what: str) -> Mapping[str, Any]:
    """The statements of a query; CannotRun, with what it is, if it is no SELECT or nested beyond sense."""
    # Not bound: binding a value imports pandas, half a CPU second in every process.
    row = con.execute(f"SELECT json_serialize_sql({text(query)})").fetchone()
    try:
        tree: Mapping[str, Any] = json.loads(row[0]) if row else {}
    except RecursionError:  # a sum of a thousand terms is a tree a thousand levels deep
        raise CannotRun(f"{what} is nested too deep: write it shorter") from None
    if tree.get("error", True):
        raise CannotRun(f"{what} is no SQL that can be looked through: {tree.get('error_message')}")
    return tree


def nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every node of a tree; without recursion, however deep it is."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
