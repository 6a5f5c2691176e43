"""`mesh products`, `mesh show`, `mesh read`: looking, never changing."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.terminal import (
    LARGEST,
    cells,
    complete_domain,
    complete_product,
    place_to_write,
    print_json,
    stderr,
    stdout,
    table,
)
from mesh_assets.words.kitchens import UnknownDomains
from mesh_assets.words.names import at_version

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.model import Asset
    from mesh_assets.words.versions import Version

ProductArgument = Annotated[str, typer.Argument(help="domain.product", autocompletion=complete_product)]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


def products(
    domain: Annotated[
        str | None, typer.Argument(help="Only this domain.", autocompletion=complete_domain)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List every product: its version, rows, and how its last build ended.

    **Examples**: `mesh products` · `mesh products hcp` · `mesh products --json`
    """
    mesh, registry = mesh_and_registry()
    from mesh_assets.capabilities.observability.status import product_rows

    if domain is not None and domain not in mesh.domains:
        raise UnknownDomains(wanted=domain, known=", ".join(sorted(mesh.domains)))
    rows = [row for row in product_rows(mesh, registry) if domain in (None, row["product"].split(".")[0])]
    if as_json:
        print_json(rows)
        return
    aside = any(row["quarantined"] for row in rows)
    names = ["product", "version", "rows", "published", "rules", "last build"]
    names[3:3] = ["quarantined"] if aside else []
    shown = table(*names, right=("version", "rows", "quarantined"))
    for row in rows:
        shown.add_row(
            *("" if row[key] is None else str(row[key]) for key in (name.replace(" ", "_") for name in names))
        )
    stdout().print(shown)
    for row in rows:
        if row["paused"]:
            stdout().print(row["paused"], markup=False, style="yellow", soft_wrap=True)


def show(product: ProductArgument, as_json: JsonOption = False) -> None:
    """Show one product: its promise, its columns, its rules, where it is now and what it was made from.

    **Examples**: `mesh show hcp.hcp_master` · `mesh show drug.brand@3 --json`
    """
    mesh, registry = mesh_and_registry()
    from mesh_assets.capabilities.observability.health_told import controls_told
    from mesh_assets.capabilities.observability.rules import expectations_of

    name, wanted = at_version(product)
    asset = mesh.asset(name)
    version = registry.find(name, wanted) if wanted else registry.head(name)
    expectations = expectations_of(mesh.domains[asset.name.domain], asset)
    if as_json:
        from mesh_assets.capabilities.registry import as_json as certificate_json

        print_json(
            {
                "product": str(asset.name),
                "contract": asset.contract.raw if asset.contract else None,
                "inputs": [str(name) for name in asset.needs],
                "expectations": expectations,
                "controls": controls_told(mesh, registry, asset),
                "certificate": certificate_json(version.certificate) if version else None,
            }
        )
        return
    _show_promise(asset)
    _show_expectations(expectations)
    _show_version(asset, version)
    for line in controls_told(mesh, registry, asset):
        stdout().print(line, markup=False, style="yellow", soft_wrap=True)


def read(
    product: ProductArgument,
    version: Annotated[
        str | None, typer.Option(help="This version, a number or a tag; the current one if not given.")
    ] = None,
    release: Annotated[
        int | None, typer.Option(min=0, max=LARGEST, help="As readers saw it at this release.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write the rows.")] = Format.TABLE,
    limit: Annotated[
        int | None,
        typer.Option(min=0, max=LARGEST, help="At most so many rows (a table shows 20 unless told)."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="To this file; parquet needs one.", callback=place_to_write),
    ] = None,
) -> None:
    """Read a product, as readers see it now or at a version.

    **Examples**: `mesh read hcp.hcp_master --limit 5` · `mesh read drug.brand --format csv > brands.csv` ·
    `mesh read drug.brand@spring --format parquet -o brands.parquet`
    """
    from mesh_assets import mesh

    if "@" in product and (version is not None or release is not None):
        raise typer.BadParameter("PRODUCT@VERSION names a version already", param_hint="--version")
    if version is not None and release is not None:
        raise typer.BadParameter("name a version or a release, not both")
    handle = mesh.read(product, version=version, release=release)
    rows = limit if limit is not None or form is not Format.TABLE else 20
    relation = handle.relation if rows is None else handle.relation.limit(rows)
    if form is Format.TABLE:
        _print_table(relation, handle.relation if limit is None else None)
    elif form is Format.PARQUET:
        if output is None:
            raise typer.BadParameter("parquet is not for a terminal: name a file with --output")
        relation.write_parquet(str(output))
    elif form is Format.CSV:
        _write_csv(relation, output)
    else:
        _write_json(relation, output)
    if output:
        stderr().print(f"{handle.product} version {handle.number} -> {output}")


def mesh_and_registry() -> tuple[Any, Any]:
    """The mesh as its folders stand, and its registry, open."""
    from mesh_assets.capabilities.lineage.read import read_mesh
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    return read_mesh(settings), open_registry(settings)


def _show_promise(asset: Asset) -> None:
    console = stdout()
    console.print(f"[bold]{asset.name}[/]")
    if asset.contract is None:
        console.print(f"private to {asset.name.domain}; no contract")
        return
    contract = asset.contract
    console.print(f"contract {contract.version} ({contract.status}), ODCS {contract.api_version}")
    for text in (contract.description, contract.purpose, contract.limitations):
        if text:
            console.print(text.strip(), markup=False)
    columns = table("column", "type", "description")
    for column in contract.columns:
        key = " (key)" if column.key_position else ""
        columns.add_row(*cells(f"{column.name}{key}", column.physical_type, column.description))
    console.print(columns)
    rules = table("rule", "severity", "promise")
    for rule in asset.own_rules:
        rules.add_row(*cells(rule.id, rule.severity, rule.description))
    console.print(rules)
    for said in contract.said:
        console.print(f"said, not checked: {said}", markup=False)
    for level in contract.service_levels:
        console.print(f"service level {level.name}: {level.description}", markup=False)


def _show_expectations(expectations: list[dict[str, Any]]) -> None:
    """Who relies on what, and what of it does not run."""
    if not expectations:
        return
    shown = table("expected by", "rule", "severity", "expectation")
    for each in expectations:
        if "rule" in each:
            shown.add_row(*cells(*(each[key] for key in ("consumer", "rule", "severity", "description"))))
    if shown.row_count:
        stdout().print(shown)
    for each in expectations:
        if "left_out" in each:
            told = f"left out, expected by {each['consumer']}: {each['left_out']}"
            stdout().print(told, markup=False, style="yellow", soft_wrap=True)


def _show_version(asset: Asset, version: Version | None) -> None:
    from mesh_assets.capabilities.publishing.keep import artifact_folder
    from mesh_assets.words.settings import read_settings

    console = stdout()
    if version is None:
        console.print(f"no version yet: `mesh build {asset.name}`")
        return
    certificate = version.certificate
    console.print(
        f"version {version.number}: {version.rows:,} rows, published {version.published:%Y-%m-%d %H:%M} UTC "
        f"by {certificate.who}, run {version.run_id}"
    )
    console.print(f"fingerprint {version.fingerprint}", soft_wrap=True)
    console.print(
        "made from: "
        + (", ".join(f"{each.product}@{each.number}" for each in certificate.inputs) or "sources")
    )
    for name in certificate.artifacts:
        folder = artifact_folder(read_settings().of(version.stored), asset.name, version.run_id)
        console.print(f"artifact: {folder}/{name}", soft_wrap=True)


def _print_table(relation: Any, whole: Any) -> None:
    shown = table(*relation.columns)
    for row in relation.fetchall():
        shown.add_row(*cells(*row))
    console = stdout()
    console.print(shown)
    if whole is not None:
        console.print(f"[dim]{whole.count('*').fetchone()[0]:,} rows, {len(whole.columns)} columns[/]")


def _write_csv(relation: Any, output: Path | None) -> None:
    import duckdb

    try:
        relation.write_csv(str(output or "/dev/stdout"))
    except duckdb.IOException as error:
        if "Broken pipe" in str(error):  # `mesh read … | head` has seen enough
            raise BrokenPipeError from None
        raise


def _write_json(relation: Any, output: Path | None) -> None:
    """One JSON object per line: what the next tool can stream."""
    import json

    target = output.open("w", encoding="utf-8") if output else sys.stdout
    try:
        while rows := relation.fetchmany(10_000):
            for row in rows:
                target.write(json.dumps(dict(zip(relation.columns, row, strict=True)), default=str) + "\n")
    finally:
        if output:
            target.close()
