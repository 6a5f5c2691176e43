"""Opening on SQLite without SQLAlchemy: the same registries come of it, and what is in the way is told."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mesh_assets.capabilities.kitchens.opening import Wish, open_kitchen
from mesh_assets.capabilities.registry import direct, open_registry
from mesh_assets.capabilities.registry.kitchen_tables import KITCHEN
from mesh_assets.words.kitchens import Kitchen, KitchenState, KitchenTaken
from tests.shop import Shop

#: What differs between two openings of any kind.
MOMENTS = {"opened", "expires", "pinned", "released", "applied"}


def rows_of(file: Path) -> dict[str, list[dict[str, object]]]:
    """Every table that holds something, without moments and the kitchen's own name."""
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {}
        for table in tables:
            rows = [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]
            told = [
                {
                    name: str(value).replace("second", "first")
                    for name, value in row.items()
                    if name not in MOMENTS
                }
                for row in rows
            ]
            if told:
                found[table] = sorted(told, key=repr)
    return found


def test_both_ways_write_the_same_registries(built: Shop) -> None:
    with open_registry(built.settings) as registry:
        newest = registry.instant().release
    directly = open_kitchen(built.settings, "first").settings
    ordinarily = open_kitchen(built.settings, "second", Wish(start=f"release:{newest}")).settings

    assert rows_of(directly.home / "registry.sqlite") == rows_of(ordinarily.home / "registry.sqlite")
    with open_registry(built.settings) as registry:
        first, second = registry.kitchens()
        pins = [(pin.product, pin.number) for pin in registry.pins() if pin.holder == first.holder]
        assert sorted(pins) == sorted(
            (pin.product, pin.number) for pin in registry.pins() if pin.holder == second.holder
        )
    same = {field.name for field in fields(Kitchen)} - {"name", "opened", "expires", "home", "code", "branch"}
    assert {name: getattr(first, name) for name in same} == {name: getattr(second, name) for name in same}
    assert first.state is KitchenState.OPEN
    assert second.expires - second.opened == first.expires - first.opened


def test_a_kitchen_is_opened_on_sqlite_without_slow_imports(built: Shop) -> None:
    program = (
        "import sys; from mesh_assets.cli.app import app\n"
        "app(['kitchen', 'open', 'try'], standalone_mode=False)\n"
        "slow = {'sqlalchemy', 'pydantic', 'rich', 'mesh_assets.cli.build'} & {*sys.modules}\n"
        "sys.exit(str(slow) if slow else 0)"
    )
    environment = {**os.environ, **built.environment}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "kitchen try is open until" in done.stdout


@pytest.mark.parametrize("registry", ["postgresql://there/mesh", "sqlite:///", "sqlite:////nowhere/registry"])
def test_what_is_no_file_of_sqlite_is_left_to_the_ordinary_way(built: Shop, registry: str) -> None:
    assert direct.open_directly(registry, kitchen_at(built)) is None
    assert not direct.keep_state(registry, "try", KitchenState.OPEN)


def test_a_name_on_record_is_refused_and_nothing_is_written(built: Shop) -> None:
    open_kitchen(built.settings, "try")

    assert direct.open_directly(built.settings.registry, kitchen_at(built)) is None
    with pytest.raises(KitchenTaken):
        open_kitchen(built.settings, "try")


def test_a_registry_that_cannot_be_written_leaves_no_row_and_no_pin(built: Shop) -> None:
    kitchen = kitchen_at(built)  # its home is not there, so neither is a place for its registry

    assert direct.open_directly(built.settings.registry, kitchen) is None
    with open_registry(built.settings) as registry:
        assert registry.kitchens() == []
        assert all(pin.holder != kitchen.holder for pin in registry.pins())


def test_every_fact_of_a_kitchen_is_a_column() -> None:
    """Else every opening would take the ordinary way."""
    assert {field.name for field in fields(Kitchen)} == set(KITCHEN.columns.keys())


def kitchen_at(shop: Shop) -> Kitchen:
    now, home = datetime.now(UTC), shop.settings.kitchen_home("try")
    return Kitchen(
        name="try",
        owner="ann",
        opened=now,
        expires=now + timedelta(days=1),
        base="prod",
        base_release=0,
        commit="",
        branch="",
        home=home,
        code=home / "code",
    )
