"""`mesh follow` and `mesh access`: hearing of a product, asking to read one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.look import JsonOption
from mesh_assets.cli.moments import day
from mesh_assets.cli.pause import known_scope
from mesh_assets.cli.terminal import LARGEST, cells, complete_product, print_json, stdout, table
from mesh_assets.words.following import Access, Asked, By, Follow, Heard, checked_address

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.settings import Settings

Scope = Annotated[str, typer.Argument(help="A domain or a product.", autocompletion=complete_product)]

access = typer.Typer(
    no_args_is_help=True,
    help="Ask to read a domain or product; decide about it.\n\n"
    "**Examples**: `mesh access ask hcp --purpose planning --until 2030-01-31` · `mesh access grant 3`",
)


def follow(
    scope: Annotated[
        str | None, typer.Argument(help="A domain or a product.", autocompletion=complete_product)
    ] = None,
    mail: Annotated[str | None, typer.Option(help="Where mails go.")] = None,
    webhook: Annotated[str | None, typer.Option(help="Where JSON is posted.")] = None,
    on: Annotated[list[Heard] | None, typer.Option(help="Of what; may be repeated. All if none.")] = None,
    end: Annotated[
        int | None, typer.Option(min=1, max=LARGEST, help="Stop: the number that --list shows.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="What you follow.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Hear of a product or domain: new versions, failed audits, breaking changes, deprecations.

    Messages go out with the alerts (`mesh alert send`, and by itself while Dagster's daemon runs), and wait
    while the receiver is down. Mails take the mail server of the alerts' file.

    **Examples**: `mesh follow hcp.hcp_master --mail me@example.com` · `mesh follow drug --webhook
    https://hooks.example.com/mesh --on breaking --on deprecated` · `mesh follow --list` · `mesh follow --end
    3`
    """
    settings, registry = _open()
    who = _who()
    if show or (scope is None and end is None):
        _list_follows(registry, who, as_json=as_json)
        return
    if end is not None:
        registry.unfollow(end, who)
        stdout().print(f"{who} does not follow under number {end} any more", markup=False)
        return
    if (mail is None) == (webhook is None):
        raise typer.BadParameter("write one of the two: --mail ADDRESS, --webhook URL", param_hint="--mail")
    by = By.MAIL if mail is not None else By.WEBHOOK
    made = registry.follow(
        Follow(
            scope=known_scope(settings, str(scope)),
            who=who,
            by=by,
            address=checked_address(by, mail or webhook or ""),
            since=datetime.now(UTC),
            events=frozenset(on or Heard),
        )
    )
    if as_json:
        print_json(_plain(made))
    else:
        told = ", ".join(sorted(map(str, made.events)))
        stdout().print(f"{who} hears of {made.scope} by {made.by}: {told} (number {made.id})", markup=False)


def _list_follows(registry: Registry, who: str, *, as_json: bool) -> None:
    found = registry.followers(who)
    if as_json:
        print_json([_plain(each) for each in found])
        return
    shown = table("number", "follows", "by", "where", "of what", "since (UTC)")
    for each in found:
        events = ", ".join(sorted(map(str, each.events)))
        shown.add_row(
            *cells(each.id, each.scope, each.by, each.address, events, f"{each.since:%Y-%m-%d %H:%M}")
        )
    stdout().print(shown if found else f"{who} follows nothing. Begin: `mesh follow PRODUCT --mail ADDRESS`")


def _plain(follow: Follow) -> dict[str, object]:
    return {**vars(follow), "by": str(follow.by), "events": sorted(map(str, follow.events))}


@access.command()
def ask(
    scope: Scope,
    purpose: Annotated[str, typer.Option(help="What for, in a sentence that its owner understands.")],
    until: Annotated[str, typer.Option(help="The last day: 2030-01-31.")],
    as_json: JsonOption = False,
) -> None:
    """Ask the owner of a product or domain for the right to read it until a day.

    **Examples**: `mesh access ask hcp.hcp_master --purpose "territory planning" --until 2030-01-31`
    """
    settings, registry = _open()
    last, now = day(until, "--until"), datetime.now(UTC)
    if last < now.date():
        raise typer.BadParameter(f"{until} is over already", param_hint="--until")
    if not purpose.strip():
        raise typer.BadParameter("say what for", param_hint="--purpose")
    wanted = Access(known_scope(settings, scope), _who(), purpose.strip(), last, now)
    made = registry.ask_access(wanted)
    if as_json:
        print_json(_plain_access(made))
    else:
        stdout().print(
            f"asked, number {made.id}. Its owner decides: `mesh access grant {made.id}`", markup=False
        )


@access.command("list")
def list_requests(
    scope: Annotated[
        str | None, typer.Argument(help="Of a domain or product.", autocompletion=complete_product)
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Only what is granted and over: exit code 1 if there is any.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show who asked for access, what was decided, and which access is to be taken back.

    **Examples**: `mesh access list` · `mesh access list hcp` · `mesh access list --due` in cron
    """
    settings, registry = _open()
    found = registry.access_requests(known_scope(settings, scope) if scope else "")
    found = [each for each in found if not due or _is_over(each)]
    if as_json:
        print_json([_plain_access(each) for each in found])
    else:
        shown = table("number", "who", "asks for", "what for", "until", "state", "decided by")
        for each in found:
            state = "over: take it back" if _is_over(each) else str(each.state)
            row = (each.id, each.who, each.scope, each.purpose, each.until, state, each.decided_by)
            shown.add_row(*cells(*row))
        stdout().print(shown if found else "nobody asked")
    if due and found:
        raise typer.Exit(1)


@access.command()
def grant(number: int, as_json: JsonOption = False) -> None:
    """Grant a request, and print what gives the right, and what takes it back on its last day.

    **Examples**: `mesh access grant 3` · `mesh access grant 3 --json`
    """
    from mesh_assets.capabilities.upkeep.access import steps_for

    settings, registry = _open()
    made = registry.decide_access(number, Asked.GRANTED, _who())
    steps = steps_for(settings, made)
    if as_json:
        print_json({**_plain_access(made), "now": list(steps.now), "after": list(steps.after)})
        return
    console = stdout()
    console.print(f"{made.who} may read {made.scope} until {made.until}. To be done now:", markup=False)
    for line in steps.now:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print(f"and after {made.until} (`mesh access list --due` tells):")
    for line in steps.after:
        console.print(f"  {line}", markup=False, soft_wrap=True)


@access.command()
def refuse(
    number: int,
    reason: Annotated[str, typer.Option(help="Why, in a sentence for who asked.")],
) -> None:
    """Refuse a request.

    **Examples**: `mesh access refuse 3 --reason "use hcp.hcp_history, which has no names"`
    """
    _, registry = _open()
    made = registry.decide_access(number, Asked.REFUSED, _who(), reason)
    stdout().print(f"refused: {made.who} does not read {made.scope} ({reason})", markup=False)


def _is_over(each: Access) -> bool:
    return each.state is Asked.GRANTED and each.until < datetime.now(UTC).date()


def _plain_access(each: Access) -> dict[str, object]:
    return {**vars(each), "state": str(each.state), "until": each.until.isoformat()}


def _who() -> str:
    from mesh_assets.capabilities.publishing.code import who

    return who()


def _open() -> tuple[Settings, Registry]:
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    return settings, open_registry(settings)
