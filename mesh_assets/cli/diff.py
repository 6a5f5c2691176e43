"""`mesh diff`: how one version of a product differs from another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.look import JsonOption, ProductArgument, mesh_and_registry
from mesh_assets.cli.terminal import cells, place_to_write, print_json, stderr, stdout, table
from mesh_assets.cli.why import UnmaskedOption
from mesh_assets.words.names import product_name

if TYPE_CHECKING:
    from mesh_assets.capabilities.lake.compare import Difference
    from mesh_assets.capabilities.publishing.difference import Compared


def diff(
    product: ProductArgument,
    a: Annotated[str, typer.Argument(help="A version: a number or a tag.")],
    b: Annotated[str, typer.Argument(help="Another one; the current version if not given.")] = "",
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="DOUBLE and FLOAT values that are so near count as the same.")
    ] = 0.0,
    rows: Annotated[
        Path | None,
        typer.Option(help="Write all rows that differ to this Parquet or CSV file.", callback=place_to_write),
    ] = None,
    unmasked: UnmaskedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Tell how two versions differ: columns, rows that came, went or changed (by key), and in which columns.

    **Examples**: `mesh diff drug.brand 3 4` · `mesh diff drug.brand spring --tolerance 0.01` ·
    `mesh diff hcp.hcp_master 1 2 --rows changes.parquet`
    """
    from mesh_assets.capabilities.publishing.difference import compare_versions, plain_difference
    from mesh_assets.capabilities.publishing.rows import Reader
    from mesh_assets.words.settings import read_settings

    if unmasked and rows is None:
        raise typer.BadParameter("goes with --rows FILE: what is printed is masked", param_hint="--unmasked")
    mesh, registry = mesh_and_registry()
    asset = mesh.asset(product_name(product))
    reader = Reader(read_settings(), registry, asset, unmasked=unmasked)
    versions = (registry.find(asset.name, a).readable(), registry.find(asset.name, b or None).readable())
    found = compare_versions(reader, *versions, tolerance=tolerance, rows=rows)
    if as_json:
        print_json(plain_difference(found))
    else:
        _tell(found)
    if rows is not None:
        stderr().print(f"rows that differ -> {rows}", markup=False)


def _tell(found: Compared) -> None:
    console, one = stdout(), found.difference
    console.print(f"{found.a.product} version {found.a.number} -> {found.b.number}")
    console.print(f"rows {one.rows_before:,} -> {one.rows_after:,}")
    for line in _columns(one):
        console.print(line, markup=False)
    if one.same:
        console.print("the rows are the same")
        return
    by = f"by {', '.join(one.key)}" if one.key else "as whole rows: there is no key, or it repeats"
    console.print(
        f"{one.added:,} added, {one.removed:,} removed, {one.changed:,} changed ({by})", markup=False
    )
    if one.changed_columns:
        shown = table("column", "changed rows", right=("changed rows",))
        for name, count in sorted(one.changed_columns.items(), key=lambda each: (-each[1], each[0])):
            shown.add_row(*cells(name, f"{count:,}"))
        console.print(shown)
    if one.unchanged_columns:
        console.print(f"unchanged: {', '.join(one.unchanged_columns)}", markup=False)
    _tell_rows(found)


def _columns(one: Difference) -> list[str]:
    """What of the schema is another."""
    return [
        *(f"column {name} ({kind}) is new" for name, kind in one.added_columns),
        *(f"column {name} ({kind}) is gone" for name, kind in one.removed_columns),
        *(f"column {name} was {before} and is {after}" for name, before, after in one.retyped_columns),
    ]


def _tell_rows(found: Compared) -> None:
    """The first rows that differ: a changed one with the values that changed."""
    if not found.sample:
        return
    key = found.difference.key or tuple(name for name in found.sample[0] if name not in ("change", "rows"))
    shown = table("change", *key, "what")
    for row in found.sample:
        told = [f"{name}: {row['before'][name]} -> {row['after'][name]}" for name in row.get("columns", ())]
        what = "; ".join(told) if "columns" in row else f"{row['rows']} rows"
        shown.add_row(*cells(row["change"], *(row[name] for name in key), what))
    stdout().print(shown)
