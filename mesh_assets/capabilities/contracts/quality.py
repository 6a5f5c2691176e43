"""The quality rules of a contract: library metrics, SQL, prose.

Here: their arguments, operators, units, severities, names; refusing what the mesh does not run.
Not here: what a property declares without a quality rule (options, rules).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mesh_assets.capabilities.contracts.columns import column_named
from mesh_assets.capabilities.contracts.document import Document, Steps, allowed_words, kind_of
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.options import check_pattern, check_values
from mesh_assets.words.rules import Rule, Severity

OPERATORS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)
#: Spellings of drafts and early tools, each with the standard's own.
_OLD_OPERATORS = {
    "mustBeGreaterThanOrEqualTo": "mustBeGreaterOrEqualTo",
    "mustBeLessThanOrEqualTo": "mustBeLessOrEqualTo",
}
_OLD_METRICS = {"duplicateCount": "duplicateValues"}
#: metric: (rule kind, dimension, on a column, on the table, its arguments)
_METRICS: dict[str, tuple[str, str, bool, bool, tuple[str, ...]]] = {
    "nullValues": ("null_values", "completeness", True, False, ()),
    "missingValues": ("missing_values", "completeness", True, False, ("missingValues",)),
    "invalidValues": ("invalid_values", "conformity", True, False, ("validValues", "pattern")),
    "duplicateValues": ("duplicate_values", "uniqueness", True, True, ("properties",)),
    "rowCount": ("row_count", "completeness", False, True, ()),
}
SEVERITIES = {
    **dict.fromkeys(("warning", "warn", "info", "low", "minor"), Severity.WARNING),
    **dict.fromkeys(("error", "critical", "blocker", "high", "major", "medium"), Severity.ERROR),
}
#: Keys that describe a rule and change nothing about what is measured.
_DESCRIBING = (
    "id",
    "name",
    "description",
    "type",
    "severity",
    "dimension",
    "businessImpact",
    "method",
    "tags",
)
_DESCRIBING_TOO = ("authoritativeDefinitions", "customProperties")
_KEYS = {
    "library": ("metric", "rule", "unit", "arguments", "validValues", *OPERATORS, *_OLD_OPERATORS),
    "sql": ("query", *OPERATORS, *_OLD_OPERATORS),
    "text": (),
}


@dataclass(frozen=True)
class _Site:
    """One quality rule where it is written."""

    document: Document
    path: Steps
    written: dict[str, Any]
    column: Column | None
    columns: tuple[Column, ...]

    @property
    def label(self) -> str:
        return self.written.get("name") or (
            f"the quality rule of {self.column.name}" if self.column else "the quality rule"
        )


def quality_rules(
    document: Document, owner: Steps, column: Column | None, columns: tuple[Column, ...]
) -> Iterator[Rule]:
    """The rules under `quality` of a property (or of the table: column None), in order."""
    for number, written in enumerate(document.at((*owner, "quality")) or ()):
        site = _Site(document, (*owner, "quality", number), written, column, columns)
        kind = written.get("type", "library")
        _refuse_what_does_not_run(site, kind)
        if kind == "library":
            yield _library_rule(site)
        elif kind == "sql":
            yield _sql_rule(site)


def documentation_rules(document: Document, owner: Steps, column: Column | None) -> Iterator[dict[str, Any]]:
    """What `type: text` says: prose, kept and never run."""
    for written in document.at((*owner, "quality")) or ():
        if written.get("type") == "text":
            yield {
                "column": column.name if column else None,
                "name": written.get("name", ""),
                "description": written.get("description", ""),
            }


def severity_of(document: Document, path: Steps, word: Any) -> Severity:
    """Whether a rule of this severity blocks publication or is told; a word that says neither is an error."""
    if word is None:
        return Severity.ERROR
    if not isinstance(word, str) or word.lower() not in SEVERITIES:
        raise document.malformed(path, f"the severity is {kind_of(word)}", allowed_words(word, SEVERITIES))
    return SEVERITIES[word.lower()]


def _refuse_what_does_not_run(site: _Site, kind: str) -> None:
    document, path, written = site.document, site.path, site.written
    if kind == "custom":
        raise document.refused(
            (*path, "engine"),
            f"{site.label} is for the engine {written.get('engine')!r}, which the mesh does not run",
            "Say it as a library or sql rule, or in expectations.py beside the contract",
        )
    for key in ("schedule", "scheduler"):
        if key in written:
            raise document.refused(
                (*path, key),
                f"{site.label} has a `{key}`, and rules of the mesh run whenever the product is built",
                "Remove it",
            )
    if kind not in _KEYS:
        raise document.malformed((*path, "type"), f"`type` is {kind_of(kind)}", allowed_words(kind, _KEYS))
    allowed = (*_KEYS[kind], *_DESCRIBING, *_DESCRIBING_TOO)
    for key in written:
        if key not in allowed:
            raise document.malformed(
                (*path, key), f"{site.label} has the key `{key}`", allowed_words(key, allowed), key=True
            )


def _library_rule(site: _Site) -> Rule:
    metric, at = _metric(site)
    kind, dimension, on_column, on_table, arguments = _METRICS[metric]
    if site.column is not None and not on_column:
        raise site.document.malformed(
            at, f"{metric} is a rule of the table", "Move it to the table's `quality`", key=True
        )
    if site.column is None and not on_table:
        raise site.document.malformed(
            at, f"{metric} is a rule of a column", "Move it to the column's `quality`", key=True
        )
    operator, value = _operator(site, default=0 if _names_valid_values(site) else None)
    unit = _unit(site, metric)
    given = _arguments(site, metric, arguments)
    columns = tuple(given.pop("properties", (site.column.name,) if site.column else ()))
    subject = " and ".join(columns) or "the table"
    return _rule(
        site,
        kind=kind,
        columns=columns,
        fallback="_".join((*columns, kind)) if columns else kind,
        said=f"{metric} of {subject} {operator} {value}{' percent' if unit == 'percent' else ''}",
        dimension=dimension,
        arguments={"operator": operator, "value": value, "unit": unit, **given},
    )


def _metric(site: _Site) -> tuple[str, Steps]:
    key = "metric" if "metric" in site.written else "rule"
    at = (*site.path, key)
    word = site.written.get(key)
    if word is None:
        raise site.document.malformed(
            site.path, f"{site.label} has no `metric`", f"Allowed: {', '.join(_METRICS)}"
        )
    if _names_valid_values(site):
        return "invalidValues", at
    metric = _OLD_METRICS.get(word, word)
    if metric not in _METRICS:
        raise site.document.refused(
            at, f"the metric {word!r} is not run by the mesh", allowed_words(word, _METRICS)
        )
    also = site.written.get("rule")
    if key == "metric" and also is not None and _OLD_METRICS.get(also, also) != metric:
        raise site.document.malformed(
            (*site.path, "rule"), f"`rule` is {also!r} and `metric` is {word!r}", "Keep `metric`"
        )
    return metric, at


def _names_valid_values(site: _Site) -> bool:
    """ODCS 3.0 wrote `rule: validValues` with a list beside it; no operator means that all are valid."""
    return "metric" not in site.written and site.written.get("rule") == "validValues"


def _operator(site: _Site, default: int | None = None) -> tuple[str, Any]:
    found = [key for key in site.written if key in OPERATORS or key in _OLD_OPERATORS]
    if not found and default is not None:
        return "mustBe", default
    if len(found) != 1:
        told = f"has the operators {', '.join(found)}" if found else "has no operator"
        raise site.document.refused(
            (*site.path, found[1]) if found else site.path,
            f"{site.label} {told}, and a rule has exactly one",
            f"Allowed: {', '.join(OPERATORS)}",
            key=bool(found),
        )
    operator = _OLD_OPERATORS.get(found[0], found[0])
    value = site.written[found[0]]
    _check_threshold(site, found[0], value, between=operator.endswith("Between"))
    return operator, value


def _check_threshold(site: _Site, key: str, value: Any, *, between: bool) -> None:
    at = (*site.path, key)
    if between:
        two = isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
        if not two or value[0] > value[1]:
            raise site.document.malformed(at, f"`{key}` is {value}; it must be [low, high], two numbers")
        return
    # A SQL rule may answer true or false; then only equality says something.
    if isinstance(value, bool) and site.written.get("type") == "sql" and key in ("mustBe", "mustNotBe"):
        return
    if not _is_number(value):
        raise site.document.malformed(at, f"`{key}` is {kind_of(value)}; it must be a number")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unit(site: _Site, metric: str) -> str:
    unit = site.written.get("unit", "rows")
    allowed = ("rows",) if metric == "rowCount" else ("rows", "percent")
    if unit not in allowed:
        raise site.document.refused(
            (*site.path, "unit"), f"the unit of {metric} is {unit!r}", allowed_words(unit, allowed), key=False
        )
    return str(unit)


def _arguments(site: _Site, metric: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    given = dict(site.written.get("arguments") or {})
    at: Steps = (*site.path, "arguments")
    if "validValues" in site.written:
        given["validValues"], at = site.written["validValues"], site.path
    for key in given:
        if key not in allowed:
            remedy = allowed_words(key, allowed) if allowed else "Remove it"
            raise site.document.refused((*at, key), f"{metric} has no argument `{key}`", remedy)
    if metric in ("missingValues", "invalidValues") and len(given) != 1:
        wanted = " or ".join(f"`{name}`" for name in allowed)
        told = "has both" if given else "has no"
        raise site.document.malformed(
            at, f"{site.label}: {metric} {told} {wanted}", f"Write exactly one of {wanted} under `arguments`"
        )
    if metric == "duplicateValues":
        _check_properties(site, (*at, "properties"), given)
    for name in ("validValues", "missingValues"):
        if name in given:
            _check_list(site, (*at, name), given[name])
    if "validValues" in given:
        # Rules on values pass over nulls, so a null among the valid values says nothing more.
        given["validValues"] = [value for value in given["validValues"] if value is not None]
    if "pattern" in given:
        check_pattern(site.document, (*at, "pattern"), given["pattern"])
    return given


def _check_list(site: _Site, path: Steps, values: Any) -> None:
    if (
        not isinstance(values, list)
        or not values
        or not all(isinstance(v, str | int | float | None) for v in values)
    ):
        raise site.document.malformed(path, f"`{path[-1]}` must be a list of values, it is {kind_of(values)}")
    assert site.column is not None  # both metrics are of columns, which _library_rule has checked
    check_values(site.document, path, site.column, values)


def _check_properties(site: _Site, path: Steps, given: dict[str, Any]) -> None:
    names = given.get("properties")
    if site.column is not None:
        if names is not None and names != [site.column.name]:
            raise site.document.malformed(
                path, "duplicateValues of several columns is a rule of the table", key=True
            )
        return
    if not isinstance(names, list) or not names:
        raise site.document.malformed(
            path,
            f"{site.label}: duplicateValues of the table needs the columns",
            "Add arguments: {properties: [...]}",
        )
    for number, name in enumerate(names):
        column_named(site.document, (*path, number), name, site.columns)


def _sql_rule(site: _Site) -> Rule:
    query = site.written["query"]
    at = (*site.path, "query")
    strange = re.search(r"\$\{\w*\}|\{(?:table|column|schema|model)\}", query)
    if strange:
        raise site.document.refused(
            at,
            f"the query has the placeholder {strange.group()}",
            "The placeholders are {object} and {property}",
        )
    if "{property}" in query and site.column is None:
        raise site.document.malformed(
            at, "the query of the table has {property}, which only a column's rule has"
        )
    operator, value = _operator(site)
    columns = (site.column.name,) if site.column else ()
    return _rule(
        site,
        kind="sql",
        columns=columns,
        fallback="_".join((*columns, "sql")),
        said=f"the query's result {operator} {value}",
        dimension=None,
        arguments={"query": query.strip(), "operator": operator, "value": value},
    )


def _rule(site: _Site, *, fallback: str, said: str, dimension: str | None, **facts: Any) -> Rule:
    written = site.written
    return Rule(
        id=_identifier(site, fallback),
        description=(written.get("description") or written.get("name") or said).strip(),
        severity=severity_of(site.document, (*site.path, "severity"), written.get("severity")),
        dimension=written.get("dimension", dimension),
        place=site.document.place(site.path),
        **facts,
    )


def _identifier(site: _Site, fallback: str) -> str:
    name = site.written.get("name")
    if name is None:
        return fallback
    identifier = snake_case(name)
    if not identifier:
        raise site.document.malformed((*site.path, "name"), f"the name {name!r} has no letter or digit")
    return identifier


def snake_case(name: str) -> str:
    """`Paid amount isPositive` is paid_amount_is_positive: how a rule's name becomes the name of a check."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[^A-Za-z0-9]+", "_", parted).strip("_").lower()
