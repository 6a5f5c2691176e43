"""`mesh lake backup`, `mesh lake restore` and `mesh lake move`."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.look import JsonOption
from mesh_assets.cli.terminal import complete_product, print_json, stdout

if TYPE_CHECKING:
    from mesh_assets.capabilities.lake.moves import Moved
    from mesh_assets.capabilities.upkeep.backups import Backup
    from mesh_assets.words.settings import Settings

PlaceArgument = Annotated[
    str, typer.Argument(metavar="PLACE", help="A folder, or s3://bucket/prefix.", show_default=False)
]
DomainsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[DOMAIN…]", help="All if none is given.", autocompletion=complete_product),
]


def backup(
    place: PlaceArgument,
    domain: DomainsArgument = None,
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy files on the same disk too, instead of hard links.")
    ] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Read it all again, and compare checksums.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Back up the registry, catalogs, data, manifests and artifacts, as they are at one moment.

    What earlier backups in the same place have is not copied again. Interrupted, run it again. Exit code 1 if
    something is missing in a lake, or wrong in the backup.

    **Examples**: `mesh lake backup /mnt/backup` · `mesh lake backup s3://company-backup/mesh hcp drug --deep`
    """
    from mesh_assets.capabilities.publishing.code import who
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.capabilities.upkeep.backups import backup as keep
    from mesh_assets.capabilities.upkeep.backups import wrong_files
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    domains = _known(domain, _lakes(settings))
    _refuse_malformed(to=place)
    with open_registry(settings) as registry:
        done = keep(settings, registry, domains, place, who=who(), link=not copy)
    wrong = done.missing + wrong_files(place, done, deep=deep)
    if as_json:
        print_json({**_about(done), "wrong": wrong})
    else:
        console = stdout()
        console.print(
            f"backup {done.name} of {', '.join(done.domains) or 'nothing'}: {done.copied:,} files copied "
            f"({done.bytes:,} bytes), {done.present:,} were there",
            markup=False,
            soft_wrap=True,
        )
        _tell_wrong(wrong)
    if wrong:
        raise typer.Exit(1)


def restore(
    place: PlaceArgument,
    domain: DomainsArgument = None,
    at: Annotated[str | None, typer.Option("--at", help="Which backup; the last one unless told.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Say which backups there are.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Even if what is here is newer, and goes.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put domains back as they were at a backup: into an empty home, or a damaged one; then check them.

    Files that are whole are left alone. The catalogs and the registry that are replaced are kept beside, as
    `…before-…`. Interrupted, run it again. Exit code 1 if the check finds something.

    **Examples**: `mesh lake restore /mnt/backup --list` · `mesh lake restore /mnt/backup hcp --yes`
    """
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.capabilities.upkeep.backups import backups, read_backup
    from mesh_assets.capabilities.upkeep.check import check
    from mesh_assets.capabilities.upkeep.restores import restore as bring_back
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    _refuse_malformed(to=place)
    if listed:
        return _tell_backups([read_backup(place, name) for name in backups(place)], as_json=as_json)
    done = bring_back(settings, place, domain or (), at=at, yes=yes)
    with open_registry(settings) as registry:
        wrong = [f"{each.told}. {each.remedy}" for each in check(settings, registry, done.domains)]
    if as_json:
        print_json({**_about(done.backup), "copied": done.copied, "present": done.present, "wrong": wrong})
    else:
        registry_too = " and the registry" if done.registry else ""
        stdout().print(
            f"restored {', '.join(done.domains)}{registry_too} as of {done.backup.made}: {done.copied:,} "
            f"files copied, {done.present:,} were whole",
            markup=False,
            soft_wrap=True,
        )
        _tell_wrong(wrong)
    if wrong:
        raise typer.Exit(1)
    return None


def move(
    domain: Annotated[
        str | None, typer.Argument(help="Whose lake.", autocompletion=complete_product, show_default=False)
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="s3://bucket/prefix, a folder, or local (under the home).")
    ] = None,
    catalog: Annotated[
        str | None, typer.Option("--catalog", help="postgres:<libpq connection string>, or sqlite.")
    ] = None,
    registry: Annotated[
        str | None, typer.Option("--registry", help="Move the registry instead: postgresql+psycopg://…")
    ] = None,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Remove places that the lake left; with --yes.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; goes with --drop-old.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take one domain's lake to another place while it is read, and written, and the others go on.

    Every version stays, under its number. The old place stays for who reads in it, until `--drop-old --yes`,
    or until upkeep a day later. Interrupted, run it again.

    **Examples**: `mesh lake move hcp --to s3://hcp-bucket/lakes` ·
    `mesh lake move hcp --catalog 'postgres:host=db user=mesh dbname=mesh'` · `mesh lake move hcp --drop-old`
    """
    from mesh_assets.capabilities.lake.moves import move as take
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    if registry is not None:
        if domain or to or catalog or drop_old:
            raise typer.BadParameter("stands alone: the registry is no domain's", param_hint="--registry")
        return _move_registry(settings, registry, as_json=as_json)
    if domain is None or not (to or catalog or drop_old):
        raise typer.BadParameter("say a domain, and --to, --catalog or --drop-old")
    _known([domain], _lakes(settings))
    if drop_old:
        if to or catalog:
            raise typer.BadParameter("comes after the move", param_hint="--drop-old")
        return _drop(settings, domain, yes=yes, as_json=as_json)
    _refuse_malformed(to=to, catalog=catalog)
    return _tell_move(take(settings, domain, to=to, catalog=catalog), as_json=as_json)


def _move_registry(settings: Settings, url: str, *, as_json: bool) -> None:
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.capabilities.registry.copies import move_to

    with open_registry(settings) as source, open_registry(replace(settings, registry=url)) as target:
        counts = move_to(source, target, url)
    if as_json:
        return print_json({"registry": url, "rows": counts})
    told = f"{sum(counts.values()):,} rows are in the new registry. From now on: MESH_REGISTRY={url}"
    return stdout().print(told, markup=False, soft_wrap=True)


def _drop(settings: Settings, domain: str, *, yes: bool, as_json: bool) -> None:
    from mesh_assets.capabilities.lake.moves import drop, places_before
    from mesh_assets.capabilities.publishing.code import who

    left = places_before(settings, domain)
    gone = drop(settings, domain, who=who()) if yes else []
    if as_json:
        return print_json({"done": yes, "left": left, "files": len(gone), "bytes": sum(b for _, b in gone)})
    console = stdout()
    for each in left:
        told = f"{each['root']}, with the catalog in {each['catalog']}, left {each['left']}"
        console.print(told, markup=False, soft_wrap=True)
    if not left:
        console.print(f"the lake of {domain} left no place behind")
    elif yes:
        console.print(f"removed {len(gone):,} files ({sum(b for _, b in gone):,} bytes)")
    else:
        console.print(f"Nothing was changed. Do it: `mesh lake move {domain} --drop-old --yes`", markup=False)
    return None


def _tell_move(done: Moved, *, as_json: bool) -> None:
    if as_json:
        facts = {"copied": done.copied, "present": done.present, "bytes": done.bytes}
        here = {"place": done.now.root, "catalog": done.now.catalog_setting}
        return print_json({"domain": done.domain, "before": done.before.root, **here, **facts})
    console = stdout()
    if done.before == done.now:
        return console.print(f"the lake of {done.domain} is there already", markup=False)
    told = (
        f"the lake of {done.domain} is in {done.now.root} now, its catalog in {done.now.catalog_setting}: "
        f"{done.copied:,} files copied ({done.bytes:,} bytes), {done.present:,} were there"
    )
    console.print(told, markup=False, soft_wrap=True)
    old = f"{done.before.root} stays for who reads in it: `mesh lake move {done.domain} --drop-old`"
    return console.print(old, markup=False, soft_wrap=True)


def _lakes(settings: Settings) -> list[str]:
    """Domains, and lakes that are no domain's: the mesh keeps its events in one."""
    from mesh_assets.capabilities.lineage.read import domain_names

    others = {path.name for path in settings.lakes.glob("*") if path.is_dir()}
    return sorted({*domain_names(settings), *others})


def _known(wanted: list[str] | None, names: list[str]) -> list[str]:
    for name in wanted or ():
        if name not in names:
            raise typer.BadParameter(f"there is no domain {name!r}; there are {', '.join(names)}")
    return wanted or names


def _refuse_malformed(*, to: str | None = None, catalog: str | None = None) -> None:
    """As the settings would say it."""
    from mesh_assets.words.settings import read_settings

    in_bucket = to is not None and ":" in to
    read_settings(({"MESH_DATA": to or ""} if in_bucket else {}) | {"MESH_CATALOG": catalog or ""})


def _about(done: Backup) -> dict[str, Any]:
    facts = {name: getattr(done, name) for name in ("name", "made", "who", "copied", "present", "bytes")}
    domains = {
        name: {"snapshot": each.snapshot, "files": len(each.files)} for name, each in done.domains.items()
    }
    return {**facts, "domains": domains, "databases": {k: asdict(v) for k, v in done.databases.items()}}


def _tell_backups(found: list[Backup], *, as_json: bool) -> None:
    if as_json:
        return print_json([_about(each) for each in found])
    for each in found:
        told = f"{each.name}  {each.made}  {', '.join(each.domains)}  by {each.who}"
        stdout().print(told, markup=False, soft_wrap=True)
    return None if found else stdout().print("there is no backup")


def _tell_wrong(wrong: list[str]) -> None:
    for each in wrong:
        stdout().print(each, markup=False, soft_wrap=True)
    if not wrong:
        stdout().print("nothing is wrong")
