"""What the processes of the contention run do until the time is over; each returns what it counted."""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

from benchmarks.contention_mesh import DESK, OWN, ROWS, SHARED, TILL, WEEKLY, Maker, weeks_of
from mesh_assets.capabilities.lake import Handle
from mesh_assets.capabilities.lake.upkeep import expire_snapshots
from mesh_assets.capabilities.publishing.build import build
from mesh_assets.capabilities.publishing.inputs import input_sql
from mesh_assets.capabilities.publishing.together import publish_together
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.words.errors import MeshError, NoVersion
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings, read_settings
from mesh_assets.words.versions import BuildOutcome, Version

#: Versions of a product that expiry leaves, beside pinned ones.
KEPT = 10

CHANCE = random.Random()


class Retries(logging.Handler):
    """Counts what `again` says of attempts that were overtaken."""

    def __init__(self, counts: Counter[str]) -> None:
        super().__init__(logging.INFO)
        self.counts = counts

    def emit(self, record: logging.LogRecord) -> None:
        self.counts["retries"] += 1


def write(environment: dict[str, str], number: int, seconds: float, pause: float) -> Counter[str]:
    """Publish, in the role that this writer's number gives it, until the time is over."""
    settings, counts = read_settings(environment), Counter[str]()
    logger = logging.getLogger("mesh_assets.capabilities.publishing.again")
    logger.setLevel(logging.INFO)
    logger.addHandler(Retries(counts))
    logger.propagate = False
    maker = Maker(settings)
    weeks = weeks_of(maker.mesh)
    mine = [week for place, week in enumerate(weeks) if place % 2 == number // 4 % 2]
    roles: list[Callable[[Registry], object]] = [
        lambda registry: _group(maker, registry, counts),
        lambda registry: _one(maker, registry, SHARED, counts),
        lambda registry: _week(maker, registry, CHANCE.choice(mine), counts, published),
        lambda registry: _one(maker, registry, OWN[number % len(OWN)], counts),
    ]
    published: dict[str, str] = {}
    with open_registry(settings) as registry:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            roles[number % len(roles)](registry)
            if number == len(roles) - 1:
                _expire(settings, registry, counts)
            time.sleep(CHANCE.uniform(0, 2 * pause))
        _check_weeks(registry, published, counts)
    return counts


def _group(maker: Maker, registry: Registry, counts: Counter[str]) -> None:
    run_id = uuid.uuid4().hex
    try:
        ended = publish_together(
            maker.mesh,
            [TILL, DESK],
            registry,
            lambda domain, _, view: maker.workshop(domain, view, run_id),
        )
        counts["groups released" if ended.released else "groups refused"] += 1
        for record in ended.records:
            if record.outcome in (BuildOutcome.REFUSED, BuildOutcome.FAILED):
                counts[f"failed: {record.message[:200]}"] += 1
    except MeshError as error:
        counts[f"{type(error).__name__}"] += 1


def _one(
    maker: Maker,
    registry: Registry,
    name: ProductName,
    counts: Counter[str],
    weeks: tuple[str, ...] | None = None,
) -> Version | None:
    try:
        built = build(maker.workshop(name.domain, registry, uuid.uuid4().hex, weeks), name)
        counts[f"{built.record.outcome} {'weekly' if weeks else name.product.partition('_')[0]}"] += 1
        return built.version
    except MeshError as error:
        counts[f"{type(error).__name__}"] += 1
        return None


def _week(
    maker: Maker, registry: Registry, week: str, counts: Counter[str], published: dict[str, str]
) -> None:
    """A week that is this writer's alone: what it published last must be what readers see."""
    _check_weeks(registry, published, counts)
    version = _one(maker, registry, WEEKLY, counts, (week,))
    if version is not None:
        published[week] = str(version.certificate.partitions[week]["fingerprint"])


def _check_weeks(registry: Registry, published: dict[str, str], counts: Counter[str]) -> None:
    head = registry.head(WEEKLY)
    for week, fingerprint in published.items():
        lost = head is None or head.certificate.partitions[week]["fingerprint"] != fingerprint
        counts["lost updates"] += lost


def _expire(settings: Settings, registry: Registry, counts: Counter[str]) -> None:
    """Let go of all but the last versions, except what somebody holds."""
    for name in (TILL, DESK, SHARED, WEEKLY):
        old = [version.number for version in registry.versions(name)[KEPT:] if version.expired is None]
        gone = registry.expire({name: old}, who="contention") if old else []
        expired = expire_snapshots(
            settings, name.domain, [version.snapshot for version in gone], who="contention"
        )
        counts["versions expired"] += len(gone)
        counts["snapshots expired"] += len(expired)


def read(environment: dict[str, str], number: int, seconds: float) -> Counter[str]:
    """Read the two products of a release again and again, and hold what is seen against what was promised."""
    from mesh_assets.capabilities.lake import connect

    settings, counts = read_settings(environment), Counter[str]()
    with open_registry(settings) as registry, closing(connect(settings, threads=1)) as con:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            turn = CHANCE.random()
            try:
                if turn < 0.02:
                    _read_old_and_pinned(settings, registry, number, counts)
                elif turn < 0.04:
                    _read_weeks(settings, registry, counts)
                else:
                    _read_pair(settings, registry, con, counts)
            except MeshError as error:
                counts[f"told {type(error).__name__}"] += 1
    return counts


def _read_pair(settings: Settings, registry: Registry, con: object, counts: Counter[str]) -> None:
    heads, seen = registry.shown((TILL, DESK)), []
    for name in (TILL, DESK):
        sql = input_sql(settings, name, heads[name].snapshot)
        query = f"SELECT count(id), count(DISTINCT batch), min(batch) FROM ({sql})"
        seen.append(con.execute(query).fetchone())  # type: ignore[attr-defined]
        counts["reads"] += 1
        counts["torn versions"] += seen[-1][:2] != (ROWS, 1)
    counts["pairs"] += 1
    counts["mixed states"] += seen[0] != seen[1]


def _read_old_and_pinned(settings: Settings, registry: Registry, number: int, counts: Counter[str]) -> None:
    """A handle in a transaction of its own on a version that others want to expire."""
    version = registry.versions(SHARED)[-1 if CHANCE.random() < 0.2 else 0]
    holder, pins = f"reader {number}", CHANCE.random() < 0.5
    if pins:
        registry.pin(holder, {SHARED: version.number}, datetime.now(UTC) + timedelta(minutes=1))
    try:
        with closing(
            Handle(settings, SHARED, number=version.number, snapshot=version.readable().snapshot)
        ) as handle:
            handle.connection.execute("BEGIN")
            for _ in range(3):
                rows = len(handle.relation.fetchall())
                counts["reads"] += 1
                counts["torn versions"] += rows != ROWS
                time.sleep(0.05)
    except NoVersion:
        counts["told it had expired"] += 1
    except Exception as error:  # DuckDB's words for a snapshot that went before the handle looked
        counts["told the snapshot is gone" if "snapshot" in str(error).lower() else repr(error)[:200]] += 1
    finally:
        if pins:
            registry.unpin(holder)


def _read_weeks(settings: Settings, registry: Registry, counts: Counter[str]) -> None:
    head = registry.head(WEEKLY)
    assert head is not None
    with closing(Handle(settings, WEEKLY, number=head.number, snapshot=head.snapshot)) as handle:
        found = handle.relation.aggregate("week, count(id), count(DISTINCT batch)").fetchall()
    counts["reads"] += 1
    wrong = len(found) != len(head.certificate.partitions)
    counts["torn versions"] += wrong or any(row[1:] != (ROWS, 1) for row in found)
