"""The project in SQLMesh, on a DuckDB file; its environment is `dev`, changes are classed by its plan."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.kitchens.peers.project import Project
from benchmarks.measured import Cost, measure

NAME = "SQLMesh"
CONFIG = """gateways:
  local:
    connection: {{type: duckdb, database: {database}}}
default_gateway: local
model_defaults: {{dialect: duckdb, start: 2024-01-01}}
disable_anonymized_analytics: true
"""
PLAN = ("plan", "--auto-apply", "--no-prompts")


def prepare(folder: Path, project: Project, program: str) -> Side:
    """Make the project and its production."""
    folder = folder.absolute()
    (folder / "models").mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG.format(database=folder / "mesh.duckdb"))
    side = Side(folder, program)
    side.write(project)
    side.run(*PLAN)
    return side


class Side:
    """Production, and the environment `dev`."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder, self.program = folder, program

    def nothing(self) -> Cost:
        return self.run("--help")

    def open(self) -> Cost:
        return self.run("plan", "dev", *PLAN[1:], "--include-unmodified")

    def change(self, project: Project) -> tuple[Cost, int]:
        self.write(project)
        cost = self.run("plan", "dev", *PLAN[1:])
        return cost, len(re.findall(r"^\[\d+/\d+\] ", cost.stdout, re.MULTILINE))

    def diff(self) -> Cost | None:
        return self.run("table_diff", "prod:dev", "-m", "*")

    def promote(self) -> Cost:
        return self.run(*PLAN)

    def write(self, project: Project) -> None:
        for model in project.all():
            sql = model.sql.format(source=f"{model.block}.{model.reads}")
            text = f"MODEL (name {model.block}.{model.name}, kind FULL, grain id);\n{sql}\n"
            (self.folder / "models" / f"{model.block}_{model.name}.sql").write_text(text)

    def run(self, *arguments: str) -> Cost:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        where = ("-p", str(self.folder), "--log-file-dir", str(self.folder / "logs"))
        return measure([self.program, *where, *arguments], {"HOME": str(home)})
