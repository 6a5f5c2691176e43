"""A kitchen's registry, made from the one that it is opened from: what readers see there, and nothing else.

The versions are those that the kitchen's pins name, so they cannot change or go while they are copied. Rows
are handed on as the databases have them: certificates of a thousand products are not parsed for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, text

from mesh_assets.capabilities.registry import migrations
from mesh_assets.capabilities.registry.seed_queries import MOMENT, WANTED
from mesh_assets.capabilities.registry.tables import HEAD, METADATA, RELEASE, RELEASE_ITEM, VERSION
from mesh_assets.words.kitchens import Kitchen
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import PROD


@dataclass(frozen=True)
class Seed:
    """What a kitchen's registry begins with."""

    kitchen: Kitchen
    numbers: Mapping[ProductName, int]


def seed(base: Connection, target: Path, wanted: Seed) -> None:
    """Write the registry of a kitchen; under another name until it is whole."""
    half = target.with_suffix(".half")
    half.unlink(missing_ok=True)
    engine = create_engine(f"sqlite:///{half}")
    try:
        with engine.begin() as into:
            into.exec_driver_sql("PRAGMA synchronous = OFF")
            migrations.migrate(into)
            for table, query in WANTED.items():
                _copy(base, into, METADATA.tables[table], query, wanted.kitchen)
            _show(into, wanted)
    finally:
        engine.dispose()
    half.replace(target)


def _copy(base: Connection, into: Connection, table: Table, query: str, kitchen: Kitchen) -> None:
    names = [column.name for column in table.columns]
    bound = {"holder": kitchen.holder} if ":holder" in query else {}
    result = base.execute(text(query), bound)
    there = {name: place for place, name in enumerate(result.keys())}
    stored = _stored(kitchen) if table is VERSION else None
    rows = [
        tuple(_plain(row[there[name]]) if name != "stored" else stored(row[there[name]]) for name in names)
        if stored
        else tuple(_plain(row[there[name]]) for name in names)
        for row in result
    ]
    _insert(into, table, names, rows)


def _stored(kitchen: Kitchen) -> Any:
    """Where the rows are, as the kitchen says it."""
    return lambda there: there or kitchen.base


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).strftime(MOMENT)
    return value


def _insert(into: Connection, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        columns = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join("?" * len(names))
        statement = f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'
        into.exec_driver_sql(statement, list(rows))


def _show(into: Connection, wanted: Seed) -> None:
    """Heads, and the release that they came with: the opening."""
    kitchen = wanted.kitchen
    about = (1, PROD, kitchen.holder, kitchen.owner, _plain(kitchen.opened), "{}")
    _insert(into, RELEASE, ("id", "environment", "run_id", "who", "released", "reads"), [about])
    _insert(into, HEAD, ("environment", "product", "number"), list(_heads(wanted)))
    items = [(1, product, number) for _, product, number in _heads(wanted)]
    _insert(into, RELEASE_ITEM, ("release_id", "product", "number"), items)


def _heads(wanted: Seed) -> Iterator[tuple[str, str, int]]:
    for name, number in wanted.numbers.items():
        yield PROD, str(name), number
