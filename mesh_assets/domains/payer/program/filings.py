"""Reads what payers file and writes one table of it.

A program of its own: it needs a Python interpreter and the standard library, and nothing of this mesh (run it
with `python -I -S`). It reads one JSON order on stdin, writes `<output>/<product>.csv` and tells its progress
on stdout:

    {"product": "plan", "inputs": {}, "sources": {"plan_filing": ["filed.csv"]}, "output": "made"}

A filing that cannot be read ends it with exit code 2 and one line on stderr: `error: file:line: what`.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

LINES_OF_BUSINESS = ("commercial", "medicare", "medicaid", "cash")
YES_OR_NO = {"Y": "true", "N": "false"}
PLAN_COLUMNS = (
    "plan_id",
    "contract_id",
    "plan_name",
    "payer_name",
    "line_of_business",
    "state_list",
    "enrollment",
    "effective_from",
)
FORMULARY_COLUMNS = (
    "formulary_id",
    "plan_id",
    "brand_code",
    "brand_name",
    "tier",
    "prior_authorization",
    "step_therapy",
    "effective_from",
)

Row = dict[str, Any]


class Malformed(Exception):
    """A filing or an order that cannot be read as it stands."""

    def __init__(self, file: str, line: int, what: str) -> None:
        super().__init__(f"{file}:{line}: {what}")


@dataclass(frozen=True)
class Order:
    """What to make, from which files, into which folder."""

    product: str
    inputs: dict[str, list[str]]
    sources: dict[str, list[str]]
    output: str


@dataclass(frozen=True)
class Filed:
    """One line of a filing, and where it stands."""

    file: str
    line: int
    values: dict[str, str]

    def text(self, column: str) -> str:
        """The value, which must be there."""
        value = self.values[column].strip()
        if not value:
            raise Malformed(self.file, self.line, f"{column} is empty")
        return value

    def whole_number(self, column: str) -> int:
        value = self.text(column)
        if not value.lstrip("-").isdecimal():
            raise Malformed(self.file, self.line, f"{column} is {value!r}, not a whole number")
        return int(value)

    def day(self, column: str) -> str:
        value = self.text(column)
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise Malformed(self.file, self.line, f"{column} is {value!r}, not a date (YYYY-MM-DD)") from None

    def one_of(self, column: str, allowed: Iterable[str]) -> str:
        value = self.text(column)
        if value not in allowed:
            raise Malformed(self.file, self.line, f"{column} is {value!r}, not one of {', '.join(allowed)}")
        return value


@dataclass(frozen=True)
class Product:
    """What this program makes: by which function, with which columns."""

    rows: Callable[[Order], list[Row]]
    columns: tuple[str, ...]


def main() -> int:
    try:
        order = read_order(sys.stdin.read())
        write(order, PRODUCTS[order.product].rows(order))
    except Malformed as problem:
        print(f"error: {problem}", file=sys.stderr)  # noqa: T201 - lines are how it speaks
        return 2
    return 0


def read_order(text: str) -> Order:
    try:
        order = Order(**json.loads(text))
    except (ValueError, TypeError) as problem:
        raise Malformed("stdin", 1, f"the order is not as agreed ({problem})") from None
    if order.product not in PRODUCTS:
        raise Malformed("stdin", 1, f"no product {order.product!r}; this program makes {', '.join(PRODUCTS)}")
    return order


def plans(order: Order) -> list[Row]:
    """One row per plan: the filing that took effect last."""
    filed = list(filings(order, "plan_filing", PLAN_COLUMNS))
    progress(40, f"read {len(filed)} plan filings")
    return [
        {
            "plan_id": one.text("plan_id"),
            "contract_id": one.text("contract_id"),
            "plan_name": one.text("plan_name"),
            "payer_name": one.text("payer_name"),
            "line_of_business": one.one_of("line_of_business", LINES_OF_BUSINESS),
            "enrollment": one.whole_number("enrollment"),
            "effective_from": one.day("effective_from"),
        }
        for one in in_force(filed, ("plan_id",))
    ]


def plan_areas(order: Order) -> list[Row]:
    """One row per plan and state, with the people and ZIP codes that live there."""
    filed = list(filings(order, "plan_filing", PLAN_COLUMNS))
    progress(30, f"read {len(filed)} plan filings")
    people, zips = states(order)
    progress(60, f"counted the people of {len(people)} states")
    return [
        {
            "plan_id": one.text("plan_id"),
            "state": state,
            "state_zips": zips.get(state, 0),
            "state_population": people.get(state, 0),
        }
        for one in in_force(filed, ("plan_id",))
        for state in one.text("state_list").split("|")
    ]


def coverage(order: Order) -> list[Row]:
    """One row per formulary and known brand: the filing that took effect last."""
    filed = in_force(
        list(filings(order, "formulary_filing", FORMULARY_COLUMNS)), ("formulary_id", "brand_code")
    )
    progress(40, f"{len(filed)} formulary entries are in force")
    known, unknown = match_brands(order, filed)
    if unknown:
        names = sorted({one.text("brand_code") for one in unknown})
        warn(
            f"{len(unknown)} entries name {len(names)} brands that drug.brand has not: {', '.join(names[:5])}"
        )
    return [
        {
            "formulary_id": one.text("formulary_id"),
            "brand_id": brand_id,
            "plan_id": one.text("plan_id"),
            "tier": one.whole_number("tier"),
            "prior_authorization": YES_OR_NO[one.one_of("prior_authorization", YES_OR_NO)],
            "step_therapy": YES_OR_NO[one.one_of("step_therapy", YES_OR_NO)],
            "effective_from": one.day("effective_from"),
        }
        for one, brand_id in known
    ]


def filings(order: Order, source: str, columns: tuple[str, ...]) -> Iterator[Filed]:
    """The lines of a source, each with all the columns that were agreed (more are welcome, fewer are not)."""
    for file in order.sources.get(source) or refuse_order(f"the order has no source {source}"):
        reader = csv.reader(decoded(file), strict=True)
        try:
            header = next(reader, [])
            missing = [column for column in columns if column not in header]
            if missing:
                raise Malformed(file, 1, f"the header lacks {', '.join(missing)}")
            for cells in reader:
                if cells and len(cells) != len(header):
                    raise Malformed(file, reader.line_num, f"{len(cells)} values under {len(header)} columns")
                if cells:
                    yield Filed(file, reader.line_num, dict(zip(header, cells, strict=True)))
        except csv.Error as problem:
            raise Malformed(file, reader.line_num, str(problem)) from None


def decoded(file: str) -> Iterator[str]:
    """Lines as text, decoded one by one: a decoder of the whole file knows a byte's offset, not its line."""
    try:
        with Path(file).open("rb") as handle:
            for number, line in enumerate(handle, start=1):
                try:
                    yield line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as problem:
                    byte = line[problem.start]
                    raise Malformed(file, number, f"byte 0x{byte:02x} is not utf-8") from None
    except OSError as problem:
        raise Malformed(file, 1, problem.strerror or "cannot be opened") from None


def in_force(filed: list[Filed], key: tuple[str, ...]) -> list[Filed]:
    """Leave out what a later filing of the same key replaces.

    Two filings of one key and one day are both kept: which of them holds is not ours to decide, and the
    contract's primary key refuses them.
    """
    last: dict[tuple[str, ...], str] = {}
    for one in filed:
        name = tuple(one.text(column) for column in key)
        last[name] = max(last.get(name, ""), one.day("effective_from"))
    kept = [
        one for one in filed if last[tuple(one.text(column) for column in key)] == one.day("effective_from")
    ]
    return sorted(kept, key=lambda one: tuple(one.text(column) for column in key))


def match_brands(order: Order, filed: list[Filed]) -> tuple[list[tuple[Filed, str]], list[Filed]]:
    """Entries with the brand_id of their code, or else of their name; and those that have neither."""
    directory = {fold(row["brand_name"]): row["brand_id"] for row in rows(order, "drug.brand")}
    progress(60, f"{len(directory)} brands to match with")
    known: list[tuple[Filed, str]] = []
    unknown: list[Filed] = []
    for one in filed:
        brand_id = directory.get(fold(one.values["brand_code"])) or directory.get(
            fold(one.values["brand_name"])
        )
        if brand_id:
            known.append((one, brand_id))
        else:
            unknown.append(one)
    return known, unknown


def fold(name: str) -> str:
    """A brand's name without what filings write differently: case, spaces, hyphens, trade marks."""
    return "".join(letter for letter in name.upper() if letter.isalnum())


def states(order: Order) -> tuple[dict[str, int], dict[str, int]]:
    """Population and number of ZIP codes of each state."""
    people: dict[str, int] = {}
    zips: dict[str, int] = {}
    for row in rows(order, "geography.zip_area"):
        state = row["state"]
        people[state] = people.get(state, 0) + int(float(row["population"] or 0))
        zips[state] = zips.get(state, 0) + 1
    return people, zips


def rows(order: Order, product: str) -> Iterator[dict[str, str]]:
    """An upstream product, handed over as CSV."""
    for file in order.inputs.get(product) or refuse_order(f"the order has no input {product}"):
        yield from csv.DictReader(decoded(file))


def refuse_order(what: str) -> list[str]:
    raise Malformed("stdin", 1, what)


def write(order: Order, table: list[Row]) -> None:
    """The table as CSV, header first; a null is an empty value."""
    target = Path(order.output) / f"{order.product}.csv"
    with target.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, fieldnames=PRODUCTS[order.product].columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    progress(100, f"wrote {len(table)} rows of {order.product}")


def progress(percent: int, what: str) -> None:
    print(f"progress: {percent}% {what}", flush=True)  # noqa: T201 - lines are how it speaks


def warn(what: str) -> None:
    print(f"warning: {what}", flush=True)  # noqa: T201 - lines are how it speaks


PRODUCTS = {
    "plan": Product(
        plans,
        (
            "plan_id",
            "contract_id",
            "plan_name",
            "payer_name",
            "line_of_business",
            "enrollment",
            "effective_from",
        ),
    ),
    "plan_area": Product(plan_areas, ("plan_id", "state", "state_zips", "state_population")),
    "formulary_coverage": Product(
        coverage,
        (
            "formulary_id",
            "brand_id",
            "plan_id",
            "tier",
            "prior_authorization",
            "step_therapy",
            "effective_from",
        ),
    ),
}

if __name__ == "__main__":
    sys.exit(main())
