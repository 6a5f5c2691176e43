"""New rows and pushed events become files: each row and each event once, whoever dies in between."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from mesh_assets.capabilities.contracts.domain import read_domain
from mesh_assets.capabilities.contracts.model import Source
from mesh_assets.capabilities.publishing.arrivals import look_for_arrivals, receive
from mesh_assets.capabilities.publishing.landed_events import land_events
from mesh_assets.capabilities.publishing.landed_rows import land_rows
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.words.arrivals import EventsRefused, RowsUnreachable, UnknownSource
from tests.postgres import Postgres
from tests.shop import Shop, make_shop, write_product

FED = """      - name: sale
        path: shop/sale/{batch}.parquet
        kind: rows
        connection: TILL
        table: sale
        watermark: at
        key: id
      - name: click
        path: shop/click/{batch}.ndjson
        kind: events
        key: id
        bundle: 3
        columns: [id, page]
"""
NDJSON = "application/x-ndjson"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path)
    path = shop.root / "domains/shop/domain.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("columns: [order_id, amount]\n", f"columns: [order_id, amount]\n{FED}", 1),
        encoding="utf-8",
    )
    return shop


@pytest.fixture
def registry(shop: Shop) -> Iterator[Registry]:
    with open_registry(shop.settings) as opened:
        yield opened


@pytest.fixture
def till(tmp_path: Path) -> Path:
    """A till that sells by SQLite."""
    path = tmp_path / "till.db"
    with closing(sqlite3.connect(path)) as session, session:
        session.execute("CREATE TABLE sale (id INTEGER, at TIMESTAMP, amount INTEGER)")
    return path


def sell(till: Path, *rows: tuple[int, str, int]) -> None:
    with closing(sqlite3.connect(till)) as session, session:
        session.executemany("INSERT INTO sale VALUES (?, ?, ?)", rows)


def source(shop: Shop, name: str) -> Source:
    found = read_domain(shop.root / "domains/shop").source(name)
    assert found is not None
    return found


def land(shop: Shop, registry: Registry, till: Path | str) -> int:
    """How many rows were new."""
    where = f"sqlite:{till}" if isinstance(till, Path) else till
    landing = land_rows(shop.settings, registry, "shop", source(shop, "sale"), {"TILL": where})
    return landing.rows if landing else 0


def landed(shop: Shop, name: str) -> list[int]:
    files = sorted((shop.settings.home / "landed/shop" / name).glob("[!.]*"))
    return sorted(int(row[0]) for file in files for row in duckdb.sql(f"SELECT id FROM '{file}'").fetchall())


def test_new_rows_are_landed_once_and_so_are_those_that_come_at_the_same_watermark(
    shop: Shop, registry: Registry, till: Path
) -> None:
    sell(till, (1, "2024-01-01 10:00:00", 5), (2, "2024-01-01 11:00:00", 5))
    assert [land(shop, registry, till) for _ in range(2)] == [2, 0]

    sell(till, (3, "2024-01-01 11:00:00", 5), (4, "2024-01-01 12:00:00", 5))
    assert [land(shop, registry, till) for _ in range(2)] == [2, 0]

    sell(till, (5, "2024-01-01 12:00:00", 1))
    assert [land(shop, registry, till) for _ in range(2)] == [1, 0]
    assert landed(shop, "sale") == [1, 2, 3, 4, 5]
    names = [path.name for path in sorted((shop.settings.home / "landed/shop/sale").glob("[!.]*"))]
    assert names[0] == "000001_2024-01-01-10-00-00_2024-01-01-11-00-00.parquet"


@pytest.mark.parametrize("when", ["before the cursor moves", "after it"])
def test_a_landing_that_dies_half_way_lands_nothing_twice_and_loses_nothing(
    shop: Shop, registry: Registry, till: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(till, (1, "2024-01-01 10:00:00", 5))
    move = registry.land

    def die(landing: object) -> None:
        if when == "after it":
            move(landing)  # type: ignore[arg-type]
        raise InterruptedError

    monkeypatch.setattr(registry, "land", die)
    with pytest.raises(InterruptedError):
        land(shop, registry, till)
    monkeypatch.undo()
    assert landed(shop, "sale") == []
    sell(till, (2, "2024-01-01 11:00:00", 5))

    land(shop, registry, till)

    assert landed(shop, "sale") == [1, 2]
    assert land(shop, registry, till) == 0


def test_rows_of_postgresql_are_landed_by_a_bigint(
    shop: Shop, registry: Registry, postgres: Postgres
) -> None:
    import psycopg

    libpq = postgres.database()
    with psycopg.connect(libpq, autocommit=True) as session:
        session.execute("CREATE TABLE sale (id text, at bigint)")
        session.execute("INSERT INTO sale VALUES ('1', 10), ('2', 20)")
        assert land(shop, registry, f"postgres:{libpq}") == 2
        session.execute("INSERT INTO sale VALUES ('3', 20), ('4', 30), ('5', NULL)")
        assert land(shop, registry, f"postgres:{libpq}") == 2
    assert landed(shop, "sale") == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({}, "neither TILL nor TILL_FILE is set"),
        ({"TILL": "mysql:host=x password=hunter2"}, "neither sqlite, duckdb nor postgres"),
        ({"TILL": "postgres:host=127.0.0.1 port=1 password=hunter2"}, "the database cannot be opened"),
        ({"TILL": "sqlite:/nowhere/till.db"}, "the file is not there"),
    ],
)
def test_a_database_that_does_not_answer_is_told_without_its_password(
    shop: Shop, registry: Registry, where: dict[str, str], words: str
) -> None:
    with pytest.raises(RowsUnreachable, match=words) as caught:
        land_rows(shop.settings, registry, "shop", source(shop, "sale"), where)

    assert "hunter2" not in str(caught.value)


def push(shop: Shop, registry: Registry, *ids: object) -> tuple[int, int]:
    body = "".join(json.dumps({"id": each, "page": "home"}) + "\n" for each in ids).encode()
    got = receive(shop.settings, registry, "shop", "click", body, NDJSON)
    return got.accepted, got.duplicates


def bundle(shop: Shop, registry: Registry, *, after: float = 60) -> int:
    """How many events were written to files."""
    now = datetime.now(UTC) + timedelta(seconds=after)
    return sum(each.rows for each in land_events(shop.settings, registry, "shop", source(shop, "click"), now))


def test_events_are_taken_once_and_bundled_by_number_and_by_time(shop: Shop, registry: Registry) -> None:
    assert push(shop, registry, 1, 2) == (2, 0)
    assert push(shop, registry, 2, 3, 4, 5) == (3, 1)

    assert bundle(shop, registry, after=0) == 3  # a full file; the rest waits for its time
    assert bundle(shop, registry) == 2
    assert push(shop, registry, 1, 5) == (0, 2)
    assert bundle(shop, registry) == 0
    assert landed(shop, "click") == [1, 2, 3, 4, 5]
    assert not list((shop.settings.home / "spool/shop/click").iterdir())


def test_events_survive_whoever_dies_between_their_number_and_their_file(
    shop: Shop, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(shop, registry, 1, 2)
    monkeypatch.setattr("mesh_assets.capabilities.publishing.landed_events._write", _die)
    with pytest.raises(InterruptedError):
        bundle(shop, registry)
    monkeypatch.undo()

    push(shop, registry, 3)
    bundle(shop, registry)

    assert landed(shop, "click") == [1, 2, 3]


def test_an_event_that_was_not_acknowledged_counts_when_it_is_sent_again(
    shop: Shop, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "take_events", _die)
    with pytest.raises(InterruptedError):
        push(shop, registry, 1)
    monkeypatch.undo()

    assert push(shop, registry, 1) == (1, 0)
    bundle(shop, registry)
    assert landed(shop, "click") == [1]


def _die(*_: object, **__: object) -> None:
    raise InterruptedError


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b'{"id": 1, "page": "a"}\n{"id": 2', NDJSON, "line 2 is no JSON"),
        (b'{"page": "a"}', "application/json", "event 1 has no `id`"),
        (
            b'[{"id": 1, "page": "a"}, {"id": 7}]',
            "application/json; charset=utf-8",
            r"event 2 \(7\) lacks page",
        ),
        (b"[1]", "application/json", "event 1 is no object"),
        (b'{"id": 1, "page": NaN}', "application/json", "NaN is no JSON"),
        (b'{"id": "\xe9"}', "application/json", "is not utf-8"),
        (b"", NDJSON, "there are none"),
        (b"id=1", "text/plain", "the content type is text/plain"),
    ],
)
def test_a_request_with_one_wrong_event_is_refused_whole(
    shop: Shop, registry: Registry, body: bytes, kind: str, words: str
) -> None:
    with pytest.raises(EventsRefused, match=words):
        receive(shop.settings, registry, "shop", "click", body, kind)

    assert bundle(shop, registry) == 0


@pytest.mark.parametrize(("domain", "name"), [("shop", "sale"), ("shop", "nothing"), ("../shop", "click")])
def test_only_a_source_of_events_takes_events(shop: Shop, registry: Registry, domain: str, name: str) -> None:
    with pytest.raises(UnknownSource, match="has no source"):
        receive(shop.settings, registry, domain, name, b'{"id": 1}', "application/json")


def test_rows_and_events_are_sources_like_files(
    shop: Shop, till: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_product(
        shop,
        "shop.visit",
        columns=(("id", "BIGINT"), ("amount", "BIGINT")),
        recipe="""-- source: sale
-- source: click
select sale.id::bigint as id, amount::bigint as amount from source.sale join source.click using (id)
""",
    )
    monkeypatch.setenv("TILL", f"sqlite:{till}")
    sell(till, (1, "2024-01-01 10:00:00", 5), (2, "2024-01-01 11:00:00", 6))
    with open_registry(shop.settings) as registry:
        push(shop, registry, 1, 2, 3)
        look = look_for_arrivals(shop.settings, registry, read_domain(shop.root / "domains/shop"))
    assert {each.source for each in look.decided} == {"sale", "click"}

    shop.build("shop.visit")

    assert shop.rows("shop.visit") == [(1, 5), (2, 6)]
