"""Where a lake's things are, and how its tables are called in SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.words.names import ProductName

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings

#: How the folders begin in which DuckDB puts what memory does not hold.
SPILL = "spill-"

RUN_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")


@dataclass(frozen=True)
class LakePlace:
    """One domain's lake on disk."""

    domain: str
    folder: Path

    @property
    def catalog(self) -> Path:
        """The catalog, if it is SQLite. Never open it with Python's sqlite3: see `connection`."""
        return self.folder / "catalog.sqlite"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def lock(self) -> Path:
        return self.folder / "commit.lock"

    @property
    def manifests(self) -> Path:
        return self.folder / "manifests"

    @property
    def log(self) -> Path:
        """What was expired and deleted, a line of JSON each; only ever added to."""
        return self.folder / "upkeep.jsonl"

    @property
    def metadata_schema(self) -> str:
        """The catalog's schema, if it is PostgreSQL: a schema and a role per domain."""
        return f"lake_{self.domain}"

    def table_folder(self, product: ProductName) -> Path:
        """Where DuckLake keeps a table's files by itself; paths below it are stored relative."""
        return self.data / product.domain / product.product


def lake_of(settings: Settings, domain: str) -> LakePlace:
    return LakePlace(domain=domain, folder=settings.lakes / domain)


def staging_of(settings: Settings, product: ProductName, run_id: str) -> Path:
    """The folder of one draft: `staging/<run>/<domain>.<product>`."""
    return settings.staging / safe_run_id(run_id) / str(product)


def safe_run_id(run_id: str) -> str:
    """The run's id, which becomes part of file names."""
    if not RUN_ID.match(run_id):
        raise ValueError(f"run id {run_id!r} cannot be a file name: letters, digits, dot, dash, underscore")
    return run_id


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Text as an SQL literal: ATTACH, COPY and COMMENT take no bound values, and binding imports pandas."""
    return "'" + text.replace("'", "''") + "'"
