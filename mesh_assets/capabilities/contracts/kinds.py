"""Kinds of rules beyond the standard: `type: custom`, `engine: mesh`, with short names.

Here: what each kind is told (docs/kinds.md), its thresholds, what is refused with file and line.
Not here: how a kind is measured (checks/kinds, checks/measures), what an expression may say (expressions).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mesh_assets.capabilities.contracts.arguments import Arguments
from mesh_assets.capabilities.contracts.document import allowed_words
from mesh_assets.capabilities.contracts.explain import OPERATORS
from mesh_assets.capabilities.contracts.implementation import implementation_of, text_at
from mesh_assets.capabilities.contracts.site import OLD_OPERATORS, Site, operator_of, rule_at
from mesh_assets.words.rules import Rule, Severity

#: Versions of the product that a draft can be compared with.
AGAINST = ("previous", "same weekday")
AGGREGATES = ("count", "count_distinct", "sum", "avg", "min", "max")
ALGORITHMS = ("luhn", "npi", "gs1", "dea")
_THRESHOLDS = (*OPERATORS, *OLD_OPERATORS)
_NUMERIC = frozenset({"integer", "number"})
_MOMENTS = frozenset({"date", "timestamp"})
_TEXTS = frozenset({"string", "boolean"})


@dataclass(frozen=True)
class _Told:
    """What a kind's own arguments say."""

    columns: tuple[str, ...]
    arguments: dict[str, Any]
    #: What is measured, as the beginning of a sentence.
    said: str


@dataclass(frozen=True)
class _Kind:
    read: Callable[[Arguments], _Told]
    dimension: str
    keys: tuple[str, ...]
    #: "rows": each row holds or not, and a threshold is a choice; "measure": it needs one; "zero": it is 0 if
    #: nothing is written; "none": it takes none.
    threshold: str = "measure"


def mesh_rules(site: Site) -> Iterator[Rule]:
    """The rule that an implementation of engine `mesh` says, and one more if it has a level to warn at."""
    inner = implementation_of(site)
    word = text_at(inner, "kind")
    if word not in KINDS:
        raise inner.document.refused(
            (*inner.path, "kind"), f"the mesh has no kind {word!r}", allowed_words(word, KINDS), key=False
        )
    kind = KINDS[word]
    _refuse_stray_keys(inner, word, kind)
    told = kind.read(Arguments(site, inner))
    rule = _rule(site, word, kind, told, _threshold(inner, kind))
    yield rule
    if "warn" in inner.written:
        yield _warning(site, inner, rule, _told_threshold(_warn_site(inner)))


def _refuse_stray_keys(inner: Site, word: str, kind: _Kind) -> None:
    more = () if kind.threshold == "none" else (*_THRESHOLDS, "warn")
    allowed = ("kind", *kind.keys, *more)
    for key in inner.written:
        if key not in allowed:
            raise inner.document.malformed(
                (*inner.path, key), f"{word} has no argument `{key}`", allowed_words(key, allowed), key=True
            )


def _threshold(inner: Site, kind: _Kind) -> dict[str, Any]:
    written = any(key in inner.written for key in _THRESHOLDS)
    if kind.threshold == "none" or (kind.threshold == "zero" and not written):
        return {"operator": "mustBe", "value": 0}
    if kind.threshold == "rows" and not written:
        for key in ("unit", "warn"):
            if key in inner.written:
                raise inner.document.malformed(
                    (*inner.path, key),
                    f"`{key}` belongs to a threshold, and the rule has none",
                    f"Remove it, or write one of {', '.join(OPERATORS)}",
                    key=True,
                )
        return {}
    return _told_threshold(inner)


def _told_threshold(inner: Site) -> dict[str, Any]:
    operator, value = operator_of(inner)
    return {"operator": operator, "value": value}


def _rule(site: Site, word: str, kind: _Kind, told: _Told, limit: dict[str, Any]) -> Rule:
    return rule_at(
        site,
        kind=word,
        columns=told.columns,
        fallback="_".join((*told.columns[:3], word)),
        said=_sentence(told, limit, {**told.arguments, **limit}),
        dimension=kind.dimension,
        arguments={**told.arguments, **limit},
    )


def _sentence(told: _Told, limit: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    if not limit:
        return told.said
    percent = " percent" if arguments.get("unit") == "percent" else ""
    return f"{told.said} {limit['operator']} {limit['value']}{percent}"


def _warn_site(inner: Site) -> Site:
    path, written = (*inner.path, "warn"), inner.written["warn"]
    if not isinstance(written, dict):
        raise inner.document.malformed(path, "`warn` is not a threshold", "Write e.g. {mustBeLessThan: 0.1}")
    for key in written:
        if key not in _THRESHOLDS:
            raise inner.document.malformed(
                (*path, key), f"`warn` has the key `{key}`", allowed_words(key, OPERATORS), key=True
            )
    return replace(inner, path=path, written=written)


def _warning(site: Site, inner: Site, rule: Rule, limit: dict[str, Any]) -> Rule:
    if not rule.blocking:
        raise inner.document.malformed(
            (*inner.path, "warn"),
            f"{rule.id} has severity {site.written.get('severity')} and a level to warn at",
            "Keep one: a level to warn at stands beside one that blocks",
            key=True,
        )
    said = f"{rule.description} (warns: {limit['operator']} {limit['value']})"
    return replace(
        rule,
        id=f"{rule.id}_warning",
        description=said,
        severity=Severity.WARNING,
        arguments={**rule.arguments, **limit},
        place=inner.document.place((*inner.path, "warn"), key=True),
    )


def _expression(given: Arguments) -> _Told:
    text, columns = given.expression("expression")
    return _Told(columns, {"expression": text, **_row_unit(given)}, f"rows on which not ({text})")


def _when(given: Arguments) -> _Told:
    when, first = given.expression("when")
    then, second = given.expression("then")
    columns = tuple(dict.fromkeys((*first, *second)))
    said = f"rows on which {when} and not ({then})"
    return _Told(columns, {"when": when, "then": then, **_row_unit(given)}, said)


def _check_digit(given: Arguments) -> _Told:
    column = given.column(frozenset({"string", "integer"}))
    algorithm = given.word("algorithm", ALGORITHMS)
    said = f"{column} whose check digit ({algorithm}) is wrong"
    return _Told((column,), {"algorithm": algorithm, **_row_unit(given)}, said)


def _row_unit(given: Arguments) -> dict[str, Any]:
    return {"unit": given.word("unit", ("rows", "percent"), default="rows")}


def _freshness(given: Arguments) -> _Told:
    column = given.column(_MOMENTS)
    unit = given.word("unit", ("minutes", "hours", "days", "weeks"))
    clock = given.clock("clock")
    said = f"{unit} from the newest {column} to {clock.get('instant') or 'the ' + clock['clock']}"
    return _Told((column,), {"unit": unit, **clock}, said)


def _outlier_share(given: Arguments) -> _Told:
    column = given.column(_NUMERIC)
    method = given.word("method", ("iqr", "z"))
    k = given.number("k", default=1.5 if method == "iqr" else 3)
    unit = given.word("unit", ("percent", "rows"), default="percent")
    said = f"values of {column} beyond {k} {'interquartile ranges' if method == 'iqr' else 'deviations'}"
    return _Told((column,), {"method": method, "k": k, "unit": unit}, said)


def _distribution(given: Arguments) -> _Told:
    column = given.column(_NUMERIC | _TEXTS)
    measure = given.word("measure", ("jensen_shannon", "psi"))
    arguments = {"measure": measure, "against": given.word("against", AGAINST, default=AGAINST[0])}
    return _Told((column,), {**arguments, **given.bins(column)}, f"{measure} of {column} against before")


def _change(given: Arguments) -> _Told:
    aggregate, columns = given.aggregate(AGGREGATES)
    arguments = {
        "aggregate": aggregate,
        "against": given.word("against", AGAINST, default=AGAINST[0]),
        "unit": given.word("unit", ("percent", "absolute"), default="percent"),
        **given.filter("where"),
    }
    of = f"{aggregate} of {columns[0]}" if columns else "the row count"
    return _Told(columns, arguments, f"change of {of} since the {arguments['against']} version")


def _schema_unchanged(given: Arguments) -> _Told:
    arguments = {
        "against": given.word("against", AGAINST, default=AGAINST[0]),
        "additions": given.word("additions", ("refused", "allowed"), default="refused"),
    }
    return _Told((), arguments, f"columns that differ from the {arguments['against']} version's")


def _balance(given: Arguments) -> _Told:
    aggregate, columns = given.aggregate(AGGREGATES)
    by = given.columns("by") if given.has("by") else ()
    product = given.product()
    arguments = {
        "aggregate": aggregate,
        "measured": list(columns),
        "to_product": product,
        "to_column": given.word_or(columns[0] if columns else None, "to_column"),
        "by": list(by),
        "to_by": list(given.names("to_by", by)),
        "unit": given.word("unit", ("absolute", "percent"), default="absolute"),
        **given.filter("where"),
        **given.filter("to_where", elsewhere=True),
    }
    of = f"{aggregate} of {columns[0]}" if columns else "row count"
    per = f" by {', '.join(by)}" if by else ""
    return _Told((*by, *columns), arguments, f"difference of the {of} from {product}{per}")


def _match_rate(given: Arguments) -> _Told:
    columns = given.columns("columns") if given.has("columns") else (given.column(),)
    product = given.product()
    targets = list(given.names("to_columns", columns))
    said = f"percent of {' and '.join(columns)} that {product} has"
    return _Told(columns, {"to_product": product, "to_columns": targets, "unit": "percent"}, said)


#: What a contract can ask for, by the name that it writes.
KINDS: Mapping[str, _Kind] = {
    "expression": _Kind(_expression, "consistency", ("expression", "unit"), "rows"),
    "when": _Kind(_when, "consistency", ("when", "then", "unit"), "rows"),
    "check_digit": _Kind(_check_digit, "conformity", ("column", "algorithm", "unit"), "rows"),
    "freshness": _Kind(_freshness, "timeliness", ("column", "clock", "unit")),
    "outlier_share": _Kind(_outlier_share, "accuracy", ("column", "method", "k", "unit")),
    "distribution": _Kind(_distribution, "consistency", ("column", "measure", "against", "bins", "edges")),
    "change": _Kind(_change, "consistency", ("aggregate", "column", "where", "against", "unit")),
    "schema_unchanged": _Kind(_schema_unchanged, "conformity", ("against", "additions"), "none"),
    "balance": _Kind(
        _balance,
        "consistency",
        ("aggregate", "column", "where", "by", "product", "to_column", "to_where", "to_by", "unit"),
        "zero",
    ),
    "match_rate": _Kind(_match_rate, "consistency", ("column", "columns", "product", "to_columns")),
}
