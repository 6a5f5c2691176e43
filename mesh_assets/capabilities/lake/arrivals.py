"""How a draft's files get to where their lake keeps them, each under a name that no other file ever has.

On a disk: next to the lake before the lock, renamed under it. In object storage nothing is renamed: files go
up before the lock, as the audit saw them, and their names tell their content, so that a second attempt finds
them or leaves them alone, and never writes over what a version has.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from mesh_assets.capabilities.lake.places import LakePlace, safe_run_id
from mesh_assets.capabilities.lake.stores import TELLING, content_of, file_digest, is_object, store_at, sync
from mesh_assets.words.versions import Draft, StagedFile


def bring_near(place: LakePlace, draft: Draft) -> Draft:
    """Do before the lock what takes long: copying from another disk, or sending to object storage."""
    if place.objects:
        return replace(draft, files=_sent(place, draft))
    arrivals = Path(place.data, ".arrivals", safe_run_id(draft.run_id), str(draft.product))
    near = []
    for file in draft.files:
        source = Path(file.path)
        if not source.exists() or source.stat().st_dev == Path(place.data).stat().st_dev:
            near.append(file)
            continue
        target = arrivals / f"{len(near)}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        sync(target)
        near.append(replace(file, path=str(target)))
    return replace(draft, files=tuple(near))


def move(place: LakePlace, draft: Draft) -> list[str]:
    """Give files that are near their names in the lake. A second call finds them moved."""
    targets = []
    for file, part in _numbered(draft):
        target = _target(place, draft, file, part)
        if place.objects:
            _settle(draft, file.path, target)
        else:
            _rename(draft, Path(file.path), Path(target))
        if file.rows:
            targets.append(target)
    for folder in {Path(target).parent for target in targets if not place.objects}:
        sync(folder)
    return targets


def second_name(path: str, target: str) -> str:
    """Another name for the same bytes: a file may stand in a lake's ledger once only."""
    store_at(path).copy(path, target)
    return target


def _sent(place: LakePlace, draft: Draft) -> tuple[StagedFile, ...]:
    store, near = store_at(place.root), []
    for file, part in _numbered(draft):
        # What is adopted from an older version is there, and gets its second name under the lock.
        if is_object(file.path) or not file.rows:
            near.append(file)
            continue
        target = _target(place, draft, file, part)
        store.add(Path(file.path), target)
        near.append(replace(file, path=target))
    return tuple(near)


def _settle(draft: Draft, path: str, target: str) -> None:
    store = store_at(target)
    if not is_object(path):  # no rows: nothing went up
        return
    if path != target and store.size(target) is None:
        store.copy(path, target)
    if store.size(target) is None:  # cleaned up, as something that nobody had named for long
        raise FileNotFoundError(f"the draft of {draft.product} lost its file {path}; run it again")


def _rename(draft: Draft, path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(target)
    elif not target.exists():
        raise FileNotFoundError(f"the draft of {draft.product} lost its file {path}")


def _numbered(draft: Draft) -> list[tuple[StagedFile, int]]:
    """Each file with its number in its partition."""
    counts: dict[str, int] = {}
    numbered = []
    for file in draft.files:
        part = counts[file.partition] = counts.get(file.partition, -1) + 1
        numbered.append((file, part))
    return numbered


def _target(place: LakePlace, draft: Draft, file: StagedFile, part: int) -> str:
    folder = place.table_folder(draft.product)
    if draft.partition_column is not None:
        folder += f"/{draft.partition_column}={file.partition}"
    if place.objects:
        return f"{folder}/{draft.run_id}-{part}-{_content(file.path)}.parquet"
    return f"{folder}/{draft.run_id}.parquet" if part == 0 else f"{folder}/{draft.run_id}-{part}.parquet"


def _content(path: str) -> str:
    """What the file's name says of its content; of an object's name it is a part, unless it moved here."""
    if is_object(path):
        return content_of(path) or store_at(path).digest(path)[:TELLING]
    return file_digest(Path(path))[:TELLING]
