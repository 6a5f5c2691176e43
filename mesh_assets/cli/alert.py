"""`mesh alert`: who is told of what, and whether it arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.terminal import cells, print_json, stdout, table

if TYPE_CHECKING:
    from mesh_assets.words.alerts import Alerts

alert = typer.Typer(
    help="Who is told when something is late, refused, failed, missing; and whether it arrived.\n\n"
    "**Examples**: `mesh alert check` · `mesh alert test notebook` · `mesh alert outbox --retry`",
    no_args_is_help=True,
)
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


@alert.command()
def check() -> None:
    """Read the file of rules; exit code 2 with file, line and value if something in it is wrong.

    Exit code 1 if a journey tells a receiver that is not there: nobody would hear of it.

    **Examples**: `mesh alert check` · `MESH_ALERTS=mine.yaml mesh alert check`
    """
    import os

    found = _alerts()
    counts = f"{_counted(len(found.rules), 'rule')} and {_counted(len(found.receivers), 'receiver')}"
    stdout().print(f"{counts} in {found.file}", soft_wrap=True)
    for each in found.receivers.values():
        for variable in (each.url_from, each.token_from, each.password_from):
            if variable and not (os.environ.get(variable) or os.environ.get(f"{variable}_FILE")):
                stdout().print(f"[yellow]{each.name}: {variable} is not set here[/]", soft_wrap=True)
    strangers = _strangers(found)
    for journey, name in strangers:
        told = f"the journey {journey} tells '{name}', which is no receiver of this file"
        stdout().print(f"[yellow]{told}[/]", soft_wrap=True)
    if strangers:
        raise typer.Exit(1)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _strangers(found: Alerts) -> list[tuple[str, str]]:
    """Whom journeys name, and no receiver is: nobody is told."""
    from mesh_assets.capabilities.lineage.journeys import read_journeys
    from mesh_assets.capabilities.lineage.read import read_mesh
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    journeys = read_journeys(settings, read_mesh(settings))
    return [(each.name, name) for each in journeys for name in each.told if name not in found.receivers]


@alert.command(name="list")
def list_standing(as_json: AsJson = False) -> None:
    """What stands now, by rule, and when it was told.

    **Examples**: `mesh alert list` · `mesh alert list --json`
    """
    from mesh_assets.capabilities.registry import alerts as record
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.settings import read_settings

    with open_registry(read_settings()) as registry, registry.reading() as connection:
        found = [each for each in record.standing(connection) if each.states]
    if as_json:
        print_json([vars(each) for each in found])
        return
    if not found:
        stdout().print("nothing stands")
        return
    made = table("rule", "subject", "states", "since", "told", "why")
    for each in found:
        told = f"{each.told:%Y-%m-%d %H:%M}" if each.told else "not yet"
        made.add_row(
            *cells(each.rule, each.subject, each.states, f"{each.since:%Y-%m-%d %H:%M}", told, each.text)
        )
    stdout().print(made)


@alert.command()
def send(as_json: AsJson = False) -> None:
    """Look how everything stands, tell what is new, try what waits: once, for cron. Dagster does it too.

    Exit code 1 if a receiver was not reached: its messages wait.

    **Examples**: `mesh alert send`
    """
    from mesh_assets.capabilities.observability.alerts import look_and_tell
    from mesh_assets.capabilities.observability.followers import tell_followers
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.settings import read_settings

    settings, alerts = read_settings(), _alerts()
    with open_registry(settings) as registry:
        done = look_and_tell(settings, registry, alerts)
        heard = tell_followers(settings, registry, alerts)
    sent = done.delivered
    for name, count in vars(heard).items():
        setattr(sent, name, getattr(sent, name) + count)
    if as_json:
        print_json({"standing": done.standing, "queued": done.queued, **vars(sent)})
    else:
        stdout().print(
            f"{done.standing} stand, {done.queued} messages new, {sent.sent} sent, {sent.held} held, "
            f"{sent.failed} tries failed, {sent.dead} given up"
        )
    if sent.failed:
        raise typer.Exit(1)


@alert.command()
def outbox(
    retry: Annotated[bool, typer.Option("--retry", help="Try everything that waits or is given up.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Messages that wait, were sent in the last days, or are given up; OpenLineage's too.

    Exit code 1 if something is given up.

    **Examples**: `mesh alert outbox` · `mesh alert outbox --retry`
    """
    from datetime import UTC, datetime

    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.capabilities.registry import outbox as record
    from mesh_assets.words.settings import read_settings

    with open_registry(read_settings()) as registry:
        if retry:
            with registry.writing() as connection:
                for channel in ("alert", "openlineage"):
                    record.revive(connection, channel, datetime.now(UTC))
        with registry.reading() as connection:
            found = record.messages(connection, limit=limit)
    rows = [_row(each) for each in found]
    if as_json:
        print_json(rows)
    elif not rows:
        stdout().print("the outbox is empty")
    else:
        made = table(
            "id", "channel", "receiver", "state", "created", "tries", "problem", right=("id", "tries")
        )
        for row in rows:
            made.add_row(
                *cells(*(row[name] for name in ("id", "channel", "receiver", "state"))),
                *cells(f"{row['created']:%Y-%m-%d %H:%M}", row["attempts"], row["problem"]),
            )
        stdout().print(made)
    if any(row["state"] == "dead" for row in rows):
        raise typer.Exit(1)


def _row(message: Any) -> dict[str, Any]:
    names = ("id", "channel", "receiver", "state", "created", "due", "attempts", "problem")
    return {name: getattr(message, name) for name in names}


@alert.command()
def test(
    receiver: Annotated[str | None, typer.Argument(help="Only this one. Default: all.")] = None,
) -> None:
    """Send a test message, now.

    Exit code 1 if one was not reached.

    **Examples**: `mesh alert test` · `mesh alert test on_call`
    """
    from mesh_assets.capabilities.observability.alert_messages import send_test
    from mesh_assets.words.alerts import NotDelivered, UnknownReceiver
    from mesh_assets.words.settings import read_settings

    found = _alerts()
    if receiver is not None and receiver not in found.receivers:
        raise UnknownReceiver(name=receiver, file=found.file, known=", ".join(found.receivers) or "none")
    bad = False
    for each in found.receivers.values():
        if receiver in (None, each.name):
            try:
                send_test(read_settings(), each)
                stdout().print(f"[green]sent[/] {each.name} ({each.kind})")
            except NotDelivered as error:
                bad = True
                stdout().print(f"[bold red]bad[/]  {error}", soft_wrap=True)
    if bad:
        raise typer.Exit(1)


def _alerts() -> Alerts:
    from mesh_assets.capabilities.observability.alert_rules import read_alerts
    from mesh_assets.words.settings import read_settings

    return read_alerts(read_settings())
