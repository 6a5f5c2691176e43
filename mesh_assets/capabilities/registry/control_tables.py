"""The tables of pauses, holds and announcements. A change here needs a migration (`migrations.py`)."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from mesh_assets.capabilities.registry.tables import COUNTER, METADATA, Instant, Words

#: Pauses of domains and products, and holds of what uses a product; rows are ended, never deleted.
CONTROL = Table(
    "control",
    METADATA,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("who", Words, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("ended", Instant),
    Column("ended_by", Words),
    Index("control_by_scope", "kind", "scope", "id"),
)

#: Breaking changes and deprecations that consumers are told of before they come.
ANNOUNCEMENT = Table(
    "announcement",
    METADATA,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("product", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("effective", Text, nullable=False),
    Column("text", Words, nullable=False),
    Column("who", Words, nullable=False),
    Column("announced", Instant, nullable=False),
    Column("withdrawn", Instant),
    Column("withdrawn_by", Words),
)
