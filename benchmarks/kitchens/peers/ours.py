"""The project as a mesh of one domain a block, in git; every step is a command.

Python keeps bytecode, as for the peers, whose packages pip compiled: else each command would compile Dagster.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.kitchens.peers.project import COLUMNS, Project
from benchmarks.measured import BYTECODE, Cost, measure
from mesh_assets.capabilities.orchestration.instance import open_instance
from tests.shop import Shop, add_domain, write_product

NAME = "mesh_assets"
MESH = [sys.executable, "-m", "mesh_assets.cli"]
NOTHING = ["--help"]


def warm(folder: Path) -> None:
    """Every step once, in small: afterwards there is bytecode of all that they import."""
    project = Project(2, 100)
    side = prepare(folder, project, "")
    side.nothing()
    side.open()
    side.change(project.with_many_changed())
    side.diff()
    side.promote()


def prepare(folder: Path, project: Project, _: str) -> Side:
    """Make the mesh and build all of it."""
    shop = Shop(folder)
    shop.deliver("order_id,amount\n1,1\n")
    by_block: dict[str, list[str]] = {}
    for model in project.all():
        by_block.setdefault(model.block, []).append(model.name)
    for block, names in by_block.items():
        add_domain(shop, block, tuple(names))
    for model in project.all():
        write_product(shop, f"{model.block}.{model.name}", columns=COLUMNS, recipe="")
    side = Side(shop)
    side.write(shop, project)
    (folder / ".gitignore").write_text(".mesh\nsources\n")
    for arguments in (["init", "--quiet", "--initial-branch", "main"], ["add", "--all"]):
        git(folder, *arguments)
    git(folder, "commit", "--quiet", "--message", "first")
    for model in project.all():
        shop.build(f"{model.block}.{model.name}")
    with open_instance(shop.settings):  # production has run before: Dagster's tables are there
        return side


class Side:
    """The mesh, and its kitchen `try`."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def nothing(self) -> Cost:
        return self._mesh(*NOTHING)

    def open(self) -> Cost:
        return self._mesh("kitchen", "open", "try")

    def change(self, project: Project) -> tuple[Cost, int]:
        """Run the kitchen after an edit; and how many tables it made for it, the audited ones apart."""
        here = replace(self.shop, more={"MESH_KITCHEN": "try"})
        self.write(here, project)
        git(here.settings.domains, "commit", "--quiet", "-am", "changed")
        cost = self._mesh("kitchen", "run", "try", "--json")
        return cost, made_in(cost.stdout)

    def diff(self) -> Cost | None:
        return self._mesh("kitchen", "diff", "try", "--json")

    def promote(self) -> Cost:
        return self._mesh("kitchen", "promote", "try")

    def write(self, shop: Shop, project: Project) -> None:
        domains = shop.settings.domains
        for model in project.all():
            source = f"{model.block}.{model.reads}"
            head = f"-- input: {source}\n" if model.reads else ""
            text = f"{head}{model.sql.format(source=source)}\n"
            (domains / model.block / model.name / "recipe.sql").write_text(text, encoding="utf-8")

    def _mesh(self, *arguments: str) -> Cost:
        return measure([*MESH, *arguments], {**BYTECODE, **self.shop.environment})


def made_in(told: str) -> int:
    """Products that the change had made."""
    found = json.loads(told)
    return sum(each["verdict"] in ("made", "same") for each in found["steps"])


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.email=bench@example.com", "-c", "user.name=bench"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)
