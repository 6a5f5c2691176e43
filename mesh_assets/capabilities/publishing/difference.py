"""Two versions of a product compared: by the key of its contract, with personal values hidden."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.format import plain
from mesh_assets.capabilities.checks.subject import MASK
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.lake import connect, known
from mesh_assets.capabilities.lake.compare import Difference, Side, compare
from mesh_assets.capabilities.lake.differing import differing_sql, few_differing_sql
from mesh_assets.capabilities.lake.places import literal, quoted
from mesh_assets.capabilities.publishing.rows import Reader
from mesh_assets.words.versions import Version

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Rows that are told; a file has all of them.
SAMPLE = 10


@dataclass(frozen=True)
class Compared:
    """How version `b` differs from version `a`."""

    a: Version
    b: Version
    difference: Difference
    sample: tuple[Mapping[str, Any], ...]


def compare_versions(
    reader: Reader, a: Version, b: Version, *, tolerance: float = 0.0, rows: Path | None = None
) -> Compared:
    """The difference, some rows of it, and all of them in a Parquet or CSV file if one is named.

    Rows are matched by the newest contract's key. Personal columns are masked in what is shown; in the file
    too unless the reader asked for more and may see it.
    """
    hidden, key = _hidden_and_key(reader, a, b)
    settings = reader.settings
    facts = [known(settings.of(each.stored), each.product, each.snapshot) for each in (a, b)]
    sides = [Side(each.files, each.columns) for each in facts]
    with _connection(reader) as con:
        found = compare(con, sides[0], sides[1], key=key, tolerance=tolerance)
        order = f"ORDER BY {', '.join(quoted(name) for name in found.key) or 'ALL'}"
        if rows is not None:
            shown = differing_sql(found, masked=() if reader.unmasked else hidden, mask=MASK)
            form = "csv, HEADER" if rows.suffix == ".csv" else "parquet"
            con.execute(f"COPY ({shown} {order}) TO {literal(str(rows))} (FORMAT {form})")
        few = few_differing_sql(con, found, SAMPLE, masked=hidden, mask=MASK)
        cursor = con.execute(f"{few} {order} LIMIT {SAMPLE}")
        names = [name for name, *_ in cursor.description or ()]
        sample = tuple(
            {name: plain(value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()
        )
    return Compared(a, b, found, sample)


def _connection(reader: Reader) -> AbstractContextManager[DuckDBPyConnection]:
    if reader.connection is not None:
        return nullcontext(reader.connection)
    return closing(connect(reader.settings, threads=reader.threads))


def _hidden_and_key(reader: Reader, a: Version, b: Version) -> tuple[frozenset[str], tuple[str, ...]]:
    """What was personal in either version, or is now, is hidden."""
    if reader.asset.contract is None:
        return frozenset(), ()
    contracts: list[Contract] = [reader.contract(each.certificate.contract_text) for each in (a, b)]
    hidden = frozenset().union(*(contract.personal for contract in contracts))
    return hidden, contracts[-1].key


def plain_difference(found: Compared) -> dict[str, Any]:
    """For scripts."""
    one = found.difference
    return {
        "product": str(found.a.product),
        "a": found.a.number,
        "b": found.b.number,
        "same": one.same,
        "columns": {
            "added": [list(column) for column in one.added_columns],
            "removed": [list(column) for column in one.removed_columns],
            "retyped": [list(column) for column in one.retyped_columns],
            "changed": dict(one.changed_columns),
            "unchanged": list(one.unchanged_columns),
        },
        "rows": {"a": one.rows_before, "b": one.rows_after},
        "matched_by": list(one.key),
        "added": one.added,
        "removed": one.removed,
        "changed": one.changed,
        "sample": [dict(row) for row in found.sample],
    }
