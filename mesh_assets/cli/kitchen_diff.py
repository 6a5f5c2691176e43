"""`mesh kitchen diff`: what a kitchen changes, in four layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.kitchen import JsonOption, Name
from mesh_assets.cli.kitchen_names import root_settings
from mesh_assets.cli.terminal import cells, place_to_write, print_json, stderr, stdout, table

if TYPE_CHECKING:
    from mesh_assets.capabilities.kitchens.changes import KitchenDiff


def diff(
    name: Name,
    html: Annotated[
        Path | None, typer.Option(help="Write it as one HTML page, with a picture.", callback=place_to_write)
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="DOUBLE and FLOAT values that are so near count as the same.")
    ] = 0.0,
    rows: Annotated[bool, typer.Option(help="Compare rows, not fingerprints alone.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Tell what a kitchen changes against what it was opened from: code, contracts, data, operations.

    Rows are matched by the contract's key; personal values are masked.

    **Examples**: `mesh kitchen diff try` · `mesh kitchen diff try --html try.html` ·
    `mesh kitchen diff try --no-rows --json`
    """
    from mesh_assets.capabilities.kitchens.changes import compare_kitchen, plain
    from mesh_assets.capabilities.kitchens.crossing import crossing
    from mesh_assets.capabilities.kitchens.report import html_page

    with crossing(root_settings(), name) as sides:
        found = compare_kitchen(sides, tolerance=tolerance, rows=rows)
    if html is not None:
        html.write_text(html_page(found), encoding="utf-8")
        stderr().print(f"the page -> {html}", markup=False)
    if as_json:
        print_json(plain(found))
    elif html is None:
        _tell(found)


def _tell(found: KitchenDiff) -> None:
    console = stdout()
    console.print(f"kitchen {found.kitchen} against {found.base}", markup=False)
    code = found.code is not None and (found.code.files or found.code.uncommitted)
    if not (code or found.contracts or found.data or found.operations):
        console.print("no difference: the same code, contracts, data and operations")
    _tell_code(found)
    _tell_contracts(found)
    _tell_data(found)
    if found.operations:
        shown = table("operations", "of", "before", "after")
        for each in found.operations:
            shown.add_row(*cells(each.kind, each.subject, each.before, each.after))
        console.print(shown)
    for owners, things in found.agreement.missing.items():
        told = f"to agree: {' or '.join(owners.split())} about {', '.join(things)}"
        console.print(told, markup=False, soft_wrap=True, style="yellow")


def _tell_code(found: KitchenDiff) -> None:
    if found.code is None:
        return
    shown = table("code", "", "file")
    for domain, changed in found.code.files.items():
        for each in changed:
            shown.add_row(*cells(domain or "(everybody's)", each.how, each.path))
    if found.code.files:
        stdout().print(shown)
    if found.code.uncommitted:
        told = f"in no commit: {', '.join(found.code.uncommitted)}"
        stdout().print(told, markup=False, soft_wrap=True, style="yellow")


def _tell_contracts(found: KitchenDiff) -> None:
    for each in found.contracts:
        word = "breaking" if each.breaking else "compatible"
        stdout().print(f"contract of {each.product}: {word}", markup=False)
        for change in each.changes:
            stdout().print(f"  {change.path or each.product}: {change.told}", markup=False, soft_wrap=True)
        for name in each.broken:
            columns = ", ".join(each.columns[name]) or "columns that cannot be told"
            stdout().print(f"  breaks {name} by {columns}", markup=False, style="red", soft_wrap=True)


def _tell_data(found: KitchenDiff) -> None:
    from mesh_assets.capabilities.kitchens.raw import SINCE_THE_PIN, told_moved

    if not found.data:
        return
    right = ("rows before", "rows after", "added", "removed", "changed")
    shown = table("data", *right, "columns", right=right)
    for each in found.data:
        before = f"{each.before.rows:,}" if each.before else "new"
        row: list[object] = [each.product, before, f"{each.after.rows:,}"]
        if each.compared is None:
            same = each.before is not None and each.before.fingerprint == each.after.fingerprint
            shown.add_row(*cells(*row, "", "", "", "the same" if same else ""))
            continue
        one = each.compared.difference
        columns = [*one.changed_columns, *(f"+{name}" for name, _ in one.added_columns)]
        columns += [f"-{name}" for name, _ in one.removed_columns]
        shown.add_row(*cells(*row, one.added, one.removed, one.changed, ", ".join(columns)))
    stdout().print(shown)
    for each in found.data:
        if each.files:
            told = f"{each.product}: {SINCE_THE_PIN}{told_moved(each.files)}"
            stdout().print(told, markup=False, soft_wrap=True, style="yellow")
