"""Where a version is, told as a program that reads it without this project.

Two ways: DuckDB attaches the lake's catalog and reads the table at the version's snapshot; every other engine
reads the version's Parquet files, by name. No text holds a secret: a password stays in PGPASSWORD or in a
password file, and is named there only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum

from mesh_assets.capabilities.lake import CATALOG_THREADS, connect, lake_of, version_files
from mesh_assets.capabilities.lake.connection import refuse_secret
from mesh_assets.capabilities.lake.places import literal, quoted
from mesh_assets.capabilities.observability.engines import arrow_type, polars_type, spark_type
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version


class Engine(StrEnum):
    """What a version can be read with."""

    DUCKDB = "duckdb"
    SQL = "sql"
    POLARS = "polars"
    PANDAS = "pandas"
    SPARK = "spark"


@dataclass(frozen=True)
class Whereabouts:
    """What a snippet is made of."""

    settings: Settings
    version: Version
    #: Absolute paths of the version's files.
    files: tuple[str, ...]
    #: (name, DuckDB type) in table order.
    columns: tuple[tuple[str, str], ...]


def whereabouts(settings: Settings, version: Version) -> Whereabouts:
    """Ask the lake; a version that expired has no files to name."""
    refuse_secret(settings)
    with closing(connect(settings, threads=CATALOG_THREADS)) as con:
        files, columns = version_files(con, settings, version.product, version.snapshot)
    return Whereabouts(settings, version, files, columns)


def snippet(place: Whereabouts, engine: Engine) -> str:
    """A program of this engine that reads the version and prints its first rows."""
    makers: dict[Engine, Callable[[Whereabouts], str]] = {
        Engine.DUCKDB: _duckdb,
        Engine.SQL: _sql,
        Engine.POLARS: _polars,
        Engine.PANDAS: _pandas,
        Engine.SPARK: _spark,
    }
    return makers[engine](place)


def _sql(place: Whereabouts) -> str:
    statements = [f"{statement};" for statement in _statements(place)]
    return "\n".join([*(f"-- {line}" for line in _about(place)), *statements, ""])


def _duckdb(place: Whereabouts) -> str:
    *before, select = _statements(place)
    lines = [f"# {line}" for line in _about(place)]
    lines += ["import duckdb", "", "con = duckdb.connect()"]
    lines += [f"con.execute({statement!r})" for statement in before]
    lines += [f"rows = con.sql({select!r})", "print(rows.limit(20))", ""]
    return "\n".join(lines)


def _statements(place: Whereabouts) -> list[str]:
    """As DuckDB 1.5 or later understands them; the extensions are DuckDB's own."""
    settings, product = place.settings, place.version.product
    lake = lake_of(settings, product.domain)
    embedded = settings.catalog == "sqlite"
    path = f"sqlite:{lake.catalog}" if embedded else settings.catalog
    options = ["READ_ONLY", f"DATA_PATH {literal(str(lake.data) + '/')}", "OVERRIDE_DATA_PATH true"]
    options += [] if embedded else [f"METADATA_SCHEMA {literal(lake.metadata_schema)}"]
    table = ".".join(("lake", quoted(product.domain), quoted(product.product)))
    extension = "sqlite" if embedded else "postgres"
    return [
        "INSTALL ducklake",
        f"INSTALL {extension}",
        "LOAD ducklake",
        f"LOAD {extension}",
        f"ATTACH {literal(f'ducklake:{path}')} AS lake ({', '.join(options)})",
        f"SELECT * FROM {table} AT (VERSION => {place.version.snapshot})",
    ]


def _polars(place: Whereabouts) -> str:
    schema = _typed(place, polars_type, '    "{}": {},')
    lines = [*_head(place), "import polars as pl", "", *_files(place)]
    lines += ["schema = {", *schema, "}"] if schema else []
    told = ", schema=schema" if schema else ""
    lines += [f"rows = pl.scan_parquet(files, hive_partitioning=False{told})"]
    return "\n".join([*lines, "print(rows.head(20).collect())", ""])


def _pandas(place: Whereabouts) -> str:
    schema = _typed(place, arrow_type, '    ("{}", {}),')
    lines = [*_head(place), "import pyarrow as pa", "import pyarrow.parquet", "", *_files(place)]
    lines += ["schema = pa.schema([", *schema, "])"] if schema else []
    told = ", schema=schema" if schema else ""
    # pandas.read_parquet would read a partition column from the path as well, as a category.
    lines += [f"table = pa.parquet.read_table(files, partitioning=None{told})", "rows = table.to_pandas()"]
    return "\n".join([*lines, "print(rows.head(20))", ""])


def _spark(place: Whereabouts) -> str:
    schema = _typed(place, spark_type, "`{}` {}", escape="`")
    lines = [*_head(place), "from pyspark.sql import SparkSession", "", *_files(place)]
    lines += ["spark = SparkSession.builder.getOrCreate()"]
    # Without it Spark takes folders named column=value for columns of its own.
    reader = 'spark.read.option("recursiveFileLookup", "true")'
    reader += f".schema({', '.join(schema)!r})" if schema else ""
    return "\n".join([*lines, f"rows = {reader}.parquet(*files)", "rows.show(20)", ""])


def _typed(
    place: Whereabouts, spoken: Callable[[str], str | None], form: str, *, escape: str = '"'
) -> list[str]:
    """The columns in an engine's words; nothing if it has no word for one: the files say it then."""
    kinds = [(name, spoken(kind)) for name, kind in place.columns]
    if any(kind is None for _, kind in kinds):
        return []
    mark = {'"': '\\"', "`": "``"}[escape]
    return [form.format(name.replace(escape, mark), kind) for name, kind in kinds]


def _files(place: Whereabouts) -> list[str]:
    return ["files = [", *(f"    {file!r}," for file in place.files), "]"]


def _head(place: Whereabouts) -> list[str]:
    return [f"# {line}" for line in _about(place)[:1]]


def _about(place: Whereabouts) -> Sequence[str]:
    version = place.version
    told = f"{version.product} version {version.number}: {version.rows:,} rows, {version.fingerprint}"
    if place.settings.catalog == "sqlite":
        return (told,)
    return (told, "The password, if the server asks for one, comes from PGPASSWORD or a password file.")


def facts(place: Whereabouts) -> Mapping[str, object]:
    """For scripts: what a program needs to read the version."""
    lake = lake_of(place.settings, place.version.product.domain)
    embedded = place.settings.catalog == "sqlite"
    return {
        "product": str(place.version.product),
        "version": place.version.number,
        "snapshot": place.version.snapshot,
        "rows": place.version.rows,
        "fingerprint": place.version.fingerprint,
        "catalog": f"sqlite:{lake.catalog}" if embedded else place.settings.catalog,
        "metadata_schema": None if embedded else lake.metadata_schema,
        "data_path": f"{lake.data}/",
        "columns": [list(column) for column in place.columns],
        "files": list(place.files),
    }
