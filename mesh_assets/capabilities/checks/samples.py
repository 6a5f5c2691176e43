"""A few failing rows of every rule that failed, for people: bounded, in as few looks at the data as possible.

A rule that many rows break shows them to whoever reads a little: DuckDB stops after the first ones. Rules
that few rows break would each read all of their columns to the end; they share one pass that keeps the least
rows of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesh_assets.capabilities.checks.compile import Check, Pass
from mesh_assets.capabilities.checks.duplicates import Repeats, key_of
from mesh_assets.capabilities.checks.failures import sample
from mesh_assets.capabilities.checks.format import SAMPLE_ROWS, plain
from mesh_assets.capabilities.checks.references import looked_at, orphan_condition
from mesh_assets.capabilities.checks.stored import Family
from mesh_assets.capabilities.checks.subject import Subject, complete, quoted

Rows = tuple[Mapping[str, Any], ...]

#: A rule is rare if one would have to read about so many rows to meet a sample of those that break it.
RARE = 200_000


def shared_samples(subject: Subject, failed: Sequence[tuple[Check, int]], rows: int) -> dict[str, Rows]:
    """By rule id, failing rows of the rare ones among these rules of the scan, from one pass over the draft.

    Rules come with the number of rows that break them.
    """
    rare = [check for check, count in failed if count * RARE < rows * SAMPLE_ROWS]
    if len(rare) < 2:
        return {}
    collected = ", ".join(
        f"min({subject.shown_struct(check.rule.columns)}, {SAMPLE_ROWS}) FILTER (WHERE {check.counted})"
        for check in rare
    )
    row = subject.con.execute(f"SELECT {collected} FROM {subject.relation} AS draft").fetchone() or ()
    return {check.rule.id: _plain(found or ()) for check, found in zip(rare, row, strict=True)}


def sample_of(subject: Subject, check: Check, repeats: Repeats | None) -> Rows:
    """Failing rows of one rule; repeated keys stand together, those of the least keys first."""
    if check.by is Pass.REFERENCE:
        condition = orphan_condition(subject, check.rule)
        return _rows(subject, check, looked_at(subject, check.rule), f"WHERE {condition}")
    if check.by is not Pass.DUPLICATES or repeats is None:
        return sample(subject, check)
    found = _repeated(subject, check, repeats) if repeats.table else ()
    if check.counted is None or len(found) == SAMPLE_ROWS:
        return found
    return (*found, *_rows(subject, check, subject.relation, f"WHERE {check.counted}"))[:SAMPLE_ROWS]


def _repeated(subject: Subject, check: Check, repeats: Repeats) -> Rows:
    if _shows_keys_alone(subject, check, repeats):
        return _copies(subject, check, repeats)
    keys = f"SELECT * EXCLUDE (rows) FROM {repeats.table} ORDER BY ALL LIMIT {SAMPLE_ROWS}"
    order = ", ".join(quoted(repeats.columns, "draft"))
    where = f"WHERE {complete(repeats.columns)} AND {key_of(repeats.columns)} IN ({keys}) ORDER BY {order}"
    return _rows(subject, check, subject.product_sql, where)


def _shows_keys_alone(subject: Subject, check: Check, repeats: Repeats) -> bool:
    """Whether keys are all that is shown of a row. Two signs of zero are one key: then rows are read."""
    shown = {*subject.contract.key, *check.rule.columns} & set(subject.stored)
    told = {subject.stored[name].family for name in repeats.columns}
    return shown <= set(repeats.columns) and told <= {Family.INTEGER, Family.TEXT, Family.DATE}


def _copies(subject: Subject, check: Check, repeats: Repeats) -> Rows:
    """The same rows without a look at the data: each key as often as it occurs."""
    names = quoted(repeats.columns)
    keys = ", ".join(f"k{number} AS {name}" for number, name in enumerate(names))
    order = ", ".join(names)
    least = f"SELECT {keys}, rows FROM {repeats.table} ORDER BY {order} LIMIT {SAMPLE_ROWS}"
    copies = f"(SELECT {order} FROM ({least}), range({SAMPLE_ROWS}) AS copies(copy) WHERE copy < rows)"
    return _rows(subject, check, copies, f"ORDER BY {order}")


def _rows(subject: Subject, check: Check, relation: str, where: str) -> Rows:
    shown = subject.shown_struct(check.rule.columns)
    found = subject.con.execute(f"SELECT {shown} FROM {relation} AS draft {where} LIMIT {SAMPLE_ROWS}")
    return _plain([row[0] for row in found.fetchall()])


def _plain(found: Sequence[Mapping[str, Any]]) -> Rows:
    return tuple({name: plain(value) for name, value in row.items()} for row in found)
