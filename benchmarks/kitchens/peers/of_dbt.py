"""The project in dbt on a DuckDB file: `clone` into a schema of its own, then what the state says, deferred.

dbt-duckdb clones by views. dbt has no comparison of rows, and its way into production is to make it there.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from benchmarks.kitchens.peers.project import Project
from benchmarks.measured import Cost, measure

NAME = "dbt"
PROJECT = """name: peers
version: "1.0"
profile: peers
models: {peers: {+materialized: table}}
flags: {send_anonymous_usage_stats: false}
"""
PROFILES = """peers:
  target: prod
  outputs:
    prod: {{type: duckdb, path: {database}, schema: prod}}
    dev: {{type: duckdb, path: {database}, schema: dev}}
"""
MODIFIED = ("--select", "state:modified+")


def prepare(folder: Path, project: Project, program: str) -> Side:
    """Make the project and its production, and keep its state."""
    folder = folder.absolute()
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(PROJECT)
    (folder / "profiles.yml").write_text(PROFILES.format(database=folder / "mesh.duckdb"))
    side = Side(folder, program)
    side.write(project)
    side.run("run")
    (folder / "state").mkdir()
    shutil.copy(folder / "target" / "manifest.json", folder / "state")
    return side


class Side:
    """Schema `prod`, and schema `dev`."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder, self.program = folder, program
        self.state = ("--state", str(folder / "state"))

    def nothing(self) -> Cost:
        return measure([self.program, "--help"])

    def open(self) -> Cost:
        return self.run("clone", *self.state, "--target", "dev")

    def change(self, project: Project) -> tuple[Cost, int]:
        self.write(project)
        cost = self.run("run", *MODIFIED, "--defer", *self.state, "--target", "dev")
        return cost, len(re.findall(r"OK created", cost.stdout))

    def diff(self) -> Cost | None:
        return None

    def promote(self) -> Cost:
        return self.run("run", *MODIFIED, *self.state)

    def write(self, project: Project) -> None:
        for model in project.all():
            source = f"{{{{ ref('{model.block}_{model.reads}') }}}}"
            path = self.folder / "models" / f"{model.block}_{model.name}.sql"
            path.write_text(model.sql.replace("{source}", source) + "\n")

    def run(self, *arguments: str) -> Cost:
        places = ("--project-dir", str(self.folder), "--profiles-dir", str(self.folder))
        return measure([self.program, arguments[0], *places, *arguments[1:]])
