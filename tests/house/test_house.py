"""The house's promises about itself. Each failure says what to do."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
import typer
import yaml

from mesh_assets.capabilities.lineage.dbt_files import dbt_property_files
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.words.settings import PACKAGE, PROJECT, read_settings

ROOMS = [
    PACKAGE / "words",
    *sorted(path for path in (PACKAGE / "capabilities").iterdir() if (path / "__init__.py").is_file()),
    PACKAGE / "capabilities",
    PACKAGE / "operational",
    PACKAGE / "domains",
    PACKAGE / "journeys",
    PACKAGE / "cli",
]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
MOST_LINES = 400
LONGEST_FUNCTION = 60
#: Names that say nothing of what is inside.
EMPTY_WORDS = {"util", "utils", "helper", "helpers", "common", "base", "manager", "service", "misc"}
MARKDOWN_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def inside(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


@lru_cache(maxsize=1000)
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def told(problems: list[str], remedy: str) -> str:
    return "\n".join([remedy, *(f"  {problem}" for problem in problems)])


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, module) of every import, at the top or later; what only types need is left out."""
    waiting: list[ast.AST] = [tree_of(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""
        waiting += ast.iter_child_nodes(node)


def importers(package: str) -> list[str]:
    """file:line of every import of a package."""
    return [
        f"{inside(path)}:{line}"
        for path in MODULES
        for line, name in imports(path)
        if name == package or name.startswith((f"{package}.", f"{package}_"))
    ]


@pytest.mark.parametrize("room", ROOMS, ids=inside)
def test_a_room_says_what_belongs_in_it(room: Path) -> None:
    docstring = ast.get_docstring(tree_of(room / "__init__.py")) or ""

    missing = [words for words in ("Here: ", "Not here: ") if words not in docstring]
    assert not missing, (
        f"{inside(room)}/__init__.py opens without {' and '.join(map(repr, missing))}: say in its docstring "
        "what a newcomer finds there, and what they find elsewhere and where"
    )


def test_every_module_opens_with_what_it_is_for() -> None:
    modules = [path for path in MODULES if path.name != "definitions.py"]  # two lines, the same everywhere
    silent = [inside(path) for path in modules if not ast.get_docstring(tree_of(path))]

    assert not silent, told(silent, "Open these modules with a docstring of one sentence:")


def test_files_stay_short() -> None:
    counts = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    long = [f"{inside(path)}: {count}" for path, count in counts.items() if count > MOST_LINES]

    assert not long, told(long, f"Over {MOST_LINES} lines; find the second subject in it and give it a file:")


def test_functions_stay_short() -> None:
    long = [
        f"{inside(path)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1}"
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]

    assert not long, told(long, f"Over {LONGEST_FUNCTION} lines; name the steps and make them functions:")


def test_modules_are_named_for_what_they_hold() -> None:
    empty = [inside(path) for path in MODULES if set(path.stem.lower().split("_")) & EMPTY_WORDS]

    assert not empty, told(empty, "These names say nothing; name the module for the one thing that it does:")


def test_only_orchestration_speaks_dagster() -> None:
    room = inside(PACKAGE / "capabilities" / "orchestration")
    strays = [place for place in importers("dagster") if not place.startswith(room)]

    assert not strays, told(
        strays, "Only orchestration imports dagster, so that all else runs and is tested without it. Move it:"
    )


def test_dbt_is_imported_only_where_it_runs() -> None:
    """By the plugin, which dbt loads into its own process, and by the process that is kept warm for it."""
    publishing = PACKAGE / "capabilities" / "publishing"
    rooms = (inside(publishing / "dbt_plugin.py"), inside(publishing / "dbt_warm.py"))
    strays = [place for place in importers("dbt") if not place.startswith(rooms)]
    top = [
        inside(publishing / "dbt_warm.py")
        for node in tree_of(publishing / "dbt_warm.py").body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or node.names[0].name]
        if name.split(".")[0] == "dbt"
    ]

    assert not strays + top, told(
        strays + top, "dbt runs in a process of its own (publishing/dbt.py); a run never imports it:"
    )


def test_words_import_nothing_but_the_standard_library() -> None:
    strays = [
        f"{inside(path)}:{line} {name}"
        for path in MODULES
        if path.is_relative_to(PACKAGE / "words")
        for line, name in imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("mesh_assets.words")
    ]

    assert not strays, told(strays, "Every room imports words, so words import nothing that takes time:")


def test_a_domain_comes_in_by_the_front_door() -> None:
    allowed = re.compile(r"mesh_assets(\.mesh|\.domains\.(?P<domain>\w+)(\..*)?)?$")
    strays = []
    for path in MODULES:
        if not path.is_relative_to(PACKAGE / "domains"):
            continue
        own = path.relative_to(PACKAGE / "domains").parts[0]
        for line, name in imports(path):
            found = allowed.match(name)
            ours = name.split(".")[0] == "mesh_assets"
            if ours and (not found or found["domain"] not in (None, own)):
                strays.append(f"{inside(path)}:{line} {name}")

    strays += [
        f"{inside(path)}:{line} {name}"
        for path in MODULES
        if path.is_relative_to(PACKAGE / "journeys")
        for line, name in imports(path)
        if name.split(".")[0] == "mesh_assets" and name not in ("mesh_assets", "mesh_assets.mesh")
    ]

    assert not strays, told(strays, "A domain imports `mesh_assets.mesh` and its own folder, nothing else:")


def test_every_command_is_documented() -> None:
    from mesh_assets.cli.app import app

    text = (PROJECT / "docs" / "cli.md").read_text(encoding="utf-8")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    missing = [name for name in commands if f"mesh {name}" not in text]

    assert not missing, told(missing, "Show these commands in docs/cli.md:")


def test_every_setting_is_documented() -> None:
    text = (PROJECT / "docs" / "cli.md").read_text(encoding="utf-8")
    settings = {name for path in MODULES for name in re.findall(r"\bMESH_[A-Z_]+", path.read_text("utf-8"))}
    #: A run tells dbt where its files are, and `mesh build` its runs where the warm dbt is: not for people.
    settings -= {"MESH_DBT_INPUTS", "MESH_DBT_SCRATCH", "MESH_WARM_DBT"}
    missing = sorted(name for name in settings if f"`{name}`" not in text)

    assert {"MESH_HOME", "MESH_SOURCES"} <= settings
    assert not missing, told(missing, "Give these settings a line in the table of docs/cli.md:")


def test_links_lead_somewhere() -> None:
    pages = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").rglob("*.md"))]
    dead = [
        f"{inside(page)} -> {link}"
        for page in pages
        for link in MARKDOWN_LINK.findall(page.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:|#", link) and not (page.parent / link.split("#")[0]).exists()
    ]

    assert not dead, told(dead, "These links lead to no file:")


def test_every_page_can_be_found() -> None:
    pages = {path.resolve() for path in (PROJECT / "docs").glob("*.md")}
    index = PROJECT / "docs" / "index.md"
    linked = {
        (index.parent / link.split("#")[0]).resolve()
        for link in MARKDOWN_LINK.findall(index.read_text(encoding="utf-8"))
    }
    lost = [inside(page) for page in sorted(pages - linked - {index.resolve()})]

    assert not lost, told(lost, "Link these pages from docs/index.md:")


def test_tests_of_two_folders_may_have_one_name() -> None:
    folders = {path.parent for path in (PROJECT / "tests").rglob("*.py")}
    bare = sorted(inside(folder) for folder in folders if not (folder / "__init__.py").is_file())
    assert not bare, told(bare, "Put an empty __init__.py into these folders:")


def test_every_domain_is_a_code_location() -> None:
    entries = yaml.safe_load((PROJECT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    named = {
        entry["python_module"]["location_name"]: entry["python_module"]["module_name"] for entry in entries
    }
    domains = {path.parent.name for path in (PACKAGE / "domains").glob("*/domain.yaml")}
    wanted = {name: f"mesh_assets.domains.{name}.definitions" for name in domains}

    assert named == {**wanted, "journeys": "mesh_assets.journeys.definitions"}, (
        "workspace.yaml lists exactly the domains and the journeys, each by its definitions module: Dagster "
        "loads no other"
    )


def test_dbt_reads_what_the_contracts_say() -> None:
    stale = [
        inside(path)
        for path, text in dbt_property_files(read_settings({})).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]

    assert not stale, told(stale, "Contracts have changed since; run `mesh dbt-properties`:")


def test_dbt_properties_are_generated_only() -> None:
    generated = set(dbt_property_files(read_settings({})))
    written = set((PROJECT / "dbt_project" / "models").rglob("*.y*ml")) - generated

    assert not written, told(
        sorted(map(inside, written)), "Contracts are the place for descriptions and types; remove:"
    )


def committed() -> list[Path]:
    """Every file that is, or would be, committed."""
    listed = subprocess.run(
        ["git", "-C", str(PROJECT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("this is not a git repository")
    paths = [PROJECT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path != Path(__file__)]


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def lines_with(pattern: str) -> list[str]:
    wanted = re.compile(pattern)
    return [
        f"{inside(path)}:{number} {line.strip()[:80]}"
        for path in committed()
        if wanted.search(text := text_of(path))
        for number, line in enumerate(text.splitlines(), start=1)
        if wanted.search(line)
    ]


def test_no_file_names_a_path_of_one_machine() -> None:
    found = lines_with(r"(?<![\w.~}])/(work|root|tmp|home|Users)/\w")

    assert not found, told(found, "These paths exist on one machine only; say it relative to the project:")


def test_no_file_names_a_package_registry() -> None:
    found = lines_with(r"pypi\.org|files\.pythonhosted|registry\.npmjs|deb\.debian|index-url")

    assert not found, told(found, "Which registry is used is the reader's business (pip's own settings):")


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(each for more in project["optional-dependencies"].values() for each in more),
    ]
    names = {re.split(r"[\[<>=!~; ]", each)[0].lower().replace("_", "-") for each in wanted} - {
        project["name"]
    }
    pinned = {
        line.split("==")[0].strip().lower().replace("_", "-")
        for line in (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }

    assert not names - pinned, told(
        sorted(names - pinned), "constraints.txt pins what this project is tested with (name==version); add:"
    )


def test_constraints_are_names_and_numbers_only() -> None:
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    strange = [line for line in lines if not re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+|", line)]

    assert not strange, told(strange, "constraints.txt holds lines of the form name==version, no addresses:")


def products() -> tuple[Asset, ...]:
    return read_mesh(read_settings({})).products


@pytest.mark.parametrize("product", products(), ids=lambda asset: str(asset.name))
def test_a_contract_describes_every_column_and_rule(product: Asset) -> None:
    contract = product.contract
    assert contract is not None
    silent = [f"column {column.name}" for column in contract.columns if not column.description.strip()]
    silent += [f"rule {rule.id}" for rule in product.rules if not rule.description.strip()]

    assert not silent, told(silent, f"Say in {product.name}'s contract.yaml what these mean:")


@pytest.mark.parametrize("product", products(), ids=lambda asset: str(asset.name))
def test_a_product_has_an_owner_a_key_and_promises(product: Asset) -> None:
    contract = product.contract
    assert contract is not None

    assert contract.owners, f"{contract.place}: name an owner under team.members (role: owner)"
    assert contract.key, f"{contract.place}: say what one row is (primaryKey)"
    assert any(rule.blocking for rule in product.rules), f"{contract.place}: no rule would stop a bad draft"
    assert contract.purpose, f"{contract.place}: say under description.purpose what it is for"
