"""Running a recipe, whatever it is made with: each kind ends in a SELECT that the lake can stage."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.discreet import discreet_about_values
from mesh_assets.capabilities.lineage.model import RecipeKind
from mesh_assets.capabilities.publishing.dbt import make_with_dbt
from mesh_assets.capabilities.publishing.inputs import handle_of
from mesh_assets.capabilities.publishing.program import make_with_program
from mesh_assets.capabilities.publishing.run import Run
from mesh_assets.capabilities.publishing.vault import without_secrets
from mesh_assets.capabilities.publishing.workshop import Bench
from mesh_assets.words.errors import MeshError, RecipeFailed, RecipeMalformed

if TYPE_CHECKING:
    import duckdb

RESULT = "recipe_result"


def make(bench: Bench) -> str:
    """Run the recipe; the SELECT that comes back is valid on the bench's connection."""
    makers: dict[RecipeKind, Callable[[Bench], str]] = {
        RecipeKind.PYTHON: make_with_python,
        RecipeKind.SQL: make_with_sql,
        RecipeKind.DBT: make_with_dbt,
        RecipeKind.PROGRAM: make_with_program,
    }
    try:
        return makers[bench.asset.recipe.kind](bench)
    except MeshError:
        raise
    except Exception as error:
        raise recipe_failed(bench, error) from error


def make_with_sql(bench: Bench) -> str:
    """One SELECT over the views of its inputs and sources."""
    text = bench.asset.recipe.path.read_text(encoding="utf-8").strip().rstrip(";")
    return f"select * from ({text}\n)"  # a new line: the text may end in a comment


def make_with_python(bench: Bench) -> str:
    """Call the recipe's function; its result may be of polars, pyarrow, DuckDB, or SQL text."""
    asset = bench.asset
    module = _imported(asset.recipe.path, f"mesh_recipe.{asset.name}")
    function = getattr(module, asset.name.product)
    with bench.asked.listening(bench.con):
        result = function(_run(bench))
    bench.asked.returned(result)
    return _as_select(bench, result)


def _run(bench: Bench) -> Run:
    asset, settings = bench.asset, bench.workshop.settings
    inputs = {
        str(name): bench.asked.watched(handle_of(settings, version, asset.recipe.columns.get(name, ())))
        for name, version in bench.inputs.items()
    }
    return Run(
        product=asset.name,
        run_id=bench.workshop.run_id,
        partitions=bench.partitions if asset.partitioning else (),
        every=asset.partitioning.every if asset.partitioning else "",
        con=bench.con,
        artifacts=bench.artifacts,
        inputs=inputs,
        sources=bench.sources,
        recipe=asset.recipe.path,
    )


def _as_select(bench: Bench, result: Any) -> str:
    """Give whatever the recipe returned a name on the bench's connection."""
    con: duckdb.DuckDBPyConnection = bench.con
    if isinstance(result, str):
        con.execute(f"create or replace temp view {RESULT} as {result.strip().rstrip(';')}")
    elif hasattr(result, "create_view"):  # a DuckDB relation, of this connection
        result.create_view(RESULT, replace=True)
    elif hasattr(result, "to_arrow"):  # polars
        con.register(RESULT, result.to_arrow())
    elif hasattr(result, "schema") and hasattr(result, "num_rows"):  # pyarrow
        con.register(RESULT, result)
    else:
        raise RecipeMalformed(
            file=str(bench.asset.recipe.path),
            line=bench.asset.recipe.place.line,
            problem=(
                f"the recipe returned a {type(result).__name__}; return a polars DataFrame, a pyarrow Table, "
                "a DuckDB relation of run.con, or SQL text"
            ),
        )
    return f"select * from {RESULT}"


def _imported(path: Path, name: str) -> ModuleType:
    """Import a recipe by its path; modules beside it and in its domain's folder can be imported by it."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    nearby = [str(path.parent), str(path.parent.parent)]
    sys.path[:0] = nearby
    try:
        spec.loader.exec_module(module)
    finally:
        for folder in nearby:
            sys.path.remove(folder)
    return module


def recipe_failed(bench: Bench, error: Exception) -> RecipeFailed:
    """The innermost line of the recipe that the error passed through."""
    own = str(bench.asset.recipe.path.parent.parent)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(own)]
    place = bench.asset.recipe.place
    file, line = (frames[-1].filename, frames[-1].lineno) if frames else (place.file, place.line)
    message = without_secrets(discreet_about_values(bench.asset.contract, " ".join(str(error).split())))[:600]
    return RecipeFailed(
        product=bench.asset.name, error=f"{type(error).__name__}: {message}", file=file, line=line or 1
    )
