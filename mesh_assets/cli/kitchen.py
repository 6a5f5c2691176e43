"""`mesh kitchen open | list | show | extend | drop | dev`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.commands import OF_KITCHEN
from mesh_assets.cli.kitchen_names import complete_kitchen, root_settings
from mesh_assets.cli.later import AtNeed
from mesh_assets.cli.terminal import cells, print_json, say, stderr, stdout, strong, table

if TYPE_CHECKING:
    from mesh_assets.capabilities.kitchens.looking import Look


class _Kitchen(AtNeed):
    later = OF_KITCHEN


kitchen = typer.Typer(
    cls=_Kitchen,
    help="""Change anything in a copy of the whole mesh, see what comes of it, and bring it into production.

    **Examples**: `mesh kitchen open try --domains hcp` · `mesh --kitchen try build hcp` ·
    `mesh kitchen run try` · `mesh kitchen dev try` · `mesh kitchen drop try`
    """,
    no_args_is_help=True,
)

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


Name = Annotated[str, typer.Argument(help="The kitchen's name.", autocompletion=complete_kitchen)]


@kitchen.command("open")
def open_(
    name: Annotated[str, typer.Argument(help="What to call it: letters, digits, - and _.")],
    start: Annotated[
        str,
        typer.Option(
            "--from",
            help="main, a kitchen, a tag of versions, or release:N.",
            autocompletion=complete_kitchen,
        ),
    ] = "main",
    domains: Annotated[
        list[str] | None,
        typer.Option(help="Domains that it may write; repeat, or with commas. Default: all."),
    ] = None,
    since: Annotated[str, typer.Option(help="A preview over rows since this day (2024-01-01).")] = "",
    sample: Annotated[str, typer.Option(help="A preview over a share of large tables (5%).")] = "",
    ttl: Annotated[str, typer.Option(help="How long what it reads is kept: 12h, 7d, 2w.")] = "7d",
    as_json: JsonOption = False,
) -> None:
    """Pin one instant of the whole mesh, and give it code, lakes and a Dagster of its own. No data is copied.

    A preview (`--since`, `--sample`) reads less, and nothing that it makes can be promoted.

    **Examples**: `mesh kitchen open try` · `mesh kitchen open fix-npi --domains hcp,engagement --ttl 2w` ·
    `mesh kitchen open then --from spring` · `mesh kitchen open quick --since 2024-11-01`
    """
    from mesh_assets.capabilities.kitchens.opening import Wish, open_kitchen
    from mesh_assets.words.kitchens import time_to_live

    chosen = tuple(each for text in domains or () for each in text.split(",") if each)
    wish = Wish(start, chosen, since=since, sample=sample, ttl=time_to_live(ttl))
    made = open_kitchen(root_settings(), name, wish)
    if as_json:
        from mesh_assets.capabilities.kitchens.looking import plain_kitchen

        print_json({**plain_kitchen(made.kitchen), "notes": list(made.notes)})
        return
    what = made.kitchen
    say(f"kitchen {strong(name)} is open until {what.expires:%Y-%m-%d %H:%M} UTC")
    if what.branch:
        say(f"its code: {what.code} (branch {what.branch})")
    for note in made.notes:
        say(f"note: {note}", error=True)
    say(f"go on: `mesh --kitchen {name} build …` · `mesh kitchen run {name}`")


@kitchen.command("list")
def list_(as_json: JsonOption = False) -> None:
    """Every kitchen: whose, how old, how far its base has moved, what it made, what it costs.

    **Examples**: `mesh kitchen list` · `mesh kitchen list --json`
    """
    from mesh_assets.capabilities.kitchens.looking import look_at_all, plain_look

    looks = look_at_all(root_settings())
    if as_json:
        print_json([plain_look(each) for each in looks])
        return
    shown = table(
        "kitchen", "owner", "age", "left", "base", "moved", "made", "bytes", "tests", right=("bytes",)
    )
    for each in looks:
        shown.add_row(*cells(*_row(each)))
    stdout().print(shown)


@kitchen.command()
def show(name: Name, as_json: JsonOption = False) -> None:
    """One kitchen in full: also which of the inputs of what it made have moved in its base.

    **Examples**: `mesh kitchen show try` · `mesh kitchen show try --json`
    """
    from mesh_assets.capabilities.kitchens.looking import look_at, plain_look

    look = look_at(root_settings(), name)
    if as_json:
        print_json(plain_look(look))
        return
    _print_look(look)


@kitchen.command()
def extend(
    name: Name,
    ttl: Annotated[str, typer.Option(help="From now on: 12h, 7d, 2w.")] = "7d",
    as_json: JsonOption = False,
) -> None:
    """Let a kitchen keep what it reads for longer.

    **Examples**: `mesh kitchen extend try` · `mesh kitchen extend try --ttl 2w`
    """
    from mesh_assets.capabilities.kitchens.extending import extend_kitchen
    from mesh_assets.capabilities.kitchens.looking import plain_kitchen
    from mesh_assets.words.kitchens import time_to_live

    longer = extend_kitchen(root_settings(), name, time_to_live(ttl))
    if as_json:
        print_json(plain_kitchen(longer))
    else:
        stdout().print(f"kitchen {name} is open until {longer.expires:%Y-%m-%d %H:%M} UTC")


@kitchen.command()
def drop(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Lose code that is in no commit.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove a kitchen's own files and pins, and never a byte of its base; one that was half opened too.

    Its branch stays if it has commits that no other branch has.

    **Examples**: `mesh kitchen drop try` · `mesh kitchen drop try --force`
    """
    from mesh_assets.capabilities.kitchens.dropping import drop_kitchen

    done = drop_kitchen(root_settings(), name, force=force)
    if as_json:
        print_json(vars(done))
        return
    stdout().print(f"kitchen {name} is gone: {done.files} files, {done.bytes:,} bytes")
    if done.kept_branch:
        told = f"its branch {done.kept_branch} has commits that no other has, and stays"
        stdout().print(f"{told}: `git branch -D {done.kept_branch}`", soft_wrap=True)


@kitchen.command()
def dev(
    name: Name,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The UI's port, on this machine only.")] = 3100,
) -> None:
    """Open the Dagster UI over a kitchen: what it was opened with is there, and nothing looks stale.

    Its code locations carry the kitchen's name. Schedules and sensors are off until somebody turns them on.

    **Examples**: `mesh kitchen dev try` · `mesh kitchen dev try --port 3101`
    """
    from mesh_assets.capabilities.orchestration.kitchen_home import serve_kitchen
    from mesh_assets.words.settings import in_kitchen

    os.environ["MESH_KITCHEN"] = name
    for each in [each for each in os.environ if each.startswith("MESH_SECRET_")]:
        del os.environ[each]
    settings = in_kitchen(root_settings(), name)
    told = f"KITCHEN {name}, opened from {settings.base.environment if settings.base else ''}"
    stderr().print(f"[bold black on yellow] {told} [/] http://127.0.0.1:{port}")
    serve_kitchen(settings, port)


def _row(look: Look) -> tuple[object, ...]:
    what = look.kitchen
    if look.problem and not look.made and not look.moved:
        return (what.name, what.owner, _span(look.age), "", what.base, look.problem)
    left = what.expires - what.opened - look.age
    moved = f"{len(look.moved)} ({look.releases} releases)" if look.moved else "0"
    tests = ", ".join(f"{count} {word}" for word, count in sorted(look.tests.items()))
    sampled = " (preview)" if what.sample else ""
    return (
        what.name + sampled,
        what.owner,
        _span(look.age),
        _span(left) if left.total_seconds() > 0 else "over",
        what.base,
        moved,
        len(look.made),
        f"{look.bytes:,}",
        tests,
    )


def _print_look(look: Look) -> None:
    what, console = look.kitchen, stdout()
    lines: list[tuple[str, Any]] = [
        ("kitchen", what.name),
        ("owner", what.owner),
        ("opened", f"{what.opened:%Y-%m-%d %H:%M} UTC, {_span(look.age)} ago"),
        ("until", f"{what.expires:%Y-%m-%d %H:%M} UTC"),
        ("base", f"{what.base} at release {what.base_release}, {look.releases} releases since"),
        ("may write", ", ".join(what.domains) or "every domain"),
        ("reads", f"a preview: {what.sample}" if what.sample else "all rows"),
        ("code", f"{what.code}, {look.commits} commits, {look.uncommitted} files in none"),
        ("made", ", ".join(f"{each}@{number}" for each, number in sorted(look.made.items())) or "nothing"),
        ("tests", ", ".join(f"{count} {word}" for word, count in sorted(look.tests.items())) or "none ran"),
        ("own bytes", f"{look.bytes:,}"),
        ("moved", _moved(look)),
        ("of its inputs", ", ".join(map(str, look.moved_inputs)) or "none"),
    ]
    if look.sources_moved:
        lines.append(("sources moved", _sources_moved(look)))
    if look.server:
        lines.append(("dagster", f"runs, process {look.server}"))
    if look.problem:
        lines.append(("problem", look.problem))
    for word, told in lines:
        console.print(f"{word:<14} {told}", soft_wrap=True, markup=False)


def _moved(look: Look) -> str:
    told = [f"{name} {before or 'none'} -> {now or 'none'}" for name, (before, now) in look.moved.items()]
    return ", ".join(told[:10]) + (f" and {len(told) - 10} more" if told[10:] else "") or "nothing"


def _sources_moved(look: Look) -> str:
    from mesh_assets.capabilities.kitchens.raw import told_moved

    return "; ".join(f"{name}: {told_moved(files)}" for name, files in look.sources_moved.items())


def _span(span: Any) -> str:
    seconds = span.total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
