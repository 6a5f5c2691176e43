"""`mesh portal`, `mesh up`: the mesh at URLs, alone, beside Dagster, or as a folder of files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.look import JsonOption
from mesh_assets.cli.terminal import print_json, stderr, stdout
from mesh_assets.words.portal import PORTAL_PORT

if TYPE_CHECKING:
    from mesh_assets.words.portal import PortalSettings

portal = typer.Typer(
    name="portal",
    help="The mesh at URLs: what, where, when, with and how of everything.\n\n"
    "**Examples**: `mesh portal` · `mesh portal --port 8080` · `mesh portal export site`",
    no_args_is_help=False,
)

PortOption = Annotated[int, typer.Option(min=1, max=65535, help="The portal's port.")]
HostOption = Annotated[
    str, typer.Option(help="The address to listen on; others than this machine's own need a login.")
]


@portal.callback(invoke_without_command=True)
def show(ctx: typer.Context, port: PortOption = PORTAL_PORT, host: HostOption = "127.0.0.1") -> None:
    """Show the mesh to people and programs: a page and standard documents for every domain and product.

    It reads, and changes nothing of the data. On this machine nobody has to sign in; to listen on another
    address it needs a proxy that signs people in, or an OpenID provider: docs/portal.md.

    **Examples**: `mesh portal` · `mesh portal --port 8080` · `mesh portal export site`
    """
    if ctx.invoked_subcommand is not None:
        return
    from mesh_assets.capabilities.portal.app import check_open, make_site, serve
    from mesh_assets.capabilities.portal.beside import refuse_taken
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.settings import read_settings

    known = settings_at(port)
    check_open(known, host)
    refuse_taken(host, port, "mesh portal")
    with open_registry(settings := read_settings()) as registry:
        stderr().print(f"the mesh's portal: {known.url}", soft_wrap=True)
        serve(make_site(settings, known, registry), host=host, port=port)


@portal.command(name="export")
def export(
    folder: Annotated[Path, typer.Argument(help="An empty folder, or that of an earlier export.")],
    samples: Annotated[
        bool, typer.Option(help="Show a few rows of each product, personal values masked.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Write the whole portal as files: any web server shows them, and so does a browser without one.

    Links are relative. Every page has its documents beside it: `.json`, `.yaml`, `.jsonld`.

    **Examples**: `mesh portal export site` · `mesh portal export site --no-samples --json`
    """
    from dataclasses import replace

    from mesh_assets.capabilities.portal.app import make_site
    from mesh_assets.capabilities.portal.export import export_site
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.portal import read_portal_settings
    from mesh_assets.words.settings import read_settings

    known = read_portal_settings()
    known = replace(known, samples=known.samples and samples)
    with open_registry(settings := read_settings()) as registry:
        done = export_site(make_site(settings, known, registry, static=True), folder)
    if as_json:
        print_json(
            {"folder": str(folder), "pages": done.pages, "documents": done.documents, "bytes": done.bytes}
        )
        return
    told = f"{done.pages:,} pages and {done.documents:,} documents, {done.bytes:,} bytes, are in {folder}"
    stdout().print(told, markup=False, soft_wrap=True)


def up(
    port: PortOption = PORTAL_PORT,
    dagster_port: Annotated[int, typer.Option(min=1, max=65535, help="The port of Dagster's UI.")] = 3000,
    one_process: Annotated[
        bool, typer.Option("--one-process", help="All domains in one code location: a quarter of the memory.")
    ] = False,
) -> None:
    """Start the portal and the Dagster UI side by side, linked to each other; one Ctrl-C ends both.

    **Examples**: `mesh up` · `mesh up --port 8080 --dagster-port 8081 --one-process`
    """
    from mesh_assets.capabilities.portal.beside import run_beside

    def told(line: str) -> None:
        stderr().print(line, soft_wrap=True)

    raise typer.Exit(run_beside(port=port, dagster_port=dagster_port, one_process=one_process, told=told))


def settings_at(port: int) -> PortalSettings:
    """The settings; on another port than the usual one, and without an address given, the portal is there."""
    import os
    from dataclasses import replace

    from mesh_assets.words.portal import read_portal_settings

    known = read_portal_settings()
    return known if os.environ.get("MESH_PORTAL_URL") else replace(known, url=f"http://127.0.0.1:{port}")
