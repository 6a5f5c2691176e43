"""`mesh new-domain` and `mesh new-product`: something that builds and passes as it stands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.terminal import stdout
from mesh_assets.words.errors import YourCode
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.settings import PACKAGE
from mesh_assets.words.stores import DiskRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mesh_assets.words.settings import Settings

RECIPE = {
    "sql": """-- How {name} is made. Declare what it reads: `-- input: domain.product`, `-- source: name`.
select
    cast(i as bigint) as id,
    'row ' || i as name
from range(1, 4) as numbers (i)
""",
    "python": '''"""How {name} is made."""

import polars as pl

from mesh_assets import mesh


@mesh.recipe(inputs=[], sources=[])
def {product}(run: mesh.Run) -> pl.DataFrame:
    return pl.DataFrame({{"id": [1, 2, 3], "name": ["row 1", "row 2", "row 3"]}})
''',
    "dbt": """-- How {name} is made. Foreign products: source('domain', 'product'); own models: ref('model').
select
    cast(i as bigint) as id,
    'row ' || i as name
from range(1, 4) as numbers (i)
""",
}


def _complete_tool(incomplete: str) -> list[str]:
    return [tool for tool in RECIPE if tool.startswith(incomplete)]


class AlreadyThere(YourCode):
    template = "{path} is there already; nothing was changed"


def new_domain(
    name: Annotated[str, typer.Argument(help="The domain: lower-case letters, digits and underscores.")],
    owner: Annotated[str, typer.Option(help="Who owns it: a team or an address.")] = "data@example.com",
) -> None:
    """Make a domain: its folder, domain.yaml, definitions.py, a first product, and its line in
    workspace.yaml.

    **Examples**: `mesh new-domain supply --owner supply-team@example.com`, then `mesh build supply`
    """
    from mesh_assets.capabilities.contracts.scaffold import new_domain_text
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    first = ProductName(name, "first_product")
    if first.domain.startswith("_"):
        raise typer.BadParameter("only assets can be private; name a domain without the underscore")
    folder = settings.domains / name
    if folder.exists():
        raise AlreadyThere(path=folder)
    workspace = _workspace_with(settings, name)
    _write(
        {
            folder / "__init__.py": f'"""The {name} domain."""\n',
            folder / "definitions.py": "from mesh_assets import mesh\n\ndefs = mesh.definitions(__file__)\n",
            folder / "domain.yaml": new_domain_text(name, owner=owner, products=(first.product,)),
            **_product(settings, first, "sql", owner),
        },
        edited={settings.workspace: workspace},
    )
    stdout().print(f"made {folder}; build it: `mesh build {name}`", soft_wrap=True)


def new_product(
    product: Annotated[str, typer.Argument(help="domain.product, in a domain that is there.")],
    made_with: Annotated[
        str, typer.Option("--with", help="sql, python or dbt.", autocompletion=_complete_tool)
    ] = "sql",
    owner: Annotated[
        str, typer.Option(help="Who owns it: a team or an address. Default: the domain's owner.")
    ] = "",
) -> None:
    """Make a product: its contract, and a recipe that keeps it.

    **Examples**: `mesh new-product hcp.hcp_email` · `mesh new-product drug.recall --with dbt`
    """
    from mesh_assets.capabilities.contracts.document import parse, read_text
    from mesh_assets.capabilities.contracts.domain import read_domain
    from mesh_assets.capabilities.contracts.scaffold import with_output_port
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    name = product_name(product)
    if name.private:
        raise typer.BadParameter("a private asset has no contract: make its folder and recipe by hand")
    if made_with not in RECIPE:
        raise typer.BadParameter(f"{made_with!r}: write one of {', '.join(RECIPE)}", param_hint="--with")
    domain, folder = settings.domains / name.domain, settings.domains / name.domain / name.product
    about = domain / "domain.yaml"
    if not about.is_file():
        raise typer.BadParameter(
            f"there is no domain {name.domain!r}; make it: mesh new-domain {name.domain}"
        )
    if folder.exists():
        raise AlreadyThere(path=folder)
    owners = read_domain(domain).owners
    with_port = with_output_port(parse(str(about), read_text(about)), name)
    owner = owner or (owners[0].name if owners else "owner@example.com")
    _write(_product(settings, name, made_with, owner), edited={about: with_port})
    stdout().print(f"made {folder}; build it: `mesh build {name}`", soft_wrap=True)


def _product(settings: Settings, name: ProductName, made_with: str, owner: str) -> Mapping[Path, str]:
    """Path -> text of every file of a new product."""
    from mesh_assets.capabilities.contracts.scaffold import new_contract_text

    folder = settings.domains / name.domain / name.product
    recipes = {
        "sql": folder / "recipe.sql",
        "python": folder / "recipe.py",
        "dbt": settings.dbt_project / "models" / name.domain / f"{name.product}.sql",
    }
    return {
        recipes[made_with]: RECIPE[made_with].format(name=name, product=name.product),
        folder / "contract.yaml": new_contract_text(name, owner=owner),
    }


def _write(files: Mapping[Path, str], *, edited: Mapping[Path, str]) -> None:
    """All of them, or none where one is there, or one cannot be written."""
    for path in files:
        if path.exists():
            raise AlreadyThere(path=path)
    for path in (*files, *edited):
        there = next(each for each in (path, *path.parents) if each.exists())
        if not os.access(there, os.W_OK):
            raise DiskRefused(what=there, problem="Permission denied")
    for path, text in {**files, **edited}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _workspace_with(settings: Settings, domain: str) -> str:
    """The workspace with a location of the domain's own: by module in the package's folder, else by file."""
    from mesh_assets.capabilities.lineage.workspace import with_location

    if settings.domains == PACKAGE / "domains":
        kind, where = "python_module", f"mesh_assets.domains.{domain}.definitions"
    else:
        kind, where = "python_file", str(settings.domains / domain / "definitions.py")
    return with_location(settings.workspace, domain, kind, where)
