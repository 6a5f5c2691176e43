"""Each program that `mesh where` prints reads the version as it was, with nothing of this project in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from mesh_assets.capabilities.lake.extensions import extension_file
from mesh_assets.capabilities.observability.where import Engine, snippet, whereabouts
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import SettingMalformed
from mesh_assets.words.settings import PROJECT
from tests.shop import ORDERS, ORDERS_NAME, Shop, make_shop, write_product
from tests.spark import spark_python
from tests.stores import FILES, STORES, environment_of, on_every_store

EXTENSIONS = ("ducklake", "sqlite_scanner", "postgres_scanner", "httpfs")
#: One column of every type that stands in a contract often.
COLUMNS = (
    ("order_id", "BIGINT"),
    ("amount", "DECIMAL(12,2)"),
    ("weight", "DOUBLE"),
    ("paid", "BOOLEAN"),
    ("day", "DATE"),
    ("at", "TIMESTAMP"),
    ("who", "VARCHAR"),
    ("tags", "VARCHAR[]"),
    ("place", "STRUCT(zip VARCHAR, floor INTEGER)"),
)
RECIPE = """-- source: order_log
select cast(order_id as bigint) as order_id, cast(amount as decimal(12,2)) as amount, 0.5::double as weight,
  true as paid, date '2024-02-29' as day, timestamp '2024-02-29 12:30:00' as at, 'Zoë' as who,
  ['a', 'b'] as tags, {'zip': '01234', 'floor': 3::integer} as place
from source.order_log
"""


@pytest.fixture(params=STORES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """Two versions: of 2 rows, and of 3."""
    shop = make_shop(tmp_path, **environment_of(request))
    write_product(shop, "shop.orders", columns=COLUMNS, recipe=RECIPE)
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,30\n")
    shop.build("shop.orders", run_id="run-2")
    return shop


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of somebody who has DuckDB with its extensions installed, and never heard of us."""
    home = tmp_path_factory.mktemp("stranger")
    with duckdb.connect(config={"allow_unsigned_extensions": True}) as con:
        con.execute(f"SET extension_directory = '{home / '.duckdb' / 'extensions'}'")
        for name in EXTENSIONS:
            con.execute(f"INSTALL '{extension_file(name)}'")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MESH_", "PYTHON"))}
    return {**kept, "HOME": str(home)}


def printed(shop: Shop, engine: Engine, version: str | None) -> str:
    with open_registry(shop.settings) as registry:
        return snippet(whereabouts(shop.settings, registry.find(ORDERS_NAME, version)), engine)


def run(text: str, more: str, environment: dict[str, str], folder: Path, python: str = sys.executable) -> str:
    """The printed program, and a line that tells what it read."""
    (folder / "program.py").write_text(f"{text}\n{more}\n", encoding="utf-8")
    done = subprocess.run(
        [python, "-W", "error::SyntaxWarning", "program.py"],
        cwd=folder,
        env={**environment, **{name: value for name, value in os.environ.items() if name.startswith("AWS_")}},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


PYTHON = {
    Engine.DUCKDB: "print(sorted(rows.project('order_id, amount, who, tags, place').fetchall()))",
    Engine.POLARS: (
        "print(sorted(rows.select('order_id', 'amount', 'who', 'tags', 'place').collect().rows()))"
    ),
    Engine.PANDAS: (
        "print(sorted(zip(rows.order_id, rows.amount, rows.who, map(list, rows.tags), rows.place)))"
    ),
}


@on_every_store("shop")
@pytest.mark.parametrize("engine", list(PYTHON))
def test_a_printed_program_reads_the_version_that_it_is_for(
    shop: Shop, stranger: dict[str, str], tmp_path: Path, engine: Engine
) -> None:
    for version, amounts in (("1", (10, 20)), (None, (10, 20, 30))):
        said = run(printed(shop, engine, version), PYTHON[engine], stranger, tmp_path)

        assert said == str(
            [
                (key, f"Decimal('{amount}.00')", "Zoë", ["a", "b"], {"zip": "01234", "floor": 3})
                for key, amount in enumerate(amounts, start=1)
            ]
        ).replace('"', "")


@on_every_store("shop")
def test_the_sql_is_a_script_of_statements(shop: Shop, stranger: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "read.sql").write_text(printed(shop, Engine.SQL, "1"), encoding="utf-8")
    # What DuckDB's command line has and its Python package has not.
    keys = " ".join(f"WHEN '{name}' THEN '{value}'" for name, value in os.environ.items() if "AWS_" in name)
    getenv = f"CREATE MACRO getenv(name) AS CASE name {keys or 'WHEN 1 THEN 1'} END"
    program = f'import duckdb\ncon = duckdb.connect()\ncon.execute("""{getenv}""")'
    program += "\nrows = con.execute(open('read.sql').read()).fetchall()"

    assert run(program, "print(sorted(row[0] for row in rows))", stranger, tmp_path) == "[1, 2]"


@pytest.mark.parametrize("shop", [FILES], indirect=True)
def test_the_sql_of_the_page_reads_a_version(shop: Shop, stranger: dict[str, str], tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "reading-without-us.md").read_text(encoding="utf-8")
    (written,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    with open_registry(shop.settings) as registry:
        snapshot = registry.version(ORDERS_NAME, 1).snapshot
    for there, here in (
        ("<home>", str(shop.settings.home)),
        ("lakes/drug", "lakes/shop"),
        ('"drug"."brand"', '"shop"."orders"'),
        ("VERSION => 6", f"VERSION => {snapshot}"),
    ):
        assert there in written
        written = written.replace(there, here)
    program = f'import duckdb\nrows = duckdb.connect().execute("""{written}""").fetchall()'

    assert run(program, "print(sorted(row[0] for row in rows))", stranger, tmp_path) == "[1, 2]"


@pytest.mark.parametrize("shop", [FILES], indirect=True)
def test_spark_reads_the_files(shop: Shop, stranger: dict[str, str], tmp_path: Path) -> None:
    """Whatever keeps the catalog: Spark is told files and columns, and never asks it."""
    more = "print(sorted((row.order_id, row.who, row.tags, row.place.floor) for row in rows.collect()))"

    said = run(printed(shop, Engine.SPARK, "1"), more, stranger, tmp_path, python=spark_python())

    assert said == "[(1, 'Zoë', ['a', 'b'], 3), (2, 'Zoë', ['a', 'b'], 3)]"


def test_what_spark_is_told_is_python_with_a_schema_and_no_columns_out_of_paths(shop: Shop) -> None:
    text = printed(shop, Engine.SPARK, "1")

    compile(text, "where.py", "exec")
    for words in ("recursiveFileLookup", "`amount` DECIMAL(12,2)", "`tags` ARRAY<STRING>", "`floor`: INT"):
        assert words in text


@pytest.mark.parametrize("engine", list(Engine))
def test_no_program_imports_this_project(shop: Shop, engine: Engine) -> None:
    assert "mesh_assets" not in printed(shop, engine, None).replace("mesh_assets/", "")


def test_a_password_in_a_setting_is_never_printed(shop: Shop) -> None:
    unsafe = replace(shop.settings, catalog="postgres:host=db password=hunter2")
    with open_registry(shop.settings) as registry, pytest.raises(SettingMalformed) as refused:
        whereabouts(unsafe, registry.find(ORDERS_NAME))

    assert "hunter2" not in str(refused.value)
