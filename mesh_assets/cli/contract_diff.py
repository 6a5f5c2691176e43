"""`mesh contract diff`: what changed between two versions of contracts, and whether their version says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.terminal import cells, complete_product, print_json, stdout, table

if TYPE_CHECKING:
    from mesh_assets.capabilities.contracts.compare import Change
    from mesh_assets.capabilities.contracts.model import Contract
    from mesh_assets.words.settings import Settings


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    JUNIT = "junit"


Compared = tuple[str, str, str, "tuple[Change, ...]"]


def diff(
    a: Annotated[
        str,
        typer.Argument(
            help="A file, PRODUCT, PRODUCT@VERSION, REVISION:PRODUCT, or a git revision.",
            autocompletion=complete_product,
        ),
    ],
    b: Annotated[
        str, typer.Argument(help="The same; left out: the working tree.", autocompletion=complete_product)
    ] = "",
    form: Annotated[Format, typer.Option("--format", help="How it is told.")] = Format.TEXT,
    ci: Annotated[
        bool, typer.Option("--ci", help="Exit 1 also for changes that need any higher version.")
    ] = False,
) -> None:
    """Every change between two contracts, whom it can break, and the version that it asks for.

    Exit code 1 for a change that breaks consumers while the version's first number stays. With --ci, for any
    change that asks for a higher version than there is. A git revision alone compares every contract.

    **Examples**: `mesh contract diff old.yaml new.yaml` ·
    `mesh contract diff hcp.hcp_master@3 hcp.hcp_master` ·
    `mesh contract diff main --ci --format junit` ·
    `mesh contract diff main:drug.brand drug.brand`
    """
    from mesh_assets.capabilities.contracts.compare import compare

    with ExitStack() as open_now:
        old, new = (_side(text, open_now) for text in (a, b))
        if len(old) == len(new) == 1:
            pairs = [(old.popitem()[1], new.popitem()[1])]
        else:
            pairs = [(old[name], new[name]) for name in sorted({*old} & {*new} if len(old) > 1 else {*old})]
        found = [
            (str(two.product), one.version, two.version, changes)
            for one, two in pairs
            if (changes := compare(one, two))
        ]
    _tell(found, form)
    if any(not _raised_enough(each, strict=ci) for each in found):
        raise typer.Exit(1)


def _side(text: str, open_now: ExitStack) -> dict[str, Contract]:
    """The contracts that a word means."""
    from mesh_assets.capabilities.contracts.read import contract_from_text
    from mesh_assets.capabilities.lineage.revisions import at_revision, now
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.names import at_version
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    if Path(text).is_file():
        return _of_file(Path(text))
    if "@" in text:
        name, wanted = at_version(text)
        with open_registry(settings) as registry:
            version = registry.find(name, wanted or "")
        written = version.certificate.contract_text
        return {str(name): contract_from_text(f"{name} version {version.number}", name, written)}
    revision, colon, product = text.partition(":")
    if not colon and _is_product(settings, text):
        revision, product = "", text
    state = open_now.enter_context(at_revision(settings, revision)) if revision else now(settings)
    contracts = {str(each.name): each.contract for each in state.mesh.products if each.contract}
    if not product:
        return contracts
    asset = next(each for each in [state.mesh.asset(at_version(product)[0])] if each.contract)
    return {str(asset.name): contracts[str(asset.name)]}


def _is_product(settings: Settings, text: str) -> bool:
    domain, dot, product = text.replace("/", ".").partition(".")
    return bool(dot) and (settings.domains / domain / product / "contract.yaml").is_file()


def _of_file(path: Path) -> dict[str, Contract]:
    from mesh_assets.capabilities.contracts.document import parse, read_text
    from mesh_assets.capabilities.contracts.read import contract_from_text
    from mesh_assets.words.names import product_name

    text = read_text(path)
    name = product_name(str(parse(str(path), text).value.get("id", "")))
    return {str(name): contract_from_text(str(path), name, text)}


def _raised_enough(found: Compared, *, strict: bool) -> bool:
    from mesh_assets.capabilities.contracts.compare import Bump, bump, bumped, enough

    asked, given = bump(found[3]), bumped(found[1], found[2])
    order = [Bump.NONE, Bump.PATCH, Bump.MINOR, Bump.MAJOR]
    return order.index(given) >= order.index(asked) if strict else enough(asked, given)


def _tell(found: Sequence[Compared], form: Format) -> None:
    if form is Format.JSON:
        print_json([_as_json(each) for each in found])
    elif form is Format.TEXT:
        _show(found)
    else:
        lines = _junit(found) if form is Format.JUNIT else markdown(found)
        stdout().print("\n".join(lines), markup=False, soft_wrap=True)


def _as_json(found: Compared) -> dict[str, Any]:
    from mesh_assets.capabilities.contracts.compare import bump, bumped

    product, before, after, changes = found
    return {
        "product": product,
        "before": before,
        "after": after,
        "asks_for": bump(changes),
        "raised": bumped(before, after),
        "enough": _raised_enough(found, strict=False),
        "changes": [vars(change) for change in changes],
    }


def _show(found: Sequence[Compared]) -> None:
    console = stdout()
    for each in found:
        console.print(f"[bold]{each[0]}[/] {each[1]} -> {each[2]}: {_verdict(each)}", soft_wrap=True)
        made = table("change", "consumers", "producers", "what")
        for change in each[3]:
            made.add_row(*cells(change.kind, change.consumers, change.producers, change.told))
        console.print(made)
    if not found:
        console.print("no difference")


def _verdict(found: Compared) -> str:
    from mesh_assets.capabilities.contracts.compare import bump, bumped

    asked, given = bump(found[3]), bumped(found[1], found[2])
    told = f"asks for {asked}, the version was raised by {given}"
    return told if _raised_enough(found, strict=False) else f"{told}: REFUSED, consumers break"


def markdown(found: Sequence[Compared]) -> Iterator[str]:
    """For a comment beside the change."""
    for each in found:
        yield f"### `{each[0]}` {each[1]} → {each[2]}"
        yield from (
            "",
            _verdict(each),
            "",
            "| change | consumers | producers | what |",
            "| --- | --- | --- | --- |",
        )
        for change in each[3]:
            told = change.told.replace("|", "\\|").replace("\n", " ")
            yield f"| `{change.kind}` | {change.consumers} | {change.producers} | {told} |"
        yield ""
    if not found:
        yield "No contract changes."


def _junit(found: Sequence[Compared]) -> Iterator[str]:
    from xml.sax.saxutils import quoteattr  # brings urllib: 20 ms of every command

    failed = [each for each in found if not _raised_enough(each, strict=False)]
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuite name="contracts" tests="{len(found)}" failures="{len(failed)}">'
    for each in found:
        yield f'  <testcase classname="contract" name={quoteattr(each[0])}>'
        if each in failed:
            broken = "; ".join(change.told for change in each[3] if change.consumers == "breaking")
            yield f"    <failure message={quoteattr(_verdict(each))}>{_escaped(broken)}</failure>"
        yield "  </testcase>"
    yield "</testsuite>"


def _escaped(text: str) -> str:
    from xml.sax.saxutils import escape

    return escape(text)
