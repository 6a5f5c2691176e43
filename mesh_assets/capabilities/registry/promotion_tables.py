"""The tables of promotions, approvals and fences. A change here needs a migration (`migrations.py`)."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from mesh_assets.capabilities.registry.tables import COUNTER, METADATA, Instant, Json, Words

#: The ledger of promotions: what makes one that was interrupted go on, or end.
PROMOTION = Table(
    "promotion",
    METADATA,
    Column("id", COUNTER, primary_key=True, autoincrement=True),
    Column("kitchen", Words, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("who", Words, nullable=False),
    Column("began", Instant, nullable=False),
    Column("ended", Instant),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("release", COUNTER),
    Column("undoes", COUNTER),
    Column("plan", Json, nullable=False),
    Index("promotion_by_state", "state"),
    Index("promotion_by_kitchen", "kitchen", "id"),
    Index("promotion_by_release", "release"),
)

#: Owners who have agreed to a state of a kitchen; another state has another digest.
APPROVAL = Table(
    "approval",
    METADATA,
    Column("kitchen", Words, primary_key=True),
    Column("owner", Words, primary_key=True),
    Column("who", Words, nullable=False),
    Column("digest", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

#: Products that may be published only by code that has this commit in its history.
FENCE = Table(
    "fence",
    METADATA,
    Column("product", Text, primary_key=True),
    Column("promotion", Integer, nullable=False),
    Column("kitchen", Words, nullable=False),
    Column("commit", Text, nullable=False),
)
