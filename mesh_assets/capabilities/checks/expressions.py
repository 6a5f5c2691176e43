"""An expression of a contract as SQL, once its tree has been found to say nothing but one value per row.

DuckDB itself parses the text (`json_serialize_sql`), so that what is judged is what would run. Allowed are
the columns of the data, constants, operators, casts, CASE, and the functions that contracts/expressions
lists; any other kind of node (a subquery, a window, a star, a table function, a parameter) is an error of its
rule alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from mesh_assets.capabilities.checks.growth import MOST_GROWTH, growth
from mesh_assets.capabilities.checks.stored import CannotRun
from mesh_assets.capabilities.checks.trees import nodes, tree_of
from mesh_assets.capabilities.contracts.expressions import FUNCTIONS, words

#: What the parser calls the operators and the syntax that it turns into functions.
_OPERATORS = words(
    "+ - * / // % ** ^ || ~~ !~~ ~~* !~~* like_escape not_like_escape ilike_escape not_ilike_escape"
)
_NODES = words("COLUMN_REF CONSTANT COMPARISON CONJUNCTION OPERATOR FUNCTION CAST CASE BETWEEN")
_TYPES = words(
    "BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT FLOAT DOUBLE "
    "DECIMAL VARCHAR DATE TIME TIMESTAMP INTERVAL"
) | {"TIMESTAMP WITH TIME ZONE"}
#: Clauses of a SELECT that a lone expression leaves empty.
_CLAUSES = ("where_clause", "group_expressions", "group_sets", "having", "sample", "qualify", "modifiers")


def checked(expression: str, columns: Collection[str]) -> str:
    """The expression in brackets; CannotRun if it is anything but one value per row of these columns."""
    known = {name.lower() for name in columns}
    for name in _named(expression):
        if name.lower() not in known:
            raise CannotRun(f"the expression names {name!r}; the data has {', '.join(columns)}")
    return f"({expression}\n)"


@lru_cache(maxsize=2_000)
def _named(expression: str) -> tuple[str, ...]:
    """The columns that an expression names; CannotRun if it says more than an expression may."""
    _select(expression)  # by itself: a bracket that it closes was opened by it
    select = _select(f"(\n{expression}\n)")
    if growth(select) > MOST_GROWTH:
        raise CannotRun(
            f"the expression can make a text more than {MOST_GROWTH} times longer: write a sql rule"
        )
    return tuple(dict.fromkeys(_columns(select["select_list"][0])))


def _select(expression: str) -> Mapping[str, Any]:
    import duckdb

    # A connection of its own: no macro of the audit's changes what a name means.
    with duckdb.connect() as con:
        statements = tree_of(con, f"SELECT {expression}", "the expression")["statements"]
    select: Mapping[str, Any] = statements[0]["node"] if len(statements) == 1 else {}
    alone = (
        select.get("type") == "SELECT_NODE"
        and len(select["select_list"]) == 1
        and select["from_table"]["type"] == "EMPTY"
        and not any(select[clause] for clause in _CLAUSES)
        and not select["cte_map"]["map"]
    )
    if not alone:
        raise CannotRun("the expression is a statement, and a rule's is one value per row")
    return select


def _columns(expression: Mapping[str, Any]) -> Iterator[str]:
    for node in nodes(expression):
        if "class" in node:
            _refuse_stranger(node)
            if node["class"] == "COLUMN_REF":
                yield node["column_names"][0]


def _refuse_stranger(node: Mapping[str, Any]) -> None:
    kind = node["class"]
    if kind not in _NODES or node["type"] == "OPERATOR_TRY":
        what = node["type"].lower().replace("_", " ")
        raise CannotRun(f"the expression has a {what}, which rules may not have")
    if kind == "FUNCTION":
        plain = not (node["schema"] or node["catalog"] or node["filter"] or node["distinct"])
        if node["function_name"].lower() not in FUNCTIONS | _OPERATORS or not plain:
            raise CannotRun(f"the expression calls {node['function_name']}(), which rules may not call")
    if kind == "CAST" and node["cast_type"]["id"] not in _TYPES:
        raise CannotRun(f"the expression casts to {node['cast_type']['id']}, which rules may not")
