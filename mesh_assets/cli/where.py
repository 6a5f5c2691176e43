"""`mesh where`: the program that reads a version without this project."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh_assets.capabilities.observability.engines import Engine
from mesh_assets.cli.look import JsonOption
from mesh_assets.cli.terminal import print_json
from mesh_assets.cli.versions import VersionArgument, registry_and_name


def where(
    product: VersionArgument,
    engine: Annotated[Engine, typer.Option("--for", help="What to read it with.")] = Engine.DUCKDB,
    as_json: JsonOption = False,
) -> None:
    """Print a program that reads a version of a product without this project.

    duckdb is Python, sql is for DuckDB's own shell; polars, pandas and spark read its Parquet files.

    **Examples**: `mesh where drug.brand` · `mesh where drug.brand@3 --for polars > brands.py` ·
    `mesh where drug.brand --for sql | duckdb` · `mesh where drug.brand@spring --json`
    """
    from mesh_assets.capabilities.observability.where import facts, snippet, whereabouts
    from mesh_assets.words.settings import read_settings

    registry, name, wanted = registry_and_name(product)
    place = whereabouts(read_settings(), registry.find(name, wanted).readable())
    if as_json:
        print_json(facts(place))
    else:
        print(snippet(place, engine), end="")  # noqa: T201 - a program to run, not to look at
