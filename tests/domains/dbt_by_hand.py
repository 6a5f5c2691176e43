"""Running some models of the dbt project over small frames written out in a test, without the rest of the mesh."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from mesh_assets.words.settings import PROJECT


def run_models(
    folder: Path, select: Sequence[str], views: Mapping[str, str], *, weeks: Sequence[str] = ()
) -> duckdb.DuckDBPyConnection:
    """Run models (and their private ones) over views `schema.name` -> SQL; the scratch database, open to read."""
    listed = [dict(zip(("schema", "name"), name.split("."), strict=True), sql=sql) for name, sql in views.items()]
    inputs, scratch = folder / "inputs.json", folder / "scratch.duckdb"
    inputs.write_text(json.dumps({"views": listed}), encoding="utf-8")
    project = PROJECT / "dbt_project"
    arguments = ["--quiet", "run", "--select", " ".join(f"+{model}" for model in select)]
    places = ["--project-dir", project, "--profiles-dir", project, "--target-path", folder / "target"]
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *arguments, *map(str, places), "--log-path", str(folder / "logs"),
         "--vars", json.dumps({"weeks": list(weeks)})],
        env={
            **os.environ,
            "PYTHONPATH": str(PROJECT),
            "MESH_DBT_INPUTS": str(inputs),
            "MESH_DBT_SCRATCH": str(scratch),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return duckdb.connect(str(scratch), read_only=True)


def frame(columns: str, rows: Sequence[tuple[object, ...]]) -> str:
    """SQL of a small frame: `frame("npi, fills", [("2000028771", 3)])`; None is null."""
    values = ", ".join("(" + ", ".join(_literal(value) for value in row) + ")" for row in rows)
    return f"select * from (values {values}) as given ({columns})"


def _literal(value: object) -> str:
    if value is None:
        return "null"
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
