"""The example mesh's SQL and dbt models as tables of one DuckDB, over its source drops.

What is made by Python or a foreign program is filled with rows of its contract's types, from values that
tables before it have under the same name, so that joins find something.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from mesh_assets.capabilities.lineage.model import Asset, Mesh, RecipeKind
from mesh_assets.capabilities.lineage.order import in_order
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.lineage.rendered import source_table, sql_of, table_of
from mesh_assets.capabilities.publishing.sources import source_sql
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings

#: Rows of what is filled in.
ROWS = 60


@dataclass
class World:
    settings: Settings
    mesh: Mesh
    con: duckdb.DuckDBPyConnection
    order: list[ProductName]
    sql: dict[ProductName, str] = field(default_factory=dict)

    def sql_assets(self) -> list[ProductName]:
        return [name for name in self.order if name in self.sql]


def is_sql(asset: Asset) -> bool:
    return asset.recipe.kind in (RecipeKind.SQL, RecipeKind.DBT)


def make_world(settings: Settings, seed: int = 1) -> World:
    """Every table of the mesh, once."""
    mesh = read_mesh(settings)
    con = duckdb.connect()
    con.execute("set threads = 1")
    world = World(settings, mesh, con, in_order(mesh, list(mesh.assets)))
    made = random.Random(seed)
    for name in world.order:
        asset = mesh.assets[name]
        _sources(world, asset)
        con.execute(f'create schema if not exists "{name.domain}"')
        if is_sql(asset):
            world.sql[name] = _thinned(sql_of(settings, asset))
            con.execute(f"create table {name} as {world.sql[name]}")
        else:
            _fill(world, asset, made)
        con.execute(f'create schema if not exists "mesh_{name.domain}"')
        con.execute(f"create view mesh_{name} as select * from {name}")
    return world


def _thinned(sql: str) -> str:
    return sql.rstrip().rstrip(";")


def _sources(world: World, asset: Asset) -> None:
    domain = world.mesh.domains[asset.name.domain].domain
    for name in asset.recipe.sources:
        source = domain.source(name)
        if source is None or not is_sql(asset):
            continue
        table = source_table(asset, name)
        paths = sorted(
            world.settings.sources.glob(source.path.replace("{week}", "*").replace("{batch}", "*"))
        )[:12]
        world.con.execute(f'create schema if not exists "{table.split(".")[0]}"')
        sql = source_sql(source, _utf8(paths, source.encoding))
        world.con.execute(
            f"create table if not exists {table} as select * from ({sql}) using sample 3000 (reservoir, 1)"
        )


def _utf8(paths: list[Path], encoding: str) -> list[Path]:
    """DuckDB reads UTF-8: other files are written beside themselves."""
    if encoding.lower().replace("_", "-") == "utf-8":
        return paths
    found = []
    for path in paths:
        copy = path.with_name(f"utf8-{path.name}")
        copy.write_text(path.read_text(encoding=encoding), encoding="utf-8")
        found.append(copy)
    return found


def _fill(world: World, asset: Asset, made: random.Random) -> None:
    if asset.contract is None:
        world.con.execute(f"create table {asset.name} (nothing integer)")
        return
    columns = [(column.name, column.physical_type) for column in asset.contract.columns]
    parts = [
        f'{_values(world, name, kind, made, key=name in asset.contract.key)} as "{name}"'
        for name, kind in columns
    ]
    key = ", ".join(f'"{name}"' for name in asset.contract.key) or "1"
    body = f"select {', '.join(parts)} from range({ROWS}) as t(i)"
    world.con.execute(
        f"create table {asset.name} as select * from ({body})"
        f" qualify row_number() over (partition by {key}) = 1"
    )


def _values(world: World, name: str, kind: str, made: random.Random, *, key: bool) -> str:
    """An expression over `i`: values of a column of that name that is there already, or of the type."""
    found = _pool(world, name, kind)
    step = 1 if key else made.randrange(1, 97)
    if found:
        chosen = made.sample(found, min(ROWS, len(found)))
        return f"cast(([{', '.join(map(_literal, chosen))}])[1 + (i * {step}) % {len(chosen)}] as {kind})"
    upper = kind.upper()
    if upper == "VARCHAR":
        return f"'{name[:3]} ' || (i * {step}) % {ROWS if key else 9}"
    if upper.startswith("VARCHAR["):
        return f"['{name}']::{kind}"
    if upper == "BOOLEAN":
        return f"(i * {step}) % 3 = 0"
    if upper == "DATE":
        return f"date '2023-01-02' + 7 * cast((i * {step}) % 12 as integer)"
    if upper.startswith("TIMESTAMP"):
        return f"timestamp '2023-01-02' + interval 1 hour * (i * {step})"
    return f"cast((i * {step}) % {ROWS} as {kind})"


def _pool(world: World, name: str, kind: str) -> list[Any]:
    rows = world.con.execute(
        f"select table_schema, table_name from information_schema.columns "
        f"where column_name = {_literal(name)}"
        f" and data_type = {_literal(kind)} and table_schema not like 'mesh_%' order by 1, 2"
    ).fetchall()
    for schema, table in rows:
        sql = f'select distinct "{name}" from "{schema}"."{table}" where "{name}" is not null'
        sql += " order by 1 limit 200"
        if found := [str(row[0]) for row in world.con.execute(sql).fetchall()]:
            return found
    return []


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def tables_of(world: World, name: ProductName) -> dict[ProductName, str]:
    """Input -> the table that the model's SQL names."""
    asset = world.mesh.assets[name]
    return {need: table_of(asset, need) for need in asset.inputs}
