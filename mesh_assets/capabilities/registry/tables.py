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
    #: In a kitchen: the environment whose lake has the rows, "" for the kitchen's own.
    Column("stored", Text, nullable=False, server_default=""),
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

#: What somebody asked to have built (`mesh run`, `mesh build`, a journey), and how it ended.
RUN_ORDER = Table(
    "mesh_run",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("request", Json, nullable=False),
    Column("journey", Text, nullable=False),
    Column("who", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("started", Instant, nullable=False),
    Column("ended", Instant),
    Index("mesh_run_by_time", "started"),
)

#: The products of an order; a run has those with a run_id and no outcome.
RUN_ITEM = Table(
    "mesh_run_item",
    METADATA,
    Column("order_id", Text, ForeignKey("mesh_run.id"), primary_key=True),
    Column("product", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("outcome", Text),
    Column("run_id", Text, nullable=False, server_default=""),
    Column("message", Words, nullable=False, server_default=""),
    Column("seconds", Float, nullable=False, server_default="0"),
    Column("ended", Instant),
    Index("mesh_run_item_by_time", "ended"),
)

#: What came from outside: one row per content of a file. See words/arrivals.py.
ARRIVAL = Table(
    "arrival",
    METADATA,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("domain", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("file", Words, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("sha256", Text),
    Column("first_seen", Instant, nullable=False),
    Column("changed", Instant, nullable=False),
    Column("settled", Instant),
    Column("state", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("partitions", Json, nullable=False),
    Column("batch", Integer),
    Index("arrival_by_domain", "domain", "state", "id"),
    Index("arrival_by_batch", "domain", "batch"),
)

#: Batches of rows and events that became a file: the cursors of their sources.
LANDING = Table(
    "landing",
    METADATA,
    Column("domain", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("file", Words, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("low", Words, nullable=False),
    Column("high", Words, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("keys", Json, nullable=False),
    Column("landed", Instant, nullable=False),
)

#: Events that were received, by their own key; `batch` is the landing that they are in.
EVENT_KEY = Table(
    "event_key",
    METADATA,
    Column("domain", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("spool", Text, nullable=False),
    Column("received", Instant, nullable=False),
    Column("batch", Integer),
    Index("event_key_by_batch", "domain", "source", "batch"),
)

#: Products that are made by themselves, and what each was last asked for. See words/automation.py.
AUTOMATED = Table(
    "automated",
    METADATA,
    Column("product", Text, primary_key=True),
    Column("domain", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("inputs", Json, nullable=False),
    Column("since", Instant, nullable=False),
    Column("seen", Json),
    Column("asked", Instant),
    Column("token", Text, nullable=False),
    Column("partitions", Json, nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("joined", Boolean, nullable=False),
    Column("lost", Integer, nullable=False),
    Index("automated_by_domain", "domain"),
)

#: What other tools said of jobs of their own, which journeys have as steps.
JOB_REPORT = Table(
    "job_report",
    METADATA,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("job", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("ended", Instant, nullable=False),
    Column("good", Boolean, nullable=False),
    Column("told", Words, nullable=False),
    UniqueConstraint("job", "run_id", name="job_report_once_per_run"),
    Index("job_report_by_time", "job", "ended"),
)

#: What happened, until a batch has moved it into the lake; its key stays as long as events are kept.
EVENT = Table(
    "event",
    METADATA,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("key", Words, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("occurred", Instant, nullable=False),
    Column("received", Instant, nullable=False),
    Column("sender", Words, nullable=False),
    Column("product", Words, nullable=False),
    Column("run_id", Words, nullable=False),
    Column("job", Words, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("body", Json),
    Column("batch", Integer),
    Index("event_by_batch", "batch", "id"),
    Index("event_by_time", "received"),
)

#: Batches of events that are in the lake, or on their way; readers see the last one that is finished.
EVENT_BATCH = Table(
    "event_batch",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("began", Instant, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("snapshot", BigInteger),
    Column("finished", Instant),
)

#: How far readers of the ordered tables (build, release) have come.
LOG_CURSOR = Table(
    "log_cursor",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)

#: Messages to others that wait to be delivered, were, or never can be.
OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("channel", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("key", Words, nullable=False),
    Column("body", Json, nullable=False),
    Column("created", Instant, nullable=False),
    Column("due", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("problem", Words, nullable=False),
    Column("sent", Instant),
    Column("dead", Instant),
    UniqueConstraint("channel", "receiver", "key", name="outbox_once"),
    Index("outbox_by_due", "channel", "sent", "due"),
)

#: What stands, rule by rule, and when it was last told.
ALERT = Table(
    "alert",
    METADATA,
    Column("rule", Text, primary_key=True),
    Column("subject", Words, primary_key=True),
    Column("states", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("since", Instant, nullable=False),
    Column("told", Instant),
    Column("told_states", Words, nullable=False),
)
