"""`datacontract test` with the contract that the mesh reads, and a server entry that names the file."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.audit.data import RULES
from benchmarks.audit.peers import Answer, run

CONTRACT = Path(__file__).parent.parent / "contract.yaml"

#: Its names of checks, where they are not ours.
NAMES = {"pattern": "regex", "valid": "invalid_values"}


def check(path: str, rows: bool) -> Answer:
    if find_spec("datacontract") is None:
        raise ModuleNotFoundError("No module named 'datacontract'")
    with tempfile.TemporaryDirectory() as folder:
        contract, report = Path(folder) / "contract.yaml", Path(folder) / "report.json"
        server = {"server": "file", "type": "local", "path": path, "format": "parquet"}
        contract.write_text(f"{CONTRACT.read_text()}servers: {json.dumps([server])}\n")
        command = [sys.executable, "-c", "from datacontract.cli import app; app()", "test", str(contract)]
        samples = ["--include-failed-samples"] if rows else []
        # A contract that is broken ends it with 1: the report says whether it ran.
        subprocess.run(
            [*command, "--output-format", "json", "--output", str(report), *samples],
            stdout=subprocess.DEVNULL,
        )
        checks = {each["key"]: each for each in json.loads(report.read_text())["checks"]}
    return {rule: _count(checks.get(_key(rule))) for rule in RULES}


def _key(rule: str) -> str:
    column, _, kind = rule.partition("_")
    return f"orders__{column}__field_{NAMES.get(kind, kind)}"


def _count(found: dict[str, Any] | None) -> int | str:
    if found is None or not found.get("diagnostics"):
        return "it has no such check" if found is None else str(found["reason"])
    counted = found["diagnostics"]
    return int(counted.get("failed_rows", counted["value"]))


if __name__ == "__main__":
    run(check)
