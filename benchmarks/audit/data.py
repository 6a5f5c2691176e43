"""Twenty rules, and Parquet files of ten columns on which every count is known beforehand.

Row `i` breaks rule number `i % 100` and no other: one percent of the rows for each of twenty rules. A row
that breaks `unique` repeats the key of row `i - i % 100 + 99`, so that two percent of the rows count there.
Keys are shuffled: no row group has a narrow range.
"""

from __future__ import annotations

from pathlib import Path

#: Rule id -> how a value breaks it, in the order of the numbers from 1.
RULES: dict[str, str] = {
    "id_required": "id: NULL",
    "id_unique": "id: {id_of_99}",
    "code_required": "code: NULL",
    "code_unique": "code: {code_of_99}",
    "code_pattern": "code: 'ORD-' || i",
    "status_required": "status: NULL",
    "status_valid": "status: 'lost'",
    "amount_minimum": "amount: -0.01",
    "amount_maximum": "amount: 10000.01",
    "quantity_required": "quantity: NULL",
    "quantity_minimum": "quantity: 0",
    "quantity_maximum": "quantity: 1001",
    "price_minimum": "price: -0.5",
    "price_maximum": "price: 1000.5",
    "ordered_minimum": "ordered: DATE '2019-12-31'",
    "ordered_maximum": "ordered: DATE '2026-01-02'",
    "updated_required": "updated: NULL",
    "zip_pattern": "zip: '1234'",
    "email_min_length": "email: 'a@b'",
    "email_max_length": "email: repeat('x', 41)",
}

STATUS = ("new", "paid", "shipped", "closed")
CODE, ZIP = "^ORD-[0-9]{10}$", "^[0-9]{5}$"

#: Column -> DuckDB type and the SQL of a good value in row `i` of `n`.
COLUMNS: dict[str, tuple[str, str]] = {
    "id": ("BIGINT", "({i} * 7919 + 13) % {n}"),
    "code": ("VARCHAR", "'ORD-' || lpad((({i} * 31337 + 7) % {n})::VARCHAR, 10, '0')"),
    "status": ("VARCHAR", f"{list(STATUS)}[1 + i % 4]"),
    "amount": ("DECIMAL(12,2)", "(i % 1000000) / 100"),
    "quantity": ("INTEGER", "1 + i % 1000"),
    "price": ("DOUBLE", "((i * 2654435761) % 1000000007) / 1e6"),
    "ordered": ("DATE", "DATE '2020-01-01' + (i % 2000)::INTEGER"),
    "updated": ("TIMESTAMP", "TIMESTAMP '2020-01-01' + to_seconds(i % 100000000)"),
    "zip": ("VARCHAR", "lpad((i % 100000)::VARCHAR, 5, '0')"),
    "email": ("VARCHAR", "'user' || (i % 999983) || '@example.com'"),
}


def expected(rows: int, failing: bool) -> dict[str, int]:
    """How many rows break each rule."""
    one_percent = rows // 100 if failing else 0
    return {name: one_percent * (2 if name.endswith("_unique") else 1) for name in RULES}


def write(folder: Path, rows: int, failing: bool) -> Path:
    """The file of so many rows (a multiple of 100), made if it is not there yet."""
    import duckdb

    path = folder / f"{rows}-{'failing' if failing else 'clean'}.parquet"
    if not path.exists():
        fresh = path.with_suffix(".fresh")
        with duckdb.connect(config={"temp_directory": str(folder / "spill")}) as con:
            con.execute(f"COPY ({_query(rows, failing)}) TO '{fresh}' (FORMAT parquet, COMPRESSION zstd)")
        fresh.rename(path)
    return path


def _query(rows: int, failing: bool) -> str:
    columns = ", ".join(f"({_value(name, rows, failing)})::{COLUMNS[name][0]} AS {name}" for name in COLUMNS)
    return f"SELECT {columns} FROM range({rows}) AS rows(i)"


def _value(name: str, rows: int, failing: bool) -> str:
    good = COLUMNS[name][1].format(i="i", n=rows)
    if not failing:
        return good
    twin = COLUMNS[name][1].format(i="(i - i % 100 + 99)", n=rows)
    broken = [
        f"WHEN {number} THEN {value.format(id_of_99=twin, code_of_99=twin)}"
        for number, (column, value) in enumerate((each.split(": ", 1) for each in RULES.values()), 1)
        if column == name
    ]
    return f"CASE i % 100 {' '.join(broken)} ELSE {good} END"
