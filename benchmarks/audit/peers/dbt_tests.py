"""`dbt test` of a generated dbt-duckdb project whose one source is the file; `--store-failures` for rows."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.audit.data import COLUMNS, RULES, STATUS
from benchmarks.audit.peers import Answer, run
from benchmarks.audit.peers.by_hand import CONDITIONS

#: dbt has four tests of its own; the bounds, patterns and lengths are one that the project writes.
MACRO = """{% test is_good(model, column_name, broken) %}
select * from {{ model }} where {{ broken }}
{% endtest %}
"""
COUNTS_KEYS = "it counts repeated keys, not their rows"
COUNTS_VALUES = "it counts different values, not rows"


def check(path: str, rows: bool) -> Answer:
    if find_spec("dbt.adapters.duckdb") is None:
        raise ModuleNotFoundError("No module named 'dbt.adapters.duckdb'")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_project(folder, path)
        flags = ["--project-dir", name, "--profiles-dir", name, "--no-send-anonymous-usage-stats", "--quiet"]
        command = [sys.executable, "-m", "dbt.cli.main", "test", *flags]
        # Failed tests end it with 1: the results say whether it ran.
        subprocess.run(
            [*command, *(["--store-failures"] if rows else [])], cwd=folder, stdout=subprocess.DEVNULL
        )
        results = json.loads((folder / "target" / "run_results.json").read_text())["results"]
        named = json.loads((folder / "target" / "manifest.json").read_text())["nodes"]
    found = {named[each["unique_id"]]["meta"]["rule"]: each for each in results}
    return {rule: _count(rule, found[rule]) for rule in RULES}


def _count(rule: str, found: dict[str, Any]) -> int | str:
    if found["status"] == "error":
        return str(found["message"])
    count = int(found["failures"])
    if count and rule.endswith("_unique"):
        return COUNTS_KEYS
    return COUNTS_VALUES if count and rule == "status_valid" else count


def _write_project(folder: Path, path: str) -> None:
    files = {
        "dbt_project.yml": {"name": "shop", "version": "1.0.0", "profile": "shop"},
        "profiles.yml": {
            "shop": {
                "target": "dev",
                "outputs": {"dev": {"type": "duckdb", "path": str(folder / "shop.duckdb"), "threads": 1}},
            }
        },
        "models/sources.yml": {"version": 2, "sources": [_source(path)]},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    (folder / "macros").mkdir()
    (folder / "macros" / "is_good.sql").write_text(MACRO)


def _source(path: str) -> dict[str, Any]:
    columns = [
        {"name": name, "data_tests": [_test(rule) for rule in RULES if rule.partition("_")[0] == name]}
        for name in COLUMNS
    ]
    return {
        "name": "files",
        "config": {"external_location": f"read_parquet('{path}')"},
        "tables": [{"name": "orders", "columns": columns}],
    }


def _test(rule: str) -> dict[str, Any]:
    kind = rule.partition("_")[2]
    told: dict[str, Any] = {"name": rule, "config": {"meta": {"rule": rule}}}
    if kind == "required":
        return {"not_null": told}
    if kind == "unique":
        return {"unique": told}
    if kind == "valid":
        return {"accepted_values": {**told, "arguments": {"values": list(STATUS)}}}
    return {"is_good": {**told, "arguments": {"broken": CONDITIONS[rule]}}}


if __name__ == "__main__":
    run(check)
