"""What a query of a contract says, judged by its tree before anything runs.

Here: which relations it reads, functions that tell of the process, whether it is tame enough to
run in this process.
Not here: running it (sandbox, sealed). The sandbox is locked as well: this is the first of two walls.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.growth import JOINING, MOST_GROWTH, REPLACING, growth
from mesh_assets.capabilities.checks.stored import CannotRun
from mesh_assets.capabilities.checks.trees import nodes, tree_of
from mesh_assets.capabilities.contracts.expressions import FUNCTIONS, words

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Functions that stand behind FROM and read nothing. They are interrupted like any scan.
_MAKE_ROWS = words("range generate_series unnest")
#: They tell of the process, its settings and secrets, or write to its log.
_TELLING = words("current_setting getenv getvariable which_secret write_log query query_table")
#: DuckDB's own views of its settings, tables, secrets; no CTE hides one.
_CATALOG = re.compile(r"(duckdb|pragma|pg|sqlite)_|information_schema\Z", re.IGNORECASE)
_AGGREGATES = words(
    "any_value approx_count_distinct arg_max arg_min avg bit_and bit_or bit_xor bool_and bool_or corr count "
    "count_if count_star countif covar_pop covar_samp dense_rank entropy first first_value geomean kurtosis "
    "lag last last_value lead mad max mean median min mode nth_value ntile percent_rank product quantile "
    "quantile_cont quantile_disc rank regr_slope row_number skewness stddev stddev_pop stddev_samp sum "
    "var_pop var_samp variance cume_dist"
)
_OPERATORS = words("+ - * / // % ** ^ & | << >> ~ ~~ !~~ ~~* !~~* @ not_like_escape like_escape ilike_escape")
#: Their time and memory follow from the rows that they see; a clock between chunks is enough.
_TAME = FUNCTIONS | _AGGREGATES | _OPERATORS | JOINING | REPLACING | {"unnest"}

Name = tuple[str, str]


def is_tame(con: DuckDBPyConnection, query: str, readable: Collection[Name]) -> bool:
    """True if the query can run in this process: its clock and its memory limit hold.

    `readable` are the relations that it may read, as (schema, name). CannotRun if it reads anything else.
    """
    tree = tree_of(con, query, "its query")
    _refuse_foreign(tree, readable)
    return not _stranger(tree) and growth(tree) <= MOST_GROWTH and not _feeds_itself(tree)


def _refuse_foreign(tree: Any, readable: Collection[Name]) -> None:
    known = {(schema.lower(), name.lower()) for schema, name in readable}
    named = {str(entry["key"]).lower() for node in nodes(tree) if "cte_map" in node for entry in _ctes(node)}
    for node in nodes(tree):
        function = str(node.get("function_name", "")).lower()
        if function in _TELLING:
            raise CannotRun(f"it calls {function}(), which rules may not call")
        if node.get("type") == "SHOW_REF":
            raise CannotRun("it describes a relation, and a rule measures one")
        if node.get("type") == "TABLE_FUNCTION":
            _refuse_reader(str(node["function"].get("function_name", "")).lower())
        if node.get("type") == "BASE_TABLE":
            _refuse_unknown(node, known, named)


def _ctes(node: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = node["cte_map"]["map"]
    return found


def _refuse_reader(function: str) -> None:
    if function not in _MAKE_ROWS:
        raise CannotRun(
            f"it reads from {function}(); behind FROM a rule calls {', '.join(sorted(_MAKE_ROWS))}"
        )


def _refuse_unknown(node: Mapping[str, Any], known: Collection[Name], named: Collection[str]) -> None:
    catalog, schema, name = (str(node[key]) for key in ("catalog_name", "schema_name", "table_name"))
    plain = ("" if schema.lower() == "main" else schema.lower(), name.lower())
    mine = plain in known or (not schema and name.lower() in named and not _CATALOG.match(name))
    if catalog or not mine:
        shown = ".".join(part for part in (catalog, schema, name) if part)
        allowed = ", ".join(sorted(".".join(filter(None, each)) for each in known))
        raise CannotRun(f"it reads {shown!r}, which does not exist for this rule; it may read {allowed}")


def _stranger(tree: Any) -> bool:
    """True if anything is called that is not known to be tame; `range` is, behind FROM only."""
    behind_from = {id(node["function"]) for node in nodes(tree) if node.get("type") == "TABLE_FUNCTION"}
    for node in nodes(tree):
        name = node.get("function_name")
        if node.get("class") == "LAMBDA":
            return True
        if isinstance(name, str) and id(node) not in behind_from and name.lower() not in _TAME:
            return True
    return False


def _feeds_itself(tree: Any) -> bool:
    """A recursive query that puts texts together makes them longer in every round."""
    recursive = any(node.get("type") == "RECURSIVE_CTE_NODE" for node in nodes(tree))
    return recursive and growth(tree) > 1
