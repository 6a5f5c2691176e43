"""Library metrics of ODCS: nullValues, missingValues, invalidValues, duplicateValues, rowCount.

Here: their arguments and units.
Not here: operators, severities, names (site).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mesh_assets.capabilities.contracts.columns import column_named
from mesh_assets.capabilities.contracts.document import Steps, allowed_words, kind_of
from mesh_assets.capabilities.contracts.options import check_pattern, check_values
from mesh_assets.capabilities.contracts.site import Site, operator_of, rule_at
from mesh_assets.words.rules import Rule

_OLD_METRICS = {"duplicateCount": "duplicateValues"}
#: metric: (rule kind, dimension, on a column, on the table, its arguments)
_METRICS: dict[str, tuple[str, str, bool, bool, tuple[str, ...]]] = {
    "nullValues": ("null_values", "completeness", True, False, ()),
    "missingValues": ("missing_values", "completeness", True, False, ("missingValues",)),
    "invalidValues": ("invalid_values", "conformity", True, False, ("validValues", "pattern")),
    "duplicateValues": ("duplicate_values", "uniqueness", True, True, ("properties",)),
    "rowCount": ("row_count", "completeness", False, True, ()),
}


def library_rule(site: Site) -> Rule:
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
    operator, value = operator_of(site, default=0 if names_valid_values(site) else None)
    unit = _unit(site, metric)
    given = _arguments(site, metric, arguments)
    columns = tuple(given.pop("properties", (site.column.root,) if site.column else ()))
    subject = site.column.shown if site.column else " and ".join(columns) or "the table"
    return rule_at(
        site,
        kind=kind,
        columns=columns,
        path=site.column.path if site.column else (),
        fallback="_".join((*((site.column.label,) if site.column else columns), kind)),
        said=f"{metric} of {subject} {operator} {value}{' percent' if unit == 'percent' else ''}",
        dimension=dimension,
        arguments={"operator": operator, "value": value, "unit": unit, **given},
    )


def _metric(site: Site) -> tuple[str, Steps]:
    key = "metric" if "metric" in site.written else "rule"
    at = (*site.path, key)
    word = site.written.get(key)
    if word is None:
        raise site.document.malformed(
            site.path, f"{site.label} has no `metric`", f"Allowed: {', '.join(_METRICS)}"
        )
    if names_valid_values(site):
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


def names_valid_values(site: Site) -> bool:
    """ODCS 3.0 wrote `rule: validValues` with a list beside it; no operator means that all are valid."""
    return "metric" not in site.written and site.written.get("rule") == "validValues"


def _unit(site: Site, metric: str) -> str:
    unit = site.written.get("unit", "rows")
    allowed = ("rows",) if metric == "rowCount" else ("rows", "percent")
    if unit not in allowed:
        raise site.document.refused(
            (*site.path, "unit"), f"the unit of {metric} is {unit!r}", allowed_words(unit, allowed), key=False
        )
    return str(unit)


def _arguments(site: Site, metric: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    given = dict(site.written.get("arguments") or {})
    at: Steps = (*site.path, "arguments")
    if "validValues" in site.written:
        given["validValues"], at = site.written["validValues"], site.path
    for key in given:
        if key not in allowed:
            remedy = allowed_words(key, allowed) if allowed else "Remove it"
            raise site.document.refused((*at, key), f"{metric} has no argument `{key}`", remedy)
    if metric in ("missingValues", "invalidValues") and not given:
        wanted = " or ".join(f"`{name}`" for name in allowed)
        raise site.document.malformed(
            at, f"{site.label}: {metric} has no {wanted}", f"Write {wanted} under `arguments`"
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
        _require_text(site, (*at, "pattern"))
    return given


def _require_text(site: Site, path: Steps) -> None:
    assert site.column is not None  # invalidValues is of columns, which library_rule has checked
    if site.column.physical_type != "VARCHAR":
        raise site.document.refused(
            path,
            f"{site.column.shown} is stored as {site.column.physical_type}, and a pattern is about text",
            "Write the valid values, or a quality rule of type sql",
        )


def _check_list(site: Site, path: Steps, values: Any) -> None:
    if (
        not isinstance(values, list)
        or not values
        or not all(isinstance(v, str | int | float | Decimal | None) for v in values)
    ):
        raise site.document.malformed(path, f"`{path[-1]}` must be a list of values, it is {kind_of(values)}")
    assert site.column is not None  # both metrics are of columns, which _library_rule has checked
    check_values(site.document, path, site.column, values)


def _check_properties(site: Site, path: Steps, given: dict[str, Any]) -> None:
    names = given.get("properties")
    if site.column is not None:
        if names is not None and names not in ([site.column.name], [site.column.called]):
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
    given["properties"] = [
        column_named(site.document, (*path, number), name, site.columns).name
        for number, name in enumerate(names)
    ]
