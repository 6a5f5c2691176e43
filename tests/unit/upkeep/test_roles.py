"""Roles that may no more than they must, tried on a real PostgreSQL and a real bucket."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from mesh_assets.capabilities.lake import commit, connect, stage
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.registry.tables import METADATA
from mesh_assets.capabilities.upkeep.policies import policies
from mesh_assets.capabilities.upkeep.roles import NOT_FOR_WRITERS, grant, orders, own_rows
from mesh_assets.words.names import ProductName
from mesh_assets.words.stores import CannotGrant, NotAllowed, StoreRefused
from tests.objects import BUCKET, ObjectStore
from tests.postgres import Postgres
from tests.shop import ORDERS, ORDERS_NAME, Shop, make_shop

DOMAINS = ("shop", "books")
REVENUE = ProductName("books", "revenue")

pytestmark = pytest.mark.postgres


@pytest.fixture
def granted(postgres: Postgres, tmp_path: Path) -> Shop:
    """A shop in PostgreSQL with its roles, built once by the owner."""
    shop = make_shop(tmp_path, **environment(postgres, postgres.database(), "mesh"))
    shop.build("shop.orders")
    shop.build("books.revenue", run_id="run-b")
    grant(shop.settings, DOMAINS)
    return shop


def environment(postgres: Postgres, database: str, user: str) -> dict[str, str]:
    libpq = database.replace("user=mesh", f"user={user}")
    url = postgres.url(database).replace("mesh@", f"{user}@")
    return {"MESH_REGISTRY": url, "MESH_CATALOG": f"postgres:{libpq}"}


def person(postgres: Postgres, shop: Shop, name: str, role: str) -> Shop:
    """The same shop, seen by somebody who logs in and is granted a role."""
    database = shop.settings.catalog.removeprefix("postgres:")
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(f"DROP ROLE IF EXISTS {name}")
        session.execute(f"CREATE ROLE {name} LOGIN")
        session.execute(f"GRANT {role} TO {name}")
    return Shop(shop.root, environment(postgres, database, name))


def test_a_writer_publishes_its_own_domain_and_reads_all(postgres: Postgres, granted: Shop) -> None:
    ann = person(postgres, granted, "ann", "mesh_writer_shop")
    ann.deliver(ORDERS + "3,30\n")

    built = ann.build("shop.orders", run_id="run-2")

    assert built.version is not None and built.version.number == 2
    assert ann.rows("books.revenue") == granted.rows("books.revenue")


def test_a_writer_cannot_write_another_domains_lake(postgres: Postgres, granted: Shop) -> None:
    ann = person(postgres, granted, "ann", "mesh_writer_shop")
    query = "select 9::bigint as order_count, 9::decimal(38,0) as revenue"
    with connect(ann.settings) as connection:
        draft = stage(connection, query, product=REVENUE, run_id="evil", settings=ann.settings)

    with pytest.raises(NotAllowed, match="books"):
        commit(ann.settings, draft, who="ann", extra={})

    assert granted.head("books.revenue") == 1


FORBIDDEN = (
    "INSERT INTO version SELECT product, 7, snapshot, fingerprint, rows, contract_version, 'x', published, "
    "certificate FROM version WHERE product = 'books.revenue'",
    "INSERT INTO tag (product, name, number, who, tagged) VALUES ('books.revenue', 'x', 1, 'ann', now())",
    "INSERT INTO pin (holder, product, number, pinned) VALUES ('run 1 books.x', 'books.revenue', 1, now())",
    "INSERT INTO build (product, run_id, outcome, started, seconds, passed, warned, failed, message, details)"
    " VALUES ('books.revenue', 'x', 'failed', now(), 0, 0, 0, 0, '', '{}')",
    "UPDATE version SET rows = 0",
    "DELETE FROM version",
    "INSERT INTO expiry (product, number, expired, who) VALUES ('shop.orders', 1, now(), 'ann')",
    # A release without anything in it, and something of one's own in what others released.
    "INSERT INTO release (environment, run_id, who, released, reads) "
    "VALUES ('prod', 'x', 'ann', now(), '{}')",
    "INSERT INTO release_item SELECT release_id, 'shop.orders', 1, NULL FROM release_item "
    "WHERE product = 'books.revenue'",
    # An order that names nothing, and one for another domain.
    "INSERT INTO mesh_run (id, request, journey, who, state, started) "
    "VALUES ('x', '{}', '', 'ann', 'running', now())",
    "WITH x AS (INSERT INTO mesh_run (id, request, journey, who, state, started) "
    "VALUES ('y', '{}', '', 'ann', 'running', now()) RETURNING id) "
    "INSERT INTO mesh_run_item (order_id, product, position) SELECT id, 'books.revenue', 0 FROM x",
    "INSERT INTO fence (product, promotion, kitchen, commit) VALUES ('shop.orders', 1, 'x', 'x')",
    "INSERT INTO event_batch (number, began, rows) VALUES (1, now(), 0)",
    "INSERT INTO log_cursor (name, position) VALUES ('x', 1)",
)


def test_a_writer_cannot_touch_the_registry_of_another_domain_or_the_past(
    postgres: Postgres, granted: Shop
) -> None:
    ann = person(postgres, granted, "ann", "mesh_writer_shop")

    with psycopg.connect(ann.settings.catalog.removeprefix("postgres:"), autocommit=True) as session:
        for statement in FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement.encode())
                pytest.fail(f"it could: {statement}")


def test_a_head_of_another_domain_does_not_move(postgres: Postgres, granted: Shop) -> None:
    ann = person(postgres, granted, "ann", "mesh_writer_shop")
    with psycopg.connect(ann.settings.catalog.removeprefix("postgres:")) as session:
        moved = session.execute("UPDATE head SET number = 1 WHERE product = 'books.revenue'").rowcount
        seen = session.execute("SELECT count(*) FROM head").fetchone()

    assert (moved, seen) == (0, (2,))


def test_a_reader_reads_and_builds_nothing(postgres: Postgres, granted: Shop) -> None:
    bob = person(postgres, granted, "bob", "mesh_reader")
    assert bob.rows("shop.orders") == [(1, 10), (2, 20)]

    with pytest.raises(NotAllowed):
        with connect(bob.settings) as connection:
            draft = stage(
                connection, "select 1 as order_id", product=ORDERS_NAME, run_id="b", settings=bob.settings
            )
        commit(bob.settings, draft, who="bob", extra={})


def test_granting_again_changes_nothing_and_tells_no_password(granted: Shop) -> None:
    def rights() -> list[tuple[object, ...]]:
        with open_registry(granted.settings) as registry, registry.reading() as connection:
            policies = connection.execute(
                text("SELECT tablename, policyname, qual FROM pg_policies ORDER BY 1, 2")
            )
            return [tuple(row) for row in policies]

    before = rights()
    done = grant(granted.settings, DOMAINS)

    assert rights() == before
    assert "password" not in str(done).lower()
    assert [order.statements for order in orders(granted.settings, DOMAINS)] == [o.statements for o in done]


def test_every_table_of_the_registry_is_thought_of() -> None:
    """A table that a writer must write, and that has neither product nor domain, needs a rule in roles.py."""
    missing = [name for name in METADATA.tables if not own_rows(name, "shop")]

    assert set(missing) == set(NOT_FOR_WRITERS)


def test_sqlite_has_no_roles_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotGrant, match="sqlite"):
        grant(make_shop(tmp_path).settings, DOMAINS)


@pytest.mark.objects
def test_a_key_of_one_domain_cannot_write_another_domains_bucket_folder(
    postgres: Postgres, object_store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server of the tests takes rights by folder, not policies: the same rights, in its own words."""
    place = f"s3://{BUCKET}/granted"
    shop = make_shop(tmp_path, **environment(postgres, postgres.database(), "mesh"), MESH_DATA=place)
    for name, value in object_store.environment("shop").items():
        monkeypatch.setenv(name, value)
    shop.build("shop.orders")

    with pytest.raises(StoreRefused, match="AccessDenied"):
        shop.build("books.revenue")

    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]
    writer = policies(shop.settings, DOMAINS)["mesh_writer_shop"]["Statement"]
    puts = [each["Resource"] for each in writer if "s3:PutObject" in each["Action"]]
    assert puts == [[f"arn:aws:s3:::{BUCKET}/granted/shop/*"]]
