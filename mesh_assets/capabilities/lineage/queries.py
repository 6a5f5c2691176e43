"""A SELECT as facts about what it yields: sqlglot's tree of it, qualified with what is known of its tables.

What is not understood for certain raises NotUnderstood: the caller then takes all columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from mesh_assets.capabilities.lineage.hazards import has_aggregate, order_matters, own, refused, yields_rows
from mesh_assets.capabilities.lineage.relations import (
    UNKNOWN,
    Facts,
    Relation,
    by_order,
    digest_of,
    merged,
    stacked,
    together,
)

#: Qualified name of a table in lower case -> what it yields.
Tables = Mapping[str, Relation]
#: Alias -> relation, of one SELECT and of those around it.
Sources = dict[str, Relation]
#: Where a SELECT keeps its bare names while it is qualified.
BARE = "bare names"
_LIMITS = ("limit", "offset", "fetch")
_NO_ROWS = (
    *_LIMITS,
    "expressions",
    "with_",
    "order",
    "distinct",
    "group",
    "from_",
    "joins",
    "laterals",
    "hint",
    "kind",
)


class NotUnderstood(Exception):
    """The reason, in words."""


def relation_of(sql: str, tables: Tables) -> Relation:
    """What a query yields. Raises NotUnderstood."""
    try:
        statements = [each for each in parse(sql, dialect="duckdb") if each is not None]
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            raise NotUnderstood("this is not one SELECT")
        tree = statements[0]
        if problem := refused(tree):
            raise NotUnderstood(problem)
        for select in tree.find_all(exp.Select):
            select.meta[BARE] = frozenset(_bare_names(select))
            _place_alone(select, tables)
        scope = build_scope(qualify(tree, schema=_schema(tables), dialect="duckdb"))
        if scope is None:
            raise NotUnderstood("sqlglot finds no query in it")
        return _Reading(tables).query(scope, {})
    except SqlglotError as error:
        raise NotUnderstood(str(error).splitlines()[0].split(". Line")[0]) from None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise NotUnderstood(f"sqlglot cannot read it ({type(error).__name__})") from None


def _bare_names(select: exp.Select) -> Iterator[str]:
    """Names that a SELECT uses without saying of which table, but for `f(x) as x`: there it is the column."""
    for node in own(select):
        if isinstance(node, exp.Column) and not node.table:
            above = node.find_ancestor(exp.Alias, exp.Select)
            if not (isinstance(above, exp.Alias) and above.alias.lower() == node.name.lower()):
                yield node.name.lower()


def _place_alone(select: exp.Select, tables: Tables) -> None:
    """Bare names of a SELECT from one table of which no column is known are that table's, or of an alias."""
    start = select.args.get("from_")
    table = start.this if start is not None else None
    if not isinstance(table, exp.Table) or select.args.get("joins") or select.args.get("laterals"):
        return
    relation = tables.get(f"{table.db}.{table.name}".lower())
    if relation is None or relation.known or not _sees_no_other(select):
        return
    made = {each.alias.lower() for each in select.expressions if isinstance(each, exp.Alias)}
    for node in own(select):
        if isinstance(node, exp.Column) and not node.table and not isinstance(node.this, exp.Star):
            above = node.find_ancestor(exp.Alias, exp.Select)
            itself = isinstance(above, exp.Alias) and above.alias.lower() == node.name.lower()
            if itself or node.name.lower() not in made:
                node.set("table", exp.to_identifier(table.alias_or_name))


def _schema(tables: Tables) -> dict[str, object]:
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for name, relation in tables.items():
        if relation.known:
            group, _, table = name.partition(".")
            schema.setdefault(group, {})[table] = dict.fromkeys(relation.columns, "VARCHAR")
    return dict(schema)


def _sees_no_other(select: exp.Select) -> bool:
    """True for a SELECT in the place of a table: one in an expression can use names of those around it."""
    node: exp.Expr | None = select
    while isinstance(node, exp.SetOperation | exp.Select) and node.parent is not None:
        node = node.parent
        if isinstance(node, exp.Subquery):
            return isinstance(node.parent, exp.From | exp.Join)
    return node is None or isinstance(node, exp.CTE | exp.Query)


class _Reading:
    """One statement, while it is read: what its tables are, and what CTEs were found to be."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.found: dict[int, Relation] = {}

    def query(self, scope: Scope, outer: Sources) -> Relation:
        key = id(scope)
        if outer or key not in self.found:
            relation = self._query(scope, outer)
            if outer:
                return relation
            self.found[key] = relation
        return self.found[key]

    def _query(self, scope: Scope, outer: Sources) -> Relation:
        tree = scope.expression
        if isinstance(tree, exp.SetOperation):
            return self._set_operation(scope, outer)
        if isinstance(tree, exp.Select):
            return _Select(self, scope, outer).relation()
        if isinstance(tree, exp.Subquery | exp.Paren) and len(scope.set_operation_scopes or ()) == 0:
            raise NotUnderstood("a query in brackets")
        raise NotUnderstood(f"{type(tree).__name__.upper()} in the place of a SELECT")

    def _set_operation(self, scope: Scope, outer: Sources) -> Relation:
        tree = scope.expression
        if tree.args.get("by_name") or len(scope.set_operation_scopes) != 2:
            raise NotUnderstood(
                "UNION BY NAME" if tree.args.get("by_name") else "a set operation in brackets"
            )
        left, right = (self.query(each, outer) for each in scope.set_operation_scopes)
        both = stacked(left, right)
        word = type(tree).__name__.upper()
        if not isinstance(tree, exp.Union) or tree.args.get("distinct"):
            both = together(both, word)
            rows = Facts(digest_of(word, tree.args.get("distinct"), both.rows.digest), both.rows.needs)
            both = replace(both, rows=rows)
        if any(tree.args.get(each) for each in _LIMITS):
            limits = [tree.args[each].sql() for each in (*_LIMITS, "order") if tree.args.get(each)]
            both = by_order(both, both.tables(), "LIMIT")
            both = replace(both, rows=Facts(digest_of(both.rows.digest, *limits), both.rows.needs))
        return both


class _Select:
    """One SELECT, while it is read."""

    def __init__(self, reading: _Reading, scope: Scope, outer: Sources) -> None:
        self.reading = reading
        self.scope = scope
        self.tree = scope.expression
        self.inner = {id(each.expression): each for each in scope.subquery_scopes}
        self.own: Sources = {}
        self.sources: Sources = dict(outer)
        for node in self._from_nodes():
            self._bring(node)

    def relation(self) -> Relation:
        columns = self._columns()
        rows = merged("select", [self._from_rows(), *self._conditions(), *self._grouping()])
        unsafe = tuple(dict.fromkeys(word for each in self.own.values() for word in each.unsafe))
        found = Relation(rows, columns, self._keys(), unsafe)
        if self.tree.args.get("distinct"):
            found = together(found, "DISTINCT")
            found = replace(found, rows=Facts(digest_of("distinct", found.rows.digest), found.rows.needs))
        for alias, relation in self.own.items():
            found = self._ambiguous(found, alias, relation)
        if any(self.tree.args.get(each) for each in _LIMITS):
            limits = [self.tree.args[each].sql() for each in (*_LIMITS, "order") if self.tree.args.get(each)]
            found = replace(found, rows=Facts(digest_of(found.rows.digest, *limits), found.rows.needs))
            found = by_order(found, self._tables(), "LIMIT")
        for why in order_matters(self.tree, self._told_apart):
            found = by_order(found, self._tables(), why)
        return found

    # What it is made from.

    def _from_nodes(self) -> Iterator[exp.Expr]:
        for node in (
            self.tree.args.get("from_"),
            *self.tree.args.get("joins", ()),
            *self.tree.args.get("laterals", ()),
        ):
            if node is not None:
                yield node.this if isinstance(node, exp.From | exp.Join) else node

    def _bring(self, node: exp.Expr) -> None:
        alias = node.alias_or_name
        if node.args.get("pivots") or node.args.get("joins"):
            raise NotUnderstood("PIVOT" if node.args.get("pivots") else "joins in brackets")
        found = self._source(node, self.scope.sources.get(alias))
        self.own[alias] = self.sources[alias] = found

    def _source(self, node: exp.Expr, source: Any) -> Relation:
        if isinstance(source, Scope) and isinstance(source.expression, exp.Query):
            # Only a query in the place of a table may look at tables that stand before it.
            return self.reading.query(source, self.sources if isinstance(node, exp.Lateral) else {})
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            name = f"{node.db}.{node.name}".lower()
            if name not in self.reading.tables:
                raise NotUnderstood(f"it reads {name}, which is none of its inputs")
            return self.reading.tables[name]
        if isinstance(node, exp.Table | exp.Unnest | exp.Values | exp.Lateral):
            inside = merged("made", [self.expression(node)])
            return Relation(inside, {UNKNOWN: inside})
        raise NotUnderstood(f"{type(node).__name__.upper()} in the place of a table")

    def _tables(self) -> set[str]:
        inside = (self.reading.query(each, self.sources).tables() for each in self.inner.values())
        return {name for each in self.own.values() for name in each.tables()}.union(*inside)

    def _from_rows(self) -> Facts:
        found: list[Facts] = []
        for alias, relation in self.own.items():
            found.append(Facts(digest_of("from", alias, relation.rows.digest), relation.rows.needs))
        for join in self.tree.args.get("joins", ()):
            words = [join.side, join.kind, join.method, bool(join.args.get("global"))]
            found.append(Facts(digest_of("join", *words)))
            found += [
                self.expression(join.args[each])
                for each in ("on", "using", "match_condition")
                if join.args.get(each)
            ]
        return merged("from", found)

    def _conditions(self) -> list[Facts]:
        return [
            merged(key, [self.expression(value)])
            for key, value in sorted(self.tree.args.items())
            if key not in _NO_ROWS and value
        ]

    # What it yields.

    def _columns(self) -> dict[str, Facts]:
        columns: dict[str, Facts] = {}
        for node in self.tree.expressions:
            starred = isinstance(node, exp.Star) or (
                isinstance(node, exp.Column) and isinstance(node.this, exp.Star)
            )
            name = UNKNOWN if starred else node.alias_or_name.lower()
            found = self._star(node) if starred else self.expression(node.unalias())
            if name in columns:  # kept in its place, and what is meant by the name may be either
                columns[f"{name}#{len(columns)}"] = found
                found = merged("twice", [columns[name], found])
            columns[name] = found
        return columns

    def _star(self, node: exp.Expr) -> Facts:
        alias = node.table if isinstance(node, exp.Column) else ""
        if alias and alias not in self.own:
            raise NotUnderstood(f"{alias}.* of no table here")
        chosen = [self.own[alias]] if alias else list(self.own.values())
        return merged("star" + node.sql(), [each.everything() for each in chosen])

    def _grouping(self) -> list[Facts]:
        """What decides how many rows come out of those that came in."""
        group = self.tree.args.get("group")
        listed = [node.unalias() for node in self.tree.expressions]
        more = [node for node in listed if yields_rows(node)]
        if group is not None and group.args.get("all"):
            more += [node for node in listed if not has_aggregate(node)]
            found = [Facts(digest_of("group by all", any(has_aggregate(node) for node in listed)))]
        elif group is not None:
            found = [self.expression(group)]
        else:
            tested = [self.tree.args[each] for each in ("having", "qualify") if self.tree.args.get(each)]
            found = [Facts(digest_of("aggregated", any(has_aggregate(node) for node in (*listed, *tested))))]
        return found + [self.expression(node) for node in more]

    def _ambiguous(self, found: Relation, alias: str, relation: Relation) -> Relation:
        """An alias that is a column's name too, used bare: it may mean either, so everything needs both."""
        for node in self.tree.expressions:
            name = node.alias_or_name.lower()
            column = relation.columns.get(name)
            if column is None or name not in self.tree.meta.get(BARE, ()) or not isinstance(node, exp.Alias):
                continue
            read = {each.name.lower() for each in node.this.find_all(exp.Column)}
            if read != {name}:
                found = together(found, f"the alias {name}, a column's name as well,")
                found = replace(found, rows=merged("either", [found.rows, column]))
        return found

    def _keys(self) -> tuple[frozenset[str], ...]:
        """Sets of output columns that tell rows apart."""
        named: dict[tuple[str, str], str] = {}
        for node in self.tree.expressions:
            if isinstance(node.unalias(), exp.Column):
                named.setdefault(
                    (node.unalias().table, node.unalias().name.lower()), node.alias_or_name.lower()
                )
        keys = self._row_keys()
        return tuple(frozenset(named[each] for each in key) for key in keys if key <= set(named))

    def _row_keys(self) -> list[frozenset[tuple[str, str]]]:
        """Sets of columns that tell rows apart before windows: groups, or the table that others hang on."""
        spread = any(yields_rows(node) for node in self.tree.expressions)
        if spread or self.tree.args.get("laterals"):
            return []
        if group := self.tree.args.get("group"):
            plain = [each for each in group.expressions if isinstance(each, exp.Column)]
            whole = len(plain) == len(group.expressions) and set(group.args) <= {"expressions"}
            return [frozenset((each.table, each.name.lower()) for each in plain)] if whole and plain else []
        aliases = list(self.own)
        if not aliases or not all(self._at_most_one(join) for join in self.tree.args.get("joins", ())):
            return []
        return [frozenset((aliases[0], name) for name in key) for key in self.own[aliases[0]].keys]

    def _at_most_one(self, join: exp.Join) -> bool:
        """True if a join finds no more than one row for each of the left's."""
        alias, on = join.this.alias_or_name, join.args.get("on")
        if join.side not in ("", "LEFT") or join.kind not in ("", "INNER") or on is None:
            return join.kind in ("SEMI", "ANTI")
        equal = set()
        for each in on.flatten() if isinstance(on, exp.And) else [on]:
            sides = [each.this, each.expression] if isinstance(each, exp.EQ) else []
            if sides and all(isinstance(side, exp.Column) for side in sides):
                other = {side.table for side in sides} - {alias}
                equal |= {side.name.lower() for side in sides if side.table == alias and other}
        return any(key <= equal for key in self.own[alias].keys)

    def _told_apart(self, nodes: list[exp.Expr]) -> bool:
        """True if rows that agree in these expressions are one row."""
        group = self.tree.args.get("group")
        if group and group.expressions and set(group.args) <= {"expressions"}:
            return {each.sql() for each in group.expressions} <= {each.sql() for each in nodes}
        plain = {(each.table, each.name.lower()) for each in nodes if isinstance(each, exp.Column)}
        return any(key <= plain for key in self._row_keys())

    # Expressions.

    def expression(self, node: exp.Expr) -> Facts:
        """An expression's facts: its form, with what its columns are in their places."""
        needs: set[tuple[str, str]] = set()
        return Facts(self._digest(node, needs), frozenset(needs))

    def _digest(self, node: Any, needs: set[tuple[str, str]]) -> str:
        if isinstance(node, list):
            return digest_of("list", *(self._digest(each, needs) for each in node))
        if not isinstance(node, exp.Expr):
            return f"{type(node).__name__}:{node}"
        if isinstance(node, exp.Column):
            return self._column(node, needs)
        if isinstance(node, exp.Query) and not isinstance(node, exp.Subquery):
            return self._subquery(node, needs)
        if isinstance(node, exp.TableColumn):
            raise NotUnderstood(f"{node.name}, a table's row as a value")
        parts = [
            f"{key}={self._digest(value, needs)}"
            for key, value in sorted(node.args.items())
            if value is not None and value is not False and value != []
        ]
        return digest_of(type(node).__name__, *parts)

    def _column(self, node: exp.Column, needs: set[tuple[str, str]]) -> str:
        source = self.sources.get(node.table)
        facts = source.column(node.name.lower()) if source else None
        if facts is None or isinstance(node.this, exp.Star):
            raise NotUnderstood(f"{node.sql(dialect='duckdb')} is a column of no table that is known here")
        needs |= facts.needs
        # Of a table whose columns are not known one fact stands for all: the name tells them apart.
        return digest_of("column", node.table, node.name.lower(), facts.digest)

    def _subquery(self, node: exp.Expr, needs: set[tuple[str, str]]) -> str:
        scope = self.inner.get(id(node))
        if scope is None:
            raise NotUnderstood("a query inside an expression")
        relation = self.reading.query(scope, self.sources)
        needs |= relation.everything().needs
        return digest_of("query", relation.everything().digest)
