"""Newer versions of its base, in the registry of a kitchen: as if it had been opened with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, insert, select

from mesh_assets.capabilities.registry import builds
from mesh_assets.capabilities.registry.certificates import as_json
from mesh_assets.capabilities.registry.tables import HEAD, RELEASE, RELEASE_ITEM, VERSION
from mesh_assets.words.versions import PROD, BuildRecord, Version


@dataclass(frozen=True)
class Taken:
    """A version of the base, and the last thing that a build said of it."""

    version: Version
    stored: str
    build: BuildRecord | None = None


def take_over(connection: Connection, wanted: Sequence[Taken], *, who: str, run_id: str) -> None:
    """Let the kitchen show these versions; what it made of the same products itself is not shown any more."""
    if not wanted:
        return
    release: int = connection.execute(
        insert(RELEASE)
        .values(environment=PROD, run_id=run_id, who=who, released=datetime.now(UTC), reads={})
        .returning(RELEASE.c.id)
    ).scalar_one()
    for each in wanted:
        name = each.version.product
        mine = (HEAD.c.environment == PROD) & (HEAD.c.product == str(name))
        previous = connection.scalar(select(HEAD.c.number).where(mine))
        number = _number_of(connection, each)
        connection.execute(delete(HEAD).where(mine))
        connection.execute(insert(HEAD).values(environment=PROD, product=str(name), number=number))
        connection.execute(
            insert(RELEASE_ITEM).values(
                release_id=release, product=str(name), number=number, previous=previous
            )
        )
        if each.build is not None:
            builds.record(connection, each.build, ())


def _number_of(connection: Connection, taken: Taken) -> int:
    """The base's number, or the next one if the kitchen gave that to a version of its own."""
    version, name = taken.version, str(taken.version.product)
    same = (VERSION.c.product == name) & (VERSION.c.snapshot == version.snapshot)
    there = connection.scalar(select(VERSION.c.number).where(same, VERSION.c.stored == taken.stored))
    if there is not None:
        return int(there)
    newest = connection.scalar(select(func.max(VERSION.c.number)).where(VERSION.c.product == name)) or 0
    number = max(version.number, newest + 1)
    connection.execute(
        insert(VERSION).values(
            product=name,
            number=number,
            snapshot=version.snapshot,
            fingerprint=version.fingerprint,
            rows=version.rows,
            contract_version=version.contract_version,
            run_id=version.run_id,
            published=version.published,
            certificate=as_json(version.certificate),
            stored=taken.stored,
        )
    )
    return number
