"""Every row read again: the fingerprint of each partition of a version, beside its certificate's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mesh_assets.capabilities.lake.connection import connect
from mesh_assets.capabilities.lake.fingerprint import fingerprint_sql
from mesh_assets.capabilities.lake.read import version_files
from mesh_assets.capabilities.lake.stage import files_sql
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.lake.upkeep import Holdings
from mesh_assets.words.versions import WHOLE

if TYPE_CHECKING:
    import duckdb

    from mesh_assets.words.settings import Settings
    from mesh_assets.words.versions import Version

#: Files and columns of one partition: versions that share them share their fingerprint.
Part = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]


def differing(
    settings: Settings, versions: Iterable[Version], held: Holdings
) -> Iterator[tuple[Version, str]]:
    """Versions whose rows are not those of their certificates, and what differs.

    Every column is read: a count is answered from statistics, and would hide a file that is damaged inside.
    """
    import duckdb

    known: dict[Part, str] = {}
    with closing(connect(settings)) as connection:
        for version in versions:
            named = f"{version.product} version {version.number}"
            paths, columns = version_files(connection, settings, version.product, version.snapshot)
            if any(store_at(path).size(path) is None for path in paths):
                continue  # told already, and more precisely
            for partition, files in _parts(version, paths).items():
                part = (files, columns)
                try:
                    if part not in known:
                        known[part] = _fingerprint(connection, part)
                except duckdb.Error as error:
                    yield (
                        version,
                        f"{named}: {_where(partition)} cannot be read: {str(error).splitlines()[0]}",
                    )
                    continue
                expected = version.certificate.partitions.get(partition, {}).get("fingerprint")
                if known[part] != expected:
                    yield (
                        version,
                        f"{named}: {_where(partition)} has the fingerprint {known[part]}, its certificate "
                        f"says {expected}",
                    )


def _parts(version: Version, paths: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Files by partition, of partitions that hold rows."""
    found: dict[str, tuple[str, ...]] = {}
    for path in paths:
        whole = set(version.certificate.partitions) <= {WHOLE}
        key = WHOLE if whole else unquote(Path(path).parent.name.partition("=")[2])
        found[key] = (*found.get(key, ()), path)
    return found


def _fingerprint(connection: duckdb.DuckDBPyConnection, part: Part) -> str:
    files, columns = part
    query = f"SELECT {fingerprint_sql(columns)} FROM ({files_sql(files, columns)})"
    return str((connection.execute(query).fetchone() or ("",))[0])


def _where(partition: str) -> str:
    return f"partition {partition}" if partition else "it"
