"""The dbt-duckdb plugin that puts a run's inputs into its scratch database as views.

The views are made on the connection that all of dbt's threads share, before the first model: a model says
`source('hcp', 'hcp_master')` and reads the version that the run pinned, whatever is released meanwhile.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

INPUTS = "MESH_DBT_INPUTS"
IDENTIFIER = re.compile(r"^[a-z_][a-z0-9_]*$")


class Plugin(BasePlugin):
    """Reads the file named by MESH_DBT_INPUTS; without it (dbt by hand) asks for the mesh's current heads."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        inputs = _inputs()
        for setting, value in inputs.get("settings", {}).items():
            conn.execute(f"SET {_identifier(setting)} = {_literal(value)}")
        for schema in sorted({view["schema"] for view in inputs["views"]}):
            conn.execute(f"CREATE SCHEMA IF NOT EXISTS {_identifier(schema)}")
        if any("'s3://" in view["sql"] for view in inputs["views"]):
            from mesh_assets.capabilities.lake.extensions import open_objects

            open_objects(conn)
        for view in inputs["views"]:
            name = f"{_identifier(view['schema'])}.{_identifier(view['name'])}"
            conn.execute(f"CREATE OR REPLACE VIEW {name} AS {view['sql']}")


def _inputs() -> Mapping[str, Any]:
    path = os.environ.get(INPUTS)
    if path:
        listed: Mapping[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        return listed
    from mesh_assets.capabilities.publishing.dbt import hand_inputs

    return hand_inputs()


def _identifier(word: str) -> str:
    if not IDENTIFIER.match(word.lower()):
        raise ValueError(f"{word!r} in the inputs of dbt is not an identifier")
    return f'"{word}"'


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
