"""Object storage: requests, what they refuse, and lakes in a bucket. A real server, no stand-in."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mesh_assets.capabilities import lake
from mesh_assets.capabilities.lake import objects
from mesh_assets.capabilities.lake.credentials import Credentials, credentials, masked
from mesh_assets.capabilities.lake.extensions import open_objects
from mesh_assets.capabilities.lake.objects import Bucket
from mesh_assets.capabilities.lake.signing import EMPTY, signed
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.lake.upkeep import clean_up, leftovers
from mesh_assets.words.errors import SettingMalformed
from mesh_assets.words.settings import Settings, read_settings
from mesh_assets.words.stores import CredentialsMissing, LakeElsewhere, StoreRefused
from tests.objects import BUCKET, ObjectStore
from tests.unit.lake.conftest import ORDERS, stage

MB = 2**20


@pytest.fixture
def bucket(object_store: ObjectStore) -> Bucket:
    return Bucket(BUCKET, credentials(BUCKET, object_store.environment()))


@pytest.fixture
def home(object_store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Catalogs here, in SQLite; data in the bucket."""
    for name, value in object_store.environment().items():
        monkeypatch.setenv(name, value)
    return read_settings({"MESH_HOME": str(tmp_path / "home"), "MESH_DATA": object_store.prefix()})


def put(settings: Settings, query: str, run: str) -> lake.Committed:
    return lake.commit(settings, stage(settings, query, run), who="ann", extra={})


def test_a_request_is_signed_as_amazon_documents_it() -> None:
    """The example of the S3 API reference, "GET Object"."""
    by = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", "us-east-1", "")
    head = signed(
        by,
        "GET",
        host="examplebucket.s3.amazonaws.com",
        path="/test.txt",
        query="",
        headers={"Range": "bytes=0-9"},
        digest=EMPTY,
        now=datetime(2013, 5, 24, tzinfo=UTC),
    )

    assert head["authorization"].endswith(
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_a_key_may_come_from_a_file_and_what_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden\n")
    env = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY_FILE": str(tmp_path / "secret")}

    found = credentials("s3://b", env)

    assert found.secret == "hidden" and "hidden" not in repr(found)
    with pytest.raises(CredentialsMissing, match="AWS_SECRET_ACCESS_KEY"):
        credentials("s3://b", {"AWS_ACCESS_KEY_ID": "me"})
    with pytest.raises(SettingMalformed):
        credentials("s3://b", {**env, "AWS_ENDPOINT_URL_S3": "ftp://x"})


@pytest.mark.parametrize(
    "place", ["s3://Bucket", "s3://key:secret@bucket", "a/folder", "s3://b/../c", "s3://bu/a b"]
)
def test_a_place_that_is_none_is_refused_and_not_repeated_with_its_key(place: str) -> None:
    with pytest.raises(SettingMalformed) as told:
        read_settings({"MESH_DATA": place})

    assert "secret" not in str(told.value)


def test_what_another_program_says_of_a_key_is_masked() -> None:
    env = {"AWS_SECRET_ACCESS_KEY": "abcdefgh1234", "PGPASSWORD": "sesame-sesame"}

    assert (
        masked("CREATE SECRET 'abcdefgh1234' password=sesame-sesame", env)
        == "CREATE SECRET '***' password=***"
    )


@pytest.mark.objects
def test_a_large_file_goes_up_in_parts_and_is_copied_on_the_server(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PART", 5 * MB)
    monkeypatch.setattr(objects, "MOST_COPIED", 6 * MB)
    file = tmp_path / "large"
    file.write_bytes(os.urandom(12 * MB))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()

    bucket.put_file("large/it", file, digest)
    bucket.copy("large/it", "large/copy")

    for key in ("large/it", "large/copy"):
        found = bucket.head(key)
        assert found is not None and (found.bytes, found.digest) == (12 * MB, digest)
        assert hashlib.sha256(bucket.get(key) or b"").hexdigest() == digest


@pytest.mark.objects
def test_keys_of_any_characters_come_back_as_they_were(bucket: Bucket) -> None:
    keys = [f"names/{name}" for name in ("a b", "week=2024-01-01/x+y", "é", "per%cent", "q?a=1&b")]
    for key in keys:
        bucket.put(key, key.encode())

    assert sorted(found.key for found in bucket.below("names/")) == sorted(keys)
    assert all(bucket.get(key) == key.encode() for key in keys)


@pytest.mark.objects
def test_a_body_that_was_damaged_on_its_way_is_not_stored(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    import http.client

    send = http.client.HTTPConnection.request

    def damage(connection, method, url, body=None, headers=None, **more):  # type: ignore[no-untyped-def]
        send(connection, method, url, body=body and b"X" + body[1:], headers=headers or {}, **more)

    monkeypatch.setattr(http.client.HTTPConnection, "request", damage)

    with pytest.raises(StoreRefused):
        bucket.put("damaged", b"content")

    assert bucket.head("damaged") is None


@pytest.mark.objects
def test_a_wrong_key_is_told_by_both_readers_and_shown_by_none(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = put(home, "SELECT 1 AS id", "run1").snapshot
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-wrong-wrong")

    with pytest.raises(StoreRefused) as by_us:
        put(home, "SELECT 2 AS id", "run2")
    with lake.connect(home) as connection, pytest.raises(Exception, match="403") as by_duckdb:
        lake.relation(connection, home, ORDERS, snapshot).fetchall()

    assert "wrong-wrong" not in str(by_us.value) + str(by_duckdb.value)


@pytest.mark.objects
def test_duckdb_keeps_the_key_in_memory_and_shows_it_to_no_query(home: Settings) -> None:
    with lake.connect(home) as connection:
        open_objects(connection)
        told = connection.execute("SELECT persistent, secret_string FROM duckdb_secrets()").fetchall()

    assert [persistent for persistent, _ in told] == [False]
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in str(told)


@pytest.mark.objects
def test_a_run_that_sends_its_file_again_sends_nothing_and_writes_over_nothing(home: Settings) -> None:
    first = put(home, "SELECT 1 AS id", "run1")
    folder = lake.lake_of(home, "shop").table_folder(ORDERS)
    sent = list(store_at(folder).below(folder))

    again = put(home, "SELECT 1 AS id", "run1")

    assert again.snapshot == first.snapshot
    assert list(store_at(folder).below(folder)) == sent


@pytest.mark.objects
def test_an_upload_that_nobody_finished_is_found_and_given_up_past_its_grace(home: Settings) -> None:
    put(home, "SELECT 1 AS id", "run1")
    place = lake.lake_of(home, "shop")
    name, _, prefix = place.data.removeprefix("s3://").partition("/")
    bucket = Bucket(name, credentials(name))
    bucket._begin(f"{prefix}/shop/orders/half.parquet", "")
    later = datetime.now(UTC) + timedelta(days=2)

    assert leftovers(home, "shop") == []
    assert [file.path for file in leftovers(home, "shop", now=later)] == [
        f"{place.data}/shop/orders/half.parquet"
    ]
    clean_up(home, "shop", who="ann", now=later)

    assert list(bucket.unfinished(f"{prefix}/")) == []


@pytest.mark.objects
def test_a_lake_stays_where_it_was_made_when_the_settings_change(
    home: Settings, object_store: ObjectStore, tmp_path: Path
) -> None:
    put(home, "SELECT 1 AS id", "run1")
    elsewhere = read_settings({"MESH_HOME": str(home.home), "MESH_DATA_SHOP": object_store.prefix()})
    stranger = read_settings({"MESH_HOME": str(home.home)})
    assert lake.lake_of(elsewhere, "shop") == lake.lake_of(stranger, "shop") == lake.lake_of(home, "shop")

    lake.lake_of(home, "shop").record.unlink()  # a home that does not know it yet

    with pytest.raises(LakeElsewhere, match=f"MESH_DATA_SHOP={home.data}"):
        lake.files(elsewhere, ORDERS, 1)


@pytest.mark.objects
def test_each_domain_may_have_a_place_of_its_own(home: Settings, object_store: ObjectStore) -> None:
    own = object_store.prefix()
    settings = read_settings(
        {"MESH_HOME": str(home.home), "MESH_DATA_SHOP": own, "MESH_DATA_BRAND_ANALYTICS": "local"}
    )

    assert lake.lake_of(settings, "shop").data == f"{own}/shop/data"
    assert lake.lake_of(settings, "brand_analytics").data == str(home.home / "lakes/brand_analytics/data")
