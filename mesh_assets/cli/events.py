"""`mesh events`: what happened, in the mesh and in tools beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mesh_assets.cli.terminal import cells, complete_product, print_json, stderr, stdout, table

AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]
#: Letters of an event's facts that a table shows.
SHORT = 90


class _ShowFirst(TyperGroup):
    """`mesh events --kind test` shows: an option is no command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


events = typer.Typer(
    cls=_ShowFirst,
    help="""What happened: runs, tasks, datasets, tests, metrics, logs; own ones and those of other tools.

    **Examples**: `mesh events --since 2h` · `mesh events --product hcp --kind test` · `mesh events serve`
    """,
)


@events.command()
def show(
    product: Annotated[
        str, typer.Option(help="A product or a domain.", autocompletion=complete_product)
    ] = "",
    kind: Annotated[str, typer.Option(help="run, task, dataset, test, metric or log.")] = "",
    since: Annotated[str, typer.Option(help="90m, 12h, 30d, or a moment.")] = "",
    run: Annotated[str, typer.Option(help="Of one run.")] = "",
    sender: Annotated[str, typer.Option(help="Who sent it; `mesh` for own ones.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The last ones.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what happened, the newest last, from the lake and the registry as one.

    **Examples**: `mesh events --since 2h` · `mesh events --product hcp --kind test --json`
    """
    from mesh_assets.capabilities.observability.events import Wanted, read_events
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.events import EventKind
    from mesh_assets.words.settings import read_settings

    if kind and kind not in set(EventKind):
        raise typer.BadParameter(f"there is no kind {kind!r}: {', '.join(EventKind)}", param_hint="--kind")
    wanted = Wanted(
        product=product,
        kind=EventKind(kind) if kind else None,
        since=_since(since) if since else None,
        run_id=run,
        sender=sender,
    )
    settings = read_settings()
    with open_registry(settings) as registry:
        found = read_events(settings, registry, wanted, limit=limit)
    if as_json:
        print_json([event.plain() for event in found])
        return
    if not found:
        stdout().print("nothing of that kind happened")
        return
    made = table("when", "kind", "who", "what", "outcome", "facts")
    for event in found:
        facts = ", ".join(f"{name} {value}" for name, value in event.body.items() if _plain(value))
        when = f"{event.occurred:%Y-%m-%d %H:%M:%S}"
        what = event.product or event.job
        made.add_row(*cells(when, event.kind, event.sender, what, event.outcome, facts[:SHORT]))
    stdout().print(made)


def _plain(value: Any) -> bool:
    return value is not None and not isinstance(value, dict | list)


def _since(text: str) -> datetime:
    from mesh_assets.cli.moments import SPAN, span

    if SPAN.match(text.strip().lower()):
        return datetime.now(UTC) - span(text, "--since")
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        told = f"{text!r} is no moment; write 2h, 3d, 2030-01-31 or 2030-01-31T09:00"
        raise typer.BadParameter(told, param_hint="--since") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@events.command()
def flush(as_json: AsJson = False) -> None:
    """Move events from the registry into the lake now; the journeys' location does it every hour.

    **Examples**: `mesh events flush`
    """
    from mesh_assets.capabilities.observability.event_lake import flush as move
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    with open_registry(settings) as registry:
        done = move(settings, registry)
    if as_json:
        print_json(vars(done))
    else:
        gone = f"; {done.days} days were over and went" if done.days else ""
        stdout().print(f"{done.events:,} events moved into the lake{gone}")


@events.command()
def emit(as_json: AsJson = False) -> None:
    """Send OpenLineage of new builds to where OPENLINEAGE_URL (or the file transport) says, now.

    Exit code 1 if the receiver was not reached: the events wait, and are sent by the next call.

    **Examples**: `OPENLINEAGE_URL=http://localhost:5000 mesh events emit`
    """
    from mesh_assets.capabilities.lineage.read import read_mesh
    from mesh_assets.capabilities.observability import lineage_out
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.settings import read_settings

    where = lineage_out.target()
    if where is None:
        raise typer.BadParameter("nothing says where to: set OPENLINEAGE_URL", param_hint="OPENLINEAGE_URL")
    settings = read_settings()
    with open_registry(settings) as registry:
        done = lineage_out.emit(registry, read_mesh(settings), where)
    if as_json:
        print_json(vars(done))
    else:
        stdout().print(f"{done.sent:,} events sent, {done.failed:,} tries failed, {done.dead:,} given up")
    if done.failed:
        raise typer.Exit(1)


@events.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8099,
) -> None:
    """Take events of other tools over HTTP: OpenLineage, plain events, rows of sources.

    A token is needed: MESH_EVENTS_TOKEN, or lines `name scopes token` in the file MESH_EVENTS_TOKEN_FILE.

    **Examples**: `MESH_EVENTS_TOKEN_FILE=tokens mesh events serve --port 8099`
    """
    from mesh_assets.capabilities.observability.intake import serve as listen
    from mesh_assets.capabilities.observability.tokens import read_senders
    from mesh_assets.words.settings import read_settings

    senders = read_senders()
    names = ", ".join(sender.name for sender in senders)
    stderr().print(f"listening on http://{host}:{port} for {names}", soft_wrap=True)
    if host not in ("127.0.0.1", "::1", "localhost"):
        stderr().print("[yellow]tokens travel unencrypted: put a proxy with TLS in front of it[/]")
    listen(read_settings(), senders, host=host, port=port)
