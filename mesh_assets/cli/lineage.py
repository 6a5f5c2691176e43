"""`mesh lineage`: what a product, or one column of it, is made from, and what is made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.terminal import cells, complete_product, print_json, stdout

if TYPE_CHECKING:
    from rich.tree import Tree

    from mesh_assets.capabilities.lineage.columns import ColumnLineage
    from mesh_assets.capabilities.lineage.model import Mesh
    from mesh_assets.capabilities.lineage.traced import Traced
    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings

    Lineages = dict[ProductName, ColumnLineage]


def lineage(
    product: Annotated[
        str,
        typer.Argument(help="domain.product, or domain.product.column.", autocompletion=complete_product),
    ],
    down: Annotated[
        bool, typer.Option("--down/--up", help="What is made from it; what it is made from.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Lineage by column, through domains and tools: a tree of what a product or a column is made from.

    Each line says how it is known: parsed (from SQL), declared, observed (when the version was made), or all
    (every column counts as read).

    **Examples**: `mesh lineage brand_analytics.dim_hcp` · `mesh lineage drug.brand.labeler --down` ·
    `mesh lineage hcp.hcp_master --down --json`
    """
    from mesh_assets.capabilities.lineage.read import read_mesh
    from mesh_assets.capabilities.lineage.traced import lineages, trace
    from mesh_assets.words.names import product_name
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    mesh = read_mesh(settings)
    parts = product.replace("/", ".").split(".")
    name = mesh.asset(product_name(".".join(parts[:2]))).name
    column = ".".join(parts[2:])
    _refuse_unknown(mesh, str(name), column)
    known = _as_observed(settings, mesh, lineages(settings, mesh, name))
    found = trace(known, name, column, down=down)
    if as_json:
        print_json(_as_json(found))
    else:
        stdout().print(_tree(found))


def _as_observed(settings: Settings, mesh: Mesh, known: Lineages) -> Lineages:
    """With what runs were seen to read, of recipes whose text says nothing."""
    from mesh_assets.capabilities.publishing.lineage_told import lineage_known
    from mesh_assets.capabilities.registry import open_registry

    with open_registry(settings) as registry:
        heads = registry.head_versions()
    return {
        name: lineage_known(mesh.domains[name.domain], each, heads.get(name)) for name, each in known.items()
    }


def _refuse_unknown(mesh: Mesh, product: str, column: str) -> None:
    from mesh_assets.capabilities.contracts.document import close_to
    from mesh_assets.words.names import product_name
    from mesh_assets.words.revisions import UnknownColumn

    contract = mesh.assets[product_name(product)].contract
    if column and contract is not None and contract.column(column) is None:
        names = [each.name for each in contract.columns]
        raise UnknownColumn(product=product, column=column, near=close_to(column, names) or ", ".join(names))


def _as_json(found: Traced) -> dict[str, Any]:
    return {
        "product": str(found.product),
        "column": found.column,
        "how": found.how,
        "role": found.role,
        "reads": sorted(found.reads) if found.reads is not None else None,
        "unsafe": list(found.unsafe),
        "shown_above": found.repeated,
        "next": [_as_json(each) for each in found.next],
    }


def _tree(found: Traced) -> Tree:
    from rich.tree import Tree

    tree = Tree(_line(found))
    _grow(tree, found)
    return tree


def _grow(tree: Tree, found: Traced) -> None:
    for each in found.next:
        _grow(tree.add(_line(each)), each)


def _line(found: Traced) -> str:
    name = cells(f"{found.product}.{found.column}" if found.column else found.product)[0]
    reads = "" if found.column else _told(found)
    note = f" [dim]({found.how}{', ' + found.role if found.role else ''})[/]" if found.how else ""
    return f"[bold]{name}[/]{cells(reads)[0]}{note}{' [dim]…[/]' if found.repeated else ''}"


def _told(found: Traced) -> str:
    if found.role != "read":
        return ""
    if found.reads is None:
        return ": all columns"
    return ": " + (", ".join(sorted(found.reads)) or "its number of rows")
