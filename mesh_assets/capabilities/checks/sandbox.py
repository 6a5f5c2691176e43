"""SQL that a contract brings along, run where it can do no harm.

It runs on an in-memory connection of its own that sees the draft and the products that the contract's
foreign keys name, that cannot read or write any other file, load anything, or change a setting, and that is
interrupted when its time is up.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from tempfile import TemporaryDirectory
from threading import Timer
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.stored import CannotRun, exact, identifier, text
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
    import duckdb

    queries = " ".join(str(rule.arguments.get("query")) for rule in rules)
    read = {product: sql for product, sql in subject.references.items() if product.product in queries}
    relations = {_view(subject): subject.product_sql}
    for product, relation in read.items():
        relations[f"{identifier(product.domain)}.{identifier(product.product)}"] = relation
    with TemporaryDirectory(prefix="mesh-sql-") as spill, duckdb.connect(config=_limits(spill)) as con:
        con.execute("SET TimeZone = 'UTC'")
        for product in read:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(product.domain)}")
        files = [_lend(subject.con, con, name, relation) for name, relation in relations.items()]
        _lock(con, sorted(set().union(*files)))
        yield con


def _limits(spill: str) -> dict[str, str | bool | int | float | list[str]]:
    return {"memory_limit": "2GB", "temp_directory": spill, "max_temp_directory_size": "20GB"}


def measure(
    con: DuckDBPyConnection, subject: Subject, rule: Rule, *, seconds: float = SQL_RULE_SECONDS
) -> Fraction:
    """The one number that the rule's query returns; CannotRun if it is no query or returns anything else."""
    query = _only_select(con, _filled(subject, rule))
    rows = _interrupted(con, f"SELECT * FROM (\n{query}\n) AS measured LIMIT 2", seconds)
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

    alarm = Timer(seconds, con.interrupt)
    alarm.start()
    try:
        return con.execute(query).fetchall()
    except duckdb.InterruptException:
        raise CannotRun(f"it took longer than {seconds:g} seconds") from None
    except duckdb.Error as error:
        raise CannotRun(str(error)) from None
    finally:
        alarm.cancel()


def _as_number(value: Any) -> Fraction:
    if value is None:
        raise CannotRun("its query returned null, which is no number")
    if isinstance(value, bool):
        return Fraction(int(value))
    if isinstance(value, float) and not math.isfinite(value):
        raise CannotRun(f"its query returned {value}, which no bound can be held against")
    return exact(value)


def _lend(owner: DuckDBPyConnection, guest: DuckDBPyConnection, name: str, relation: str) -> set[str]:
    """Make a relation readable in the sandbox; the files that it must be allowed to open for that."""
    files = _parquet_files(owner, relation)
    if files is not None:
        guest.execute(f"CREATE VIEW {name} AS SELECT * FROM {relation} AS lent")
        return files
    # Anything but plain Parquet (a lake table, values) stays in its own connection: its rows are copied over.
    guest.register("mesh_lent", owner.execute(f"SELECT * FROM {relation} AS lent").to_arrow_reader())
    guest.execute(f"CREATE TABLE {name} AS SELECT * FROM mesh_lent")
    guest.unregister("mesh_lent")
    return set()


def _lock(con: DuckDBPyConnection, files: list[str]) -> None:
    con.execute("SET python_enable_replacements = false")
    if files:
        con.execute(f"SET allowed_paths = [{', '.join(map(text, files))}]")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _parquet_files(con: DuckDBPyConnection, relation: str) -> set[str] | None:
    """The files that a relation reads, if it reads nothing but Parquet files that it names one by one."""
    # Not bound: binding a value imports pandas, half a CPU second in every process.
    row = con.execute(f"SELECT json_serialize_sql({text(f'SELECT * FROM {relation}')})").fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree["error"]:
        return None
    files: set[str] = set()
    return files if _collect(tree["statements"], files) and files else None


def _collect(node: Any, files: set[str]) -> bool:
    """Gather Parquet paths below this node; False if anything else is read."""
    if isinstance(node, list):
        return all(_collect(child, files) for child in node)
    if not isinstance(node, Mapping):
        return True
    if node.get("type") == "BASE_TABLE":
        return False
    if node.get("type") == "TABLE_FUNCTION":
        return _collect_call(node["function"], files)
    return all(_collect(child, files) for child in node.values())


def _collect_call(call: Mapping[str, Any], files: set[str]) -> bool:
    first = call["children"][0] if call["children"] else {}
    listed = first.get("children", []) if first.get("function_name") == "list_value" else [first]
    paths = [item.get("value", {}).get("value") for item in listed if item.get("class") == "CONSTANT"]
    named = len(paths) == len(listed) and all(
        isinstance(path, str) and not set(path) & set("*?[") for path in paths
    )
    files.update(path for path in paths if isinstance(path, str))
    return named and call["function_name"] in ("read_parquet", "parquet_scan")
