"""Foreign programs: any interpreter, no knowledge of us. JSON in, CSV or Parquet out, plain lines between."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from mesh_assets.capabilities.checks.typed import typed_columns
from mesh_assets.capabilities.publishing.workshop import Bench, ProgramCall
from mesh_assets.words.errors import ProgramFailed


def make_with_program(bench: Bench) -> str:
    """Run the program and return a SELECT over what it wrote, typed as the contract says."""
    asset = bench.asset
    scratch = bench.workshop.scratch / "program" / asset.name.product
    output = scratch / "output"
    output.mkdir(parents=True, exist_ok=True)
    request = {
        "product": asset.name.product,
        "inputs": {str(name): [str(_as_csv(bench, str(name), scratch))] for name in asset.inputs},
        "sources": {name: [str(path) for path in source.paths] for name, source in bench.sources.items()},
        "output": str(output),
    }
    command = tuple(sys.executable if part == "{python}" else part for part in asset.recipe.command)
    bench.workshop.tools.program(ProgramCall(asset.name, command, asset.recipe.path.parent.parent, request))
    return _result_sql(bench, output)


def run_program(call: ProgramCall, *, on_line: Callable[[str], None] = lambda line: None) -> None:
    """Run it here, its lines to `on_line`; its own words in the error if it fails."""
    process = subprocess.Popen(
        call.command,
        cwd=call.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    out, err = process.communicate(json.dumps(call.request))
    for line in out.splitlines():
        on_line(line)
    if process.returncode:
        raise ProgramFailed(
            product=call.product,
            program=" ".join(call.command[1:]) or call.command[0],
            code=process.returncode,
            tail=(err.strip().splitlines() or ["it said nothing"])[-1],
        )


def _as_csv(bench: Bench, view: str, scratch: Path) -> Path:
    path = scratch / f"{view}.csv"
    domain, product = view.split(".")
    bench.con.execute(f'copy (from "{domain}"."{product}") to \'{path}\' (format csv, header true)')
    return path


def _result_sql(bench: Bench, output: Path) -> str:
    asset = bench.asset
    parquet = output / f"{asset.name.product}.parquet"
    if parquet.is_file():
        return f"select * from read_parquet('{parquet}')"
    written = output / f"{asset.name.product}.csv"
    if not written.is_file():
        raise ProgramFailed(
            product=asset.name,
            program=" ".join(asset.recipe.command[1:]),
            code=0,
            tail=f"it wrote neither {written.name} nor {parquet.name}",
        )
    reader = (
        f"read_csv('{written}', header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"
    )
    if asset.contract is None:  # a private asset: nobody promised types
        return f"select * from read_csv('{written}', header = true)"
    promised = {column.name: column.physical_type for column in asset.contract.columns}
    return f"select {typed_columns(bench.con, reader, promised)} from {reader}"
