"""Whether what a product reads of an input is the same in two versions of it: by the joint projection.

Columns that are each the same may stand in other rows together, so the columns are fingerprinted as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from mesh_assets.capabilities.lake import connect, fingerprint_sql
from mesh_assets.capabilities.lineage.columns import ColumnLineage, decisive
from mesh_assets.capabilities.publishing.inputs import rows_of_version
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version


def reads_the_same(settings: Settings, lineage: ColumnLineage, before: Version, after: Version) -> bool:
    """True if a product that was made from `before` would come out the same from `after`."""
    if before.fingerprint == after.fingerprint:
        return True
    with closing(connect(settings)) as con:
        sides = [rows_of_version(settings, each) for each in (before, after)]
        described = [
            {str(name): str(kind) for name, kind, *_ in con.execute(f"DESCRIBE {sql}").fetchall()}
            for sql in sides
        ]
        columns = decisive(lineage, before.product, before=described[0], after=described[1])
        if columns is None:
            return False
        found = [projection(columns, kinds) for kinds in described]
        rows = [
            con.execute(f"SELECT {aggregate} FROM ({sql})").fetchone()
            for aggregate, sql in zip(found, sides, strict=True)
        ]
    return rows[0] == rows[1]


def projection(columns: tuple[str, ...], kinds: Mapping[str, str]) -> str:
    """SQL of an aggregate over these columns together; over none of them the number of rows."""
    if not columns:
        return "count(*)"
    return fingerprint_sql([(name, kinds[name]) for name in columns])
