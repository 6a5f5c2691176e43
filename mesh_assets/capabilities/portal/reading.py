"""What pages show of the lakes: how to read a version, and a few of its rows, personal values masked.

One connection for all pages, and each answer is kept: a version never changes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from mesh_assets.capabilities.portal.git_source import shown_source
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from mesh_assets.capabilities.observability.where import Whereabouts
    from mesh_assets.capabilities.portal.git_source import Source

#: Answers that are kept, rows that are shown, letters of a value.
KEPT, ROWS, LONGEST = 4_000, 6, 80

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Sample:
    """Rows of a version as a page shows them; `problem` says why there are none."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    masked: frozenset[str] = frozenset()
    problem: str = ""


@dataclass
class Reading:
    """Looks into lakes, never more than one at a time."""

    settings: Settings
    samples: bool = True
    _kept: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _con: DuckDBPyConnection | None = None

    def whereabouts(self, version: Version) -> Whereabouts:
        """Files and columns of a version; raises VersionExpired, MeshError for a lake that is not there."""
        from mesh_assets.capabilities.observability.where import whereabouts

        version.readable()
        key = ("where", version.product, version.number, version.snapshot)
        return self.once(key, lambda: whereabouts(self.settings, version, con=self._connection()))

    def sample(self, version: Version, personal: frozenset[str]) -> Sample:
        """The first rows, with personal columns masked."""
        if not self.samples:
            return Sample(problem="Rows are not shown here; the administrator decided so.")
        if version.expired is not None:
            return Sample(problem="Its rows have expired.")
        key = ("rows", version.product, version.number, version.snapshot, personal)
        return self.once(key, lambda: self._sample(version, personal))

    def source(self, version: Version, path: str) -> Source:
        """The recipe as it was at the version's commit."""
        certificate = version.certificate
        key = ("source", version.product, version.number, path)
        return self.once(key, lambda: shown_source(self.settings, certificate, path))

    def close(self) -> None:
        with self._lock:
            if self._con is not None:
                self._con.close()
                self._con = None

    def once(self, key: Hashable, make: Callable[[], Answer]) -> Answer:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: Answer = self._kept[key]
                return found
            found = self._kept[key] = make()
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return found

    def _connection(self) -> DuckDBPyConnection:
        from mesh_assets.capabilities.lake import CATALOG_THREADS, connect

        if self._con is None:
            self._con = connect(self.settings, threads=CATALOG_THREADS)
        return self._con

    def _sample(self, version: Version, personal: frozenset[str]) -> Sample:
        import duckdb

        from mesh_assets.words.errors import MeshError

        try:
            columns, rows = self._rows(version)
        except (MeshError, duckdb.Error, OSError):
            return Sample(problem="Its files cannot be read from here.")
        masked = personal & set(columns)
        shown = tuple(
            tuple(_shown(value, name in masked) for name, value in zip(columns, row, strict=True))
            for row in rows
        )
        return Sample(tuple(columns), shown, masked)

    def _rows(self, version: Version) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The first rows of the first file that has any; DuckDB reads no more than it needs for them."""
        from mesh_assets.capabilities.lake.places import literal

        place = self.whereabouts(version)
        columns: list[str] = [name for name, _ in place.columns]
        for file in place.files[:3]:
            found = self._connection().sql(
                f"SELECT * FROM read_parquet({literal(file)}, hive_partitioning = false) LIMIT {ROWS}"
            )
            there = list(found.columns)
            rows = found.fetchall()
            if rows:
                at = {name: position for position, name in enumerate(there)}
                return columns, [
                    tuple(row[at[name]] if name in at else None for name in columns) for row in rows
                ]
        return columns, []


def _shown(value: Any, masked: bool) -> str | None:
    from mesh_assets.capabilities.checks.subject import MASK

    if value is None:
        return None
    if masked:
        return MASK
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
