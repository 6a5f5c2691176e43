"""`mesh lake grant` and `grants`: roles that may no more than they must, and what they may."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.look import JsonOption
from mesh_assets.cli.terminal import cells, complete_product, print_json, stdout, table

if TYPE_CHECKING:
    from mesh_assets.capabilities.upkeep.rights import Right
    from mesh_assets.words.settings import Settings


def grant(
    domain: Annotated[
        list[str] | None, typer.Argument(help="All if none is given.", autocompletion=complete_product)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the statements, and change nothing.")
    ] = False,
    prefix: Annotated[str, typer.Option("--prefix", help="How the roles' names begin.")] = "mesh",
    as_json: JsonOption = False,
) -> None:
    """Make roles in PostgreSQL: a writer for each domain, a reader, a keeper, one for events; print policies
    for the bucket.

    The roles have no passwords and nobody logs in with them: `GRANT mesh_writer_hcp TO somebody`. Doing it
    again changes nothing. A writer reads everything, and writes its own domain's lake and versions alone.

    **Examples**: `mesh lake grant --dry-run` · `mesh lake grant hcp drug` · `mesh lake grant --json`
    """
    from mesh_assets.capabilities.upkeep.policies import policies
    from mesh_assets.capabilities.upkeep.roles import Roles, orders
    from mesh_assets.capabilities.upkeep.roles import grant as carry_out

    settings, wanted = settings_and_domains(domain)
    done = (orders if dry_run else carry_out)(settings, wanted, prefix=prefix)
    documents = policies(settings, wanted, prefix=prefix)
    roles = Roles(prefix).all(wanted)
    if as_json:
        statements = {order.database: list(order.statements) for order in done}
        print_json({"done": not dry_run, "roles": roles, "statements": statements, "policies": documents})
        return
    console = stdout()
    for order in done if dry_run else ():
        console.print(f"-- in {order.database}", markup=False, soft_wrap=True)
        for statement in order.statements:
            console.print(f"{statement};", markup=False, soft_wrap=True)
    if not dry_run:
        console.print(f"roles: {', '.join(roles)}", soft_wrap=True)
    for role, document in documents.items():
        console.print(f"-- policy of {role} for the bucket", markup=False)
        console.print(json.dumps(document, indent=1), markup=False, soft_wrap=True)


def grants(
    domain: Annotated[
        list[str] | None, typer.Argument(help="All if none is given.", autocompletion=complete_product)
    ] = None,
    prefix: Annotated[str, typer.Option("--prefix", help="How the roles' names begin.")] = "mesh",
    as_json: JsonOption = False,
) -> None:
    """Who may do what: roles, accounts that have them, lakes and tables of the registry that they write.

    What PostgreSQL says is read from it; what a bucket is to be told is in `--json`, role by role.

    **Examples**: `mesh lake grants` · `mesh lake grants hcp --json`
    """
    from mesh_assets.capabilities.upkeep.policies import policies
    from mesh_assets.capabilities.upkeep.rights import rights

    settings, wanted = settings_and_domains(domain)
    found = rights(settings, wanted, prefix=prefix)
    documents = policies(settings, wanted, prefix=prefix)
    if as_json:
        roles = [{**vars(each), "policy": documents.get(each.role)} for each in found.roles]
        return print_json({"roles": roles, "unbound": found.unbound})
    shown = table("role", "accounts", "writes lakes", "writes in the registry")
    for each in found.roles:
        accounts = ", ".join(each.members) if each.made else "not made: mesh lake grant"
        shown.add_row(*cells(each.role, accounts, ", ".join(each.writes), _registry_told(each)))
    console = stdout()
    console.print(shown)
    console.print(f"bound by none of it: {', '.join(found.unbound)}", markup=False, soft_wrap=True)
    if documents:
        console.print("policies for the bucket: `mesh lake grants --json`, or `mesh lake grant --dry-run`")
    return None


def _registry_told(right: Right) -> str:
    if not right.registry:
        return ""
    own = ", rows of its own" if "_writer_" in right.role else ""
    return f"{len(right.registry)} tables{own}"


def settings_and_domains(wanted: list[str] | None) -> tuple[Settings, list[str]]:
    """The settings, and the domains that were named; all of them if none was."""
    from mesh_assets.capabilities.lineage.read import domain_names
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    names = list(domain_names(settings))
    for name in wanted or ():
        if name not in names:
            raise typer.BadParameter(f"there is no domain {name!r}; there are {', '.join(names)}")
    return settings, wanted or names
