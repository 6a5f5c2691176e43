"""`mesh rollback`: an older version becomes the current one again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from mesh_assets.cli.look import JsonOption, ProductArgument, mesh_and_registry
from mesh_assets.cli.terminal import print_json, stderr, stdout
from mesh_assets.words.names import product_name

if TYPE_CHECKING:
    from mesh_assets.capabilities.publishing.rollback import Dependent
    from mesh_assets.words.names import ProductName


def rollback(
    product: ProductArgument,
    to: Annotated[str | None, typer.Option(help="The version to go back to, a number or a tag.")] = None,
    why: Annotated[str, typer.Option(help="For the certificate: what was wrong.")] = "",
    release: Annotated[
        bool, typer.Option("--release", help="End the hold: the next build makes the product again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Publish an older version's content as a new version, if it keeps the contract of now.

    The product is held then: builds leave it alone until its code, contract or inputs change, or until
    --release. What is made from it builds again with the next `mesh build`.

    **Examples**: `mesh rollback drug.brand --to 3 --why "half of the brands are missing"` · `mesh rollback
    drug.brand --release`
    """
    if (to is None) == (not release):
        raise typer.BadParameter("give --to VERSION, or --release")
    name = product_name(product)
    mesh, registry = mesh_and_registry()
    mesh.asset(name)
    if release:
        _release(registry, name)
    else:
        _roll_back(mesh, registry, name, str(to), why, as_json=as_json)


def _release(registry: Any, name: ProductName) -> None:
    from mesh_assets.capabilities.publishing.code import who
    from mesh_assets.capabilities.publishing.holds import held_keys
    from mesh_assets.words.errors import NothingHeld

    head = registry.head(name)
    if head is None or not held_keys(registry, head):
        raise NothingHeld(product=name)
    registry.end_hold(name, head.certificate.hold["run"], who())
    stderr().print(f"{name} is held no longer: `mesh build {name}` makes it again")


def _roll_back(mesh: Any, registry: Any, name: ProductName, to: str, why: str, *, as_json: bool) -> None:
    from mesh_assets.capabilities.publishing.code import who
    from mesh_assets.capabilities.publishing.dbt import run_dbt
    from mesh_assets.capabilities.publishing.program import run_program
    from mesh_assets.capabilities.publishing.rollback import dependents_of, roll_back
    from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
    from mesh_assets.words.settings import read_settings

    target = registry.find(name, to).readable()
    workshop = Workshop(
        settings=read_settings(),
        registry=registry,
        domain=mesh.domains[name.domain],
        run_id=f"rollback-{uuid4().hex[:12]}",
        who=who(),
        tools=Tools(dbt=run_dbt, program=run_program),
        selected=frozenset([name]),
    )
    built = roll_back(workshop, target, why=why)
    assert built.version is not None
    users = mesh.downstream([name]) - {name}
    heads = {each: head for each in users if (head := registry.head(each)) is not None}
    dependents = dependents_of(mesh, heads, name)
    facts = built.version.certificate.rolled_back
    if as_json:
        plain = [{**vars(each), "name": str(each.name)} for each in dependents]
        print_json({"product": str(name), "version": built.version.number, **facts, "dependents": plain})
        return
    console = stdout()
    console.print(
        f"{name} version {built.version.number} is version {facts['to']} again "
        f"({built.version.rows:,} rows); it takes the place of version {facts['from']}",
        markup=False,
        soft_wrap=True,
    )
    for line in _told(dependents):
        console.print(line, markup=False, soft_wrap=True)
    held = f"held until code, contract or inputs change, or `mesh rollback {name} --release`"
    console.print(held, markup=False, soft_wrap=True)


def _told(dependents: list[Dependent]) -> list[str]:
    """What builds again, and what it was made from."""
    lines = []
    for each in dependents:
        how = "reads it" if each.direct else "is made from what reads it"
        made = f", made from version {each.made_from}" if each.made_from is not None else ""
        lines.append(f"  {each.name} {how}{made}: builds again with the next `mesh build`")
    return lines
