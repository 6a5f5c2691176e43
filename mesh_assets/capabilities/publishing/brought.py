"""A file of corrected rows, read as it stands or refused: nothing is guessed, rounded or left out.

A CSV file is what `mesh quarantine PRODUCT --rows FILE.csv` writes: UTF-8, commas, a line of names. No
dialect is tried, for a reader that tries some may take a row for a title, or two columns for one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.columns import unreadable
from mesh_assets.capabilities.checks.memory import bounded_memory
from mesh_assets.capabilities.lake.places import literal, quoted
from mesh_assets.capabilities.publishing.rows import OF_QUARANTINE
from mesh_assets.words.errors import CorrectionRefused

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: The rows that a person brings, as a table of the connection.
BROUGHT = "brought"

#: The line of names is within so many bytes; no product's is longer.
MOST_NAMES = 1_000_000

_LINE = re.compile(r"CSV Error on Line: (\d+)")
_REASON = re.compile(
    r"Expected Number of Columns: \d+ Found: \d+|Value with unterminated quote|Maximum line size[^.\n]*|"
    r"Invalid unicode[^.\n]*",
    re.IGNORECASE,
)

Refusal = Callable[[str, str], CorrectionRefused]
Columns = Sequence[tuple[str, str]]

_AS_EXPORTED = "Begin with what `mesh quarantine PRODUCT --rows FILE` writes"


@dataclass(frozen=True)
class Wanted:
    """What the rows must be: the product's columns, and no more rows than can be corrected."""

    columns: Columns
    rows: int
    personal: frozenset[str] = frozenset()


def bring(con: DuckDBPyConnection, file: Path, wanted: Wanted, refusal: Refusal) -> None:
    """The file's rows as the table BROUGHT, of the product's own types; CorrectionRefused if they are not."""
    import duckdb

    reader = _reader_of(file, refusal)
    try:
        with bounded_memory(con):
            query = reader(con, file.resolve(), wanted, refusal)
            con.execute(f"CREATE TEMP TABLE {BROUGHT} AS {query}")
    except duckdb.Error as error:
        raise refusal(_said(str(error)), "Write it again") from None
    except OSError as error:
        raise refusal(f"it cannot be read ({error.strerror})", "Write it again") from None


def _said(error: str) -> str:
    """What DuckDB says, without the line of the file: it may hold what not everybody may see."""
    if line := _LINE.search(error):
        reason = _REASON.search(error)
        return f"line {line[1]} is no CSV of these columns" + (f" ({reason[0]})" if reason else "")
    return " ".join(error.split("\n\n")[0].split())[:300]


def _reader_of(file: Path, refusal: Refusal) -> Callable[[DuckDBPyConnection, Path, Wanted, Refusal], str]:
    if not file.is_file():
        raise refusal("there is no such file", "Name the Parquet or CSV file with the corrected rows")
    if set(str(file.resolve())) & set("*?["):
        raise refusal("DuckDB takes `*`, `?` and `[` in a path for a pattern", "Give the file another name")
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise refusal("its ending tells no format", f"Known: {', '.join(_READERS)}")
    return reader


def _parquet(con: DuckDBPyConnection, file: Path, wanted: Wanted, refusal: Refusal) -> str:
    # A folder named `amount=5` on the way to the file would become a column of it otherwise.
    relation = f"read_parquet({literal(str(file))}, hive_partitioning = false)"
    found = con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    kinds = {name: kind for name, kind, *_ in found if name not in OF_QUARANTINE}
    other = [
        f"{name} is {kinds[name]}, not {kind}"
        for name, kind in wanted.columns
        if name in kinds and kinds[name] != kind
    ]
    _check_names(list(kinds), wanted, refusal, other)
    _check_number(con, f"SELECT count(*) FROM {relation}", wanted, refusal)
    return f"SELECT {', '.join(quoted(name) for name, _ in wanted.columns)} FROM {relation}"


def _csv(con: DuckDBPyConnection, file: Path, wanted: Wanted, refusal: Refusal) -> str:
    names = _names(file, refusal)
    _check_names([name for name in names if name not in OF_QUARANTINE], wanted, refusal)
    texts = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    relation = (
        f"read_csv({literal(str(file))}, auto_detect = false, header = true, columns = {{{texts}}}, "
        "delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, "
        "strict_mode = true, hive_partitioning = false, compression = 'none')"
    )
    _check_number(con, f"SELECT count(*) FROM {relation}", wanted, refusal)
    _check_texts(con, relation, wanted, refusal)
    shown = (f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}" for name, kind in wanted.columns)
    return f"SELECT {', '.join(shown)} FROM {relation}"


_READERS: Mapping[str, Callable[[DuckDBPyConnection, Path, Wanted, Refusal], str]] = {
    ".parquet": _parquet,
    ".csv": _csv,
}


def _names(file: Path, refusal: Refusal) -> list[str]:
    """The first line of a CSV file; each name once."""
    with file.open("rb") as opened:
        head = opened.read(MOST_NAMES)
    try:
        text = head.decode("utf-8-sig", errors="strict" if len(head) < MOST_NAMES else "ignore")
        names = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except UnicodeDecodeError as error:
        line = head.count(b"\n", 0, error.start) + 1
        raise refusal(f"line {line} is not UTF-8", "Save it as UTF-8") from None
    except csv.Error as error:
        raise refusal(f"its line of names is no CSV ({error})", _AS_EXPORTED) from None
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise refusal(f"it has the column {twice[0]} twice", "Keep one of them")
    return names


def _check_names(names: Sequence[str], wanted: Wanted, refusal: Refusal, other: Sequence[str] = ()) -> None:
    known = dict(wanted.columns)
    missing = [name for name in known if name not in names]
    more = [name for name in names if name not in known]
    told = [f"missing {_few(missing)}"] if missing else []
    told += [f"unknown {_few(more)}"] if more else []
    if told or other:
        raise refusal(f"its columns are not the product's ({'; '.join([*told, *other])})", _AS_EXPORTED)


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:60])[1:-1] for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10:,} more"


def _check_number(con: DuckDBPyConnection, query: str, wanted: Wanted, refusal: Refusal) -> None:
    """Before a row is kept: a small file can hold more rows than any disk."""
    (rows,) = con.execute(query).fetchone() or (0,)
    if rows > wanted.rows:
        raise refusal(
            f"it has {rows:,} rows, and {wanted.rows:,} can be corrected",
            "Bring one row for each key in quarantine",
        )


def _check_texts(con: DuckDBPyConnection, relation: str, wanted: Wanted, refusal: Refusal) -> None:
    """Every text is exactly one value of its column's type: 1.5 is no BIGINT, and neither is =1+1."""
    for name, kind in wanted.columns:
        bad = unreadable(quoted(name), kind)
        query = f"SELECT count_if({bad}), min({quoted(name)}) FILTER (WHERE {bad}) FROM {relation}"
        count, first = con.execute(query).fetchone() or (0, None)
        if count:
            such = "" if name in wanted.personal else f", such as {str(first)[:60]!r}"
            raise refusal(f"{count:,} of its values of {name} are no {kind}{such}", _AS_EXPORTED)
