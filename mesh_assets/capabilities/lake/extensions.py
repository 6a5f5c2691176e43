"""DuckDB's extensions, out of their wheels, and object storage opened with one of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake.credentials import credentials
from mesh_assets.capabilities.lake.places import literal
from mesh_assets.capabilities.lake.stores import OBJECTS
from mesh_assets.words.errors import SettingMalformed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: What the key is called inside of DuckDB.
SECRET = "mesh_objects"  # noqa: S105 - a name


def load(connection: DuckDBPyConnection, extension: str) -> None:
    """Load an extension out of its wheel: `ducklake`, `sqlite_scanner`, `postgres_scanner`, `httpfs`."""
    connection.execute(f"LOAD {literal(str(extension_file(extension)))}")


def extension_file(extension: str) -> Path:
    """Where the wheel of an extension keeps it."""
    import duckdb

    # find_spec does not import the wheel's package.
    spec = importlib.util.find_spec(f"duckdb_extension_{extension}")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        file = Path(folder) / "extensions" / f"v{duckdb.__version__}" / f"{extension}.duckdb_extension"
        if file.exists():
            return file
    raise SettingMalformed(
        setting=f"duckdb-extension-{extension.replace('_', '-')}",
        value="not installed" if not folders else "of another version",
        problem=f"install its wheel of the version that DuckDB has ({duckdb.__version__})",
    )


def open_objects(connection: DuckDBPyConnection) -> None:
    """Let a connection read and write object storage with this process's key.

    The secret lives in the connection's memory: DuckDB neither stores it nor shows it to a query.
    """
    import duckdb

    there = f"SELECT 1 FROM duckdb_secrets() WHERE name = {literal(SECRET)}"
    if connection.execute(there).fetchone():
        return
    by = credentials("object storage (MESH_DATA)")
    load(connection, "httpfs")
    facts = {"KEY_ID": by.key, "SECRET": by.secret, "REGION": by.region, "SCOPE": OBJECTS}
    facts |= {"SESSION_TOKEN": by.token} if by.token else {}
    if by.endpoint:
        facts |= {"ENDPOINT": by.endpoint.partition("://")[2], "URL_STYLE": "path"}
    listed = ", ".join(f"{name} {literal(value)}" for name, value in facts.items())
    try:
        connection.execute(
            f"CREATE TEMPORARY SECRET {SECRET} (TYPE s3, {listed}, USE_SSL {str(by.tls).lower()})"
        )
    except duckdb.Error as error:  # its message repeats the statement
        raise SettingMalformed(
            setting="AWS_…", value="…", problem=f"DuckDB takes no such key ({type(error).__name__})"
        ) from None
