"""`mesh new-domain` and `mesh new-product`: something that builds and passes as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.terminal import stdout
from mesh_assets.words.errors import YourCode
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.settings import PACKAGE

if TYPE_CHECKING:
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
    folder.mkdir(parents=True)
    _write(folder / "__init__.py", f'"""The {name} domain."""\n')
    _write(folder / "definitions.py", "from mesh_assets import mesh\n\ndefs = mesh.definitions(__file__)\n")
    _write(folder / "domain.yaml", new_domain_text(name, owner=owner, products=(first.product,)))
    _product(settings, first, "sql", owner)
    _add_location(settings, name)
    stdout().print(f"made {folder}; build it: `mesh build {name}`", soft_wrap=True)


def new_product(
    product: Annotated[str, typer.Argument(help="domain.product, in a domain that is there.")],
    made_with: Annotated[str, typer.Option("--with", help="sql, python or dbt.")] = "sql",
) -> None:
    """Make a product: its contract, and a recipe that keeps it.

    **Examples**: `mesh new-product hcp.hcp_email` · `mesh new-product drug.recall --with dbt`
    """
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    name = product_name(product)
    if name.private:
        raise typer.BadParameter("a private asset has no contract: make its folder and recipe by hand")
    if made_with not in RECIPE:
        raise typer.BadParameter(f"{made_with!r}: write one of {', '.join(RECIPE)}", param_hint="--with")
    if not (settings.domains / name.domain / "domain.yaml").is_file():
        raise typer.BadParameter(
            f"there is no domain {name.domain!r}; make it: mesh new-domain {name.domain}"
        )
    if (settings.domains / name.domain / name.product).exists():
        raise AlreadyThere(path=settings.domains / name.domain / name.product)
    folder = _product(settings, name, made_with, "owner@example.com")
    _add_port(settings.domains / name.domain / "domain.yaml", name)
    stdout().print(f"made {folder}; build it: `mesh build {name}`", soft_wrap=True)


def _product(settings: Settings, name: ProductName, made_with: str, owner: str) -> Path:
    from mesh_assets.capabilities.contracts.scaffold import new_contract_text

    folder = settings.domains / name.domain / name.product
    folder.mkdir()
    recipe = RECIPE[made_with].format(name=name, product=name.product)
    targets = {
        "sql": folder / "recipe.sql",
        "python": folder / "recipe.py",
        "dbt": settings.dbt_project / "models" / name.domain / f"{name.product}.sql",
    }
    targets[made_with].parent.mkdir(parents=True, exist_ok=True)
    _write(targets[made_with], recipe)
    _write(folder / "contract.yaml", new_contract_text(name, owner=owner))
    return folder


def _write(path: Path, text: str) -> None:
    if path.exists():
        raise AlreadyThere(path=path)
    path.write_text(text, encoding="utf-8")


def _add_location(settings: Settings, domain: str) -> None:
    """A location of its own: by module in the package's own folder, by file elsewhere."""
    workspace = settings.workspace
    text = workspace.read_text(encoding="utf-8") if workspace.is_file() else "load_from:\n"
    if f"location_name: {domain}\n" in text:
        return
    if settings.domains == PACKAGE / "domains":
        where = ["python_module:", f"    module_name: mesh_assets.domains.{domain}.definitions"]
    else:
        where = ["python_file:", f"    relative_path: {settings.domains / domain / 'definitions.py'}"]
    entry = [f"  - {where[0]}", f"  {where[1]}", f"      location_name: {domain}"]
    workspace.write_text(text.rstrip("\n") + "\n" + "\n".join(entry) + "\n", encoding="utf-8")


def _add_port(path: Path, name: ProductName) -> None:
    """The product as the first output port of its domain: edited as text, so that comments and order stay."""
    text = path.read_text(encoding="utf-8").replace("outputPorts: []", "outputPorts:")
    lines = text.rstrip("\n").split("\n")
    if "outputPorts:" not in lines:
        lines.append("outputPorts:")
    after = lines.index("outputPorts:") + 1
    first = lines[after] if after < len(lines) else ""
    indent = first[: len(first) - len(first.lstrip())] if first.lstrip().startswith("- ") else "  "
    entry = [f"- name: {name.product}", "  version: 1.0.0", f"  contractId: {name}"]
    lines[after:after] = [indent + line for line in entry]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
