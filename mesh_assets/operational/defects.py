"""The ledger of defects: what is wrong in the drops on purpose, kept aside as truth to measure checks by.

Here: `<sources>/_defects.json`; planting a blocking defect in a file and mending it again.
Not here: the ways to break a file (breakages.py), the defects that are always there (benign.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mesh_assets.operational.breakages import BREAKAGES, Breakage
from mesh_assets.operational.drops import write_bytes
from mesh_assets.operational.weeks import KEYS
from mesh_assets.words.errors import SourceMissing, YourCode

LEDGER = "_defects.json"
#: Where the originals of broken files wait.
KEPT = "_mended"
#: The week that weekly defects are planted in, unless another is asked for.
WEEK = "2023-03-06"

KINDS = tuple(BREAKAGES)


class UnknownDefect(YourCode):
    template = "There is no defect of the kind {kind!r}. Take one of: {kinds}"


@dataclass(frozen=True)
class Planted:
    """A line of the ledger. `rows` holds the keys of affected rows, at most 1,000 of `count`."""

    #: The file, relative to the sources.
    source: str
    kind: str
    rows: tuple[str, ...]
    count: int
    #: The product that is expected to notice, and the rule or error by which it does.
    product: str
    expected: str
    #: True for planted defects that stop publication, False for those that are always there.
    blocking: bool


def read_ledger(folder: Path) -> tuple[Planted, ...]:
    """Everything that is known to be wrong in these sources."""
    try:
        lines = json.loads((folder / LEDGER).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    return tuple(Planted(**line | {"rows": tuple(line["rows"])}) for line in lines)


def write_ledger(folder: Path, entries: Sequence[Planted]) -> None:
    lines: list[dict[str, Any]] = [asdict(entry) for entry in entries]
    write_bytes(folder / LEDGER, (json.dumps(lines, indent=1) + "\n").encode())


def plant(folder: Path, kind: str, *, week: str = WEEK) -> Planted:
    """Break one file in the way of `kind` (see KINDS); the original is kept, `mend` brings it back.

    A weekly file is that of `week`, or of the first week after it with enough rows. Planting a kind that is
    planted already changes nothing.
    """
    breakage = BREAKAGES.get(kind)
    if breakage is None:
        raise UnknownDefect(kind=kind, kinds=", ".join(KINDS))
    ledger = read_ledger(folder)
    there = next((entry for entry in ledger if entry.kind == kind and entry.blocking), None)
    if there is not None:
        return there
    path = _file(folder, breakage, week)
    content, keys = breakage.break_it(path.read_bytes())
    _keep(folder, path)
    if content is None:
        path.unlink()
    else:
        write_bytes(path, content)
    source = path.relative_to(folder).as_posix()
    planted = Planted(source, kind, keys, len(keys), breakage.product, breakage.noticed_by, blocking=True)
    write_ledger(folder, [*ledger, planted])
    return planted


def mend(folder: Path, kind: str | None = None) -> tuple[Planted, ...]:
    """Bring back the original bytes of what `kind` (or any kind) broke; returns the defects that are gone.

    Two kinds in one file are mended together.
    """
    if kind is not None and kind not in BREAKAGES:
        raise UnknownDefect(kind=kind, kinds=", ".join(KINDS))
    ledger = read_ledger(folder)
    files = {entry.source for entry in ledger if entry.blocking and kind in (None, entry.kind)}
    for file in sorted(files):
        (folder / KEPT / file).replace(folder / file)
    mended = tuple(entry for entry in ledger if entry.blocking and entry.source in files)
    if mended:
        write_ledger(folder, [entry for entry in ledger if entry not in mended])
    return mended


def forget_planted(folder: Path) -> None:
    """Drop kept originals: the files are about to be written anew."""
    shutil.rmtree(folder / KEPT, ignore_errors=True)
    (folder / LEDGER).unlink(missing_ok=True)


def _file(folder: Path, breakage: Breakage, week: str) -> Path:
    if "{week}" not in breakage.file:
        path = folder / breakage.file
    else:
        later = [folder / breakage.file.format(week=key) for key in KEYS if key >= week]
        path = next((path for path in later if _enough(path)), later[0] if later else folder / breakage.file)
    if not path.is_file():
        raise SourceMissing(product=breakage.product, source=path.stem, path=path)
    return path


def _enough(path: Path) -> bool:
    """A header and four rows, so that a defect of a few rows has something to be in."""
    return path.is_file() and (path.suffix != ".csv" or path.read_bytes().count(b"\n") > 4)


def _keep(folder: Path, path: Path) -> None:
    """The original as it came, a link as a link; the first one, if the file was broken before."""
    kept = folder / KEPT / path.relative_to(folder)
    if kept.exists() or kept.is_symlink():
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, kept, follow_symlinks=False)
