"""Ways to break one source file so that publication must refuse what is made of it.

Here: one function per kind; each takes the file as delivered and returns it broken, with the keys it touched.
Not here: keeping the original, the ledger, mending (defects.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mesh_assets.operational.streams import MODULUS
from mesh_assets.words.errors import YourCode

Keys = tuple[str, ...]
Row = dict[str, str]
#: The file as it was -> as it is now (None: gone), and the keys of the rows touched.
Breaking = Callable[[bytes], tuple[bytes | None, Keys]]


class NothingToBreak(YourCode):
    template = "No row of the file has a {where} to break (rows are named by {key}). Make larger sources"


@dataclass(frozen=True)
class Breakage:
    """A kind of defect, the file it is planted in, and who is expected to notice it how."""

    kind: str
    #: Relative to the sources; `{week}` stands for a partition key.
    file: str
    #: The product whose publication it stops.
    product: str
    #: The id of the rule that fails, or the error that is raised before any rule can run.
    noticed_by: str
    break_it: Breaking


def edited(key: str, change: Callable[[Row], Row | list[Row]], *, of: int = 3, where: str = "") -> Breaking:
    """A few rows of a CSV changed (or each replaced by several); only rows that have a value in `where`."""

    def break_it(content: bytes) -> tuple[bytes, Keys]:
        columns, rows = _read(content)
        able = [place for place, row in enumerate(rows) if not where or row[where]]
        if not able:
            raise NothingToBreak(key=key, where=where or key)
        chosen = {able[place] for place in _places(len(able), of)}
        keys = tuple(rows[place][key] for place in sorted(chosen))
        made: list[Row] = []
        for place, row in enumerate(rows):
            result = change(dict(row)) if place in chosen else row
            made += result if isinstance(result, list) else [result]
        return _written(columns, made), keys

    return break_it


def setting(column: str, value: str) -> Callable[[Row], Row]:
    return lambda row: row | {column: value}


def without(column: str) -> Breaking:
    def break_it(content: bytes) -> tuple[bytes, Keys]:
        columns, rows = _read(content)
        return _written([name for name in columns if name != column], rows), (column,)

    return break_it


def headers_swapped(one: str, other: str) -> Breaking:
    def break_it(content: bytes) -> tuple[bytes, Keys]:
        columns, rows = _read(content)
        swapped = {one: other, other: one}
        header = [swapped.get(name, name) for name in columns]
        renamed = [{swapped.get(name, name): value for name, value in row.items()} for row in rows]
        return _written(header, renamed), (one, other)

    return break_it


def byte_put(byte: bytes, *, after: bytes) -> Breaking:
    """One byte that the declared encoding does not have, in the middle of the file."""

    def break_it(content: bytes) -> tuple[bytes, Keys]:
        place = content.index(after, len(content) // 2) + len(after)
        line = str(content.count(b"\n", 0, place) + 1)
        return content[:place] + byte + content[place:], (f"line {line}",)

    return break_it


def half_of_it(content: bytes) -> tuple[bytes, Keys]:
    return content[: len(content) // 2], ()


def nothing_of_it(content: bytes) -> tuple[bytes, Keys]:
    return b"", ()


def gone(content: bytes) -> tuple[None, Keys]:
    return None, ()


def semicolons(content: bytes) -> tuple[bytes, Keys]:
    columns, rows = _read(content)
    return _written(columns, rows, delimiter=";"), ()


def parquet_edited(key: str, column: str, value: str) -> Breaking:
    """A few fills (no reversals) of a Parquet file with a SQL expression in the place of a column."""

    def break_it(content: bytes) -> tuple[bytes, Keys]:
        import tempfile

        import duckdb

        with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
            before, after = Path(folder, "before.parquet"), Path(folder, "after.parquet")
            before.write_bytes(content)
            able = con.execute(
                f"SELECT {key} FROM read_parquet('{before}') WHERE claim_type = 'fill' ORDER BY {key}"
            ).fetchall()
            keys = [str(able[place][0]) for place in _places(len(able), 3)]
            con.execute(
                f"""COPY (SELECT * REPLACE (IF({key} IN ({", ".join(keys)}), {value}, {column}) AS {column})
                FROM read_parquet('{before}') ORDER BY {key}) TO '{after}' (FORMAT parquet,
                    COMPRESSION zstd)"""
            )
            return after.read_bytes(), tuple(keys)

    return break_it


def _read(content: bytes) -> tuple[list[str], list[Row]]:
    reader = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    rows = list(reader)
    return list(reader.fieldnames or ()), rows


def _written(columns: list[str], rows: list[Row], *, delimiter: str = ",") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def _places(count: int, wanted: int) -> list[int]:
    """So many different places of `count`, by a Lehmer stream: the same in the same file."""
    chosen: list[int] = []
    state = 20_230_102
    while len(chosen) < min(wanted, count):
        state = state * 48_271 % MODULUS
        if state % count not in chosen:
            chosen.append(state % count)
    return sorted(chosen)


def _twice(row: Row) -> list[Row]:
    return [row, row | {"duration_minutes": "31", "outcome": "follow_up"}]


_CALLS = "engagement/calls/{week}.csv"
_SAMPLES = "engagement/samples/{week}.csv"
_FILLS = "prescriptions/fills/{week}.parquet"
_UNREADABLE = "SourceMalformed"

BREAKAGES = {
    one.kind: one
    for one in (
        Breakage("missing_column", _CALLS, "engagement.call", _UNREADABLE, without("channel")),
        Breakage("duplicated_key", _CALLS, "engagement.call", "primary_key",
                 edited("call_id", _twice, where="duration_minutes")),
        Breakage("unknown_value", _CALLS, "engagement.call", "channel_in_list",
                 edited("call_id", setting("channel", "carrier pigeon"), where="duration_minutes")),
        Breakage("null_key", _SAMPLES, "engagement.sample_drop", "primary_key",
                 edited("drop_id", setting("drop_id", ""), of=2)),
        Breakage("swapped_columns", _SAMPLES, "engagement.sample_drop", "npi_pattern",
                 headers_swapped("npi", "ndc11")),
        Breakage("negative_amount", "engagement/payments.csv", "engagement.payment", "amount_usd_minimum",
                 edited("record_id", setting("amount_usd", "-125.00"))),
        Breakage("impossible_date", "engagement/payments.csv", "engagement.payment", "RecipeFailed",
                 edited("record_id", setting("payment_date", "2023-02-30"), of=1)),
        Breakage("value_out_of_range", "payer/formulary_filing.csv", "payer.formulary_coverage",
                 "tier_maximum", edited("formulary_id", setting("tier", "9"))),
        Breakage("empty_file", "payer/formulary_filing.csv", "payer.formulary_coverage", _UNREADABLE,
                 nothing_of_it),
        Breakage("wrong_type", "payer/plan_filing.csv", "payer.plan", "ProgramFailed",
                 edited("plan_id", setting("enrollment", "about two million"), of=1)),
        Breakage("cp1252_byte", "hcp/crm_accounts.csv", "hcp.hcp_master", _UNREADABLE,
                 byte_put(b"\xe9", after=b"Active")),
        Breakage("future_date", "hcp/affiliation_roster.csv", "hcp.hcp_affiliation", "ends_after_it_began",
                 edited("npi", setting("from_date", "2999-01-01"), where="to_date")),
        Breakage("wrong_delimiter", "hcp/affiliation_roster.csv", "hcp.hcp_affiliation", _UNREADABLE,
                 semicolons),
        Breakage("unknown_reference", _FILLS, "prescriptions.rx_fill", "ndc11_is_package",
                 parquet_edited("fill_id", "ndc11", "'00000000000'")),
        Breakage("negative_quantity", _FILLS, "prescriptions.rx_fill", "quantity_exclusive_minimum",
                 parquet_edited("fill_id", "quantity", "-quantity")),
        Breakage("truncated_file", _FILLS, "prescriptions.rx_fill", _UNREADABLE, half_of_it),
        Breakage("missing_file", "drug/ndc_package.tsv", "drug.package", "SourceMissing", gone),
        Breakage("undefined_byte", "drug/ndc_product.tsv", "drug.drug_product", _UNREADABLE,
                 byte_put(b"\x81", after=b"TABLET")),
    )
}  # fmt: skip
