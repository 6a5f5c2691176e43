"""The registry's tables. A change here needs a migration (`migrations.py`)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)

METADATA = MetaData()

#: SQLite numbers rows by itself for INTEGER keys alone.
COUNTER = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no time zone, so it is taken off going in and put back coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; the registry keeps moments, not wall clocks")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text as PostgreSQL can hold it: without NUL and half surrogate pairs (file names may have them)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


class Json(TypeDecorator[Any]):
    """JSON as ASCII text: PostgreSQL's json types refuse NUL escapes or reorder keys, text does neither."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, default=str)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


SCHEMA_VERSION = Table(
    "schema_version",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("applied", Instant, nullable=False),
)

VERSION = Table(
    "version",
    METADATA,
    Column("product", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("snapshot", BigInteger, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("contract_version", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("published", Instant, nullable=False),
    Column("certificate", Json, nullable=False),
    UniqueConstraint("product", "run_id", name="version_once_per_run"),
)

HEAD = Table(
    "head",
    METADATA,
    Column("environment", Text, primary_key=True),
    Column("product", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    ForeignKeyConstraint(["product", "number"], ["version.product", "version.number"]),
)

RELEASE = Table(
    "release",
    METADATA,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("environment", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("who", Words, nullable=False),
    Column("released", Instant, nullable=False),
    Column("reads", Json, nullable=False),
)

RELEASE_ITEM = Table(
    "release_item",
    METADATA,
    Column("release_id", COUNTER, ForeignKey("release.id"), primary_key=True),
    Column("product", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("previous", Integer),
    ForeignKeyConstraint(["product", "number"], ["version.product", "version.number"]),
    Index("release_item_by_product", "product", "release_id"),
)

PIN = Table(
    "pin",
    METADATA,
    Column("holder", Text, primary_key=True),
    Column("product", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("pinned", Instant, nullable=False),
    Column("expires", Instant),
    ForeignKeyConstraint(["product", "number"], ["version.product", "version.number"]),
)

TAG = Table(
    "tag",
    METADATA,
    Column("product", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("who", Words, nullable=False),
    Column("tagged", Instant, nullable=False),
    ForeignKeyConstraint(["product", "number"], ["version.product", "version.number"]),
)

#: Versions whose rows were let go of, beside the version: its certificate stays.
EXPIRY = Table(
    "expiry",
    METADATA,
    Column("product", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("expired", Instant, nullable=False),
    Column("who", Words, nullable=False),
    ForeignKeyConstraint(["product", "number"], ["version.product", "version.number"]),
)

#: Holds that somebody ended. The hold itself is in the certificate of the rollback, one with its release.
ENDED_HOLD = Table(
    "ended_hold",
    METADATA,
    Column("product", Text, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("who", Words, nullable=False),
    Column("ended", Instant, nullable=False),
)

BUILD = Table(
    "build",
    METADATA,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("product", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("started", Instant, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("version", Integer),
    Column("rows", BigInteger),
    Column("passed", Integer, nullable=False),
    Column("warned", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("message", Words, nullable=False),
    Column("draft", Words),
    Column("details", Json, nullable=False),
    Column("recheck", Boolean, nullable=False, server_default=false()),
    Index("build_by_product", "product", "id"),
)

RULE_RESULT = Table(
    "rule_result",
    METADATA,
    Column("build_id", COUNTER, ForeignKey("build.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("failed_rows", BigInteger),
    Column("checked_rows", BigInteger, nullable=False),
    Column("value", Words),
    Column("summary", Words, nullable=False),
    Column("sample", Json, nullable=False),
    #: The rule as it was then (kind, columns, description, dimension, arguments, place).
    Column("definition", Json, nullable=False),
    Index("rule_result_by_rule", "rule", "build_id"),
)
