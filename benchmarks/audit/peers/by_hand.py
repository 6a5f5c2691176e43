"""What one would write by hand: one scan for row rules, GROUP BY for each key, LIMIT 20 for failing rows."""

from __future__ import annotations

from benchmarks.audit.data import CODE, STATUS, ZIP
from benchmarks.audit.peers import Counts, run

CONDITIONS = {
    "id_required": "id IS NULL",
    "code_required": "code IS NULL",
    "code_pattern": f"NOT regexp_matches(code, '{CODE}')",
    "status_required": "status IS NULL",
    "status_valid": f"status NOT IN {STATUS}",
    "amount_minimum": "amount < 0",
    "amount_maximum": "amount > 10000",
    "quantity_required": "quantity IS NULL",
    "quantity_minimum": "quantity < 1",
    "quantity_maximum": "quantity > 1000",
    "price_minimum": "price < 0",
    "price_maximum": "price > 1000",
    "ordered_minimum": "ordered < DATE '2020-01-01'",
    "ordered_maximum": "ordered > DATE '2026-01-01'",
    "updated_required": "updated IS NULL",
    "zip_pattern": f"NOT regexp_matches(zip, '{ZIP}')",
    "email_min_length": "length(email) < 5",
    "email_max_length": "length(email) > 40",
}
KEYS = {"id_unique": "id", "code_unique": "code"}


def check(path: str, rows: bool, *, keys: bool = True) -> Counts:
    import duckdb

    table = f"read_parquet('{path}')"
    with duckdb.connect() as con:
        counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in CONDITIONS.values())
        found = con.execute(f"SELECT {counts} FROM {table}").fetchone() or ()
        failed = dict(zip(CONDITIONS, found, strict=True))
        for name, key in KEYS.items() if keys else ():
            con.execute(
                f"CREATE TEMP TABLE {name} AS SELECT {key}, count(*) AS rows FROM {table} "
                f"WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1"
            )
            (failed[name],) = con.execute(f"SELECT coalesce(sum(rows), 0) FROM {name}").fetchone() or (0,)
        if rows:
            repeated = {name: f"{key} IN (SELECT {key} FROM {name})" for name, key in KEYS.items()}
            for name, condition in {**CONDITIONS, **repeated}.items():
                if failed[name]:
                    con.execute(f"SELECT * FROM {table} WHERE {condition} LIMIT 20").fetchall()
    return failed


if __name__ == "__main__":
    run(check)
