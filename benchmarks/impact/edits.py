"""Seeded edits of a SELECT, as people make them: some change nothing, some one column, some all rows."""

from __future__ import annotations

import random
from collections.abc import Callable

from sqlglot import exp, parse_one

Edit = Callable[[exp.Select, random.Random], bool]


def edited(sql: str, made: random.Random) -> tuple[str, str] | None:
    """(name of the edit, the SQL after it), None where this one does not apply here."""
    tree = parse_one(sql, dialect="duckdb")
    selects = list(tree.find_all(exp.Select))
    select = selects[0] if made.random() < 0.4 else made.choice(selects)
    edit = made.choice(EDITS)
    if not edit(select, made):
        return None
    return edit.__name__, tree.sql(dialect="duckdb")


def _plain(select: exp.Select) -> list[exp.Expr]:
    return [each for each in select.expressions if isinstance(each.unalias(), exp.Column)]


def _some_column(select: exp.Select, made: random.Random) -> exp.Expr | None:
    found = [
        each for each in select.find_all(exp.Column) if each.parent_select is select and each.name != "*"
    ]
    return made.choice(found).copy() if found else None


def comment(select: exp.Select, made: random.Random) -> bool:
    select.add_comments(["looked at again"])
    return True


def add_constant(select: exp.Select, made: random.Random) -> bool:
    select.select("42 AS added_column", copy=False)
    return True


def add_column(select: exp.Select, made: random.Random) -> bool:
    column = _some_column(select, made)
    if column is not None:
        select.select(exp.alias_(column, "added_column"), copy=False)
    return column is not None


def add_aggregate(select: exp.Select, made: random.Random) -> bool:
    column = _some_column(select, made)
    function = made.choice((exp.Max, exp.Min, exp.Count))
    select.select(exp.alias_(function(this=column or exp.Star()), "added_aggregate"), copy=False)
    return True


def add_window(select: exp.Select, made: random.Random) -> bool:
    column = _some_column(select, made)
    if column is None:
        return False
    over = exp.Window(this=exp.Count(this=exp.Star()), partition_by=[column])
    select.select(exp.alias_(over, "added_window"), copy=False)
    return True


def add_unnest(select: exp.Select, made: random.Random) -> bool:
    select.select("unnest([1, 2]) AS added_unnest", copy=False)
    return True


def add_random_order(select: exp.Select, made: random.Random) -> bool:
    if not _plain(select):
        return False
    select.order_by(made.choice(_plain(select)).unalias().copy(), copy=False)
    return True


def drop_column(select: exp.Select, made: random.Random) -> bool:
    if len(select.expressions) < 2:
        return False
    select.expressions.remove(made.choice(select.expressions))
    return True


def change_column(select: exp.Select, made: random.Random) -> bool:
    found = [each for each in select.expressions if isinstance(each, exp.Alias)]
    if not found:
        return False
    chosen = made.choice(found)
    inner = chosen.this.copy()
    chosen.set(
        "this",
        exp.func("coalesce", inner, inner.copy())
        if made.random() < 0.3
        else exp.func("nullif", inner, inner.copy()),
    )
    return True


def swap_columns(select: exp.Select, made: random.Random) -> bool:
    found = [each for each in select.expressions if isinstance(each, exp.Alias)]
    if len(found) < 2:
        return False
    one, two = made.sample(found, 2)
    first, second = one.this.copy(), two.this.copy()
    one.set("this", second)
    two.set("this", first)
    return True


def distinct(select: exp.Select, made: random.Random) -> bool:
    select.set("distinct", None if select.args.get("distinct") else exp.Distinct())
    return True


def group_by_all(select: exp.Select, made: random.Random) -> bool:
    select.set("group", exp.Group(all=True))
    return True


def filter_rows(select: exp.Select, made: random.Random) -> bool:
    column = _some_column(select, made)
    if column is not None:
        select.where(exp.Not(this=exp.Is(this=column, expression=exp.null())), copy=False)
    return column is not None


def drop_filter(select: exp.Select, made: random.Random) -> bool:
    key = made.choice(("where", "qualify", "having"))
    had = select.args.get(key) is not None
    select.set(key, None)
    return had


def limit(select: exp.Select, made: random.Random) -> bool:
    select.limit(made.choice((1, 7, 1000000)), copy=False)
    return True


def change_join(select: exp.Select, made: random.Random) -> bool:
    joins = [each for each in select.args.get("joins") or () if each.kind not in ("SEMI", "ANTI", "CROSS")]
    if not joins:
        return False
    join = made.choice(joins)
    join.set("side", made.choice(("", "LEFT", "FULL")))
    join.set("kind", None)
    return True


def change_literal(select: exp.Select, made: random.Random) -> bool:
    found = [each for each in select.find_all(exp.Literal) if each.parent_select is select]
    if not found:
        return False
    chosen = made.choice(found)
    chosen.set("this", "1" if chosen.is_number else f"{chosen.this}x")
    return True


def union_itself(select: exp.Select, made: random.Random) -> bool:
    if select.args.get("with_") or isinstance(select.parent, exp.SetOperation):
        return False
    both = exp.Union(this=select.copy(), expression=select.copy(), distinct=made.random() < 0.5)
    if select.parent is None:
        return False
    select.replace(both)
    return True


def turn_union(select: exp.Select, made: random.Random) -> bool:
    union = select.find_ancestor(exp.Union)
    if union is None:
        return False
    union.set("distinct", not union.args.get("distinct"))
    return True


def star(select: exp.Select, made: random.Random) -> bool:
    select.set("expressions", [exp.Star()])
    return True


EDITS: tuple[Edit, ...] = (
    comment,
    add_constant,
    add_constant,
    add_column,
    add_column,
    add_aggregate,
    add_window,
    add_unnest,
    add_random_order,
    drop_column,
    drop_column,
    change_column,
    change_column,
    change_column,
    swap_columns,
    distinct,
    group_by_all,
    filter_rows,
    drop_filter,
    limit,
    change_join,
    change_literal,
    union_itself,
    turn_union,
    star,
)
