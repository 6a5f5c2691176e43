"""SQL that a contract brings along, run where it can do no harm.

It runs on an in-memory connection of its own that sees the draft and the products that the contract's
foreign keys name, that cannot read or write any other file, load anything, or change a setting, and that is
interrupted when its time is up. A query that calls what no clock interrupts runs in a process of its own
(sealed).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.clock import query_limit, too_long
from mesh_assets.capabilities.checks.lending import LIMITS, lend, lock
from mesh_assets.capabilities.checks.queries import Name, is_tame
from mesh_assets.capabilities.checks.sealed import sealed
from mesh_assets.capabilities.checks.stored import CannotRun, exact, identifier
from mesh_assets.capabilities.checks.subject import Subject
from mesh_assets.words.rules import Rule

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: How long one SQL rule may take.
SQL_RULE_SECONDS = 60.0

#: The same for a rule that a consumer wrote: nobody may hold up another domain's product.
SQL_EXPECTATION_SECONDS = 10.0

#: ODCS 3.1 writes {object} and {property}; 3.0 wrote ${table} and ${column}.
_PLACEHOLDER = re.compile(r"\$?\{\s*(object|table|schema|model|property|column|field)\s*\}", re.IGNORECASE)
_OF_THE_TABLE = frozenset({"object", "table", "schema", "model"})


@contextmanager
def sandbox(subject: Subject, rules: Sequence[Rule]) -> Iterator[DuckDBPyConnection]:
    """A locked connection with the product under its own name, and the inputs that the rules name."""
    from tempfile import TemporaryDirectory

    import duckdb

    with (
        TemporaryDirectory(prefix="mesh-sql-") as spill,
        duckdb.connect(config={**LIMITS, "temp_directory": spill}) as con,
    ):
        lock(con, lend(subject.con, con, _relations(subject, rules)))
        yield con


def _relations(subject: Subject, rules: Sequence[Rule]) -> dict[Name, str]:
    """What these rules may read, by schema and name."""
    queries = " ".join(str(rule.arguments.get("query")) for rule in rules)
    read = {product: sql for product, sql in subject.references.items() if product.product in queries}
    return {
        ("", subject.contract.product.product): subject.product_sql,
        **{(product.domain, product.product): relation for product, relation in read.items()},
    }


def measure(
    con: DuckDBPyConnection, subject: Subject, rule: Rule, *, seconds: float = SQL_RULE_SECONDS
) -> Fraction:
    """The one number that the rule's query returns; CannotRun if it is no query or returns anything else."""
    query = _only_select(con, _filled(subject, rule))
    relations = _relations(subject, [rule])
    asked = f"SELECT * FROM (\n{query}\n) AS measured LIMIT 2"
    tame = is_tame(con, query, relations)
    rows = _interrupted(con, asked, seconds) if tame else sealed(subject.con, relations, asked, seconds)
    if len(rows) != 1 or len(rows[0]) != 1:
        raise CannotRun("its query must return one row with one number")
    return _as_number(rows[0][0])


def _view(subject: Subject) -> str:
    return identifier(subject.contract.product.product)


def _filled(subject: Subject, rule: Rule) -> str:
    def value(found: re.Match[str]) -> str:
        if found.group(1).lower() in _OF_THE_TABLE:
            return _view(subject)
        if len(rule.columns) != 1:
            raise CannotRun(f"{found.group(0)} stands for the property of the rule, and this one has none")
        return identifier(rule.columns[0])

    query = rule.arguments.get("query")
    if not isinstance(query, str) or not query.strip():
        raise CannotRun("it has no query")
    return _PLACEHOLDER.sub(value, query)


def _only_select(con: DuckDBPyConnection, query: str) -> str:
    """The text of the single SELECT in the query."""
    import duckdb

    try:
        statements = con.extract_statements(query)
    except duckdb.Error as error:
        raise CannotRun(str(error)) from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
        raise CannotRun(f"a rule is one SELECT and no other statement; this one is {kinds}")
    return str(statements[0].query).strip().rstrip(";")


def _interrupted(con: DuckDBPyConnection, query: str, seconds: float) -> list[tuple[Any, ...]]:
    import duckdb

    try:
        with query_limit(con, seconds):
            return con.execute(query).fetchall()
    except duckdb.InterruptException:
        raise CannotRun(too_long(seconds)) from None
    except duckdb.Error as error:
        raise CannotRun(str(error)) from None


def _as_number(value: Any) -> Fraction:
    if value is None:
        raise CannotRun("its query returned null, which is no number")
    if isinstance(value, bool):
        return Fraction(int(value))
    if isinstance(value, float) and not math.isfinite(value):
        raise CannotRun(f"its query returned {value}, which no bound can be held against")
    return exact(value)
