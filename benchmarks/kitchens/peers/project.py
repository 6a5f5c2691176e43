"""Blocks of twenty models, each a table of the same four columns, as SQL that all three tools run.

The first model of a block is read by eleven others; two of them read its `amount`. Eight stand alone. The
first block has the rows that were asked for, every other one a thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

BLOCK = 20
READERS = 11
#: Models that the large change is in.
CHANGED = 13
COLUMNS = (("id", "BIGINT"), ("amount", "DOUBLE"), ("name", "VARCHAR"), ("day", "DATE"))
SMALL = 1_000


@dataclass(frozen=True)
class Model:
    """One table; `{source}` in its SQL is the model that it reads."""

    block: str
    name: str
    sql: str
    reads: str = ""


@dataclass(frozen=True)
class Project:
    """What the models say now."""

    models: int
    rows: int
    #: What the first model multiplies with: the one-column change.
    factor: str = "1.5"
    #: How many models have one row in a hundred changed.
    changed: int = 0

    def with_one_column_changed(self) -> Project:
        return replace(self, factor="2.5")

    def with_many_changed(self) -> Project:
        return replace(self, factor="1.5", changed=CHANGED)

    def all(self) -> Iterator[Model]:
        for at in range(self.models):
            block, number = divmod(at, BLOCK)
            yield self._model(f"b{block}", number, self.rows if block == 0 else SMALL)

    def _model(self, block: str, number: int, rows: int) -> Model:
        changed = block == "b0" and number < self.changed
        root = number == 0 or number > READERS
        key = "i" if root else "id"
        bump = f"case when {key} % 100 = 0 then 1 else 0 end" if changed else "0"
        factor = self.factor if block == "b0" and number == 0 else "1.5"
        name, day = f"'name ' || {key}", f"date '2024-01-01' + ({key} % 365)::int"
        if root:
            amount, source = f"{key} * {factor}", f"range({rows}) t(i)"
        elif number <= 2:
            amount, source = f"amount + {number}", "{source}"
        else:
            amount, source, name, day = f"id * {number}", "{source}", f"name || ' of {number}'", "day"
        sql = (
            f"select {key}::bigint as id, ({amount} + {bump})::double as amount, {name} as name, {day} as day"
        )
        reads = "" if root else f"p{1 if number == 2 else 0}"
        return Model(block, f"p{number}", f"{sql} from {source}", reads)
