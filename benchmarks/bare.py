"""The same recipes bare: no Dagster, no contract, no audit, no lake, no registry. Plain Parquet in and out.

`python -m benchmarks.bare PLAN FOLDER` does every step of a plan (plan.py) one after the other in this
process; dbt and the foreign program are processes of their own, as they are anywhere. What is kept of the
mesh is how a recipe reads a file drop, because recipes are written against it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from mesh_assets.capabilities.contracts.model import Source
from mesh_assets.capabilities.lake.places import quoted
from mesh_assets.capabilities.publishing.sources import SourceFile, readable_paths, source_sql


@dataclass(frozen=True)
class Table:
    """A Parquet file that a recipe reads as it would a pinned input."""

    path: Path
    con: duckdb.DuckDBPyConnection

    @property
    def relation(self) -> duckdb.DuckDBPyRelation:
        return self.con.read_parquet(str(self.path))

    def polars(self, columns: Sequence[str] | None = None) -> Any:
        return self._chosen(columns).pl()

    def lazy(self) -> Any:
        return self.relation.pl(lazy=True)

    def arrow(self, columns: Sequence[str] | None = None) -> Any:
        return self._chosen(columns).to_arrow_table()

    def pandas(self, columns: Sequence[str] | None = None) -> Any:
        return self._chosen(columns).df()

    def _chosen(self, columns: Sequence[str] | None) -> duckdb.DuckDBPyRelation:
        named = "*" if columns is None else ", ".join(map(quoted, columns))
        return self.relation.project(named)


@dataclass(frozen=True)
class BareRun:
    """What recipes use of mesh.Run."""

    con: duckdb.DuckDBPyConnection
    weeks: tuple[str, ...]
    artifacts: Path
    inputs: dict[str, Table]
    sources: dict[str, SourceFile]

    def read(self, product: str) -> Table:
        return self.inputs[product]

    def source(self, name: str) -> SourceFile:
        return self.sources[name]


def main(plan: str, target: str) -> None:
    wanted, folder = json.loads(Path(plan).read_text(encoding="utf-8")), Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    makers = {"python": _python, "sql": _sql, "program": _program}
    rows: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for step in wanted["steps"]:
        began = time.monotonic()
        if step["kind"] == "dbt":
            rows |= _dbt(step, folder, Path(wanted["dbt_project"]))
        else:
            with _connection() as con:
                rows[step["name"]] = _write(
                    con, makers[step["kind"]](step, folder, con), folder, step["name"]
                )
        seconds[step["name"]] = time.monotonic() - began
    print(json.dumps({"rows": rows, "seconds": seconds}))


def _connection(database: str = ":memory:", *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(database, read_only=read_only)
    con.execute("SET TimeZone = 'UTC'")
    return con


def _write(con: duckdb.DuckDBPyConnection, query: str, folder: Path, name: str) -> int:
    row = con.execute(f"COPY ({query}\n) TO '{_file(folder, name)}' (FORMAT parquet)").fetchone()
    assert row is not None
    return int(row[0])


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.parquet"


def _sources(step: dict[str, Any], folder: Path) -> list[tuple[Source, tuple[Path, ...]]]:
    found = []
    for each in step["sources"]:
        source = Source(**each["source"])
        paths = [Path(path) for path in each["paths"]]
        found.append((source, readable_paths(source, paths, folder / "utf8" / step["name"])))
    return found


def _views(step: dict[str, Any], folder: Path, con: duckdb.DuckDBPyConnection) -> dict[str, SourceFile]:
    con.execute("CREATE SCHEMA source")
    for name in step["inputs"]:
        domain, product = name.split(".")
        con.execute(f'CREATE SCHEMA IF NOT EXISTS "{domain}"')
        con.execute(f'CREATE VIEW "{domain}"."{product}" AS FROM read_parquet(\'{_file(folder, name)}\')')
    files = {}
    for source, paths in _sources(step, folder):
        con.execute(f'CREATE VIEW source."{source.name}" AS {source_sql(source, paths)}')
        files[source.name] = SourceFile(source, paths, con)
    return files


def _sql(step: dict[str, Any], folder: Path, con: duckdb.DuckDBPyConnection) -> str:
    _views(step, folder, con)
    return Path(step["path"]).read_text(encoding="utf-8").strip().rstrip(";")


def _python(step: dict[str, Any], folder: Path, con: duckdb.DuckDBPyConnection) -> str:
    sources = _views(step, folder, con)
    path, product = Path(step["path"]), step["name"].split(".")[1]
    artifacts = folder / "artifacts" / step["name"]
    artifacts.mkdir(parents=True, exist_ok=True)
    spec = importlib.util.spec_from_file_location(f"bare_{step['name'].replace('.', '_')}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path[:0] = [str(path.parent), str(path.parent.parent)]
    spec.loader.exec_module(module)
    del sys.path[:2]
    inputs = {name: Table(_file(folder, name), con) for name in step["inputs"]}
    result = getattr(module, product)(BareRun(con, tuple(step["weeks"]), artifacts, inputs, sources))
    if isinstance(result, str):
        return result.strip().rstrip(";")
    if hasattr(result, "create_view"):
        result.create_view("result")
    else:
        con.register("result", result.to_arrow() if hasattr(result, "to_arrow") else result)
    return "FROM result"


def _program(step: dict[str, Any], folder: Path, con: duckdb.DuckDBPyConnection) -> str:
    output, product = folder / "program" / step["name"], step["name"].split(".")[1]
    output.mkdir(parents=True, exist_ok=True)
    inputs = {}
    for name in step["inputs"]:
        inputs[name] = [str(output / f"{name}.csv")]
        con.execute(f"COPY (FROM read_parquet('{_file(folder, name)}')) TO '{inputs[name][0]}' (HEADER)")
    request = {
        "product": product,
        "inputs": inputs,
        "sources": {source.name: [str(p) for p in paths] for source, paths in _sources(step, folder)},
        "output": str(output),
    }
    subprocess.run(
        [sys.executable if part == "{python}" else part for part in step["command"]],
        cwd=Path(step["path"]).parent.parent,
        input=json.dumps(request).encode(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    casts = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in step["types"])
    return f"SELECT {casts} FROM read_csv('{output / product}.csv', header = true, all_varchar = true)"


def _dbt(step: dict[str, Any], folder: Path, project: Path) -> dict[str, int]:
    """`dbt run` of one domain in a scratch DuckDB; its inputs are views over the Parquet files."""
    domain, scratch = step["name"], folder / "dbt" / step["name"]
    scratch.mkdir(parents=True, exist_ok=True)
    views = [
        {
            "schema": domain if name.startswith(f"{domain}.") else f"mesh_{name.split('.')[0]}",
            "name": name.split(".")[1],
            "sql": f"FROM read_parquet('{_file(folder, name)}')",
        }
        for name in step["inputs"]
    ] + [
        {"schema": f"{domain}_sources", "name": source.name, "sql": source_sql(source, paths)}
        for source, paths in _sources(step, folder)
    ]
    listed, database = scratch / "inputs.json", scratch / "scratch.duckdb"
    listed.write_text(json.dumps({"views": views}), encoding="utf-8")
    threads = str(min(4, os.cpu_count() or 1))
    subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "run", "--select", f"models/{domain}", "--threads", threads],
        cwd=project,
        env={
            **os.environ,
            "MESH_DBT_INPUTS": str(listed),
            "MESH_DBT_SCRATCH": str(database),
            "DBT_PROFILES_DIR": str(project),
            "DBT_TARGET_PATH": str(scratch / "target"),
            "DBT_LOG_PATH": str(scratch / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        stdout=subprocess.DEVNULL,
        check=True,
    )
    with _connection(str(database), read_only=True) as con:
        return {name: _write(con, f"FROM {name}", folder, name) for name in step["models"]}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
