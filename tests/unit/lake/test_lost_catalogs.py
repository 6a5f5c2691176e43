"""A catalog's server that goes away: one clear error, old data intact, and the next attempt goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from mesh_assets.capabilities import lake
from mesh_assets.words.stores import CatalogLost
from tests.cable import cable_to
from tests.unit.lake.conftest import ORDERS, stage

#: Ends every session of this database but the one that asks.
ALL_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
#: Ends the session that writes a snapshot, in the middle of its transaction.
WRITER = """
CREATE FUNCTION public.gone() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NEW; END $$;
CREATE TRIGGER gone BEFORE INSERT ON lake_shop.ducklake_snapshot FOR EACH ROW EXECUTE FUNCTION public.gone();
"""

pytestmark = pytest.mark.parametrize(
    "settings", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


def libpq(settings) -> str:
    return settings.catalog.removeprefix("postgres:")


@contextmanager
def losing_writers(settings) -> Iterator[None]:
    with psycopg.connect(libpq(settings), autocommit=True) as session:
        session.execute(WRITER.encode())
        yield
        session.execute("DROP FUNCTION public.gone CASCADE")


def test_a_connection_lost_before_the_transaction_is_made_anew(settings, committed, rows):
    committed("SELECT 1 AS id", "first")

    def lose() -> None:
        with psycopg.connect(libpq(settings), autocommit=True) as session:
            session.execute(ALL_SESSIONS)

    draft = stage(settings, "SELECT 2 AS id", "second")
    done = lake.commit(settings, draft, who="ann", extra={}, guard=lose)

    assert rows(done.snapshot) == [(2,)]
    assert len(lake.files(settings, ORDERS, done.snapshot)) == 1


def test_a_connection_lost_in_the_transaction_leaves_nothing_of_it(settings, committed, rows):
    first = committed("SELECT 1 AS id", "first")
    draft = stage(settings, "SELECT 2 AS id", "second")

    with losing_writers(settings), pytest.raises(CatalogLost):
        lake.commit(settings, draft, who="ann", extra={})

    assert rows(first.snapshot) == [(1,)]
    again = lake.commit(settings, stage(settings, "SELECT 2 AS id", "second"), who="ann", extra={})
    assert again.snapshot == first.snapshot + 1
    assert rows(again.snapshot) == [(2,)]


def test_a_server_that_is_not_there_is_told(settings, tmp_path):
    away = replace(settings, catalog=f"postgres:host={tmp_path} dbname=none user=mesh")

    with pytest.raises(CatalogLost, match="shop"):
        lake.files(away, ORDERS, 1)


def test_a_network_that_is_cut_during_a_commit_leaves_one_of_it(settings, postgres, committed, rows):
    first = committed("SELECT 1 AS id", "first")
    with cable_to(postgres.folder) as cable:
        there = settings.catalog.replace(str(postgres.folder), str(cable.folder))
        far = replace(settings, catalog=there)
        with pytest.raises(CatalogLost, match="Run it again"):
            lake.commit(far, stage(far, "SELECT 2 AS id", "second"), who="ann", extra={}, guard=cable.cut)
        cable.mend()
        again = lake.commit(far, stage(far, "SELECT 2 AS id", "second"), who="ann", extra={})

    assert again.snapshot == first.snapshot + 1
    assert rows(first.snapshot) == [(1,)] and rows(again.snapshot) == [(2,)]
