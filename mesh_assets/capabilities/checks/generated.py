"""Generated contracts, each with files that keep it and files that break each rule a known number of times.

Here: contracts of all versions and forms by seed, their rows, what an audit has to find in them.
Not here: the forms (generated_forms), audits (generated_audits), other people's contracts (tests/corpus).

The same seed makes the same contract and rows, on every machine. What is expected is said by the form that
plants it, not by the readers of contracts: rules are found by column, path and kind, never by their names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from mesh_assets.capabilities.checks.generated_forms import FORMS, Form, Written

VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0")
#: Rows of each table.
ROWS = 60
#: Files that the rows are written to; the last two only for columns that are single values.
FILES = ("parquet", "duckdb", "csv", "json")


@dataclass(frozen=True)
class Expected:
    """What an audit must say of the rule of this kind on this column and path."""

    form: str
    column: str
    path: tuple[str, ...]
    kind: str
    #: Rows that break it; the measure of a rule that names none.
    count: int
    measured: bool


@dataclass(frozen=True)
class Generated:
    """A contract and its two tables, as SQL."""

    seed: int
    version: str
    text: str
    #: The kind of file that the rows are written to.
    file: str
    keeps: str
    breaks: str
    expected: tuple[Expected, ...] = field(default=())


def generated(seed: int) -> Generated:
    """The contract of this seed."""
    dice = Random(seed)  # noqa: S311  the same seed, the same contract
    version, file = dice.choice(VERSIONS), dice.choice(FILES)
    flat = file in ("csv", "json")
    known = [form for form in FORMS if form.since <= version and (form.flat or not flat)]
    forms = [FORMS[seed % len(FORMS)]] if FORMS[seed % len(FORMS)] in known else []
    forms += dice.sample(known, dice.randint(2, 6))
    forms = list({form.name: form for form in forms}.values())
    names = [_name(dice, number) for number in range(len(forms))]
    planted = _planted(dice, forms)
    contract = _contract(dice, version, forms, names, seed)
    return Generated(
        seed,
        version,
        json.dumps(contract, indent=1),
        file,
        _rows(forms, names, {}),
        _rows(forms, names, planted),
        tuple(_expected(forms, names, planted)),
    )


def _name(dice: Random, number: int) -> tuple[str, str]:
    """What the contract calls a column, and what it is stored as: one word, or as people write."""
    plain = f"c{number}"
    return dice.choice(
        [(plain, plain), (plain, plain), (f"Column {number}", f"Column {number}"), (plain, f"C{number}_X")]
    )


def _planted(dice: Random, forms: list[Form]) -> dict[int, tuple[int, ...]]:
    """By form, rows that break it; each form has rows of its own, and some form has none."""
    rows = dice.sample(range(1, ROWS), ROWS - 1)
    planted = {}
    for number in range(len(forms)):
        count = dice.randint(0, 3)
        planted[number], rows = tuple(rows[:count]), rows[count:]
    return planted


def _contract(
    dice: Random, version: str, forms: list[Form], names: list[tuple[str, str]], seed: int
) -> Written:
    properties = []
    for form, (name, stored) in zip(forms, names, strict=True):
        column = {"name": name, **form.column(version)}
        if stored != name:
            column["physicalName"] = stored
        if "physicalType" not in column and dice.random() < 0.5:
            column["physicalType"] = form.stored
        properties.append(column)
    table: Written = {"name": "t", "properties": properties}
    if dice.random() < 0.5:
        key = "metric" if version >= "v3.1" else "rule"
        table["quality"] = [{"name": "count", key: "rowCount", "mustBe": ROWS}]
    return {
        "apiVersion": version,
        "kind": "DataContract",
        "id": f"generated-{seed}",
        "version": "1.0.0",
        "status": "draft",
        "schema": [table],
    }


def _rows(forms: list[Form], names: list[tuple[str, str]], planted: Mapping[int, tuple[int, ...]]) -> str:
    lines = []
    for row in range(ROWS):
        values = (
            f"({(form.bad if row in planted.get(number, ()) else form.good)(row)})::{form.stored}"
            for number, form in enumerate(forms)
        )
        lines.append(f"({', '.join(values)})")
    columns = ", ".join(f'v{number} AS "{stored}"' for number, (_, stored) in enumerate(names))
    listed = ", ".join(f"v{number}" for number in range(len(forms)))
    return f"SELECT {columns} FROM (VALUES {', '.join(lines)}) AS made({listed})"


def _expected(
    forms: list[Form], names: list[tuple[str, str]], planted: Mapping[int, tuple[int, ...]]
) -> Iterator[Expected]:
    for number, (form, (_, stored)) in enumerate(zip(forms, names, strict=True)):
        broken = len(planted[number])
        # All values that repeat are one value, that of row 0: one row more than were planted.
        count = broken + 1 if form.breaks == 2 and broken else broken
        yield Expected(form.name, stored, form.path, form.kind, count, form.measured)
