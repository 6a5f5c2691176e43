"""Partitions across products: which there are by file, and which of an input a partition is made of.

Here: the one rule that keys, supply and orchestration follow. Not here: the calendar (words/partitions), what
the contract says (contracts/partitions), what is stale (stale).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from mesh_assets.capabilities.contracts.model import Domain, Partitioning
from mesh_assets.capabilities.contracts.read import contract_from_text
from mesh_assets.capabilities.lake.places import literal
from mesh_assets.capabilities.publishing.sources import is_delivery
from mesh_assets.words.errors import MeshError
from mesh_assets.words.partitions import DATED, FILE, WEEK, overlapping
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE, Version

BATCH = "{batch}"


def parents_of(
    partition: str, child: Partitioning | None, parent: Partitioning | None
) -> tuple[str, ...] | None:
    """The partitions of an input that a partition of a product is made of; None: all that there is of it.

    Weeks and months: those that overlap. Files of the same source: the same file. Everything else: all.
    """
    if child is None or parent is None or partition == WHOLE:
        return None
    if child.every in DATED and parent.every in DATED:
        return overlapping(partition, child.every, parent.every)
    if child.every == parent.every == FILE and child.source == parent.source:
        return (partition,)
    return None


def cut_of(settings: Settings, version: Version, domain: str) -> Partitioning | None:
    """How a published version is cut, by the contract that its certificate keeps; None for a whole one.

    As `domain` sees it: files of another domain are none of its own, whatever their source is called.
    """
    if WHOLE in version.certificate.partitions or not version.certificate.contract_text:
        return None
    name = version.product
    file = settings.domains / name.domain / name.product / "contract.yaml"
    try:
        cut = contract_from_text(str(file), name, version.certificate.contract_text).partitioning
    except MeshError:  # a form that this mesh reads no longer
        return None
    return seen_from(domain, name.domain, cut)


def seen_from(domain: str, owner: str, cut: Partitioning | None) -> Partitioning | None:
    """A cut of the owner's product in the eyes of `domain`."""
    return cut if cut is None or domain == owner else replace(cut, source="", files=None)


def input_seen(
    version: Version, partition: str, child: Partitioning | None, parent: Partitioning | None
) -> str:
    """What a partition sees of an input: fingerprints of the partitions that it is made of, else of all."""
    wanted = parents_of(partition, child, parent)
    if wanted is None:
        return version.fingerprint
    partitions = version.certificate.partitions
    found = {key: str(partitions[key]["fingerprint"]) for key in wanted if key in partitions}
    if wanted == (partition,):
        return found.get(partition, "")
    return " ".join(f"{key} {fingerprint}" for key, fingerprint in found.items())


def source_weeks(domain: Domain, name: str, partition: str, every: str = WEEK) -> tuple[str, ...]:
    """The drop weeks that a partition reads of a source: those that overlap it, and the `late` ones after."""
    source = domain.source(name)
    if source is None or partition == WHOLE or not source.weekly or every not in DATED:
        return ()
    own = overlapping(partition, every, WEEK)
    last = date.fromisoformat(own[-1])
    return (*own, *(str(last + timedelta(weeks=n)) for n in range(1, source.late + 1)))


def keys_sql(cut: Partitioning | None, keys: Sequence[str]) -> str:
    """Partition keys as SQL literals of their column's type."""
    kind = "varchar" if cut is not None and cut.every == FILE else "date"
    return ", ".join(f"{kind} {literal(key)}" for key in keys)


def file_keys(partitioning: Partitioning) -> dict[str, Path]:
    """Key -> file, for a product that is cut by the files of a source."""
    if partitioning.files is None:
        return {}
    pattern = partitioning.files
    found = sorted(pattern.parent.glob(pattern.name.replace(BATCH, "*")))
    return {file_key(pattern.name, path): path for path in found if is_delivery(path)}


def file_key(pattern: str, path: Path) -> str:
    """What stands for `{batch}` in a file's name."""
    before, _, after = pattern.rpartition("/")[2].partition(BATCH)
    return path.name[len(before) : len(path.name) - len(after)]


def file_key_sql(pattern: str) -> str:
    """The same, over DuckDB's column `filename`."""
    before, _, after = pattern.rpartition("/")[2].partition(BATCH)
    quoted = f"{re.escape(before)}([^/]*){re.escape(after)}$".replace("'", "''")
    return f"regexp_extract(filename, '{quoted}', 1)"
