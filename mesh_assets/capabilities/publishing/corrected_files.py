"""Corrected rows: what people mended in quarantine, kept as an input of the product.

The rows lie as Parquet under `<home>/corrections/<domain>/<product>`, by the digest of their content;
`current.json` says which of them count. They are a source like any other: their digest is in the product's
key and in its certificate, and a build merges them into its draft before the audit.

A correction stands for the draft's rows of its key that break a rule. Where the recipe's own row is good
again, or gone, the correction does nothing: a mended source wins, and nothing is brought back from the dead.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.lake import files_sql
from mesh_assets.capabilities.lake.places import quoted
from mesh_assets.words.errors import CorrectionRefused
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import SourceVersion

#: How the certificate calls them among the product's sources.
SOURCE = "__corrections"

#: Which of them count.
CURRENT = "current.json"

_FILE = re.compile(r"[0-9a-f]{32}\.parquet")


@dataclass(frozen=True)
class Corrections:
    """The corrected rows of one partition (WHOLE: of a product that has none)."""

    file: str
    sha256: str
    bytes: int
    rows: int
    who: str
    released: str


def corrections_folder(settings: Settings, name: ProductName) -> Path:
    return settings.home / "corrections" / name.domain / name.product


def current_corrections(
    settings: Settings, name: ProductName, listed: str = CURRENT
) -> dict[str, Corrections]:
    """By partition; nothing if nobody corrected anything. `listed`: the file that says which count."""
    path = corrections_folder(settings, name) / listed
    if not path.is_file():
        return {}
    try:
        found = {key: Corrections(**each) for key, each in json.loads(path.read_bytes()).items()}
        strange = [each.file for each in found.values() if not _FILE.fullmatch(each.file)]
    except (ValueError, TypeError, AttributeError):
        strange = [path.name]
    if strange:
        raise CorrectionRefused(
            product=name,
            file=str(path),
            problem="nobody but the mesh writes this file, and it did not write it so",
            remedy=f"Remove it, and release the rows again: `mesh quarantine release {name}`",
        )
    return found


@contextmanager
def one_at_a_time(settings: Settings, name: ProductName) -> Iterator[None]:
    """Two people who release rows of one product: the second one adds to what the first one brought."""
    folder = corrections_folder(settings, name)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def keep_corrections(
    settings: Settings, name: ProductName, corrections: Mapping[str, Corrections], listed: str = CURRENT
) -> None:
    """Let these count from the next build on, all of them or none; older files stay for older versions."""
    path = corrections_folder(settings, name) / listed
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}.half")
    half.write_text(json.dumps({key: asdict(each) for key, each in corrections.items()}, indent=1))
    half.replace(path)


def correction_versions(settings: Settings, name: ProductName) -> dict[str, dict[str, list[SourceVersion]]]:
    """As sources of the product, by partition."""
    found = current_corrections(settings, name)
    folder = f"corrections/{name.domain}/{name.product}"
    versions = {
        partition: [
            SourceVersion(f"{name.product}{SOURCE}", f"{folder}/{each.file}", each.bytes, each.sha256)
        ]
        for partition, each in found.items()
    }
    return {f"{name.product}{SOURCE}": versions} if versions else {}


def corrections_sql(
    settings: Settings,
    name: ProductName,
    partitions: Sequence[str],
    columns: Sequence[tuple[str, str]],
) -> str | None:
    """The corrected rows of these partitions as a query, None if there are none."""
    found = current_corrections(settings, name)
    files = [found[partition].file for partition in partitions if partition in found]
    folder = corrections_folder(settings, name)
    return files_sql([str(folder / file) for file in files], columns) if files else None


def identity(contract: Contract) -> str:
    """What a corrected row and the row it stands for have in common: the key, and the partition."""
    return ", ".join(quoted(name) for name in names_of_identity(contract))


def names_of_identity(contract: Contract) -> tuple[str, ...]:
    part = (contract.partitioning.column,) if contract.partitioning else ()
    return tuple(dict.fromkeys((*contract.key, *part)))


def plain_corrections(settings: Settings, name: ProductName) -> list[dict[str, Any]]:
    """For people: what counts now."""
    return [
        {"partition": partition, "rows": each.rows, "who": each.who, "released": each.released}
        for partition, each in sorted(current_corrections(settings, name).items())
    ]
