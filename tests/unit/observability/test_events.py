"""Promises of the event table: exactly once, nothing lost between registry and lake, one list for readers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from mesh_assets.capabilities.lake import connect, files, files_sql
from mesh_assets.capabilities.observability import event_lake
from mesh_assets.capabilities.observability.events import Wanted, follow, read_events
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.capabilities.registry import events as record
from mesh_assets.words.events import Event, EventKind
from mesh_assets.words.names import product_name
from mesh_assets.words.settings import Settings, read_settings
from mesh_assets.words.versions import BuildOutcome, BuildRecord
from tests.shop import Shop

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    environ = {"MESH_HOME": str(tmp_path / "home")}
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        database = server.database()
        request.addfinalizer(lambda: server.drop(database))
        environ["MESH_REGISTRY"] = server.url(database)
    return read_settings(environ)


@pytest.fixture
def registry(settings: Settings) -> Iterator[Registry]:
    with open_registry(settings) as registry:
        yield registry


def a_build(product: str = "shop.orders", **facts: object) -> BuildRecord:
    values = {"run_id": "run-1", "outcome": BuildOutcome.PUBLISHED, "started": NOON, "seconds": 2.0}
    return BuildRecord(product_name(product), **{**values, "rows": 5, **facts})  # type: ignore[arg-type]


def an_event(key: str, at: datetime = NOON, **facts: object) -> Event:
    return Event(key, EventKind.METRIC, at, sender="tool", **facts)  # type: ignore[arg-type]


def keep(registry: Registry, *events: Event, now: datetime = NOON) -> int:
    with registry.writing() as connection:
        return record.accept(connection, events, now=now)


def test_a_build_becomes_a_task_its_tests_and_its_metrics(shop: Shop) -> None:
    shop.build("shop.orders")

    with open_registry(shop.settings) as registry:
        found = read_events(shop.settings, registry, Wanted(product="shop.orders"))

    kinds = [event.kind for event in found]
    assert kinds.count(EventKind.TASK) == kinds.count(EventKind.DATASET) == 1
    assert {event.body["rule"] for event in found if event.kind is EventKind.TEST} >= {"amount_positive"}
    metrics = {e.body["name"]: e.body["value"] for e in found if e.kind is EventKind.METRIC}
    assert metrics["rows"] == 2


def test_a_refused_build_tells_which_test_failed_and_why(shop: Shop) -> None:
    shop.deliver("order_id,amount\n1,-5\n")
    with pytest.raises(Exception, match="amount_positive"):
        shop.build("shop.orders")

    with open_registry(shop.settings) as registry:
        found = read_events(shop.settings, registry, Wanted())

    assert [e.outcome for e in found if e.kind is EventKind.TASK] == ["refused"]
    assert ("amount_positive", "failed") in [(e.body.get("rule"), e.outcome) for e in found]
    assert "amount_positive" in next(e.body["summary"] for e in found if e.kind is EventKind.LOG)


def test_builds_are_events_once_however_many_look(registry: Registry) -> None:
    for number in range(30):
        registry.record_build(a_build(run_id=f"run-{number}"), ())

    lookers = [Thread(target=follow, args=(registry,)) for _ in range(4)]
    for each in lookers:
        each.start()
    for each in lookers:
        each.join()

    with registry.reading() as connection:
        tasks = [e.run_id for e in record.not_in_the_lake(connection) if e.kind is EventKind.TASK]
    assert sorted(tasks) == sorted(f"run-{number}" for number in range(30))
    assert follow(registry) == 0


def test_the_same_key_is_one_event(registry: Registry) -> None:
    assert keep(registry, an_event("a"), an_event("b"), an_event("a")) == 2
    assert keep(registry, an_event("b"), an_event("c")) == 1


def test_the_same_key_is_one_event_after_it_went_to_the_lake(settings: Settings, registry: Registry) -> None:
    keep(registry, an_event("a"))
    event_lake.flush(settings, registry, now=NOON)

    assert keep(registry, an_event("a")) == 0


def test_readers_see_the_same_before_and_after_events_moved(settings: Settings, registry: Registry) -> None:
    odd = 'ÄÖ "quoted" \\ \n{}'
    keep(
        registry,
        an_event("a", product="shop.orders", body={"name": odd, "value": 1.5, "deep": [None, {"x": 1}]}),
    )
    keep(registry, an_event("b", NOON + timedelta(microseconds=1), run_id=odd), now=NOON + timedelta(days=1))
    before = read_events(settings, registry, Wanted())

    done = event_lake.flush(settings, registry, now=NOON + timedelta(days=1))
    keep(registry, an_event("c", NOON + timedelta(hours=1)))

    assert done.events == 2
    assert read_events(settings, registry, Wanted())[:2] == before
    assert [e.key for e in read_events(settings, registry, Wanted())] == ["a", "b", "c"]
    assert [e.key for e in read_events(settings, registry, Wanted(), limit=2)] == ["b", "c"]
    assert [e.key for e in read_events(settings, registry, Wanted(product="shop"))] == ["a"]
    assert [e.key for e in read_events(settings, registry, Wanted(since=NOON + timedelta(minutes=1)))] == [
        "c"
    ]


def test_a_batch_that_was_committed_and_not_finished_is_not_doubled(
    settings: Settings, registry: Registry
) -> None:
    keep(registry, an_event("a"), an_event("b"))
    with registry.writing() as connection:
        batch = record.begin_batch(connection, event_lake.MOST, NOON)
    assert batch is not None
    with registry.reading() as connection:
        event_lake._commit(settings, batch.number, record.batch_events(connection, batch.number), None)
    keep(registry, an_event("c"))
    assert [e.key for e in read_events(settings, registry, Wanted())] == ["a", "b", "c"]

    event_lake.flush(settings, registry, now=NOON)

    assert [e.key for e in read_events(settings, registry, Wanted())] == ["a", "b", "c"]


def test_a_day_is_one_file_that_any_parquet_reader_reads(settings: Settings, registry: Registry) -> None:
    for number in range(3):
        keep(registry, an_event(f"e{number}"))
        event_lake.flush(settings, registry, now=NOON)

    with registry.reading() as connection:
        snapshot = record.finished_snapshot(connection)
    assert snapshot is not None
    paths = files(settings, event_lake.TABLE, snapshot)
    assert len(paths) == 1
    with connect(settings) as connection:
        rows = connection.execute(
            f"SELECT key FROM ({files_sql(paths, event_lake.COLUMNS)}) ORDER BY 1"
        ).fetchall()
    assert rows == [("e0",), ("e1",), ("e2",)]


def test_days_beyond_the_retention_go_and_others_stay(settings: Settings, registry: Registry) -> None:
    keep(registry, an_event("old"), now=NOON)
    keep(registry, an_event("new"), now=NOON + timedelta(days=300))
    event_lake.flush(settings, registry, now=NOON + timedelta(days=300))

    done = event_lake.flush(settings, registry, now=NOON + timedelta(days=settings.events_kept + 1))

    assert done.days == 1
    assert [e.key for e in read_events(settings, registry, Wanted())] == ["new"]
