"""Relations of one connection made readable in another, and the lock on that other one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.queries import Name
from mesh_assets.capabilities.checks.stored import identifier, text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: What a connection for a contract's SQL may hold and spill; it has none of the machine's secrets.
LIMITS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "1GB",
    "max_temp_directory_size": "10GB",
    "allow_persistent_secrets": False,
}


def lend(owner: DuckDBPyConnection, guest: DuckDBPyConnection, relations: Mapping[Name, str]) -> set[str]:
    """Make relations readable in the guest, by schema and name; the files that it must open for that."""
    files: set[str] = set()
    for (schema, name), relation in relations.items():
        if schema:
            guest.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")
        shown = f"{identifier(schema)}.{identifier(name)}" if schema else identifier(name)
        files |= _lend(owner, guest, shown, relation)
    return files


def lock(con: DuckDBPyConnection, files: Iterable[str]) -> None:
    """From now on the connection opens these files and no others, and keeps its settings."""
    for statement in lock_statements(files):
        con.execute(statement)


def lock_statements(files: Iterable[str]) -> list[str]:
    """The statements that do so, for a process that has no mesh."""
    listed = ", ".join(map(text, sorted(files)))
    return [
        "SET TimeZone = 'UTC'",
        "SET python_enable_replacements = false",
        *([f"SET allowed_paths = [{listed}]"] if listed else []),
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ]


def _lend(owner: DuckDBPyConnection, guest: DuckDBPyConnection, name: str, relation: str) -> set[str]:
    files = _parquet_files(owner, relation)
    if files is not None:
        guest.execute(f"CREATE VIEW {name} AS SELECT * FROM {relation} AS lent")
        return files
    # Anything but plain Parquet (a lake table, values) stays in its own connection: its rows are copied over.
    guest.register("mesh_lent", owner.execute(f"SELECT * FROM {relation} AS lent").to_arrow_reader())
    guest.execute(f"CREATE TABLE {name} AS SELECT * FROM mesh_lent")
    guest.unregister("mesh_lent")
    return set()


def _parquet_files(con: DuckDBPyConnection, relation: str) -> set[str] | None:
    """The files that a relation reads, if it reads nothing but Parquet files that it names one by one."""
    # Not bound: binding a value imports pandas, half a CPU second in every process.
    row = con.execute(f"SELECT json_serialize_sql({text(f'SELECT * FROM {relation}')})").fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree["error"]:
        return None
    files: set[str] = set()
    named = _collect(tree["statements"], files) and files
    # A guest has no key to object storage.
    return files if named and not any("://" in file for file in files) else None


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
