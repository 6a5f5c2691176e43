"""Which columns of a recipe's inputs the SQL texts read that it ran.

Here: texts of a log. Not here: one SELECT (queries), what a recipe read by other ways (observed).

A table that is none of the inputs is the recipe's own if a text made it: what it was filled from is in that
text. Any other name may be a variable of Python that stands for a query which is in no log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from mesh_assets.capabilities.lineage.queries import NotUnderstood, relation_of
from mesh_assets.capabilities.lineage.relations import ANY, UNKNOWN, Relation, table, views_of_run

#: Table -> columns in lower case that are read; None: all of them.
TextReads = dict[str, frozenset[str] | None]
#: More texts than this, or longer ones, are not read.
MOST, LONGEST = 200, 100_000
#: Functions that take a table's name, or a query, as a value.
_BY_NAME = frozenset(("query", "query_table"))
#: Schemas of views that are no input's.
_OTHERS = ("source", "run")


class _Hidden(NotUnderstood):
    """Any input may be read by it."""


def reads_of(texts: Iterable[str], inputs: Mapping[str, Relation]) -> tuple[TextReads, tuple[str, ...]]:
    """The columns of each input that these texts read, and why all of them count where they do.

    `inputs` are by their names in lower case.
    """
    texts = list(dict.fromkeys(text.strip().rstrip(";") for text in texts))
    if len(texts) > MOST or any(len(text) > LONGEST for text in texts):
        return dict.fromkeys(inputs), (f"it runs more than {MOST} statements, or long ones",)
    found: TextReads = dict.fromkeys(inputs, frozenset())
    own = frozenset(name for text in texts for name in _made(text))
    why: list[str] = []
    if own & set(inputs):
        return dict.fromkeys(inputs), ("it makes a table by the name of an input",)
    for text in texts:
        try:
            relation = relation_over(_query(text), inputs, own)
            reads = _reads(relation, inputs)
            why += relation.unsafe if None in reads.values() else ()
        except NotUnderstood as error:
            why.append(str(error))
            reads = dict.fromkeys(_reached(text, inputs, own))
        for name, columns in reads.items():
            known = found[name]
            found[name] = None if known is None or columns is None else known | columns
    return found, tuple(dict.fromkeys(why))


def relation_over(query: str, inputs: Mapping[str, Relation], own: frozenset[str] = frozenset()) -> Relation:
    """What a SELECT over inputs and tables of the recipe's own yields. Raises NotUnderstood."""
    others = {name: table(f"own:{name}", None) for name in _tables(query, inputs, own)}
    return relation_of(query, {**others, **views_of_run(), **inputs})


def _reads(relation: Relation, inputs: Mapping[str, Relation]) -> TextReads:
    found: dict[str, set[str]] = {}
    for name, column in relation.everything().needs:
        if name.lower() in inputs:
            found.setdefault(name.lower(), set()).add(column)
    return {
        name: None if names & {ANY, UNKNOWN} else frozenset(each for each in names if each)
        for name, names in found.items()
    }


def _reached(text: str, inputs: Mapping[str, Relation], own: frozenset[str]) -> list[str]:
    """Inputs that a text can read which is not understood: those of its tables, if all of these are known."""
    try:
        return sorted(_tables(_query(text), inputs, own) & set(inputs))
    except NotUnderstood:
        return list(inputs)


def _tables(query: str, inputs: Mapping[str, Relation], own: frozenset[str]) -> set[str]:
    """The tables in a query, as `schema.name`. Raises NotUnderstood if one may be anything."""
    if _BY_NAME & set(re.findall(r"\w+", query.lower())):
        raise _Hidden("it names a table by a value")
    (tree,) = _parsed(query)
    found = set()
    inside = {each.alias.lower() for each in tree.find_all(exp.CTE)}
    for node in tree.find_all(exp.Table):
        key = f"{node.db}.{node.name}".lower()
        if not isinstance(node.this, exp.Identifier) or (not node.db and node.name.lower() in inside):
            continue
        if node.catalog or not (key in inputs or key in own or node.db.lower() in _OTHERS):
            raise _Hidden(f"it reads {node.name}, which no statement of the recipe has made")
        found.add(key)
    return found


def _query(text: str) -> str:
    """The SELECT in a statement that reads, or makes something of the recipe's own."""
    (tree,) = _parsed(text)
    inside = tree.expression if isinstance(tree, exp.Create | exp.Insert) else tree
    made = str(tree.args.get("kind") or "TABLE").upper() if inside is not tree else "TABLE"
    if not isinstance(inside, exp.Query) or made not in ("TABLE", "VIEW"):
        raise _Hidden(f"{text.split(maxsplit=1)[0].upper()}, which is no SELECT")
    return text if inside is tree else inside.sql(dialect="duckdb")


def _made(text: str) -> list[str]:
    """The table or view that a statement makes, as `schema.name`."""
    try:
        (tree,) = _parsed(text)
    except NotUnderstood:
        return []
    made = tree.this if isinstance(tree, exp.Create) else None
    made = made.this if isinstance(made, exp.Schema) else made
    return [f"{made.db}.{made.name}".lower()] if isinstance(made, exp.Table) else []


def _parsed(text: str) -> list[exp.Expr]:
    """The one statement of a text."""
    try:
        found = [each for each in parse(text, dialect="duckdb") if each is not None]
    except SqlglotError as error:
        raise _Hidden(str(error).splitlines()[0].split(". Line")[0]) from None
    if len(found) != 1:
        raise _Hidden("this is not one statement")
    return found
