"""Data of a notebook, polars, pandas or ibis, before DuckDB; and DuckDB's answer in the backend's own form.

Here: lending a frame to DuckDB as a relation, which of its rows are bad, how pandera wants to be told so.
Not here: what makes a row bad (conditions, judge), pandera's schemas (schema).

A polars or pandas frame goes through Arrow to a private connection. An ibis table stays where it is: DuckDB
judges it on its own connection, so ibis is for tables of its DuckDB backend.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mesh_assets.capabilities.checks.compile import Check, Pass, compile_rule
from mesh_assets.capabilities.checks.failures import failing_condition
from mesh_assets.capabilities.checks.judge import failing_positions
from mesh_assets.capabilities.checks.pandas_columns import arrow_table
from mesh_assets.capabilities.checks.stored import CannotRun
from mesh_assets.capabilities.checks.subject import Subject, columns_of, look_at
from mesh_assets.capabilities.contracts.model import Column, Contract
from mesh_assets.words.rules import Rule

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from duckdb import DuckDBPyConnection

Data = Any
BACKENDS = ("polars", "pandas", "ibis")

_ROW = "mesh_row"
_NUMBERED = "mesh_frame"
#: Types that a frame keeps as text; only a database has them.
_TEXT_IN_FRAMES = re.compile(r"^(?:UUID|JSON)(?=(?:\[\])*$)")


class Frame(Protocol):
    """Data that a check of a contract's schema was called with."""

    @property
    def promise(self) -> Contract: ...

    def lent(self) -> Any:
        """A context: (connection, relation) with these data, all rows and columns, nothing cast."""

    def good_rows(self, rule: Rule, expectations: Path | None) -> Any:
        """Which rows keep a rule that some break, as pandera takes it from this backend; or False."""


def frame_of(data: Data, promise: Contract) -> Frame:
    """What pandera hands to a check: PolarsData, IbisData, or a pandas frame itself."""
    if hasattr(data, "lazyframe"):
        return PolarsFrame(promise, data.lazyframe)
    if hasattr(data, "table"):
        return IbisFrame(promise, data.table)
    return PandasFrame(promise, data)


def holds_type(frame: Frame, column: Column) -> bool:
    """Whether a column is stored as the contract says; a missing one is for pandera to tell."""
    with frame.lent() as (con, relation):
        found = columns_of(con, relation).get(column.name)
    backend = "ibis" if isinstance(frame, IbisFrame) else "pandas"
    return found is None or found.type == type_in(backend, column.physical_type)


def type_in(backend: str, physical_type: str) -> str:
    """The DuckDB type that data of this backend have where the contract says `physical_type`."""
    return physical_type if backend == "ibis" else _TEXT_IN_FRAMES.sub("VARCHAR", physical_type)


@dataclass(frozen=True)
class PolarsFrame:
    """A polars frame; pandera hands it over lazy, and it is read at once."""

    promise: Contract
    lazy: pl.LazyFrame

    @contextmanager
    def lent(self) -> Iterator[tuple[DuckDBPyConnection, str]]:
        frame = self.lazy.collect()
        with _private(frame.with_row_index(_ROW).to_arrow()) as lent:
            yield lent

    def good_rows(self, rule: Rule, expectations: Path | None) -> pl.LazyFrame | bool:
        import polars as pl

        good = _good(self, rule, expectations)
        return False if good is None else pl.LazyFrame({"good": pl.Series(good, dtype=pl.Boolean)})


@dataclass(frozen=True)
class PandasFrame:
    """A pandas frame, its columns read by what the contract says they hold (see pandas_columns)."""

    promise: Contract
    frame: pd.DataFrame

    @contextmanager
    def lent(self) -> Iterator[tuple[DuckDBPyConnection, str]]:
        import pyarrow

        table = arrow_table(self.frame, self.promise)
        numbers = pyarrow.array(range(len(self.frame)), pyarrow.int64())
        with _private(table.append_column(_ROW, numbers)) as lent:
            yield lent

    def good_rows(self, rule: Rule, expectations: Path | None) -> pd.Series | bool:
        import pandas as pd

        good = _good(self, rule, expectations)
        return False if good is None else pd.Series(good, index=self.frame.index, dtype=bool)


@dataclass(frozen=True)
class IbisFrame:
    """A table of ibis' DuckDB backend, judged where it is."""

    promise: Contract
    #: ibis.Table; ibis is no dependency of the mesh.
    table: Any

    @contextmanager
    def lent(self) -> Iterator[tuple[DuckDBPyConnection, str]]:
        backend: Any = self.table.get_backend()
        if backend.name != "duckdb":
            raise CannotRun(
                f"its table is of ibis' {backend.name} backend, and only DuckDB decides as publication does; "
                "bring it over: ibis.memtable(table.to_pyarrow())"
            )
        # Registers tables in memory, which SQL text alone does not.
        self.table.limit(0).count().to_pyarrow()
        yield backend.con, f"({backend.compile(self.table)})"

    def good_rows(self, rule: Rule, expectations: Path | None) -> Any:
        with self.lent() as (con, relation):
            subject = look_at(Subject(con, relation, self.promise))
            check = compile_rule(rule, subject.stored)
            if check.by not in (Pass.SCAN, Pass.DUPLICATES):
                return False  # no expression of ibis says which rows; the verdict shows them
            # A dict becomes columns of this very table. A table would be joined to it by position, and two
            # runs of one query may order their rows differently.
            return {"good": ~self._bad(con, check, subject)}

    def _bad(self, con: DuckDBPyConnection, check: Check, subject: Subject) -> Any:
        bad = self._counted(con, check, subject) if check.counted else None
        if check.by is not Pass.DUPLICATES:
            return bad
        import ibis

        keys = check.rule.columns
        group = self.table.count().over(ibis.window(group_by=[self.table[name] for name in keys]))
        complete = ibis.and_(*(self.table[name].notnull() for name in keys))
        repeated = complete & (group > 1)
        return repeated if bad is None else bad | repeated

    def _counted(self, con: DuckDBPyConnection, check: Check, subject: Subject) -> Any:
        """The condition as an expression: ibis calls a macro, whose body is the SQL of the one scan."""
        import ibis

        names = tuple(subject.stored)
        macro = f"mesh_{self.promise.product.product}_{check.rule.id}".lower()
        parameters = ", ".join(column.sql for column in subject.stored.values())
        con.execute(
            f'CREATE OR REPLACE TEMP MACRO "{macro}"({parameters}) AS coalesce({check.counted}, FALSE)'
        )
        types = tuple(self.table[name].type() for name in names)
        call = ibis.udf.scalar.builtin(_macro(len(names)), name=macro, signature=(types, "boolean"))
        return call(*(self.table[name] for name in names))


def _macro(arguments: int) -> Any:
    """A function of so many positional arguments: ibis reads its signature and never calls it."""
    import inspect

    def macro(*values: Any) -> Any: ...

    positional = inspect.Parameter.POSITIONAL_ONLY
    macro.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(f"a{number}", positional) for number in range(arguments)]
    )
    return macro


@contextmanager
def _private(numbered: Any) -> Iterator[tuple[DuckDBPyConnection, str]]:
    """An Arrow table with numbered rows on a connection of its own; the relation shows no numbers."""
    import duckdb

    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        # DuckDB hands a WHERE over Arrow to pyarrow, which does not find NaN above every number.
        con.execute("SET disabled_optimizers = 'filter_pushdown'")
        con.register(_NUMBERED, numbered)
        yield con, f"(SELECT * EXCLUDE ({_ROW}) FROM {_NUMBERED})"


def _good(frame: PolarsFrame | PandasFrame, rule: Rule, expectations: Path | None) -> Any:
    """True for each good row, in the order of the frame; None if the rule names no rows."""
    import numpy as np

    with frame.lent() as (con, relation):
        subject = look_at(Subject(con, relation, frame.promise))
        check = compile_rule(rule, subject.stored)
        if check.by is Pass.PANDERA:
            bad: Any = failing_positions(subject, rule, path=expectations)
        else:
            condition = failing_condition(subject, check)
            if condition is None:
                return None
            bad = con.execute(f"SELECT {_ROW} FROM {_NUMBERED} AS draft WHERE {condition}").fetchnumpy()[_ROW]
        rows = con.execute(f"SELECT count(*) FROM {_NUMBERED}").fetchone()
    good = np.ones(rows[0] if rows else 0, dtype=bool)
    good[np.asarray(bad, dtype=np.int64)] = False
    return good
