"""The tables of followers and of requests for access. A change here needs a migration (`migrations.py`)."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from mesh_assets.capabilities.registry.tables import COUNTER, METADATA, Instant, Json, Words

FOLLOW = Table(
    "follow",
    METADATA,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("scope", Text, nullable=False),
    Column("who", Words, nullable=False),
    Column("by", Text, nullable=False),
    Column("address", Words, nullable=False),
    Column("events", Json, nullable=False),
    Column("since", Instant, nullable=False),
)

#: Rows are decided, never deleted.
ACCESS = Table(
    "access_request",
    METADATA,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("scope", Text, nullable=False),
    Column("who", Words, nullable=False),
    Column("purpose", Words, nullable=False),
    Column("until", Text, nullable=False),
    Column("asked", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided", Instant),
    Column("decided_by", Words, nullable=False),
    Column("why", Words, nullable=False),
    Index("access_request_by_scope", "scope", "id"),
)
