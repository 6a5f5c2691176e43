"""Constructs of SQL whose result is more than a function of the rows that they read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlglot import exp

#: Functions whose value is none of the inputs'.
_OUTSIDE = frozenset(
    [
        "random",
        "uuid",
        "gen_random_uuid",
        "uuidv4",
        "uuidv7",
        "now",
        "today",
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "get_current_time",
        "get_current_timestamp",
        "transaction_timestamp",
        "nextval",
        "currval",
        "getenv",
        "getvariable",
        "current_setting",
        "txid_current",
        "version",
        "current_user",
        "current_schema",
        "current_database",
        "read_text",
        "read_blob",
        "read_csv",
        "read_csv_auto",
        "read_json",
        "read_json_auto",
        "read_parquet",
        "parquet_scan",
        "glob",
        "query",
        "query_table",
        "sniff_csv",
    ]
)
_OUTSIDE_NODES = (exp.Rand, exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp, exp.Uuid)
#: Aggregates that take what comes first.
_BY_ORDER = frozenset(
    [
        "first",
        "last",
        "any_value",
        "arbitrary",
        "arg_min",
        "arg_max",
        "argmin",
        "argmax",
        "min_by",
        "max_by",
        "mode",
        "list",
        "array_agg",
        "string_agg",
        "group_concat",
        "listagg",
        "histogram",
        "approx_quantile",
        "reservoir_quantile",
        "approx_top_k",
        "product",
        "fsum",
        "kahan_sum",
        "favg",
        "arg_min_null",
        "arg_max_null",
        "first_value",
        "last_value",
        "json_group_array",
        "json_group_object",
        "map_from_entries",
        "entropy",
    ]
)
_NUMBERING = (exp.RowNumber, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)
_SORTED = (exp.ArrayAgg, exp.GroupConcat)
_SPREADING = frozenset(("unnest", "generate_subscripts", "explode"))


def name_of(node: Any) -> str:
    """The function's name in lower case."""
    told = node.name if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc) else node.sql_name()
    return str(told).lower()


def refused(tree: exp.Expr) -> str:
    """Why nothing can be told of a statement, "" for nothing."""
    return next((why for node in tree.walk() if (why := _shape_refused(node) or _value_refused(node))), "")


def _shape_refused(node: exp.Expr) -> str:
    if isinstance(node, exp.Columns | exp.Pivot | exp.Into | exp.Lock):
        return f"{type(node).__name__.upper()}"
    if isinstance(node, exp.With) and node.recursive:
        return "WITH RECURSIVE"
    if isinstance(node, exp.Distinct) and node.args.get("on"):
        return "DISTINCT ON"
    if isinstance(node, exp.Join) and (node.method or node.kind).upper() in ("ASOF", "POSITIONAL"):
        return f"{node.method or node.kind} JOIN"
    return ""


def _value_refused(node: exp.Expr) -> str:
    if isinstance(node, exp.TableSample) or node.args.get("sample"):
        return "a sample"
    if isinstance(node, _OUTSIDE_NODES) or (isinstance(node, exp.Func) and name_of(node) in _OUTSIDE):
        return f"{name_of(node)}(), which is no function of the inputs"
    return ""


def has_aggregate(node: exp.Expr) -> bool:
    """True if an expression adds rows up; an unknown function counts as one that may."""
    for each in own(node):
        if isinstance(each, exp.AggFunc | exp.Anonymous | exp.AnonymousAggFunc) and not _windowed(each, node):
            return True
    return False


def yields_rows(node: exp.Expr) -> bool:
    """True if an expression of the list of columns makes rows."""
    return any(
        isinstance(each, exp.UDTF | exp.Explode | exp.Unnest)
        or (isinstance(each, exp.Func) and name_of(each) in _SPREADING)
        for each in own(node)
    )


def order_matters(tree: exp.Expr, told_apart: Callable[[list[exp.Expr]], bool]) -> Iterator[str]:
    """What in a SELECT depends on the order in which equal rows come."""
    for node in own(tree):
        if isinstance(node, exp.Window):
            if _counts_places(node) and not told_apart(_ordered(node)):
                yield "a window over rows of equal rank"
        elif _first_come(node) and not _windowed(node, tree):
            yield f"{name_of(node)}(), which takes what comes first,"


def own(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Every node of a SELECT that is not of a query inside it."""
    yield from (
        each for each in tree.walk(prune=lambda each: each is not tree and isinstance(each, exp.Query))
    )


def _windowed(node: exp.Expr, top: exp.Expr) -> bool:
    above: exp.Expr | None = node
    while above is not None and above is not top.parent:
        if isinstance(above.parent, exp.Window) and above.parent.this is above:
            return True
        above = above.parent if above is not top else None
        if above is not None and not isinstance(above, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
            return False
    return False


def _counts_places(window: exp.Window) -> bool:
    """True if a window numbers rows, or frames them by their places."""
    function = window.this
    while isinstance(function, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        function = function.this
    spec = window.args.get("spec")
    by_places = spec is not None and str(spec.args.get("kind", "")).upper() in ("ROWS", "GROUPS")
    named = window.args.get("alias") is not None or not isinstance(window.args.get("order"), exp.Order | None)
    known = isinstance(function, exp.AggFunc) and name_of(function) not in _BY_ORDER
    ranks = name_of(function) in ("rank", "dense_rank", "percent_rank", "cume_dist")
    return named or by_places or isinstance(function, _NUMBERING) or not (known or ranks)


def _ordered(window: exp.Window) -> list[exp.Expr]:
    order = window.args.get("order")
    keys = [each.this for each in order.expressions] if isinstance(order, exp.Order) else []
    return [*window.args.get("partition_by", ()), *keys]


def _first_come(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Func | exp.AnonymousAggFunc):
        return False
    if name_of(node) not in _BY_ORDER and not isinstance(
        node, (*_SORTED, exp.AnyValue, exp.ArgMax, exp.ArgMin, exp.Mode)
    ):
        return isinstance(node, exp.Anonymous | exp.AnonymousAggFunc) and name_of(node).startswith(
            ("approx", "list_agg")
        )
    return not _sorted_by_itself(node)


def _sorted_by_itself(node: exp.Expr) -> bool:
    """`string_agg(distinct x, ', ' order by x)`: equal rows give equal texts."""
    inside = node.this
    if not isinstance(inside, exp.Order):
        return False
    value = inside.this
    values = value.expressions if isinstance(value, exp.Distinct) else [value]
    return [each.this for each in inside.expressions][: len(values)] == values
