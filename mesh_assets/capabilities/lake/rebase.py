"""Putting back what an unreleased commit changed, so that the next commit does not carry it into a
release.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from mesh_assets.capabilities.lake.arrivals import second_name
from mesh_assets.capabilities.lake.ledger import Ledger
from mesh_assets.capabilities.lake.stores import is_object
from mesh_assets.words.versions import Draft


def rebased(ledger: Ledger, draft: Draft, base: int | None) -> tuple[Draft, list[str]]:
    """The draft, widened by the partitions to put back, and their files under new names.

    A run that died between its commit and its release leaves partitions in the lake that nobody was shown.
    `base`
    is the snapshot that readers see (0: none); None takes the lake as it is. A product without partitions is
    replaced whole and needs none of this.
    """
    if base is None or draft.partition_column is None or not ledger.tables([draft.product]):
        return draft, []
    # A table of rows set aside may be younger than what readers see.
    known = base > 0 and ledger.has_table(draft.product, base)
    seen = set(ledger.files(draft.product, base)) if known else set()
    now = set(ledger.files(draft.product, ledger.current_snapshot()))
    strays = {_partition_of(path) for path in seen ^ now} - set(draft.partitions)
    kept = [path for path in sorted(seen) if _partition_of(path) in strays]
    files = [_kept(draft, path, number) for number, path in enumerate(kept)]
    return replace(draft, partitions=(*draft.partitions, *sorted(strays))), files


def _kept(draft: Draft, path: str, number: int) -> str:
    """In object storage with what its name says of its content."""
    folder, _, name = path.rpartition("/")
    content = f"-{name.rpartition('-')[2]}" if is_object(path) else ".parquet"
    return second_name(path, f"{folder}/{draft.run_id}-kept-{number}{content}")


def _partition_of(path: str) -> str:
    """The key in `…/<column>=<key>/<file>`."""
    return unquote(Path(path).parent.name.partition("=")[2])  # as DuckDB writes keys that are no plain words
