"""`mesh contract`: judging contract files, whoever wrote them; the pages made from the readers themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.contract_audit import audit
from mesh_assets.cli.contract_diff import diff
from mesh_assets.cli.terminal import cells, print_json, stderr, stdout, table

if TYPE_CHECKING:
    from mesh_assets.capabilities.checks.contract_files import Judged

#: Generated contracts on the page.
GENERATED = 60

contract = typer.Typer(
    help=(
        "Judge contract files: what of them would run, and what would not, line by line.\n\n"
        "**Examples**: `mesh contract check orders.odcs.yaml` · `mesh contract forms --check`"
    ),
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


contract.command()(audit)
contract.command()(diff)


@contract.command()
def check(
    files: Annotated[list[Path], typer.Argument(exists=True, help="Contract files, or folders of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="List every rule that would run.")] = False,
    notes: Annotated[
        bool, typer.Option("--notes", help="List what a product of this mesh would need beyond the standard.")
    ] = False,
) -> None:
    """Say of each contract what would run (rule, kind, pass over the data), and what is refused and where.

    The file need not be a product of this mesh: several objects, any name and any id will do.
    Exit code 0 if every contract loads, 1 if something in one is refused.

    **Examples**: `mesh contract check orders.odcs.yaml` · `mesh contract check --rules contracts/` ·
    `mesh contract check --json a.yaml b.yaml`
    """
    from mesh_assets.capabilities.checks.contract_files import judge_file

    judged = [judge_file(path) for path in _contract_files(files)]
    if not judged:
        raise typer.BadParameter("no contract there: no *.odcs.yaml, contract.yaml or `kind: DataContract`")
    if as_json:
        print_json([each.as_json() for each in judged])
    else:
        for each in judged:
            _show(each, every_rule=rules, every_note=notes)
        _show_sum(judged)
    if not all(each.loads for each in judged):
        raise typer.Exit(1)


@contract.command()
def forms(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if the page is not as the code says.")
    ] = False,
) -> None:
    """Write docs/forms.md: every form of every version of ODCS, and what the readers do with it.

    **Examples**: `mesh contract forms` · `mesh contract forms --check`
    """
    from mesh_assets.capabilities.checks.forms import forms_page
    from mesh_assets.words.settings import PROJECT

    _keep(PROJECT / "docs" / "forms.md", forms_page(), "mesh contract forms", check=check)


@contract.command()
def changes(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if the page is not as the code says.")
    ] = False,
) -> None:
    """Write docs/contract-changes.md: every kind of change of a contract, and whom it can break.

    **Examples**: `mesh contract changes` · `mesh contract changes --check`
    """
    from mesh_assets.capabilities.contracts.compared_page import changes_page
    from mesh_assets.words.settings import PROJECT

    _keep(PROJECT / "docs" / "contract-changes.md", changes_page(), "mesh contract changes", check=check)


@contract.command()
def corpus(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if the page is not as the code says.")
    ] = False,
    generated: Annotated[
        int | None,
        typer.Option("--generated", min=1, help="Write nothing; try so many generated contracts."),
    ] = None,
) -> None:
    """Write docs/corpus.md: other people's contracts (tests/corpus), and generated ones, and how they fared.

    Generated contracts are audited on rows that keep them, and on rows that break each rule a known number of
    times; exit code 1 if an audit finds anything else.

    **Examples**: `mesh contract corpus` · `mesh contract corpus --check` ·
    `mesh contract corpus --generated 5000`
    """
    from mesh_assets.capabilities.checks.contract_files import corpus_page
    from mesh_assets.capabilities.checks.generated_audits import generated_section, try_seeds
    from mesh_assets.words.settings import PROJECT

    tried = try_seeds(range(generated or GENERATED))
    if generated is None:
        page = corpus_page(PROJECT / "tests" / "corpus", generated_section(tried))
        _keep(PROJECT / "docs" / "corpus.md", page, "mesh contract corpus", check=check)
    else:
        stdout().print("\n".join(generated_section(tried)), markup=False, soft_wrap=True)
    raise typer.Exit(1 if tried.wrong else 0)


def _keep(path: Path, text: str, command: str, *, check: bool) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    if check:
        stderr().print(f"{path} is not what the code says; run `{command}`", soft_wrap=True)
        raise typer.Exit(1)
    path.write_text(text, encoding="utf-8")
    stdout().print(f"written: {path}", soft_wrap=True)


def _contract_files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*.y*ml") if _is_a_contract(each))
        else:
            yield path


def _is_a_contract(path: Path) -> bool:
    """In a folder: by its name, or because it says so; other YAML files may lie beside."""
    if path.name == "contract.yaml" or ".odcs." in path.name:
        return path.is_file()
    return path.is_file() and b"DataContract" in path.read_bytes()


#: How each kind of finding is told before its words; see contracts/alone.
_KINDS = {
    "standard": "not ODCS",
    "form": "refused",
    "contract": "contradiction",
    "run": "cannot run",
    "note": "in this mesh",
}


def _show(judged: Judged, *, every_rule: bool, every_note: bool) -> None:
    console = stdout()
    colour, word = ("green", "loads") if judged.loads else ("red", "refused")
    console.print(f"[bold {colour}]{word}[/] {cells(judged.file)[0]}: {judged.told}", soft_wrap=True)
    for finding in (*judged.findings, *(judged.notes if every_note else ())):
        remedy = f". {finding.remedy}" if finding.remedy else ""
        place = f"{finding.file}:{finding.line}:{finding.column}"
        console.print(
            f"  {_KINDS[finding.kind]} {place}: {finding.problem}{remedy}", markup=False, soft_wrap=True
        )
    if not every_rule:
        return
    shown = table("object", "rule", "kind", "run by", "severity", "line", right=("line",))
    for row in judged.rule_rows():
        shown.add_row(*cells(*row))
    console.print(shown)


def _show_sum(judged: list[Any]) -> None:
    if len(judged) > 1:
        loaded = sum(each.loads for each in judged)
        stdout().print(
            f"{len(judged)} contracts: {loaded} load, {len(judged) - loaded} have something refused"
        )
