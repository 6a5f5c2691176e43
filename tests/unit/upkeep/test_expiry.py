"""Versions go when their retention is over and nobody has a right to them, and not before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import duckdb
import pytest
from sqlalchemy import text

from mesh_assets.capabilities.lake import Handle, commit_lock, connect, lake_of, relation_sql
from mesh_assets.capabilities.lake.ledger import open_ledger
from mesh_assets.capabilities.lake.upkeep import clean_up, leftovers, logged
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.upkeep.check import Kind
from mesh_assets.words.errors import GraceTooShort, RegistryIncomplete, VersionExpired
from mesh_assets.words.versions import BuildOutcome
from tests.shop import ORDERS_NAME, Shop
from tests.stores import FILES, held, on_every_store
from tests.unit.upkeep.keeping import expire, keep, kinds, later, publish


def gone(shop: Shop) -> list[int]:
    with open_registry(shop.settings) as registry:
        return sorted(each.number for each in registry.versions(ORDERS_NAME) if each.expired)


def test_versions_past_their_retention_go_and_the_others_stay(shop: Shop) -> None:
    keep(shop, "{versions: 2}")
    publish(shop, 4)

    expire(shop)

    assert gone(shop) == [1, 2]
    assert [len(shop.rows("shop.orders", version=number)) for number in (3, 4)] == [4, 5]
    assert kinds(shop, deep=True) == []


def test_nothing_goes_before_its_days_are_over(shop: Shop) -> None:
    keep(shop, "{versions: 2, days: 40}")
    publish(shop, 3)

    expire(shop, later(days=39))
    assert gone(shop) == []

    expire(shop, later(days=41))
    assert gone(shop) == [1]


def test_the_default_keeps_ten_versions_for_ever_and_all_for_thirty_days(shop: Shop) -> None:
    publish(shop, 3)

    expire(shop)

    assert gone(shop) == []


def test_pinned_and_tagged_versions_and_heads_stay(shop: Shop) -> None:
    keep(shop, "{versions: 2}")
    publish(shop, 5)
    with open_registry(shop.settings) as registry:
        registry.keep("study", ORDERS_NAME, 1)
        registry.tag(ORDERS_NAME, 2, "spring", who="tester")

    expire(shop)

    assert gone(shop) == [3]
    assert len(shop.rows("shop.orders", version=1)) == 2


@on_every_store("shop")
def test_files_go_a_grace_after_their_versions_and_each_is_in_the_log(shop: Shop) -> None:
    keep(shop, "{versions: 2}")
    publish(shop, 3)

    # Marked now, by the catalog's own clock; so it is a day from now that they may go.
    at_once = expire(shop, later(days=0.9))
    assert at_once.versions == () and at_once.files == ()
    first = expire(shop, later(days=1.1))
    assert [each.version.number for each in first.versions] == [1]
    assert first.bytes_reclaimed == first.versions[0].bytes > 0

    assert not held(shop.settings, ORDERS_NAME, "run-1").exists()
    assert [line["what"] for line in logged(shop.settings, "shop")] == ["expired", "deleted"]


def test_an_expired_version_is_one_clear_error_and_keeps_its_certificate(shop: Shop) -> None:
    keep(shop, "{versions: 2}")
    publish(shop, 3)
    expire(shop)

    with open_registry(shop.settings) as registry:
        version = registry.find(ORDERS_NAME, "1")
        assert version.certificate.rows == 2
        with pytest.raises(VersionExpired, match=r"version 1 was expired on \d{4}-\d\d-\d\d"):
            version.readable()
        with pytest.raises(VersionExpired):
            registry.keep("study", ORDERS_NAME, 1)


def test_builds_go_on_after_an_expiry(shop: Shop) -> None:
    keep(shop, "{versions: 2}")
    publish(shop, 3)
    expire(shop)

    assert shop.build("shop.orders", run_id="again").record.outcome is BuildOutcome.UNCHANGED
    shop.deliver("order_id,amount\n7,70\n")
    assert shop.build("shop.orders", run_id="more").record.outcome is BuildOutcome.PUBLISHED
    assert shop.rows("shop.orders") == [(7, 70)]


def test_an_expiry_that_died_after_the_registry_goes_on(shop: Shop) -> None:
    keep(shop, "{versions: 2}")
    publish(shop, 3)
    with open_registry(shop.settings) as registry:
        registry.expire({ORDERS_NAME: [1]}, who="one who died")

    expire(shop)

    assert not held(shop.settings, ORDERS_NAME, "run-1").exists()
    assert kinds(shop) == []


def test_nothing_is_expired_under_a_registry_that_has_lost_versions(shop: Shop) -> None:
    from mesh_assets.capabilities.registry.tables import METADATA

    publish(shop, 3)
    with open_registry(shop.settings) as registry, registry.writing() as connection:
        METADATA.drop_all(connection)

    with pytest.raises(RegistryIncomplete, match="3 released versions"):
        expire(shop)

    assert leftovers(shop.settings, "shop", now=later()) == []


def test_a_reader_of_an_expired_version_is_told_and_gets_no_empty_table(shop: Shop) -> None:
    keep(shop, "{versions: 2}")
    publish(shop, 3)
    with handle_of(shop, 1) as handle:
        assert len(handle.relation.fetchall()) == 2
        expire(shop, later(days=0.9))
        assert len(handle.relation.fetchall()) == 2
        expire(shop, later(days=1.05))

        with pytest.raises(duckdb.Error, match=r"No files found that match .*run-1"):
            handle.relation.fetchall()


def test_a_pinned_version_stays_in_a_transaction_that_stands_in_it(shop: Shop) -> None:
    """Without the pin an open transaction on SQLite gets no rows and no error (DuckLake 1.5.5)."""
    keep(shop, "{versions: 2}")
    publish(shop, 3)
    with open_registry(shop.settings) as registry:
        registry.keep("study", ORDERS_NAME, 1)
    with handle_of(shop, 1) as handle:
        handle.connection.execute("BEGIN")
        assert len(handle.relation.fetchall()) == 2

        expire(shop)

        assert len(handle.relation.filter("amount > 0").fetchall()) == 2


@pytest.mark.parametrize("shop", [FILES], indirect=True)
def test_who_stands_in_a_version_that_was_shown_today_reads_on_through_the_catalog(shop: Shop) -> None:
    """An unpinned transaction of one's own: a version goes a day after a newer one came, at the earliest."""
    keep(shop, "{versions: 2}")
    publish(shop, 1)
    with open_registry(shop.settings) as registry:
        first = registry.version(ORDERS_NAME, 1)
    with closing(connect(shop.settings)) as reader:
        query = relation_sql(reader, shop.settings, ORDERS_NAME, first.snapshot)
        reader.execute("BEGIN")
        assert len(reader.execute(query).fetchall()) == 2
        publish(shop, 3)

        assert [each.version.number for each in expire(shop, later(days=0.99)).versions] == []
        assert len(reader.execute(query).fetchall()) == 2
        reader.execute("COMMIT")

    expire(shop, later(days=1.01))
    assert gone(shop) == [1]


@contextmanager
def handle_of(shop: Shop, number: int) -> Iterator[Handle]:
    with open_registry(shop.settings) as registry:
        version = registry.version(ORDERS_NAME, number)
    with closing(Handle(shop.settings, ORDERS_NAME, number=number, snapshot=version.snapshot)) as handle:
        yield handle


@on_every_store("shop")
def test_clean_up_takes_nothing_that_is_young(shop: Shop) -> None:
    """A writer's file has no line in the catalog between its renaming and its COMMIT."""
    publish(shop, 1)
    young = held(shop.settings, ORDERS_NAME, "run-2")
    young.write(b"on its way")

    assert clean_up(shop.settings, "shop", who="tester") == []
    assert young.exists()
    with pytest.raises(GraceTooShort):
        clean_up(shop.settings, "shop", who="tester", grace=timedelta(0))


def test_clean_up_waits_for_a_commit(shop: Shop) -> None:
    """A file that is linked for a commit has the age of the one that it was linked from."""
    if shop.settings.data:
        pytest.skip("objects are not linked, and their age is the server's to say")
    publish(shop, 1)
    place = lake_of(shop.settings, "shop")
    old = Path(place.data, "shop/orders/linked.parquet")
    old.write_bytes(b"linked a moment ago")
    os.utime(old, (0, 0))
    with ThreadPoolExecutor() as pool:
        with commit_lock(shop.settings, place):
            cleaning = pool.submit(clean_up, shop.settings, "shop", who="tester")
            with pytest.raises(TimeoutError):
                cleaning.result(timeout=1)
            assert old.exists()
        assert [file.path for file in cleaning.result()] == [str(old)]


@on_every_store("shop")
def test_clean_up_beside_a_writer_takes_no_file_of_its_versions(shop: Shop) -> None:
    """As if every file were a year old: what `cleanup_all` would do, but under the lock. A bucket's files are
    there before the lock is had, and the grace alone keeps them.
    """
    publish(shop, 1)
    done, in_bucket = Event(), lake_of(shop.settings, "shop").data.startswith("s3://")

    def clean() -> None:
        while not done.is_set():
            clean_up(shop.settings, "shop", who="tester", now=datetime.now(UTC) if in_bucket else later())

    with ThreadPoolExecutor() as pool:
        cleaning = pool.submit(clean)
        try:
            for number in range(2, 7):
                shop.deliver(f"order_id,amount\n{number},10\n")
                shop.build("shop.orders", run_id=f"run-{number}")
        finally:
            done.set()
        cleaning.result()

    assert [shop.rows("shop.orders", version=number) for number in range(2, 7)] == [
        [(number, 10)] for number in range(2, 7)
    ]
    assert kinds(shop, deep=True) == []


def test_a_file_cannot_be_registered_twice_unseen(shop: Shop) -> None:
    """DuckLake takes the same file twice and doubles its rows; the certificate says otherwise."""
    publish(shop, 1)
    with closing(connect(shop.settings)) as connection:
        ledger = open_ledger(connection, shop.settings, "shop", read_only=False)
        (path,) = ledger.files(ORDERS_NAME, ledger.current_snapshot())
        connection.execute(
            f"CALL ducklake_add_data_files('{ledger.alias}', 'orders', ['{path}'], schema => 'shop')"
        )
        doubled = ledger.current_snapshot()
    with open_registry(shop.settings) as registry, registry.writing() as writing:
        writing.execute(text("update version set snapshot = :there"), {"there": doubled})

    assert Kind.CERTIFICATE_DIFFERS in kinds(shop)
    assert Kind.CONTENT_DIFFERS in kinds(shop, deep=True)
