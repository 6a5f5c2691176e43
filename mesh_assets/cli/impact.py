"""`mesh impact`: what a change of code and contracts touches, by column, and whom to ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.kitchen_names import complete_kitchen
from mesh_assets.cli.terminal import cells, place_to_write, print_json, stdout, table

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.impact import Impact, Proof, Touched
    from mesh_assets.capabilities.lineage.model import Mesh
    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings


def impact(
    base: Annotated[
        str,
        typer.Option(
            help="The revision that the working tree is held against: HEAD; in a kitchen, what it began at."
        ),
    ] = "",
    kitchen_proofs: Annotated[
        str,
        typer.Option(
            help="Take over what this kitchen has proved by data; in a kitchen, its own.",
            autocompletion=complete_kitchen,
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown, for a comment.")] = False,
    ci: Annotated[
        bool,
        typer.Option(
            "--ci", help="Markdown, and exit code 1 for a contract that breaks consumers unannounced."
        ),
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write the Markdown to this file as well.", callback=place_to_write)
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(help="Write it to this file as JUnit's XML.", callback=place_to_write)
    ] = None,
) -> None:
    """What the working tree changes: assets to make again, consumers, owners, contracts, rules, journeys.

    Each line is *inferred* from the text of recipes, or *proved by data* where a kitchen has made it.
    A product that reads none of the columns that change is left out, and counted.

    **Examples**: `mesh impact` · `mesh impact --base main --markdown` ·
    `mesh impact --base main --ci --output impact.md --junit impact.xml` · `mesh --kitchen try impact`
    """
    from mesh_assets.capabilities.lineage.impact import impact as judge
    from mesh_assets.capabilities.lineage.revisions import at_revision, now
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    after, base = now(settings), base or _began(settings)
    proved = _proved(settings, after.mesh, kitchen_proofs or settings.kitchen)
    with at_revision(settings, base) as before:
        found = judge(before, after, proved=proved)
    journeys = _journeys(settings, after.mesh, found)
    lines = list(_markdown(found, journeys, base))
    if output is not None:
        output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if junit is not None:
        junit.write_text("\n".join(_junit(found, base)) + "\n", encoding="utf-8")
    if as_json:
        print_json(_as_json(found, journeys, base))
    elif markdown or ci:
        stdout().print("\n".join(lines), markup=False, soft_wrap=True)
    else:
        _show(found, journeys, base)
    if ci and _unannounced(found):
        raise typer.Exit(1)


def _began(settings: Settings) -> str:
    """The commit that a kitchen's branch began at; elsewhere what was committed last."""
    if not settings.kitchen:
        return "HEAD"
    from mesh_assets.capabilities.registry import open_registry

    with open_registry(settings.root) as registry:
        return registry.kitchen(settings.kitchen).commit or "HEAD"


def _proved(settings: Settings, tree: Mesh, kitchen: str) -> Mapping[ProductName, Proof]:
    if not kitchen:
        return {}
    from mesh_assets.capabilities.kitchens.proofs import proofs_of

    return proofs_of(settings.root, kitchen, tree)


def _journeys(settings: Settings, mesh: Mesh, found: Impact) -> list[str]:
    """Journeys that make something that is touched."""
    from mesh_assets.capabilities.lineage.journeys import members, read_journeys

    touched = {each.product for each in found.touched}
    return [each.name for each in read_journeys(settings, mesh) if members(mesh, each) & touched]


def _unannounced(found: Impact) -> list[str]:
    """Products whose contract breaks consumers while the version's first number stays."""
    from mesh_assets.capabilities.contracts.compare import bump, bumped, enough

    return [
        str(each.product)
        for each in found.contracts
        if not enough(bump(each.changes), bumped(each.before, each.after))
    ]


def _columns(each: Touched) -> str:
    if each.columns is None:
        return "all, or its rows"
    return ", ".join(sorted(each.columns)) or "none"


def _as_json(found: Impact, journeys: list[str], base: str) -> dict[str, Any]:
    return {
        "base": base,
        "rebuild": [
            {
                "product": str(each.product),
                "why": list(each.why),
                "columns": None if each.columns is None else sorted(each.columns),
                "unsafe": list(each.unsafe),
                "verdict": each.told,
            }
            for each in found.touched
        ],
        "spared": list(map(str, found.spared)),
        "removed": list(map(str, found.removed)),
        "consumers": {name: list(owners) for name, owners in found.consumers.items()},
        "contracts": [
            {
                "product": str(each.product),
                "before": each.before,
                "after": each.after,
                "changes": [vars(change) for change in each.changes],
            }
            for each in found.contracts
        ],
        "rules": [
            {"product": str(product), "expected_by": consumer or None, "rule": rule}
            for product, consumer, rule in found.rules
        ],
        "journeys": journeys,
        "unannounced": _unannounced(found),
    }


def _show(found: Impact, journeys: list[str], base: str) -> None:
    console = stdout()
    console.print(_summary(found, base), soft_wrap=True, markup=False)
    if found.touched:
        made = table("make again", "because of", "columns that may change", "verdict")
        for each in found.touched:
            made.add_row(*cells(each.product, ", ".join(each.why), _columns(each), each.told))
        console.print(made)
    for line in _rest(found, journeys):
        console.print(line, markup=False, soft_wrap=True)


def _summary(found: Impact, base: str) -> str:
    return (
        f"Against {base}: {len(found.touched)} to make again, {len(found.spared)} spared because they read "
        f"no column that changes, {len(found.contracts)} contracts changed."
    )


def _rest(found: Impact, journeys: list[str]) -> Iterator[str]:
    if found.spared:
        yield f"Spared: {', '.join(map(str, found.spared))}"
    if found.removed:
        yield f"Gone: {', '.join(map(str, found.removed))}"
    for domain, owners in found.consumers.items():
        yield f"Ask {', '.join(owners) or 'nobody (no owner)'}: {domain} reads what changes"
    for one in found.contracts:
        broken = " BREAKS CONSUMERS" if str(one.product) in _unannounced(found) else ""
        yield f"Contract {one.product} {one.before} -> {one.after}: {len(one.changes)} changes{broken}"
    expected = sorted(
        {f"{consumer} of {product}: {rule}" for product, consumer, rule in found.rules if consumer}
    )
    if found.rules:
        yield f"Rules that run over it: {len(found.rules)}"
    yield from (f"Expected by {line}" for line in expected)
    if journeys:
        yield f"Journeys: {', '.join(journeys)}"
    for each in found.touched:
        for why in each.unsafe:
            yield f"Not safe to judge by text: {each.product}: {why}"


def _markdown(found: Impact, journeys: list[str], base: str) -> Iterator[str]:
    from mesh_assets.cli.contract_diff import markdown

    yield from ("## Impact", "", _summary(found, base), "")
    if found.touched:
        yield from (
            "| make again | because of | columns that may change | verdict |",
            "| --- | --- | --- | --- |",
        )
        for each in found.touched:
            yield f"| `{each.product}` | {', '.join(each.why)} | {_columns(each)} | *{each.told}* |"
        yield ""
    yield from (f"- {line}" for line in _rest(found, journeys))
    if found.contracts:
        changed = [(str(each.product), each.before, each.after, each.changes) for each in found.contracts]
        yield from ("", "## Contracts", "", *markdown(changed))


def _junit(found: Impact, base: str) -> Iterator[str]:
    """A case per product to be made again, and one per contract, which fails if it breaks unannounced."""
    from xml.sax.saxutils import quoteattr  # brings urllib: 20 ms of every command

    broken = _unannounced(found)
    count = len(found.touched) + len(found.contracts)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    name = quoteattr(f"impact against {base}")
    yield f'<testsuite name={name} tests="{count}" failures="{len(broken)}">'
    for each in found.touched:
        told = f"{each.told}; because of {', '.join(each.why)}; columns: {_columns(each)}"
        yield f'  <testcase classname="impact" name={quoteattr(str(each.product))}>'
        yield f"    <system-out>{_escaped(told)}</system-out>"
        yield "  </testcase>"
    for one in found.contracts:
        yield f'  <testcase classname="contract" name={quoteattr(str(one.product))}>'
        if str(one.product) in broken:
            told = "; ".join(change.told for change in one.changes if change.consumers == "breaking")
            message = quoteattr(f"{one.before} -> {one.after} breaks consumers unannounced")
            yield f"    <failure message={message}>{_escaped(told)}</failure>"
        yield "  </testcase>"
    yield "</testsuite>"


def _escaped(text: str) -> str:
    from xml.sax.saxutils import escape

    return escape(text)
