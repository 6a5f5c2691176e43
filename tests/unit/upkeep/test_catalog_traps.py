"""What was measured to harm catalogs, and is therefore never done to one."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from mesh_assets.capabilities.lake.moves import drop, move
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.upkeep.backups import backup
from mesh_assets.capabilities.upkeep.restores import restore
from mesh_assets.words.settings import PACKAGE
from tests.shop import make_shop
from tests.unit.upkeep.keeping import expire, findings, mend, publish

#: DuckDB's looks at all tables of all attached lakes: 2 s with 1,000 tables.
OF_ALL_TABLES = re.compile(
    r"duckdb_(tables|columns|views|constraints|indexes)\(\)|SHOW ALL TABLES|schema\.tables"
)

#: Who may, because no lake is attached to the connection that asks.
NO_LAKE_THERE = {
    "capabilities/lake/catalogs.py": "a catalog's own database, some thirty tables",
    "capabilities/publishing/asked.py": "a recipe's connection: views over files",
    "capabilities/checks/data_files.py": "a DuckDB file that somebody lent",
}


def test_nobody_asks_for_all_tables_where_a_lake_is_attached() -> None:
    asking = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if OF_ALL_TABLES.search(path.read_text(encoding="utf-8"))
    }

    assert asking == set(NO_LAKE_THERE), "ask for one table with small SQL: lake/ledger.py"


def test_python_s_own_sqlite_opens_no_catalog_that_somebody_may_have_open(tmp_path: Path) -> None:
    """Two SQLite libraries in one process drop each other's locks on a file."""
    opened: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "sqlite3.connect":
            opened.append(Path(str(arguments[0])).name)

    sys.addaudithook(watch)  # it cannot be taken back
    try:
        shop = make_shop(tmp_path)
        publish(shop, 2)
        expire(shop)
        mend(shop)
        with open_registry(shop.settings) as registry:
            backup(shop.settings, registry, ["shop"], str(tmp_path / "kept"), who="tester")
        move(shop.settings, "shop", to=str(tmp_path / "disk"))
        drop(shop.settings, "shop", who="tester")
        restore(shop.settings, str(tmp_path / "kept"), ["shop"], yes=True)
        assert shop.rows("shop.orders", 2) and findings(shop) == []
    finally:
        watching = False

    assert "registry.sqlite" in " ".join(opened)
    assert [name for name in opened if name.startswith("catalog.sqlite")] == []
