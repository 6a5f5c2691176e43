"""Are the columns those of the contract? Names and types as stored, before any value is looked at.

Here: the answer of the rule `physical_types`, and which texts are no value of a promised type.
Not here: whether the types of two versions agree (contracts), reading text into types (publishing).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mesh_assets.capabilities.checks.format import SAMPLE_ROWS
from mesh_assets.capabilities.checks.stored import Family, StoredColumn, stored_column, text
from mesh_assets.capabilities.checks.subject import Subject
from mesh_assets.capabilities.contracts.types import TypeRefused, fits, parsed, physical_type
from mesh_assets.words.rules import Outcome, Rule, RuleResult

#: The end of a timestamp with an offset, which DuckDB would drop: another moment.
_OFFSET = r":[0-9.]+\s*[+-][0-9]{2}(:?[0-9]{2})?\s*$"

#: A wrong column as people see it: its name, how it is stored, how the contract says.
Difference = Mapping[str, Any]


def columns_result(subject: Subject, rule: Rule, rows: int) -> RuleResult:
    """Passed if the draft has exactly the promised columns, each of exactly the promised type."""
    wrong = list(_differences(subject, rule.arguments["types"], rule.arguments.get("fitting") or {}))
    if not wrong:
        count = len(rule.arguments["types"])
        return RuleResult(rule, Outcome.PASSED, None, rows, summary=f"holds on {count} columns")
    told = "; ".join(_told(each) for each in wrong)
    return RuleResult(
        rule,
        Outcome.FAILED,
        None,
        rows,
        value=f"{len(wrong)} wrong",
        summary=f"failed on {len(wrong)} of the columns: {told}",
        sample=tuple(wrong[:SAMPLE_ROWS]),
    )


def _differences(
    subject: Subject, promised: Mapping[str, str], fitting: Mapping[str, Any]
) -> Iterator[Difference]:
    for name, kind in promised.items():
        found = subject.stored.get(name)
        if found is None:
            yield {"column": name, "stored": None, "promised": kind}
        elif name in fitting and is_fitting(found.type, fitting[name]):
            continue
        elif _canonical(found.type) != kind:
            wrong = {"column": name, "stored": found.type, "promised": kind}
            yield {**wrong, **_unreadable(subject, found, kind)}
    for name, found in subject.stored.items():
        if name not in promised:
            yield {"column": name, "stored": found.type, "promised": None}


def _told(wrong: Difference) -> str:
    if wrong["stored"] is None:
        return f"{wrong['column']} is missing, the contract says {wrong['promised']}"
    if wrong["promised"] is None:
        return f"{wrong['column']} is not in the contract"
    told = f"{wrong['column']} is stored as {wrong['stored']}, the contract says {wrong['promised']}"
    if wrong.get("unreadable_rows"):
        rows = wrong["unreadable_rows"]
        told += f" ({rows:,} {'row holds' if rows == 1 else 'rows hold'} no {wrong['promised']}, such as "
        told += f"{wrong['such_as']!r})"
    return told


#: Types that a lake does not keep, and a file or a table that is no product may have.
_ELSEWHERE = {
    **dict.fromkeys(("HUGEINT", "UHUGEINT"), ("integer", "number")),
    **dict.fromkeys(("TIMESTAMP_S", "TIMESTAMP_MS"), ("timestamp", "moment")),
    "ENUM": ("string",),
}


def is_fitting(stored: str, wanted: Mapping[str, Any]) -> bool:
    """Whether a column may be stored so that promises a logicalType, inside and outside, and no type."""
    if "type" in wanted:
        return _canonical(stored) == str(wanted["type"])
    logical, inside = str(wanted["logical"]), dict(wanted["inside"])
    if logical == "any":
        return True
    if (bare := stored.partition("(")[0]) in _ELSEWHERE:
        return logical in _ELSEWHERE[bare]
    try:
        duck = parsed(stored)
    except TypeRefused:
        return False
    inner = dict(zip(duck.fields or _STEPS.get(duck.name, ()), duck.inner, strict=True))
    promised = not inside or inside.keys() == inner.keys() or (duck.name == "MAP" and logical == "map")
    return (
        any(fits(kind, stored) for kind in _KINDS.get(logical, (logical,)))
        and promised
        and all(name in inner and is_fitting(str(inner[name]), each) for name, each in inside.items())
    )


_STEPS = {"LIST": ("[]",), "MAP": ("{key}", "{value}")}
#: What ODCS 3.0 called a date.
_KINDS = {"moment": ("date", "timestamp", "time")}


def _canonical(kind: str) -> str:
    try:
        return physical_type(kind)
    except TypeRefused:
        return kind  # a type that no contract can promise


def _unreadable(subject: Subject, found: StoredColumn, kind: str) -> Difference:
    """How many of a text column's values are why it is one: they are no value of the promised type."""
    import duckdb

    if found.family is not Family.TEXT:
        return {}
    bad = unreadable(found.sql, kind)
    try:
        row = subject.con.execute(
            f"SELECT count(*) FILTER (WHERE {bad}), arg_min({found.sql}, {found.sql}) FILTER (WHERE {bad}) "
            f"FROM {subject.relation} AS draft"
        ).fetchone()
    except duckdb.Error:
        return {}  # the types differ, which is what the rule says
    if row is None or not row[0]:
        return {}
    personal = found.name in subject.contract.personal
    return {"unreadable_rows": row[0], "such_as": "***" if personal else row[1]}


def unreadable(sql: str, kind: str) -> str:
    """SQL that is true on a text that is not exactly one value of a DuckDB type: no rounding, no guess."""
    target = stored_column("", kind)
    cast = f"TRY_CAST({sql} AS {kind})"
    exact = {
        Family.INTEGER: r"\s*[+-]?[0-9]+(\.0*)?\s*",
        Family.DECIMAL: rf"\s*[+-]?[0-9]*(\.[0-9]{{0,{target.scale}}}0*)?\s*",
    }.get(target.family)
    lossy = []
    if exact is not None:
        lossy.append(f"NOT regexp_full_match({sql}, {text(exact)})")
    if target.family is Family.DATE:
        lossy.append(f"TRY_CAST({sql} AS TIMESTAMP) IS DISTINCT FROM {cast}::TIMESTAMP")
    if target.family is Family.TIMESTAMP:
        lossy.append(f"regexp_matches({sql}, {text(_OFFSET)})")
    return f"({sql} IS NOT NULL AND ({' OR '.join((f'{cast} IS NULL', *lossy))}))"
