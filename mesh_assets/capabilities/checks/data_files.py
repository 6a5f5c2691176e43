"""Anybody's files as relations that an audit can look at, each column as it is stored.

Here: Parquet, CSV, TSV, JSON, and tables of DuckDB files; text typed where the contract promises a type.
Not here: drops of a domain's sources (publishing), which contract is meant (borrowed).

CSV and JSON are read once into a Parquet file in a scratch folder: an audit takes several passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.format import one_line
from mesh_assets.capabilities.checks.json_columns import typed_json
from mesh_assets.capabilities.checks.stored import identifier, text
from mesh_assets.capabilities.checks.typed import typed_columns
from mesh_assets.words.errors import DataUnreadable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TEXT_OPTIONS = "header = true, all_varchar = true"
_ENDINGS = {
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    ".csv": "csv",
    **dict.fromkeys((".tsv", ".tab"), "tsv"),
    ".json": "json",
    **dict.fromkeys((".ndjson", ".jsonl"), "ndjson"),
    **dict.fromkeys((".duckdb", ".ddb", ".db"), "duckdb"),
}
_PACKED = (".gz", ".zst")
#: Types that a text can be one value of; what is inside of columns has no form in CSV.
_NESTED = ("STRUCT", "MAP")


@dataclass
class Reader:
    """Files in, relations out; what is made on the way lies in `scratch`."""

    con: DuckDBPyConnection
    scratch: Path

    def __post_init__(self) -> None:
        self._numbers = count()

    def relation(self, paths: Sequence[Path], table: Sequence[str], promised: Mapping[str, str]) -> str:
        """A SELECT over these files of one kind: DataUnreadable if they are not what their names say.

        `table` has the names that a DuckDB file may have the table under; `promised` the columns' types.
        """
        import duckdb

        kinds = {file_kind(path) for path in paths}
        if len(kinds) > 1:
            raise DataUnreadable(file=paths[0], problem=f"these are files of {len(kinds)} kinds", remedy="")
        try:
            return _READERS[kinds.pop()](self, paths, table, promised)
        except duckdb.Error as error:
            told = one_line(error, limit=300)
            raise DataUnreadable(file=paths[0], problem=f"it cannot be read ({told})", remedy="") from None

    def parquet(self, paths: Sequence[Path], table: Sequence[str], promised: Mapping[str, str]) -> str:
        """As stored; files that differ in a column's type would be cast to the first one's."""
        first = self._columns(paths[0])
        for path in paths[1:]:
            if self._columns(path) != first:
                told = f"its columns are not those of {paths[0].name}"
                raise DataUnreadable(file=path, problem=told, remedy="Audit them one by one")
        return f"SELECT * FROM read_parquet({_listed(paths)})"

    def csv(self, paths: Sequence[Path], table: Sequence[str], promised: Mapping[str, str]) -> str:
        return self._text(f"read_csv({_listed(paths)}, {_TEXT_OPTIONS})", promised)

    def tsv(self, paths: Sequence[Path], table: Sequence[str], promised: Mapping[str, str]) -> str:
        return self._text(f"read_csv({_listed(paths)}, delim = '\t', {_TEXT_OPTIONS})", promised)

    def json(self, paths: Sequence[Path], table: Sequence[str], promised: Mapping[str, str]) -> str:
        return self._kept(typed_json(self.con, _listed(paths), "auto", promised))

    def ndjson(self, paths: Sequence[Path], table: Sequence[str], promised: Mapping[str, str]) -> str:
        return self._kept(typed_json(self.con, _listed(paths), "newline_delimited", promised))

    def duckdb(self, paths: Sequence[Path], table: Sequence[str], promised: Mapping[str, str]) -> str:
        """The table of that name in any schema of the file; it is opened for reading only."""
        if len(paths) > 1:
            raise DataUnreadable(file=paths[1], problem="one DuckDB file at a time is audited", remedy="")
        name = f"lent_{next(self._numbers)}"
        self.con.execute(f"ATTACH {text(str(paths[0]))} AS {name} (READ_ONLY)")
        rows = self.con.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            f"WHERE table_catalog = {text(name)} ORDER BY ALL"
        ).fetchall()
        wanted = {word.lower() for word in table}
        found = [row for row in rows if row[1].lower() in wanted]
        if len(found) != 1:
            told = ", ".join(f"{schema}.{each}" for schema, each in found or rows) or "none"
            problem = f"it has {'several tables' if found else 'no table'} of the name {' or '.join(table)}"
            raise DataUnreadable(file=paths[0], problem=problem, remedy=f"Tables: {told}")
        return f"SELECT * FROM {name}.{identifier(found[0][0])}.{identifier(found[0][1])}"

    def _text(self, reader: str, promised: Mapping[str, str]) -> str:
        flat = {name: kind for name, kind in promised.items() if _is_flat(kind)}
        return self._kept(f"SELECT {typed_columns(self.con, reader, flat)} FROM {reader}")

    def _kept(self, query: str) -> str:
        path = self.scratch / f"{next(self._numbers)}.parquet"
        self.con.execute(f"COPY ({query}) TO {text(str(path))} (FORMAT parquet)")
        return f"SELECT * FROM read_parquet([{text(str(path))}])"

    def _columns(self, path: Path) -> list[tuple[str, str]]:
        rows = self.con.execute(f"DESCRIBE SELECT * FROM read_parquet([{text(str(path))}])").fetchall()
        return [(name, kind) for name, kind, *_ in rows]


_READERS: Mapping[str, Callable[[Reader, Sequence[Path], Sequence[str], Mapping[str, str]], str]] = {
    "parquet": Reader.parquet,
    "csv": Reader.csv,
    "tsv": Reader.tsv,
    "json": Reader.json,
    "ndjson": Reader.ndjson,
    "duckdb": Reader.duckdb,
}


def file_kind(path: Path) -> str:
    """The format that a file's name tells; DataUnreadable if there is none, or no such file."""
    if not path.is_file():
        what = "it is a folder" if path.is_dir() else "there is no such file"
        raise DataUnreadable(file=path, problem=what, remedy="Name the files of one table")
    endings = [ending.lower() for ending in path.suffixes if ending.lower() not in _PACKED]
    kind = _ENDINGS.get(endings[-1]) if endings else None
    if kind is None:
        known = ", ".join(_ENDINGS)
        raise DataUnreadable(file=path, problem="its ending tells no format", remedy=f"Known: {known}")
    if path.stat().st_size == 0:
        raise DataUnreadable(file=path, problem="the file is empty", remedy="")
    return kind


def _is_flat(kind: str) -> bool:
    return not kind.endswith("]") and not kind.startswith(_NESTED)


def _listed(paths: Sequence[Path]) -> str:
    return f"[{', '.join(text(str(path)) for path in paths)}]"
