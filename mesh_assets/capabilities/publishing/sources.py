"""Drops of operational systems: found, checked as text, and offered to any engine.

A drop is never trusted: its encoding is verified to the byte and its header against what domain.yaml
declares, before a recipe sees it, so that the error names the file and not a line of the recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.contracts.model import Source
from mesh_assets.capabilities.lake.places import literal
from mesh_assets.capabilities.publishing.code import digest_of_file
from mesh_assets.words.errors import SourceMalformed, SourceMissing
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import SourceVersion

if TYPE_CHECKING:
    import duckdb
    import polars

DELIMITER = {"csv": ",", "tsv": "\t"}
TEXT = (*DELIMITER, "json", "ndjson")


@dataclass(frozen=True)
class SourceFile:
    """A source as a recipe gets it: its files, and ways to read them. Text columns stay text: casting is
    the recipe's.
    """

    source: Source
    paths: tuple[Path, ...]
    con: duckdb.DuckDBPyConnection
    #: SQL of one more column: of a product that is cut by these files, their key.
    key: str = ""

    @property
    def path(self) -> Path:
        """The only file of a source that is not weekly."""
        return self.paths[0]

    @property
    def sql(self) -> str:
        """A SELECT over all files; a weekly source has a column `drop_week` more, one
        that the product is cut by `drop_file`.
        """
        return source_sql(self.source, self.paths, key=self.key)

    def relation(self) -> duckdb.DuckDBPyRelation:
        return self.con.sql(self.sql)

    def polars(self) -> polars.DataFrame:
        return self.con.execute(self.sql).pl()


def expected_paths(source: Source, folder: Path, weeks: Sequence[str]) -> list[tuple[str, Path]]:
    """(week or "", path) of every file that a build of `weeks` reads; the `late` weeks after only if they
    are there.
    """
    if source.batched:
        return [("", path) for path in files_of(source, folder)]
    if not source.weekly:
        return [("", folder / source.path)]
    if not weeks:  # a product without partitions reads every drop that there is
        return [("", path) for path in files_of(source, folder)]
    wanted = dict.fromkeys(weeks, True)
    for week in weeks:
        for ahead in range(1, source.late + 1):
            wanted.setdefault(str(date.fromisoformat(week) + timedelta(weeks=ahead)), False)
    found = [(week, folder / source.path.format(week=week), must) for week, must in sorted(wanted.items())]
    return [(week, path) for week, path, must in found if must or path.is_file()]


def files_of(source: Source, folder: Path) -> list[Path]:
    """Every file that is there under the source's name; hidden and unfinished ones are not yet there."""
    pattern = source.path.replace("{week}", "*").replace("{batch}", "*")
    if pattern == source.path:
        return [folder / source.path] if (folder / source.path).is_file() else []
    return sorted(path for path in folder.glob(pattern) if is_delivery(path))


def is_delivery(path: Path) -> bool:
    """False for names that writers use until a file is whole."""
    return not path.name.startswith((".", "~")) and not path.name.endswith((".part", ".tmp", ".crdownload"))


def folder_of(settings: Settings, source: Source) -> Path:
    """What the source's path is relative to: drops are somebody else's, rows and events are landed by us."""
    return settings.sources if source.delivery.kind == "file" else settings.landed


def find_source(
    settings: Settings,
    product: ProductName,
    source: Source,
    weeks: Sequence[str],
    *,
    skip: Callable[[Path, str], bool] = lambda path, problem: False,
    said: Callable[[Path], str] = lambda path: "",
) -> list[Path]:
    """The files of a source for these weeks, each there, decodable, with the declared columns.

    `said` knows why a file was set aside on its arrival, and `skip` tells if the build can do without a file
    that has this problem. The file of one of these weeks is never skipped, nor that of a source of one file.
    """
    folder, paths = folder_of(settings, source), []
    found = expected_paths(source, folder, weeks)
    if not found and source.batched:
        raise SourceMissing(product=product, source=source.name, path=folder / source.path)
    for week, path in found:
        if not path.is_file():
            raise SourceMissing(product=product, source=source.name, path=path)
        problem = problem_of(source, path) or said(path)
        if not problem:
            paths.append(path)
        elif week in weeks or not (source.weekly or source.batched) or not skip(path, problem):
            raise SourceMalformed(product=product, source=source.name, path=path, problem=problem)
    if not paths and found:
        raise SourceMalformed(
            product=product, source=source.name, path=found[0][1], problem="no file of it can be read"
        )
    return paths


def problem_of(source: Source, path: Path) -> str:
    """Why the file cannot be read as its source is declared, or ""."""
    return _problem(source, path, _stamp(path))


def parse_problem(source: Source, path: Path) -> str:
    """Why an engine cannot read the rows of a text file, or "". Reads all of it: once, when it arrives."""
    if source.format not in TEXT:
        return ""
    import tempfile

    import duckdb

    with tempfile.TemporaryDirectory() as scratch:
        (copy,) = readable_paths(source, [path], Path(scratch))
        rows = _reader(source, literal(str(copy)), "")
        try:
            seen = _engine().cursor().execute(f"select count(columns(*)) from {rows}").description
        except duckdb.Error as error:
            return " ".join(str(error).replace(str(path), path.name).split())[:300]
        return _header_problem(source, path, len(seen or ()))


def _header_problem(source: Source, path: Path, seen: int) -> str:
    """An engine that finds lines of another length takes one of them for the header, and says nothing."""
    if source.format not in DELIMITER:
        return ""
    named = len(_header(source, path, source.encoding))
    return "" if named == seen else f"its header names {named} columns, and a line has {seen}"


def source_version(settings: Settings, source: Source, path: Path) -> SourceVersion:
    return SourceVersion(
        name=source.name,
        path=str(path.relative_to(folder_of(settings, source))),
        bytes=path.stat().st_size,
        sha256=checksum(path),
    )


def checksum(path: Path) -> str:
    """sha256 of a file, read once for each state of it."""
    return _sha256(path, _stamp(path))


def readable_paths(source: Source, paths: Sequence[Path], scratch: Path) -> tuple[Path, ...]:
    """The files themselves, or UTF-8 copies of them: DuckDB reads no Windows-1252."""
    if source.format not in TEXT or source.encoding.lower() in ("utf-8", "utf8"):
        return tuple(paths)
    copies = []
    for path in paths:
        copy = scratch / "utf8" / source.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes().decode(source.encoding).encode("utf-8"))
        copies.append(copy)
    return tuple(copies)


def source_sql(source: Source, paths: Sequence[Path], *, key: str = "") -> str:
    """A SELECT that reads the files as they are: Parquet by its types, text as VARCHAR. `key` is SQL of one
    more column, over the file's name.
    """
    files = ", ".join(literal(str(path)) for path in paths)
    if key:
        return f"select * exclude (filename), {key} from {_reader(source, files, ', filename = true')}"
    if source.weekly:
        monday = "regexp_extract(filename, '(\\d{4}-\\d{2}-\\d{2})[^/]*$', 1)"
        week = f"strptime({monday}, '%Y-%m-%d')::date as drop_week"
        return f"select * exclude (filename), {week} from {_reader(source, files, ', filename = true')}"
    return f"select * from {_reader(source, files, '')}"


def _reader(source: Source, files: str, more: str) -> str:
    if source.format == "parquet":
        return f"read_parquet([{files}]{more})"
    if source.format in DELIMITER:
        quote = '"' if source.format == "csv" else ""
        return (
            f"read_csv([{files}], header = true, all_varchar = true, delim = '{DELIMITER[source.format]}', "
            f"quote = '{quote}', escape = '{quote}'{more})"
        )
    form = "newline_delimited" if source.format == "ndjson" else "auto"
    return f"read_json([{files}], format = '{form}'{more})"


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=4096)
def _sha256(path: Path, stamp: tuple[int, int]) -> str:
    return digest_of_file(path)


@lru_cache(maxsize=4096)
def _problem(source: Source, path: Path, stamp: tuple[int, int]) -> str:
    """What is wrong with the file, or "". Cached by size and time: 104 weekly drops feed several products."""
    if stamp[0] == 0:
        return "the file is empty"
    if source.format == "parquet":
        return _parquet_problem(source, path)
    if source.format not in TEXT:
        return ""
    content = path.read_bytes()
    try:
        content.decode(source.encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return f"line {line} has the byte 0x{content[error.start]:02x}, which is not {source.encoding}"
    if source.format in DELIMITER and source.columns:
        return _columns_problem(source, _header(source, path, source.encoding))
    return ""


def _header(source: Source, path: Path, encoding: str) -> list[str]:
    import csv

    with path.open(encoding=encoding, newline="") as file:
        if source.format == "csv":
            return next(csv.reader(file), [])
        return next(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), [])


def _parquet_problem(source: Source, path: Path) -> str:
    import duckdb

    try:
        schema = f"select name from parquet_schema({literal(str(path))})"
        rows = _engine().cursor().execute(schema).fetchall()
    except duckdb.Error as error:
        return f"this is not Parquet ({str(error).splitlines()[0]})"
    return _columns_problem(source, [name for (name,) in rows])


@lru_cache(maxsize=1)
def _engine() -> duckdb.DuckDBPyConnection:
    """One for all footers: opening a DuckDB costs 10 ms, and a weekly source has a hundred files."""
    import duckdb

    return duckdb.connect()


def _columns_problem(source: Source, seen: list[str]) -> str:
    missing = [name for name in source.columns if name not in seen]
    if not missing:
        return ""
    return f"the column {', '.join(missing)} is missing; the file has {', '.join(seen[:40])}"
