"""Whether a domain has to be read again: the names, sizes and times of all files that it is read from.

Here: stamps; nothing is opened. Not here: reading (read), who remembers what was read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

from mesh_assets.capabilities.lineage.expected import FOLDER
from mesh_assets.capabilities.lineage.read import domain_names
from mesh_assets.words.settings import Settings

ASIDE = ("__pycache__", ".git", "target")


def domain_stamps(settings: Settings) -> dict[str, str]:
    """Domain -> a text that differs when a file that it is read from differs."""
    project = settings.dbt_project
    expected = _digest(_facts(settings.domains.glob(f"*/{FOLDER}/*")))
    shared = _digest(_facts([project / "dbt_project.yml", *project.glob("macros/**/*.sql")]))
    return {
        name: "/".join(
            (
                folder_stamp(settings.domains / name),
                folder_stamp(project / "models" / name),
                expected,
                shared,
            )
        )
        for name in domain_names(settings)
    }


def folder_stamp(folder: Path) -> str:
    """Every file below a folder, in one digest."""
    return _digest(_below(str(folder)))


def _below(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    if entry.name not in ASIDE:
                        yield from _below(entry.path)
                else:
                    yield from _fact(entry)
    except OSError:  # it is not there, or goes just now
        return


def _facts(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        yield from _fact(path)


def _fact(file: os.DirEntry[str] | Path) -> Iterator[str]:
    try:
        found = file.stat()
    except OSError:
        return
    yield f"{os.fspath(file)}|{found.st_size}|{found.st_mtime_ns}"


def _digest(facts: Iterable[str]) -> str:
    return blake2b("\n".join(sorted(facts)).encode(errors="surrogateescape"), digest_size=12).hexdigest()
