"""How much a text can grow in SQL that a contract brings along, read off its tree.

DuckDB looks at its clock between chunks of 2,048 rows and counts the memory of tables and sorts, not that of
texts on their way through functions. A function that makes a gigabyte of a letter, or compares two long texts
letter by letter, is therefore beyond its limits: such SQL runs in a process of its own, or not at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mesh_assets.capabilities.checks.trees import nodes

#: Times that the longest text of the data may grow: of 1,000 characters, a chunk is then some 500 MB at most.
MOST_GROWTH = 256
#: Longer texts that are written out count as growth by themselves.
LONGEST_TEXT = 1_000
#: Functions that put texts together: as many times the longest as they have arguments.
JOINING = frozenset({"||", "concat", "concat_ws", "list_value"})
REPLACING = frozenset({"replace", "regexp_replace"})


def growth(tree: Any) -> float:
    """How many times longer than its longest input a text can get: an upper bound, or infinity."""
    return math.prod(_factor(node) for node in nodes(tree))


def _factor(node: Mapping[str, Any]) -> float:
    name = str(node.get("function_name", "")).lower()
    if name in JOINING:
        return max(1, len(node["children"]))
    if name in REPLACING:
        return _replaced(name, node["children"])
    written = _text(node)
    return math.inf if written is not None and len(written) > LONGEST_TEXT else 1


def _replaced(name: str, children: list[Any]) -> float:
    """Each character can become the replacement; a group in it can be the whole text."""
    if len(children) < 3 or (becomes := _text(children[2])) is None:
        return math.inf
    if name == "replace":
        wanted = _text(children[1])
        return 1 if wanted and len(becomes) <= len(wanted) else max(1, len(becomes))
    return len(becomes) + 1


def _text(node: Any) -> str | None:
    """The text that a node writes out; None if it is anything else."""
    value = node.get("value") if isinstance(node, Mapping) and node.get("class") == "CONSTANT" else None
    written = value.get("value") if isinstance(value, Mapping) else None
    return written if isinstance(written, str) else None
