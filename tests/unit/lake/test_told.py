"""What engines say of servers and disks is told in our words; what a recipe did wrong is left as it is."""

from __future__ import annotations

import errno

import duckdb
import psycopg
import pytest

from mesh_assets.capabilities.lake.told import in_words
from mesh_assets.words.errors import MeshError
from mesh_assets.words.stores import CatalogLost, DiskRefused, NotAllowed, StoreRefused

GONE = "server closed the connection unexpectedly"


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (psycopg.OperationalError("connection failed: Connection refused"), CatalogLost, "a domain"),
        (
            duckdb.Error(
                'Failed to prepare COPY "COPY (SELECT "x" FROM "lake_till"."ducklake_column") '
                f'TO STDOUT (FORMAT "binary");": {GONE}'
            ),
            CatalogLost,
            f"The catalog of till did not answer any more: {GONE}",
        ),
        (
            duckdb.HTTPException("HTTP GET error on 'http://h/b/k?X-Amz-Signature=1'"),
            StoreRefused,
            "http://h/b/k",
        ),
        (
            duckdb.IOException('Could not write file "/lake/x": No space left on device'),
            DiskRefused,
            "/lake/x",
        ),
        (duckdb.IOException("permission denied for schema lake_till"), NotAllowed, "mesh lake grant"),
        (OSError(errno.EROFS, "Read-only file system", "/lake/y"), DiskRefused, "/lake/y"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)
def test_a_server_or_a_disk_is_told_with_what_next(
    error: Exception, kind: type[MeshError], said: str
) -> None:
    ours = in_words(error)

    assert isinstance(ours, kind) and said in str(ours)
    assert "SELECT" not in str(ours) and "Signature" not in str(ours)


@pytest.mark.parametrize(
    "error",
    [
        duckdb.BinderException("Referenced column not found"),
        ConnectionRefusedError(errno.ECONNREFUSED, "somebody else's server"),
        ValueError("No space left on device"),
        DiskRefused(what="x", problem="y"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_all_else_stays_as_it_is(error: Exception) -> None:
    assert in_words(error) is None
