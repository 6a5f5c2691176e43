"""Stopping things and letting them go on: pauses, holds of what uses a product, announcements."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.moments import day, moment
from mesh_assets.cli.terminal import LARGEST, cells, complete_product, print_json, stdout, table

if TYPE_CHECKING:
    from mesh_assets.words.controls import Pause
    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings

Scope = Annotated[str, typer.Argument(help="A domain or a product.", autocompletion=complete_product)]
Product = Annotated[str, typer.Argument(help="domain.product", autocompletion=complete_product)]
Reason = Annotated[str, typer.Option(help="Why, in a sentence that others understand.")]
Until = Annotated[str | None, typer.Option(help="It ends by itself: 2h, 3d, 2030-01-31, 2030-01-31T09:00.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


def pause(scope: Scope, reason: Reason, until: Until = None) -> None:
    """Let nothing of a domain or a product be made: by command, schedule, sensor or click.

    Readers see the last version. A run that is under way goes on.

    **Examples**: `mesh pause hcp --reason "the registry is being moved" --until 2h` · `mesh pause drug.brand
    --reason "wrong labels delivered"`
    """
    settings, registry = _open()
    name = known_scope(settings, scope)
    ends = moment(until, "--until") if until else None
    found = registry.pause(name, _said(reason), _who(), ends)
    stdout().print(f"{name} is paused {found.told()}. To go on: `mesh resume {name}`", markup=False)


def resume(scope: Scope) -> None:
    """End the pause of a domain or a product.

    **Examples**: `mesh resume hcp`
    """
    _, registry = _open()
    name = str(scope).replace("/", ".")
    found = registry.resume(name, _who())
    stdout().print(f"{name} goes on; it was paused {found.told()}. Build: `mesh build {name}`", markup=False)


def hold(product: Product, reason: Reason, until: Until = None) -> None:
    """Hold whatever reads a product: it keeps its last version and is not made again until it is let go.

    The product itself is made as ever, so that its new form can be looked at first.

    **Examples**: `mesh hold drug.brand --reason "brand_id changes on Monday" --until 2030-01-31`
    """
    settings, registry = _open()
    name = _known_product(settings, product)
    ends = moment(until, "--until") if until else None
    found = registry.hold_users(name, _said(reason), _who(), ends)
    stdout().print(
        f"What uses {name} is held {found.told()}. To let it go: `mesh let-go {name}`", markup=False
    )


def let_go(product: Product) -> None:
    """End the hold of what reads a product.

    **Examples**: `mesh let-go drug.brand`
    """
    from mesh_assets.words.names import product_name

    _, registry = _open()
    name = product_name(product)
    found = registry.let_users_go(name, _who())
    stdout().print(f"What uses {name} goes on; it was held {found.told()}", markup=False)


def announce(
    product: Product,
    text: Annotated[str, typer.Option(help="What changes, and what to do about it.")],
    on: Annotated[str, typer.Option(help="The day from which it holds, 2030-01-31.")],
    breaking: Annotated[bool, typer.Option("--breaking", help="Its form or meaning changes.")] = False,
    deprecated: Annotated[bool, typer.Option("--deprecated", help="It goes away, or is replaced.")] = False,
    hold_users: Annotated[
        bool, typer.Option("--hold", help="And hold what reads it; see `mesh hold`.")
    ] = False,
) -> None:
    """Tell a product's consumers of a breaking change or a deprecation before it comes.

    **Examples**: `mesh announce drug.brand --breaking --on 2030-01-31 --text "brand_id becomes a number"` ·
    `mesh announce hcp.hcp_xref --deprecated --on 2030-06-30 --text "use hcp.hcp_master"`
    """
    from mesh_assets.words.controls import Announcement, AnnouncementKind

    if breaking == deprecated:
        raise typer.BadParameter("say which: --breaking or --deprecated", param_hint="--breaking")
    settings, registry = _open()
    name = _known_product(settings, product)
    kind = AnnouncementKind.BREAKING if breaking else AnnouncementKind.DEPRECATED
    made = registry.announce(
        Announcement(0, name, kind, day(on, "--on"), _said(text), _who(), datetime.now(UTC))
    )
    stdout().print(f"{made.number}: {made.told()}", markup=False)
    if hold_users:
        registry.hold_users(name, f"announced: {_said(text)}", _who())
        stdout().print(f"What uses {name} is held. To let it go: `mesh let-go {name}`", markup=False)


def withdraw(
    number: Annotated[int, typer.Argument(min=1, max=LARGEST, help="As `mesh pauses` shows it.")],
) -> None:
    """Let an announcement stand no longer: the change has come, or does not come.

    **Examples**: `mesh withdraw 3`
    """
    _, registry = _open()
    registry.withdraw(number, _who())
    stdout().print(f"announcement {number} is withdrawn")


def pauses(
    history: Annotated[bool, typer.Option("--history", help="Those that ended too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List what is paused and held, and what is announced.

    **Examples**: `mesh pauses` · `mesh pauses --history` · `mesh pauses --json`
    """
    _, registry = _open()
    if history:
        standing = [("paused", each) for each in registry.pauses(limit=1000)]
        standing += [("what uses it is held", each) for each in registry.user_holds(limit=1000)]
    else:
        found = registry.controls()
        standing = [("paused", each) for each in found.pauses.values()]
        standing += [("what uses it is held", each) for each in found.holds.values()]
    announced = registry.announcements()
    if as_json:
        rows = [{"what": what, **vars(each)} for what, each in standing]
        print_json({"standing": rows, "announcements": [_plain(each) for each in announced]})
        return
    if standing:
        stdout().print(_table_of(standing))
    for each in announced:
        stdout().print(f"{each.number}: {each.told()}", markup=False, soft_wrap=True)
    if not standing and not announced:
        stdout().print("nothing is paused, held or announced")


def _table_of(standing: list[tuple[str, Pause]]) -> Any:
    shown = table("scope", "what", "reason", "who", "since", "until", "ended", "by")
    for what, each in standing:
        moments = (each.since, each.until, each.ended)
        since, until, ended = (None if at is None else f"{at:%Y-%m-%d %H:%M}" for at in moments)
        shown.add_row(*cells(each.scope, what, each.reason, each.who, since, until, ended, each.ended_by))
    return shown


def _plain(announcement: Any) -> dict[str, Any]:
    return {**vars(announcement), "product": str(announcement.product), "kind": str(announcement.kind)}


def _open() -> tuple[Settings, Any]:
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    return settings, open_registry(settings)


def _who() -> str:
    from mesh_assets.capabilities.publishing.code import who

    return who()


def _said(text: str) -> str:
    """A reason that says something: nobody can act on an empty one."""
    if not text.strip():
        raise typer.BadParameter("write a sentence", param_hint="--reason")
    return " ".join(text.split())


def known_scope(settings: Settings, scope: str) -> str:
    """A domain or product that has a folder; what is in it may be broken, which is a reason to pause it."""
    if "." in scope or "/" in scope:
        return str(_known_product(settings, scope))
    from mesh_assets.capabilities.lineage.read import domain_names
    from mesh_assets.words.controls import UnknownScope

    names = domain_names(settings)
    if scope not in names:
        near = difflib.get_close_matches(scope, names, n=2)
        raise UnknownScope(scope=scope, hint=f" Did you mean {' or '.join(near)}?" if near else "")
    return scope


def _known_product(settings: Settings, text: str) -> ProductName:
    from mesh_assets.words.errors import UnknownProduct
    from mesh_assets.words.names import product_name

    name = product_name(text)
    folder = settings.domains / name.domain / name.product
    if folder.is_dir():
        return name
    known = sorted(
        f"{path.parent.parent.name}.{path.parent.name}" for path in settings.domains.glob("*/*/contract.yaml")
    )
    raise UnknownProduct(name=str(name), near=tuple(difflib.get_close_matches(str(name), known, n=2)))
