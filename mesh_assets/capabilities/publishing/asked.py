"""What a Python recipe asks of its inputs, written down while it runs.

Here: the log of its private DuckDB, and the handles that it reads by itself. Not here: which columns these
are (lineage).

DuckDB logs every statement of the instance, of cursors and of relations too, as a text; what has none is
logged as nothing, and counts as all columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lineage.observed import Seen
from mesh_assets.words.names import ProductName

if TYPE_CHECKING:
    import duckdb

    from mesh_assets.capabilities.lake.read import Handle

_LOGGED = "select message from duckdb_logs where type = 'QueryLog'"
_LAST = "select 'the recipe has ended'"
_TABLES = """select lower(schema_name || '.' || table_name), list(lower(column_name) order by column_index)
    from duckdb_columns() where not internal group by 1"""


class Asked:
    """One run of a recipe, as far as it has come; `seen` is None until there was one."""

    def __init__(self) -> None:
        self.seen: Seen | None = None
        self._columns: dict[ProductName, frozenset[str] | None] = {}
        self._why: list[str] = []

    def watched(self, handle: Handle) -> Handle:
        """The handle, telling what it is asked for."""

        def told(columns: Sequence[str] | None, by: str) -> None:
            known = self._columns.get(handle.product, frozenset())
            if columns is None:
                self._why.append(f"{by} of {handle.product} gives all columns")
            self._columns[handle.product] = None if columns is None or known is None else known | set(columns)

        handle.asked = told
        return handle

    @contextmanager
    def listening(self, con: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """While a recipe runs with this connection."""
        tables = {str(name): tuple(map(str, columns)) for name, columns in con.execute(_TABLES).fetchall()}
        con.execute("call enable_logging('QueryLog')")
        yield
        con.execute(_LAST)
        con.execute("call disable_logging()")
        texts = [str(text) for (text,) in con.execute(_LOGGED).fetchall()]
        # A recipe that ends the log by itself is not heard any more.
        ended = _LAST not in texts
        statements = tuple(text for text in texts if text not in (_LAST, "call disable_logging()"))
        statements += ("",) if ended else ()
        why = tuple(dict.fromkeys(self._why))
        self.seen = Seen(dict(self._columns), statements, why=why, tables=tables)

    def returned(self, result: Any) -> None:
        """What the recipe gave back: a query is read only now."""
        if self.seen is None:
            return
        if isinstance(result, str):
            self.seen = replace(self.seen, result=result)
        elif hasattr(result, "create_view"):
            try:
                text = str(result.sql_query())
            except Exception:
                text = ""
            statements = (*self.seen.statements, *(() if text else ("",)))
            self.seen = replace(self.seen, statements=statements, result=text)
