"""The table of kitchens. A change here needs a migration (`migrations.py`)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from mesh_assets.capabilities.registry.tables import METADATA, Instant, Json, Words

#: Kitchens that were opened and are not gone: a row is there before the first file, and until the last.
KITCHEN = Table(
    "kitchen",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("opened", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("base", Text, nullable=False),
    Column("base_release", BigInteger, nullable=False),
    Column("commit", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("home", Words, nullable=False),
    Column("code", Words, nullable=False),
    Column("domains", Json, nullable=False),
    Column("sample", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("repository", Words, nullable=False),
)
