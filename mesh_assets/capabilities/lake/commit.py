"""Commits: a draft's files enter the lake, zero copy, one snapshot, at most once for each run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lake import types
from mesh_assets.capabilities.lake.arrivals import bring_near, move
from mesh_assets.capabilities.lake.connection import CATALOG_THREADS, connect, refuse_moved
from mesh_assets.capabilities.lake.ledger import Ledger, Table, open_ledger
from mesh_assets.capabilities.lake.lock import commit_lock
from mesh_assets.capabilities.lake.places import LakePlace, lake_of, literal, quoted, safe_run_id
from mesh_assets.capabilities.lake.rebase import rebased
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.lake.told import told
from mesh_assets.words.errors import PartitionsLeftBehind
from mesh_assets.words.moves import LakeMoved
from mesh_assets.words.versions import Draft

if TYPE_CHECKING:
    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings


#: A run commits a product once, and again for each release that it lost.
MOST_COMMITS = 100

#: How often a lake may move while one commit waits.
MOST_MOVES = 3

#: DuckLake 1.5.5 empties a table by reading it, 0.2 s of CPU for a million rows, under the lock and from a
#: bucket by download. Larger tables are made anew, which costs 0.05 s and a catalog row for each column.
SMALL = 100_000


#: The last bytes of a whole Parquet file.
PARQUET = b"PAR1"


@dataclass(frozen=True)
class Committed:
    """What the lake has after a commit. Nobody is shown it until a release says so."""

    snapshot: int
    #: All files of the product at this snapshot, not only those of this draft.
    files: tuple[str, ...]
    #: The same of the draft that came beside it.
    files_beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Share:
    """One product's part of a commit of several."""

    draft: Draft
    #: As `commit` has them.
    beside: Draft | None = None
    base: int | None = None
    comments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """What is written down with the data."""

    who: str
    extra: Mapping[str, Any]
    comments: Mapping[str, str]


def commit(
    settings: Settings,
    draft: Draft,
    *,
    who: str,
    extra: Mapping[str, Any],
    comments: Mapping[str, str] | None = None,
    base: int | None = None,
    beside: Draft | None = None,
    guard: Callable[[], None] = lambda: None,
) -> Committed:
    """Add a draft to its domain's lake as one snapshot; a run that asks again gets what it committed before.

    Asks again means: with an equal `extra`. A run that lost a release and comes with other data, or on
    another head, commits a second time, under a name of its own.

    `beside` is a draft of another table of the same lake that nobody may see without this one: the rows that
    were set aside. Both enter in one transaction.

    `comments` describe the columns, and under the key "" the table; they are written when the table is
    made or its columns change. `base` is the snapshot that readers see now (0: none): partitions that an
    unreleased commit changed since then are put back; without it the lake is taken as it is. `guard` is asked
    when the lock is there and nothing has happened yet; what it raises ends the commit.
    """
    order = _Order(draft, beside, base, guard, Note(who, extra, comments or {}))
    for _ in range(MOST_MOVES):
        # The files of a draft stay where they are until the lock is there and the lake is where it was.
        with suppress(LakeMoved):
            return _commit(settings, order)
    return _commit(settings, order)


@dataclass(frozen=True)
class _Order:
    """What is to be committed."""

    draft: Draft
    beside: Draft | None
    base: int | None
    guard: Callable[[], None]
    note: Note


def _commit(settings: Settings, order: _Order) -> Committed:
    draft, beside = order.draft, order.beside
    place = lake_of(settings, draft.product.domain)
    with told(place.domain), closing(connect(settings, threads=CATALOG_THREADS)) as connection:
        ledger = open_ledger(connection, settings, draft.product.domain, read_only=False)
        drafts = [bring_near(place, each) for each in (draft, beside) if each is not None]
        what = f"commit of {draft.product}"
        with commit_lock(settings, place, what=what, run_id=draft.run_id):
            refuse_moved(connection, place, ledger.alias)
            drafts, snapshot = _under_its_name(ledger, drafts, order.note.extra)
            if snapshot is None:
                order.guard()
                arrived = [_arrived(ledger, place, each, order.base) for each in drafts]
                snapshot = record(ledger, arrived, order.note)
        return _committed(ledger, snapshot, [(draft, beside)])[0]


def commit_all(
    settings: Settings,
    shares: Sequence[Share],
    *,
    who: str,
    extra: Mapping[str, Any],
    guard: Callable[[], None] = lambda: None,
) -> list[Committed]:
    """Add drafts of several products of one domain, of one run, as one snapshot; else as `commit`."""
    note = Note(who, extra, {})
    for _ in range(MOST_MOVES):
        with suppress(LakeMoved):
            return _commit_all(settings, shares, note, guard)
    return _commit_all(settings, shares, note, guard)


def _commit_all(
    settings: Settings, shares: Sequence[Share], note: Note, guard: Callable[[], None]
) -> list[Committed]:
    parts = [(each, share) for share in shares for each in (share.draft, share.beside) if each is not None]
    first = parts[0][0]
    place = lake_of(settings, first.product.domain)
    with told(place.domain), closing(connect(settings, threads=CATALOG_THREADS)) as connection:
        ledger = open_ledger(connection, settings, place.domain, read_only=False)
        drafts = [bring_near(place, each) for each, _ in parts]
        what = f"commit of {first.product} and {len(shares) - 1} others"
        with commit_lock(settings, place, what=what, run_id=first.run_id):
            refuse_moved(connection, place, ledger.alias)
            drafts, snapshot = _under_its_name(ledger, drafts, note.extra)
            if snapshot is None:
                guard()
                arrived = [
                    _arrived(ledger, place, draft, share.base)
                    for draft, (_, share) in zip(drafts, parts, strict=True)
                ]
                snapshot = record(ledger, arrived, note, shares)
        return _committed(ledger, snapshot, [(share.draft, share.beside) for share in shares])


def _committed(
    ledger: Ledger, snapshot: int, drafts: Sequence[tuple[Draft, Draft | None]]
) -> list[Committed]:
    """What the lake has of each, and of the one beside it."""
    named = [each.product for pair in drafts for each in pair if each is not None]
    files = ledger.files_of(named, snapshot)
    return [
        Committed(snapshot, files[draft.product], files[beside.product] if beside else ())
        for draft, beside in drafts
    ]


def _under_its_name(
    ledger: Ledger, drafts: list[Draft], extra: Mapping[str, Any]
) -> tuple[list[Draft], int | None]:
    """The drafts under a run id whose commit is this very one (then its snapshot), or that has none yet.

    Files have the run's id in their names, and one that the ledger has must never be written over.
    """
    wanted = json.loads(json.dumps(dict(extra), default=str))
    name = drafts[0].run_id
    for attempt in range(2, MOST_COMMITS):
        named = [replace(each, run_id=name) for each in drafts]
        snapshot = ledger.snapshot_of_run(run_key(named[0]))
        if snapshot is None:
            return named, None
        if {key: ledger.extra_of(snapshot).get(key) for key in wanted} == wanted:
            return named, snapshot
        name = f"{drafts[0].run_id}.again{attempt}"
    raise AssertionError(f"run {drafts[0].run_id} committed {drafts[0].product} {MOST_COMMITS} times")


def _arrived(ledger: Ledger, place: LakePlace, draft: Draft, base: int | None) -> tuple[Draft, list[str]]:
    """The draft with the partitions to put back, and the files of both, in the lake's folder."""
    near, restored = rebased(ledger, draft, base)
    return near, [*move(place, near), *restored]


def run_key(draft: Draft) -> str:
    """What the snapshot's message says, so that a run finds its own commit again."""
    return f"{draft.product} by {safe_run_id(draft.run_id)}"


def record(
    ledger: Ledger, arrived: Sequence[tuple[Draft, list[str]]], note: Note, shares: Sequence[Share] = ()
) -> int:
    """Put moved files into their tables, in one transaction; return its snapshot. The first draft is the
    product's, and gives the commit its name.
    """
    notes = {share.draft.product: replace(note, comments=share.comments) for share in shares}
    connection = ledger.connection
    draft = arrived[0][0]
    connection.execute("BEGIN")
    try:
        before = _before(ledger, [each for each, _ in arrived])
        for each, paths in arrived:
            own = notes.get(each.product, note if each is draft else _about(each, note))
            _fit_table(ledger, each, own, before.get(each.product))
            if paths:
                _add_files(ledger, each, paths)
        facts = {**note.extra, "product": str(draft.product), "run_id": draft.run_id}
        connection.execute(
            f"CALL {quoted(ledger.alias)}.set_commit_message("
            f"{literal(note.who)}, {literal(run_key(draft))}, "
            f"extra_info => {literal(json.dumps(facts, default=str))})"
        )
        connection.execute("COMMIT")
    except BaseException:
        # A COMMIT that failed has ended the transaction already.
        with suppress(Exception):
            connection.execute("ROLLBACK")
        raise
    snapshot = ledger.snapshot_of_run(run_key(draft))
    # An empty draft of an empty table changes nothing, and DuckLake makes no snapshot of nothing.
    return ledger.current_snapshot() if snapshot is None else snapshot


def _about(beside: Draft, note: Note) -> Note:
    told = f"{beside.product}: rows that broke a rule and were set aside, with the ids of the rules"
    return Note(note.who, note.extra, {**note.comments, "": told})


@dataclass(frozen=True)
class _Before:
    """What a draft comes upon."""

    table: Table
    #: Its files, if the draft has something to say about all of them.
    replaced: tuple[str, ...] | None


def _before(ledger: Ledger, drafts: Sequence[Draft]) -> dict[ProductName, _Before]:
    """Of each draft whose table is there; the catalog is asked once for all."""
    tables = ledger.tables([each.product for each in drafts])
    whole = [each.product for each in drafts if each.product in tables and _replaces_all(ledger, each)]
    files = ledger.files_of(whole, ledger.current_snapshot()) if whole else {}
    return {product: _Before(table, files.get(product)) for product, table in tables.items()}


def _fit_table(ledger: Ledger, draft: Draft, note: Note, before: _Before | None) -> None:
    """Leave the table in the draft's columns, and empty where the draft has something to say."""
    if before is None:
        return _make_table(ledger, draft, note, replace=False)
    added, broken = types.changes(ledger.columns(draft.product), draft.columns)
    if before.table.partition_column != draft.partition_column:
        broken = (*broken, "its partitioning is another")
    if broken:
        _refuse_to_leave(ledger, draft, broken)
    if broken or _large(before) or _lost(before):
        return _make_table(ledger, draft, note, replace=True)
    table = ledger.table(draft.product)
    for name, kind in added:
        ledger.connection.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(name)} {kind}")
        _comment(ledger, f"COLUMN {table}.{quoted(name)}", note.comments.get(name))
    return _empty(ledger, draft)


def _make_table(ledger: Ledger, draft: Draft, note: Note, *, replace: bool) -> None:
    table = ledger.table(draft.product)
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in draft.columns)
    ledger.connection.execute(
        f"CREATE SCHEMA IF NOT EXISTS {quoted(ledger.alias)}.{quoted(draft.product.domain)}"
    )
    ledger.connection.execute(f"CREATE {'OR REPLACE ' if replace else ''}TABLE {table} ({columns})")
    if draft.partition_column is not None:
        column = quoted(draft.partition_column)
        ledger.connection.execute(f"ALTER TABLE {table} SET PARTITIONED BY ({column})")
    _comment(ledger, f"TABLE {table}", note.comments.get(""))
    for name, _ in draft.columns:
        _comment(ledger, f"COLUMN {table}.{quoted(name)}", note.comments.get(name))


def _replaces_all(ledger: Ledger, draft: Draft) -> bool:
    return draft.partition_column is None or ledger.partitions(draft.product) <= set(draft.partitions)


def _large(before: _Before) -> bool:
    """A table that would take long to empty, and is all in the draft, is made anew: older snapshots keep
    theirs, and no append comes in between, under the lake's lock.
    """
    return before.table.rows > SMALL and before.replaced is not None


def _lost(before: _Before) -> bool:
    """DuckLake opens the files that it is to empty; a table that misses some, or has some that are no
    Parquet any more, and is all in the draft, is made anew.
    """
    return not all(_is_parquet(file) for file in before.replaced or ())


def _is_parquet(file: str) -> bool:
    with suppress(FileNotFoundError):
        return store_at(file).tail(file, len(PARQUET)) == PARQUET
    return False


def _refuse_to_leave(ledger: Ledger, draft: Draft, broken: tuple[str, ...]) -> None:
    if draft.partition_column is None:
        return
    left = ledger.partitions(draft.product) - set(draft.partitions)
    if left:
        raise PartitionsLeftBehind(product=draft.product, change="; ".join(broken), left=len(left))


def _empty(ledger: Ledger, draft: Draft) -> None:
    table = ledger.table(draft.product)
    if draft.partition_column is None:
        ledger.connection.execute(f"TRUNCATE {table}")
        return
    # Rows of partitions that stay keep the table as it is: a file may stand in the ledger once only.
    present = ledger.partitions(draft.product)
    replaced = present & set(draft.partitions)
    if replaced and replaced == present:
        ledger.connection.execute(f"TRUNCATE {table}")
    elif replaced:
        # Whole files match, so DuckLake drops them; no delete files come of it.
        kind = dict(draft.columns)[draft.partition_column]
        keys = ", ".join(f"CAST({literal(key)} AS {kind})" for key in sorted(replaced))
        ledger.connection.execute(f"DELETE FROM {table} WHERE {quoted(draft.partition_column)} IN ({keys})")


def _add_files(ledger: Ledger, draft: Draft, paths: list[str]) -> None:
    # One call for all files: 104 partitions take as long as ten calls.
    hive = "true" if draft.partition_column is not None else "false"
    listed = ", ".join(literal(path) for path in paths)
    ledger.connection.execute(
        f"CALL ducklake_add_data_files({literal(ledger.alias)}, {literal(draft.product.product)}, "
        f"[{listed}], schema => {literal(draft.product.domain)}, hive_partitioning => {hive})"
    )


def _comment(ledger: Ledger, target: str, text: str | None) -> None:
    if text:
        ledger.connection.execute(f"COMMENT ON {target} IS {literal(text)}")
