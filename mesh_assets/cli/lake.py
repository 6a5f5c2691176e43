"""`mesh lake`: whether what was published is there and whole, and letting go of what nobody needs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.grant import grant, grants, settings_and_domains
from mesh_assets.cli.look import JsonOption
from mesh_assets.cli.moves import backup, move, restore
from mesh_assets.cli.terminal import cells, complete_product, print_json, stdout, table
from mesh_assets.words.names import ProductName, product_name

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.model import Asset, Mesh
    from mesh_assets.capabilities.upkeep.check import Finding
    from mesh_assets.capabilities.upkeep.expiry import Expiry
    from mesh_assets.words.settings import Settings

lake = typer.Typer(
    help="""Check what was published, and let go of what nobody needs.

    **Examples**: `mesh lake check --deep` · `mesh lake expire --dry-run` · `mesh lake waiting` ·
    `mesh lake backup /mnt/backup` · `mesh lake move hcp --to s3://bucket`
    """,
    no_args_is_help=True,
)

for command in (grant, grants, backup, restore, move):
    lake.command()(command)

YesOption = Annotated[bool, typer.Option("--yes", help="Do it; without it nothing is changed.")]


@lake.command()
def check(
    domain: Annotated[
        list[str] | None, typer.Argument(help="All if none is given.", autocompletion=complete_product)
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Say what can be mended safely; with --yes do it.")
    ] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Read every row, and compare fingerprints.")] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare catalogs, files, the registry, certificates, manifests and pins; say what is wrong.

    Exit code 0 if nothing is wrong (any more), 1 if something is, 2 for a domain that is not there.

    **Examples**: `mesh lake check` · `mesh lake check hcp drug --deep` · `mesh lake check --repair --yes`
    """
    from mesh_assets.capabilities.upkeep.check import check as look

    if yes and not repair:
        raise typer.BadParameter("goes with --repair", param_hint="--yes")
    settings, domains = settings_and_domains(domain)
    damage = _damage(settings)
    if damage and not (repair and yes):
        _tell_findings([damage], [], as_json=as_json)
        raise typer.Exit(1)
    done = _set_aside(settings) if damage else []
    registry = _registry(settings)
    found = look(settings, registry, domains, deep=deep)
    if repair and yes:
        from mesh_assets.capabilities.publishing.code import who
        from mesh_assets.capabilities.upkeep.repair import repair as mend

        done += mend(settings, registry, found, who=who(), now=datetime.now(UTC))
        found = look(settings, registry, domains, deep=deep) if done else found
    _tell_findings(found, done, as_json=as_json)
    if found:
        raise typer.Exit(1)


@lake.command()
def expire(
    product: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PRODUCT…]", help="Products or domains; all if none.", autocompletion=complete_product
        ),
    ] = None,
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say it, which is the default.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let go of versions whose retention is over and that nobody keeps, and of files that no version needs.

    Heads, the version before them, pinned and tagged versions stay. Certificates stay.

    **Examples**: `mesh lake expire` · `mesh lake expire drug.brand --yes` · `mesh lake expire hcp --json`
    """
    from mesh_assets.capabilities.upkeep import expiry

    if yes and dry_run:
        raise typer.BadParameter("say --dry-run or --yes, not both", param_hint="--yes")
    settings, mesh = _settings_and_mesh()
    assets, registry = _assets(mesh, product), _registry(settings)
    if yes:
        from mesh_assets.capabilities.publishing.code import who

        done = expiry.expire(settings, registry, assets, who=who())
    else:
        done = expiry.plan(settings, registry, assets)
    if as_json:
        print_json({"done": yes, **_plain(done)})
    else:
        _tell_expiry(done, yes=yes)


@lake.command()
def waiting(
    domain: Annotated[
        list[str] | None, typer.Argument(help="All if none is given.", autocompletion=complete_product)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Who commits to a lake right now, since when and for what, and who waits for it, in order.

    **Examples**: `mesh lake waiting` · `mesh lake waiting hcp --json`
    """
    from mesh_assets.capabilities.lake import lake_of
    from mesh_assets.capabilities.lake import waiting as look

    settings, domains = settings_and_domains(domain)
    found = [turn for name in domains for turn in look(settings, lake_of(settings, name))]
    if as_json:
        return print_json([vars(turn) for turn in found])
    if not found:
        return stdout().print("nobody commits, and nobody waits")
    shown = table("lake", "", "since", "for", "run", "process", "host", right=("process",))
    for turn in found:
        word, since = "holds" if turn.holds else "waits", turn.since.isoformat(timespec="seconds")
        shown.add_row(*cells(turn.domain, word, since, turn.what, turn.run_id, turn.pid, turn.host))
    return stdout().print(shown)


def _settings_and_mesh() -> tuple[Settings, Mesh]:
    from mesh_assets.capabilities.lineage.read import read_mesh
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    return settings, read_mesh(settings)


def _registry(settings: Settings) -> Any:
    from mesh_assets.capabilities.registry import open_registry

    return open_registry(settings)


def _assets(mesh: Mesh, wanted: list[str] | None) -> list[Asset]:
    """Of products, and of domains, by name; all of them for none."""
    if not wanted:
        return list(mesh.assets.values())
    found: dict[ProductName, Asset] = {}
    for word in wanted:
        if word in mesh.domains:
            found |= {asset.name: asset for asset in mesh.domains[word].assets}
        else:
            found[product_name(word)] = mesh.asset(product_name(word))
    return list(found.values())


def _damage(settings: Settings) -> Finding | None:
    """A registry that cannot be opened is found before it is opened."""
    from mesh_assets.capabilities.upkeep.check import Finding, Kind
    from mesh_assets.capabilities.upkeep.rebuild import damaged, sqlite_file

    path = sqlite_file(settings)
    if path is None or not path.exists() or not damaged(path):
        return None
    remedy = "`mesh lake check --repair --yes` puts it aside and makes it again from the manifests"
    return Finding(Kind.REGISTRY_DAMAGED, "", f"{path} cannot be read", remedy)


def _set_aside(settings: Settings) -> list[str]:
    from mesh_assets.capabilities.upkeep.rebuild import set_aside_if_damaged

    return [f"renamed the damaged registry to {set_aside_if_damaged(settings)}"]


def _tell_findings(found: list[Finding], done: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"findings": [{**vars(each), "safe": each.safe} for each in found], "repaired": done})
        return
    console = stdout()
    for action in done:
        console.print(action, markup=False, soft_wrap=True)
    for each in found:
        console.print(f"[bold red]{each.kind}[/] ", end="")
        console.print(f"{each.told}. {each.remedy}", markup=False, soft_wrap=True)
    safe = sum(each.safe for each in found)
    if not found:
        console.print("nothing is wrong" + (" any more" if done else ""))
    elif safe:
        console.print(f"{safe} of {len(found)} can be mended safely: `mesh lake check --repair --yes`")


def _tell_expiry(done: Expiry, *, yes: bool) -> None:
    console = stdout()
    if done.versions:
        shown = table("product", "version", "superseded", "own bytes", right=("version", "own bytes"))
        for each in done.versions:
            day = f"{each.superseded:%Y-%m-%d %H:%M}"
            shown.add_row(*cells(each.version.product, each.version.number, day, f"{each.bytes:,}"))
        console.print(shown)
    word = "were" if yes else "would be"
    strays = sum(len(each) for each in done.strays.values())
    console.print(f"{len(done.versions)} versions and {strays} unreleased commits {word} expired")
    console.print(f"{len(done.files)} files ({done.bytes_reclaimed:,} bytes) {word} deleted")
    if done.versions:
        console.print("files of versions expired now go a day later: readers may have been told of them")
    if not yes and (done.versions or strays or done.files):
        console.print("Nothing was changed. Do it: `mesh lake expire --yes`")


def _plain(done: Expiry) -> dict[str, Any]:
    return {
        "versions": [
            {
                "product": str(each.version.product),
                "version": each.version.number,
                "superseded": each.superseded,
                "bytes": each.bytes,
            }
            for each in done.versions
        ],
        "unreleased": done.strays,
        "files": [{"file": str(file.path), "bytes": file.bytes, "why": file.why} for file in done.files],
        "bytes_reclaimed": done.bytes_reclaimed,
    }
