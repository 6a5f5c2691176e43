"""`mesh products`, `mesh show`, `mesh why`, `mesh read`: looking, never changing."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.terminal import cells, complete_product, print_json, stderr, stdout, table
from mesh_assets.words.names import product_name
from mesh_assets.words.rules import Outcome

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
    domain: Annotated[str | None, typer.Argument(help="Only this domain.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List every product: its version, rows, and how its last build ended.

    **Examples**: `mesh products` · `mesh products hcp` · `mesh products --json`
    """
    mesh, registry = _mesh_and_registry()
    from mesh_assets.capabilities.observability.status import product_rows

    rows = [row for row in product_rows(mesh, registry) if domain in (None, row["product"].split(".")[0])]
    if as_json:
        print_json(rows)
        return
    shown = table("product", "version", "rows", "published", "rules", "last build", right=("version", "rows"))
    for row in rows:
        shown.add_row(
            *(
                "" if row[name] is None else str(row[name])
                for name in ("product", "version", "rows", "published", "rules", "last_build")
            )
        )
    stdout().print(shown)


def show(product: ProductArgument, as_json: JsonOption = False) -> None:
    """Show one product: its promise, its columns, its rules, where it is now and what it was made from.

    **Examples**: `mesh show hcp.hcp_master` · `mesh show drug.brand --json`
    """
    mesh, registry = _mesh_and_registry()
    asset = mesh.asset(product_name(product))
    version = registry.head(asset.name)
    if as_json:
        from mesh_assets.capabilities.registry import as_json as certificate_json

        print_json(
            {
                "product": str(asset.name),
                "contract": asset.contract.raw if asset.contract else None,
                "inputs": [str(name) for name in asset.needs],
                "certificate": certificate_json(version.certificate) if version else None,
            }
        )
        return
    _show_promise(asset)
    _show_version(asset, version)


def why(product: ProductArgument, as_json: JsonOption = False) -> None:
    """Say why the last draft of a product was refused, rule by rule, with failing rows.

    Exit code 0 if the last build was published or unchanged, 1 if it was refused or failed.

    **Examples**: `mesh why prescriptions.rx_fill`
    """
    mesh, registry = _mesh_and_registry()
    name = mesh.asset(product_name(product)).name
    last = registry.last_build(name)
    console = stdout()
    if last is None:
        console.print(f"{name} was never built. Build it: `mesh build {name}`")
        return
    results = registry.rule_results(name, run_id=last.run_id)
    broken = [result for result in results if result.outcome is not Outcome.PASSED]
    good = str(last.outcome) in ("published", "unchanged")
    if as_json:
        print_json(
            {
                "product": str(name),
                "outcome": str(last.outcome),
                "message": last.message,
                "draft": last.draft,
                "rules": [_rule_json(result) for result in broken],
            }
        )
        raise typer.Exit(0 if good else 1)
    console.print(f"[bold]{name}[/]: {last.outcome}, {last.started:%Y-%m-%d %H:%M} UTC, run {last.run_id}")
    if last.message:
        console.print(last.message, markup=False, soft_wrap=True)
    for result in broken:
        _show_broken(result)
    if last.draft:
        console.print(
            f"\nThe draft and all failing rows, rule by rule: {last.draft}/rows", markup=False, soft_wrap=True
        )
    raise typer.Exit(0 if good else 1)


def read(
    product: ProductArgument,
    version: Annotated[int | None, typer.Option(help="This version; the current one if not given.")] = None,
    release: Annotated[int | None, typer.Option(help="As readers saw it at this release.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write the rows.")] = Format.TABLE,
    limit: Annotated[
        int | None, typer.Option(min=0, help="At most so many rows (a table shows 20 unless told).")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="To this file; parquet needs one.")
    ] = None,
) -> None:
    """Read a product, as readers see it now or at a version.

    **Examples**: `mesh read hcp.hcp_master --limit 5` · `mesh read drug.brand --format csv > brands.csv` ·
    `mesh read drug.brand --version 3 --format parquet -o brands.parquet`
    """
    from mesh_assets import mesh

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
        stderr().print(f"{product} version {handle.number} -> {output}")


def _mesh_and_registry() -> tuple[Any, Any]:
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
    for rule in asset.rules:
        rules.add_row(*cells(rule.id, rule.severity, rule.description))
    console.print(rules)


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
        console.print(
            f"artifact: {artifact_folder(read_settings(), asset.name, version.run_id) / name}", soft_wrap=True
        )


def _rule_json(result: Any) -> dict[str, Any]:
    return {
        "rule": result.rule.id,
        "columns": list(result.rule.columns),
        "severity": str(result.rule.severity),
        "outcome": str(result.outcome),
        "failed_rows": result.failed_rows,
        "checked_rows": result.checked_rows,
        "summary": result.summary,
        "sample": [dict(row) for row in result.sample],
    }


def _show_broken(result: Any) -> None:
    console = stdout()
    colour = "red" if result.rule.blocking else "yellow"
    columns = f" ({', '.join(result.rule.columns)})" if result.rule.columns else ""
    console.print(
        f"\n[{colour}]{result.rule.severity}[/] [bold]{result.rule.id}[/]{columns}: "
        + cells(result.summary)[0]
    )
    console.print(f"  {result.rule.description}", markup=False)
    if result.rule.place:
        console.print(f"  written at {result.rule.place}", markup=False, soft_wrap=True)
    if not result.sample:
        return
    names = list(dict.fromkeys(name for row in result.sample for name in row))
    rows = table(*names)
    for row in result.sample[:10]:
        rows.add_row(*cells(*("null" if row.get(name) is None else row[name] for name in names)))
    console.print(rows)


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
