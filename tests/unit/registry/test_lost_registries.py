"""A registry whose server goes away: tried again where that is safe, else one clear error."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from mesh_assets.capabilities.registry import Registry, lost, open_registry
from mesh_assets.words.settings import Settings, read_settings
from mesh_assets.words.stores import RegistryLost
from tests.cable import Cable, cable_to
from tests.postgres import Postgres
from tests.unit.registry.conftest import ORDERS, release

pytestmark = pytest.mark.postgres


@pytest.fixture
def cable(postgres: Postgres) -> Iterator[Cable]:
    with cable_to(postgres.folder) as cable:
        yield cable


@pytest.fixture
def away(cable: Cable, postgres: Postgres, tmp_path: Path) -> Settings:
    """Settings whose registry is at the other end of the cable."""
    url = postgres.url(postgres.database()).replace(str(postgres.folder), str(cable.folder))
    return read_settings({"MESH_HOME": str(tmp_path / "home"), "MESH_REGISTRY": url})


@pytest.fixture
def registry(away: Settings) -> Iterator[Registry]:
    with open_registry(away) as registry:
        yield registry


def impatient(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lost, "RESTART", 0.0)


class Mends(logging.Handler):
    """Mends the cable as soon as somebody says that nobody answers."""

    def __init__(self, cable: Cable) -> None:
        super().__init__()
        self.cable, self.told = cable, 0

    def emit(self, record: logging.LogRecord) -> None:
        self.told += 1
        self.cable.mend()


def test_a_connection_that_died_idle_is_made_anew(registry: Registry, cable: Cable) -> None:
    release(registry, "run1", ORDERS)
    cable.cut()
    cable.mend()

    assert registry.heads() == {ORDERS: 1}


def test_a_server_that_is_started_again_is_waited_for(registry: Registry, cable: Cable) -> None:
    handler = Mends(cable)
    lost.LOG.addHandler(handler)
    try:
        cable.cut()
        assert release(registry, "run1", ORDERS) == [1]
    finally:
        lost.LOG.removeHandler(handler)

    assert handler.told == 1


def test_a_cut_in_the_middle_is_told_and_leaves_nothing(
    registry: Registry, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(registry, "run1", ORDERS)
    impatient(monkeypatch)

    with pytest.raises(RegistryLost, match="MESH_REGISTRY"), registry.writing() as connection:
        connection.execute(text("DELETE FROM head"))
        cable.cut()
        connection.execute(text("DELETE FROM release_item"))

    cable.mend()
    assert registry.heads() == {ORDERS: 1}


#: Ends the session that releases, the first time; a sequence counts through rollbacks.
ENDS_ONCE = """
CREATE SEQUENCE times;
CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('times') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); END IF;
  RETURN NEW; END $$;
CREATE TRIGGER gone BEFORE INSERT ON release FOR EACH ROW EXECUTE FUNCTION gone();
"""


def test_a_release_that_loses_its_connection_is_made_once(registry: Registry) -> None:
    with registry.writing() as connection:
        connection.execute(text(ENDS_ONCE))

    assert release(registry, "run1", ORDERS) == [1]
    assert [each.moved for each in registry.releases()] == [{ORDERS: (None, 1)}]


def test_who_cannot_connect_is_told_where_and_why_without_a_password(
    away: Settings, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "s3cret-s3cret")
    nobody = replace(away, registry=away.registry.replace("mesh@", "nobody_there@"))
    with pytest.raises(RegistryLost, match="nobody_there") as stranger:
        open_registry(nobody)
    impatient(monkeypatch)
    cable.cut()
    with pytest.raises(RegistryLost, match=str(cable.folder)) as cut:
        open_registry(away)

    for told in (stranger, cut):
        assert "s3cret" not in str(told.value) and "sqlalche.me" not in str(told.value)
        assert "PGPASSWORD" in str(told.value)


def test_a_folder_that_cannot_hold_a_registry_is_told(tmp_path: Path) -> None:
    (tmp_path / "registry.sqlite").mkdir()

    with pytest.raises(RegistryLost, match="unable to open"):
        open_registry(read_settings({"MESH_HOME": str(tmp_path)}))
