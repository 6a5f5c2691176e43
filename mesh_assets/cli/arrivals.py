"""`mesh arrivals`: what came from outside, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.look import JsonOption
from mesh_assets.cli.terminal import LARGEST, cells, complete_domain, print_json, stderr, stdout, table

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.settings import Settings


def arrivals(
    domain: Annotated[
        str | None, typer.Argument(help="Only what this domain receives.", autocompletion=complete_domain)
    ] = None,
    look: Annotated[
        bool, typer.Option("--look", help="Look now, as the sensors do, before telling.")
    ] = False,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Only files that builds go without; exit 1 if there is one.")
    ] = False,
    limit: Annotated[int, typer.Option(help="At most so many, newest first.", min=1, max=LARGEST)] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show which files, rows and events came, and which were set aside and why.

    **Examples**: `mesh arrivals` · `mesh arrivals prescriptions --look` · `mesh arrivals --set-aside --json`
    """
    from mesh_assets.capabilities.publishing.arrivals import arrival_facts
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    _refuse_unknown(settings, domain)
    with open_registry(settings) as registry:
        if look:
            _look(settings, registry, domain)
        found = registry.set_aside(domain) if set_aside else registry.arrivals(domain, limit=limit)
    if as_json:
        print_json([arrival_facts(each) for each in found])
    elif not found:
        stdout().print("nothing is set aside" if set_aside else "nothing came yet: `mesh arrivals --look`")
    else:
        shown = table("file", "source", "state", "bytes", "first seen", "reason", right=("bytes",))
        for each in found:
            seen = f"{each.first_seen:%Y-%m-%d %H:%M:%S}"
            source = f"{each.domain}.{each.source}"
            shown.add_row(*cells(each.file, source, each.state, f"{each.size:,}", seen, each.reason))
        stdout().print(shown)
    if set_aside and found:
        raise typer.Exit(1)


def _refuse_unknown(settings: Settings, domain: str | None) -> None:
    from mesh_assets.capabilities.lineage.read import domain_names

    known = domain_names(settings)
    if domain is not None and domain not in known:
        raise typer.BadParameter(
            f"{domain!r} is no domain; there are {', '.join(known)}", param_hint="DOMAIN"
        )


def _look(settings: Settings, registry: Registry, domain: str | None) -> None:
    from mesh_assets.capabilities.contracts.domain import read_domain
    from mesh_assets.capabilities.lineage.read import domain_names
    from mesh_assets.capabilities.publishing.arrivals import look_for_arrivals

    for name in [domain] if domain else domain_names(settings):
        found = look_for_arrivals(settings, registry, read_domain(settings.domains / name))
        for source, problem in found.unreachable.items():
            stderr().print(f"{name}.{source}: {problem}", markup=False, soft_wrap=True)
