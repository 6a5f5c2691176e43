"""Where a version is, told as a program that reads it without this project.

Two ways: DuckDB attaches the lake's catalog and reads the table at the version's snapshot; every other engine
reads the version's Parquet files, by name. No text holds a secret: a password stays in PGPASSWORD or in a
password file, and is named there only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake import CATALOG_THREADS, connect, lake_of, version_files
from mesh_assets.capabilities.lake.connection import refuse_secret
from mesh_assets.capabilities.lake.credentials import KEY, SECRET, Credentials, credentials
from mesh_assets.capabilities.lake.places import literal, quoted
from mesh_assets.capabilities.observability.engines import Engine as Engine
from mesh_assets.capabilities.observability.engines import arrow_type, polars_type, spark_type
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: What a reader's environment must have, and what DuckDB calls it.
KEYS = {"KEY_ID": KEY, "SECRET": SECRET}


@dataclass(frozen=True)
class Whereabouts:
    """What a snippet is made of."""

    settings: Settings
    version: Version
    #: Absolute paths of the version's files.
    files: tuple[str, ...]
    #: (name, DuckDB type) in table order.
    columns: tuple[tuple[str, str], ...]
    #: The server of the bucket that the files are in, None for files in folders.
    store: Credentials | None = None


def whereabouts(
    settings: Settings, version: Version, *, con: DuckDBPyConnection | None = None
) -> Whereabouts:
    """Ask the lake; a version that expired has no files to name. `con` is asked if one is open already."""
    settings = settings.of(version.stored)
    refuse_secret(settings.catalog)
    with nullcontext(con) if con else closing(connect(settings, threads=CATALOG_THREADS)) as open_con:
        files, columns = version_files(open_con, settings, version.product, version.snapshot)
    lake = lake_of(settings, version.product.domain)
    store = credentials(lake.objects) if lake.objects else None
    return Whereabouts(settings, version, files, columns, store)


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
    if place.store:
        words = [f"{name} getenv({literal(each)})" for name, each in KEYS.items()]
        secret = f"CREATE SECRET (TYPE s3, {', '.join([*words, *_server(place.store)])});"
        statements = ["INSTALL httpfs;", "LOAD httpfs;", secret, *statements]
    return "\n".join([*(f"-- {line}" for line in _about(place)), *statements, ""])


def _duckdb(place: Whereabouts) -> str:
    *before, select = _statements(place)
    lines = [f"# {line}" for line in _about(place)]
    lines += ["import os", ""] if place.store else []
    lines += ["import duckdb", "", "con = duckdb.connect()"]
    if place.store:
        # Values from the environment are literals by then: the statement takes no bound ones.
        lines += ['quoted = lambda name: "\'" + os.environ[name].replace("\'", "\'\'") + "\'"']
        lines += ["con.execute('INSTALL httpfs')", "con.execute('LOAD httpfs')"]
        words = [f"{name} {{quoted({each!r})}}" for name, each in KEYS.items()]
        lines += [f'con.execute(f"CREATE SECRET (TYPE s3, {", ".join([*words, *_server(place.store)])})")']
    lines += [f"con.execute({statement!r})" for statement in before]
    lines += [f"rows = con.sql({select!r})", "print(rows.limit(20))", ""]
    return "\n".join(lines)


def _server(store: Credentials) -> list[str]:
    """Where the bucket is, as DuckDB's secrets say it."""
    told = [f"REGION {literal(store.region)}"]
    if store.endpoint:
        host = literal(store.endpoint.partition("://")[2])
        told += [f"ENDPOINT {host}", "URL_STYLE 'path'", f"USE_SSL {str(store.tls).lower()}"]
    return told


def _statements(place: Whereabouts) -> list[str]:
    """As DuckDB 1.5 or later understands them; the extensions are DuckDB's own."""
    settings, product = place.settings, place.version.product
    lake = lake_of(settings, product.domain)
    embedded = not lake.postgres
    path = f"sqlite:{lake.catalog}" if embedded else lake.catalog_setting
    options = ["READ_ONLY", f"DATA_PATH {literal(lake.data + '/')}", "OVERRIDE_DATA_PATH true"]
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
    if place.store:
        options = {"aws_region": place.store.region}
        options |= {"aws_endpoint_url": place.store.endpoint} if place.store.endpoint else {}
        options |= {} if place.store.tls else {"aws_allow_http": "true"}
        lines, told = [*lines, f"server = {options!r}"], f"{told}, storage_options=server"
    lines += [f"rows = pl.scan_parquet(files, hive_partitioning=False{told})"]
    return "\n".join([*lines, "print(rows.head(20).collect())", ""])


def _pandas(place: Whereabouts) -> str:
    schema = _typed(place, arrow_type, '    ("{}", {}),')
    lines = [*_head(place), "import pyarrow as pa", *(["import pyarrow.fs"] if place.store else [])]
    lines += ["import pyarrow.parquet", "", *_files(place)]
    lines += ["schema = pa.schema([", *schema, "])"] if schema else []
    told = ", schema=schema" if schema else ""
    if place.store:
        options = {"region": place.store.region}
        if place.store.endpoint:
            scheme, _, host = place.store.endpoint.partition("://")
            options |= {"scheme": scheme, "endpoint_override": host}
        lines += [f"bucket = pa.fs.S3FileSystem(**{options!r})"]
        lines += ['files = [file.removeprefix("s3://") for file in files]']
        told += ", filesystem=bucket"
    # pandas.read_parquet would read a partition column from the path as well, as a category.
    lines += [f"table = pa.parquet.read_table(files, partitioning=None{told})", "rows = table.to_pandas()"]
    return "\n".join([*lines, "print(rows.head(20))", ""])


def _spark(place: Whereabouts) -> str:
    schema = _typed(place, spark_type, "`{}` {}", escape="`")
    lines = [*_head(place), "from pyspark.sql import SparkSession", "", *_files(place)]
    if place.store:
        lines += ['files = [file.replace("s3://", "s3a://", 1) for file in files]']
        server = (
            ""
            if not place.store.endpoint
            else (
                f'.config("spark.hadoop.fs.s3a.endpoint", {place.store.endpoint!r})'
                '.config("spark.hadoop.fs.s3a.path.style.access", "true")'
            )
        )
        lines += ["# Needs the hadoop-aws package of Spark's Hadoop version."]
        lines += [f"spark = SparkSession.builder{server}.getOrCreate()"]
    else:
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
    about = _about(place)
    return [f"# {line}" for line in (*about[:1], *(about[-1:] if place.store else ()))]


def _about(place: Whereabouts) -> Sequence[str]:
    version = place.version
    told = f"{version.product} version {version.number}: {version.rows:,} rows, {version.fingerprint}"
    lines = [told]
    if lake_of(place.settings, version.product.domain).postgres:
        lines.append("The password, if the server asks for one, comes from PGPASSWORD or a password file.")
    if place.store:
        lines.append(f"The key to the bucket comes from {' and '.join(KEYS.values())}.")
    return lines


def facts(place: Whereabouts) -> Mapping[str, object]:
    """For scripts: what a program needs to read the version."""
    lake = lake_of(place.settings, place.version.product.domain)
    embedded = not lake.postgres
    return {
        "product": str(place.version.product),
        "version": place.version.number,
        "snapshot": place.version.snapshot,
        "rows": place.version.rows,
        "fingerprint": place.version.fingerprint,
        "catalog": f"sqlite:{lake.catalog}" if embedded else lake.catalog_setting,
        "metadata_schema": None if embedded else lake.metadata_schema,
        "data_path": f"{lake.data}/",
        "endpoint": place.store.endpoint or None if place.store else None,
        "columns": [list(column) for column in place.columns],
        "files": list(place.files),
    }
