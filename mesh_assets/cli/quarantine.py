"""`mesh quarantine`: rows that were set aside, how to get them out, and corrected ones back in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mesh_assets.cli.look import JsonOption, ProductArgument, mesh_and_registry
from mesh_assets.cli.terminal import (
    cells,
    complete_product,
    place_to_write,
    print_json,
    stderr,
    stdout,
    table,
)
from mesh_assets.cli.why import UnmaskedOption
from mesh_assets.words.names import product_name

#: Rows that are printed; `--rows FILE` writes all of them.
PRINTED_ROWS = 20


class _ShowFirst(TyperGroup):
    """`mesh quarantine shop.orders` shows: a product's name has a dot, and no command has."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


quarantine = typer.Typer(
    cls=_ShowFirst,
    help="""Show rows that were set aside (`mesh quarantine [PRODUCT]`), and take corrected ones in.

    **Examples**: `mesh quarantine` · `mesh quarantine shop.orders` · `mesh quarantine release shop.orders
    --rows corrected.parquet`
    """,
)


@quarantine.command()
def show(
    product: Annotated[
        str | None, typer.Argument(help="domain.product", autocompletion=complete_product)
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Only rows that break this rule.")] = None,
    rows: Annotated[
        Path | None,
        typer.Option(help="Write all of them to this Parquet or CSV file.", callback=place_to_write),
    ] = None,
    unmasked: UnmaskedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what is in quarantine: all products, or one with its rows.

    **Examples**: `mesh quarantine` · `mesh quarantine shop.orders` · `mesh quarantine shop.orders --rows
    aside.parquet`
    """
    if product is None:
        _refuse_options(rule, rows, unmasked=unmasked)
        _show_all(as_json=as_json)
        return
    if unmasked and rows is None:
        raise typer.BadParameter("goes with --rows FILE: what is printed is masked", param_hint="--unmasked")
    reader = _reader(product, unmasked=unmasked)
    if rows is not None:
        _write(reader, rows, rule, as_json=as_json)
    else:
        _show_one(reader, rule, as_json=as_json)


@quarantine.command()
def release(
    product: ProductArgument,
    rows: Annotated[
        Path | None, typer.Option(help="Corrected rows, Parquet or CSV, with the product's columns.")
    ] = None,
    discard: Annotated[bool, typer.Option("--discard", help="Take all corrected rows back.")] = False,
) -> None:
    """Take corrected rows in: the next build puts them in the place of those in quarantine, and audits them.

    **Examples**: `mesh quarantine release shop.orders --rows corrected.parquet` · `mesh quarantine release
    shop.orders --discard`
    """
    if (rows is None) == (not discard):
        raise typer.BadParameter("give --rows FILE, or --discard")
    from mesh_assets.capabilities.publishing.code import who
    from mesh_assets.capabilities.publishing.mending import discard_corrected, release_corrected

    reader = _reader(product, unmasked=False)
    if rows is None:
        count = discard_corrected(reader.settings, reader.name)
        told = f"{count:,} corrected rows of {reader.name} count no more"
    else:
        count = release_corrected(reader.settings, reader.registry, reader.asset, rows, who())
        told = f"{count:,} corrected rows of {reader.name} are kept"
    stdout().print(f"{told}. Build it: `mesh build {reader.name}`" if count else f"{told}: there were none")


def _refuse_options(rule: str | None, rows: Path | None, *, unmasked: bool) -> None:
    if rule or rows or unmasked:
        raise typer.BadParameter("name a product: `mesh quarantine PRODUCT`")


def _reader(product: str, *, unmasked: bool) -> Any:
    from mesh_assets.capabilities.publishing.rows import Reader
    from mesh_assets.words.settings import read_settings

    mesh, registry = mesh_and_registry()
    return Reader(read_settings(), registry, mesh.asset(product_name(product)), unmasked)


def _show_all(*, as_json: bool) -> None:
    mesh, registry = mesh_and_registry()
    from mesh_assets.capabilities.observability.status import quarantine_rows

    found = quarantine_rows(mesh, registry)
    if as_json:
        print_json(found)
        return
    if not found:
        stdout().print("nothing is in quarantine")
        return
    shown = table("product", "version", "published", "in quarantine", "rules", right=("version", "published"))
    for each in found:
        rules = ", ".join(f"{rule} {count:,}" for rule, count in each["rules"].items())
        shown.add_row(
            *cells(each["product"], each["version"], f"{each['rows']:,}", f"{each['quarantined']:,}", rules)
        )
    stdout().print(shown)


def _show_one(reader: Any, rule: str | None, *, as_json: bool) -> None:
    from mesh_assets.capabilities.publishing.corrected_files import plain_corrections
    from mesh_assets.capabilities.publishing.rows import quarantined

    certificate = reader.head.certificate
    held = certificate.quarantine
    corrections = plain_corrections(reader.settings, reader.name)
    sample = quarantined(reader, rule=rule, limit=PRINTED_ROWS) if held.get("rows") else []
    facts = {"product": str(reader.name), "version": reader.head.number, "published": certificate.rows}
    facts |= {"quarantined": held.get("rows", 0), "limit": held.get("limit"), "rules": held.get("rules", {})}
    if as_json:
        print_json({**facts, "corrections": corrections, "sample": sample})
        return
    _tell(facts, sample)
    for each in corrections:
        where = f" of {each['partition']}" if each["partition"] else ""
        by = f"released by {each['who']} at {each['released']}"
        stdout().print(f"{each['rows']:,} corrected rows{where}, {by}", markup=False)


def _tell(facts: dict[str, Any], sample: list[dict[str, Any]]) -> None:
    console = stdout()
    console.print(
        f"[bold]{facts['product']}[/] version {facts['version']}: {facts['published']:,} rows published, "
        f"{facts['quarantined']:,} in quarantine"
    )
    for rule, count in facts["rules"].items():
        console.print(f"  {rule}: {count:,}", markup=False)
    if not sample:
        return
    shown = table(*sample[0])
    for row in sample:
        values = (", ".join(each) if isinstance(each, list) else each for each in row.values())
        shown.add_row(*cells(*("null" if each is None else each for each in values)))
    console.print(shown)
    console.print(f"All of them: `mesh quarantine {facts['product']} --rows FILE.parquet`")


def _write(reader: Any, target: Path, rule: str | None, *, as_json: bool) -> None:
    from mesh_assets.capabilities.publishing.rows import write_quarantined

    written = write_quarantined(reader, target, rule=rule)
    if as_json:
        print_json({"product": str(reader.name), "rows": written, "file": str(target)})
    else:
        stderr().print(f"{reader.name}: {written:,} rows in quarantine -> {target}", soft_wrap=True)
