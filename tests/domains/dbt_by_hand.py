"""Running some models of the dbt project over small frames that a test writes out, without the mesh."""

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
    folder: Path,
    select: Sequence[str],
    views: Mapping[str, str],
    *,
    weeks: Sequence[str] = (),
    months: Sequence[str] = (),
) -> duckdb.DuckDBPyConnection:
    """Run models, and all under them, over views `schema.name` -> SQL; the scratch database, open to read."""
    inputs, scratch = folder / "inputs.json", folder / "scratch.duckdb"
    listed = [
        {"schema": name.split(".")[0], "name": name.split(".")[1], "sql": sql} for name, sql in views.items()
    ]
    inputs.write_text(json.dumps({"views": listed}), encoding="utf-8")
    project = str(PROJECT / "dbt_project")
    arguments = ["--quiet", "run", "--select", " ".join(f"+{model}" for model in select)]
    arguments += ["--vars", json.dumps({"weeks": list(weeks), "months": list(months)})]
    arguments += ["--project-dir", project, "--profiles-dir", project]
    arguments += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "MESH_DBT_INPUTS": str(inputs),
        "MESH_DBT_SCRATCH": str(scratch),
    }
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *arguments], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return duckdb.connect(str(scratch), read_only=True)


def frame(columns: str, rows: Sequence[tuple[object, ...]]) -> str:
    """SQL of a small frame: `frame("npi week_start::date", [("2000028771", "2023-01-02")])`; None is null."""
    typed = columns.split()
    names = [column.split("::")[0] for column in typed]
    values = ", ".join("(" + ", ".join(_literal(value) for value in row) + ")" for row in rows)
    wanted = ", ".join(f"{column} as {name}" for column, name in zip(typed, names, strict=True))
    return f"select {wanted} from (values {values}) as given ({', '.join(names)})"


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"
