"""What `mesh lake check` finds, and what it mends."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from mesh_assets.capabilities.lake import commit, connect, lake_of, stage
from mesh_assets.capabilities.lake.manifest import manifest_file
from mesh_assets.capabilities.lake.upkeep import logged
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.upkeep.check import Kind
from mesh_assets.words.stores import CatalogDamaged
from mesh_assets.words.versions import BuildOutcome
from tests.shop import ORDERS, ORDERS_NAME, Shop
from tests.stores import Held, held, on_every_store
from tests.unit.upkeep.keeping import findings, kinds, later, mend, publish


def file_of(shop: Shop, run: str) -> Held:
    return held(shop.settings, ORDERS_NAME, run)


def manifest_of(shop: Shop, run: str) -> Held:
    return Held(manifest_file(shop.settings, ORDERS_NAME, run))


@on_every_store("shop")
def test_a_lake_that_is_whole_has_no_findings(shop: Shop) -> None:
    publish(shop, 2)

    assert kinds(shop, deep=True) == []


@on_every_store("shop")
def test_a_lost_file_is_found_with_the_versions_that_miss_it(shop: Shop) -> None:
    publish(shop, 2)
    file_of(shop, "run-1").remove()

    (found,) = findings(shop, deep=True)

    assert (found.kind, found.number, found.safe) == (Kind.FILE_MISSING, 1, False)
    assert "Readers see a later version" in found.remedy


@on_every_store("shop")
def test_a_file_that_was_cut_off_is_found_by_its_size(shop: Shop) -> None:
    publish(shop, 1)
    path = file_of(shop, "run-1")
    path.write(path.read()[:-20])

    assert kinds(shop) == [Kind.FILE_CHANGED]


@on_every_store("shop")
def test_only_a_deep_look_finds_other_bytes_of_the_same_size(shop: Shop) -> None:
    """Counts, least and greatest are answered from statistics; reading a column tells."""
    publish(shop, 1)
    path = file_of(shop, "run-1")
    data = bytearray(path.read())
    data[4:40] = bytes(36)
    path.write(bytes(data))

    assert kinds(shop) == []
    assert kinds(shop, deep=True) == [Kind.CONTENT_DIFFERS]


@on_every_store("shop")
def test_a_leftover_is_removed_past_its_grace_and_logged(shop: Shop) -> None:
    publish(shop, 1)
    stray = file_of(shop, "dead-run")
    stray.write(b"half")

    assert kinds(shop) == []
    assert kinds(shop, now=later(days=2)) == [Kind.LEFTOVER]
    assert any("deleted" in action for action in mend(shop, now=later(days=2)))

    assert not stray.exists()
    line = list(logged(shop.settings, "shop"))[-1]
    assert (line["who"], line["file"], line["bytes"]) == ("tester", "data/shop/orders/dead-run.parquet", 4)
    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]


def test_a_commit_that_was_never_released_is_expired_when_nobody_can_release_it(shop: Shop) -> None:
    publish(shop, 1)
    query = "select 9::bigint as order_id, 90::bigint as amount"
    with connect(shop.settings) as connection:
        draft = stage(connection, query, product=ORDERS_NAME, run_id="died", settings=shop.settings)
        commit(shop.settings, draft, who="tester", extra={})
    shop.deliver(ORDERS + "3,30\n")
    shop.build("shop.orders", run_id="run-2")

    assert kinds(shop) == []
    assert kinds(shop, now=later(days=2)) == [Kind.NEVER_RELEASED]
    assert "never released" in mend(shop, now=later(days=2))[0]

    assert kinds(shop, now=later(days=2)) == []
    assert shop.rows("shop.orders", version=1) == [(1, 10), (2, 20)]


@pytest.mark.parametrize("damage", ["lost", "changed", "garbled", "unstamped"])
def test_a_manifest_is_written_again_from_the_registry(shop: Shop, damage: str) -> None:
    publish(shop, 1)
    path = manifest_of(shop, "run-1")
    before = path.read().decode()
    document = json.loads(before)
    if damage == "lost":
        path.remove()
    elif damage == "changed":
        path.write(json.dumps({**document, "rows": 7}).encode())
    elif damage == "garbled":
        path.write(b"{")
    else:
        path.write(json.dumps({**document, "number": None, "published": None}).encode())

    assert kinds(shop) == [Kind.MANIFEST_LOST if damage == "lost" else Kind.MANIFEST_DIFFERS]
    mend(shop)

    assert path.read().decode() == before


def test_a_registry_that_lost_a_row_is_told_by_the_manifest(shop: Shop) -> None:
    from sqlalchemy import text

    publish(shop, 2)
    with open_registry(shop.settings) as registry, registry.writing() as connection:
        connection.execute(text("update version set rows = 9 where number = 1"))
        certificate = connection.scalar(text("select certificate from version where number = 1"))
        edited = {**json.loads(certificate), "rows": 9}
        connection.execute(
            text("update version set certificate = :told where number = 1"), {"told": json.dumps(edited)}
        )

    found = kinds(shop)

    assert Kind.CERTIFICATE_DIFFERS in found


def test_every_version_is_back_after_the_registry_was_deleted(shop: Shop) -> None:
    if shop.more:
        pytest.skip("a PostgreSQL registry is restored by PostgreSQL's own means, or as below")
    publish(shop, 3)
    with open_registry(shop.settings) as registry:
        before = registry.versions(ORDERS_NAME)
    for path in (shop.root / ".mesh").glob("registry.sqlite*"):
        path.unlink()

    assert kinds(shop) == [Kind.REGISTRY_INCOMPLETE] * 3
    mend(shop)

    with open_registry(shop.settings) as registry:
        assert registry.versions(ORDERS_NAME) == before
    assert [len(shop.rows("shop.orders", version=number)) for number in (1, 2, 3)] == [2, 3, 4]
    assert shop.head("shop.orders") == 3
    assert shop.build("shop.orders", run_id="run-9").record.outcome is BuildOutcome.UNCHANGED
    assert kinds(shop, deep=True) == []


def test_every_version_is_back_in_an_empty_registry(shop: Shop) -> None:
    from mesh_assets.capabilities.registry.tables import METADATA

    publish(shop, 2)
    with open_registry(shop.settings) as registry:
        before = registry.versions(ORDERS_NAME)
        with registry.writing() as connection:
            METADATA.drop_all(connection)

    mend(shop)

    with open_registry(shop.settings) as registry:
        assert registry.versions(ORDERS_NAME) == before
        assert [each.moved for each in registry.releases()] == [
            {ORDERS_NAME: (1, 2)},
            {ORDERS_NAME: (None, 1)},
        ]
    assert shop.build("shop.orders", run_id="run-9").record.outcome is BuildOutcome.UNCHANGED


def test_a_pin_on_a_version_that_is_gone_is_told(shop: Shop) -> None:
    publish(shop, 2)
    with open_registry(shop.settings) as registry:
        registry.keep("study", ORDERS_NAME, 1)
    from mesh_assets.capabilities.lake.upkeep import expire_snapshots

    with open_registry(shop.settings) as registry:
        snapshot = registry.version(ORDERS_NAME, 1).snapshot
    expire_snapshots(shop.settings, "shop", [snapshot], who="a careless person")

    gone, pin = findings(shop)

    assert (gone.kind, pin.kind) == (Kind.VERSION_GONE, Kind.PIN_ON_NOTHING)
    assert "which a careless person expired" in gone.told
    assert "study keeps shop.orders version 1" in pin.told


def test_a_catalog_made_anew_gives_nobody_other_rows_for_a_version_that_it_lost(shop: Shop) -> None:
    publish(shop, 3)
    lose_catalog(shop)

    for number in (4, 5, 6, 7):
        shop.deliver(f"{ORDERS}{number},{number}\n")
        shop.build("shop.orders", run_id=f"run-{number}", force=True)

    assert len(shop.rows("shop.orders")) == 3
    for number in (1, 2, 3):
        with pytest.raises(CatalogDamaged, match=r"no snapshot [1-9]"):
            shop.rows("shop.orders", number)
    lost = {each.number for each in findings(shop) if each.kind is Kind.VERSION_GONE}
    assert lost == {1, 2, 3}


def lose_catalog(shop: Shop) -> None:
    place = lake_of(shop.settings, "shop")
    if place.postgres:
        with psycopg.connect(place.postgres, autocommit=True) as session:
            session.execute(f"DROP SCHEMA {place.metadata_schema} CASCADE".encode())
        with pytest.raises(CatalogDamaged, match="rename lakes/shop/data"):
            shop.rows("shop.orders")
        Path(place.data).rename(f"{place.data}.lost")
    else:
        for each in place.folder.glob("catalog.sqlite*"):
            each.unlink()
