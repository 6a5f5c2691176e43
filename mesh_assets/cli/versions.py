"""`mesh versions`, `tag`, `pin`, `unpin`, `pins`: versions, their names, who keeps them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.look import JsonOption, ProductArgument, mesh_and_registry
from mesh_assets.cli.terminal import LARGEST, cells, complete_product, print_json, stderr, stdout, table
from mesh_assets.words.names import at_version

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.names import ProductName

VersionArgument = Annotated[
    str,
    typer.Argument(
        metavar="PRODUCT[@VERSION]",
        help="domain.product, with a number or a tag behind an @; else the current version.",
        autocompletion=complete_product,
    ),
]

#: Seconds of the units in which `--for` is written.
UNITS = {"h": 3600, "d": 86_400, "w": 604_800}

#: How the pins of runs are called; they are the runs' own.
OF_RUNS = "run "


def versions(
    product: ProductArgument,
    limit: Annotated[int, typer.Option(min=1, max=LARGEST, help="At most so many, the newest.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the versions of a product, newest first: when, by whom, with what rules, tags and pins.

    **Examples**: `mesh versions hcp.hcp_master` · `mesh versions drug.brand --limit 100 --json`
    """
    from mesh_assets.capabilities.observability.versions import version_rows

    registry, name, _ = registry_and_name(product)
    rows = version_rows(registry, name, limit)
    if as_json:
        print_json(rows)
        return
    if not rows:
        stdout().print(f"no version yet: `mesh build {name}`")
        return
    shown = table(
        "version", "published", "rows", "rules", "who", "run", "tags", "pins", right=("version", "rows")
    )
    for row in rows:
        shown.add_row(*cells(*_row(row)))
    stdout(at_least=110).print(shown)


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    told = " head" if row["head"] else ""
    told += f", again {row['rolled_back_to']}" if row["rolled_back_to"] else ""
    told += ", expired" if row["expired"] else ""
    rules = row["rules"]
    return (
        f"{row['version']}{told}",
        f"{row['published']:%Y-%m-%d %H:%M}",
        f"{row['rows']:,}",
        f"{rules['passed']} passed" + (f", {rules['warned']} warned" if rules["warned"] else ""),
        row["who"],
        row["run"][:12],
        ", ".join(row["tags"]),
        ", ".join(row["pins"]),
    )


def tag(
    product: VersionArgument,
    name: Annotated[str, typer.Argument(help="Begins with a letter; letters, digits, _ . - follow.")],
    move: Annotated[bool, typer.Option("--move", help="Take the name from the version that has it.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Take the name away.")] = False,
) -> None:
    """Name a version; PRODUCT@NAME is then accepted wherever a version is.

    **Examples**: `mesh tag drug.brand@3 spring` · `mesh tag drug.brand spring --move` · `mesh tag drug.brand
    spring --delete`
    """
    from mesh_assets.capabilities.publishing.code import who

    registry, asset, wanted = registry_and_name(product)
    if delete:
        registry.untag(asset, name)
        stderr().print(f"{asset} has no tag {name} any more")
        return
    number = registry.find(asset, wanted).number
    registry.tag(asset, number, name, who=who(), move=move)
    stderr().print(f"{asset}@{name} is version {number}")


def pin(
    product: VersionArgument,
    holder: Annotated[
        str | None, typer.Option(help="Who keeps it: a report, a study, a person. Default: you.")
    ] = None,
    lasts: Annotated[str | None, typer.Option("--for", help="How long: 12h, 90d, 4w.")] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Until this day (UTC), 2027-01-31.")
    ] = None,
) -> None:
    """Keep a version readable, whatever the product's retention; without --for or --until until `mesh unpin`.

    **Examples**: `mesh pin drug.brand@3 --holder spring-report --for 90d` · `mesh pin hcp.hcp_master`
    """
    registry, asset, wanted = registry_and_name(product)
    expires = _expiry(lasts, until)
    keeper = _holder(holder)
    number = registry.find(asset, wanted).number
    registry.keep(keeper, asset, number, expires)
    told = f"until {expires:%Y-%m-%d %H:%M} UTC" if expires else "until it lets go (`mesh unpin`)"
    stderr().print(f"{keeper} keeps {asset} version {number} {told}", markup=False)


def unpin(
    product: Annotated[
        str | None,
        typer.Argument(
            metavar="[PRODUCT[@VERSION]]",
            help="All of the holder's if not given.",
            autocompletion=complete_product,
        ),
    ] = None,
    holder: Annotated[str | None, typer.Option(help="Who keeps it. Default: you.")] = None,
) -> None:
    """Let go of pins: of one version, of a product, or of all that a holder keeps.

    **Examples**: `mesh unpin drug.brand@3 --holder spring-report` · `mesh unpin --holder spring-report`
    """
    from mesh_assets.words.errors import UnknownPin

    keeper = _holder(holder)
    if product is None:
        gone = mesh_and_registry()[1].let_go(keeper)
    else:
        registry, asset, wanted = registry_and_name(product)
        gone = registry.let_go(keeper, asset, registry.find(asset, wanted).number if wanted else None)
    if not gone:
        raise UnknownPin(holder=keeper, what=product or "any product")
    stderr().print(f"{keeper} has let go of {gone} pin{'s' if gone > 1 else ''}", markup=False)


def pins(
    product: Annotated[
        str | None, typer.Argument(help="Only of this product.", autocompletion=complete_product)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List who keeps which version, and until when. Runs keep what they read while they last.

    **Examples**: `mesh pins` · `mesh pins drug.brand --json`
    """
    from mesh_assets.capabilities.observability.versions import pin_rows

    name = registry_and_name(product)[1] if product else None
    rows = pin_rows(mesh_and_registry()[1], name)
    if as_json:
        print_json(rows)
        return
    shown = table("holder", "product", "version", "pinned", "expires", right=("version",))
    for row in rows:
        expires = f"{row['expires']:%Y-%m-%d %H:%M}" if row["expires"] else "not by itself"
        pinned = f"{row['pinned']:%Y-%m-%d %H:%M}"
        shown.add_row(*cells(row["holder"], row["product"], row["version"], pinned, expires))
    stdout().print(shown if rows else "nobody keeps a version")


def registry_and_name(text: str) -> tuple[Registry, ProductName, str | None]:
    """The registry, the product's name (one of this mesh), and the version behind the @."""
    name, wanted = at_version(text)
    mesh, registry = mesh_and_registry()
    mesh.asset(name)
    return registry, name, wanted


def _holder(given: str | None) -> str:
    from mesh_assets.capabilities.publishing.code import who

    if given is not None and (not given.strip() or given.startswith(OF_RUNS)):
        raise typer.BadParameter("name a report, a study, a person; `run …` are runs", param_hint="--holder")
    return given or who()


def _expiry(lasts: str | None, until: datetime | None) -> datetime | None:
    if lasts is not None and until is not None:
        raise typer.BadParameter("give --for or --until, not both", param_hint="--for")
    now = datetime.now(UTC)
    if lasts is not None:
        found = re.fullmatch(r"([1-9]\d{0,4})([hdw])", lasts)
        if not found:
            raise typer.BadParameter(f"{lasts!r} is no span; write 12h, 90d or 4w", param_hint="--for")
        return now + timedelta(seconds=int(found[1]) * UNITS[found[2]])
    if until is not None and until.replace(tzinfo=UTC) <= now:
        raise typer.BadParameter(f"{until:%Y-%m-%d} is over", param_hint="--until")
    return until.replace(tzinfo=UTC) if until else None
