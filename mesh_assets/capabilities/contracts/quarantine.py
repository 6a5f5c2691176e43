"""Quarantine by contract: rows that break a rule are set aside, and the rest is published.

    customProperties:
      - property: onFailure          # on the contract, on its table, or on one rule; the nearest one counts
        value: quarantine            # or refuse, which is what is done if nothing is said
      - property: quarantineLimit    # percent of a draft's rows; on the contract or its table
        value: 5

Here: where it may stand, and which rules it can mean.
Not here: setting rows aside (checks, publishing).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mesh_assets.capabilities.contracts.document import Document, Steps, allowed_words, kind_of
from mesh_assets.capabilities.contracts.model import Contract, Quarantine
from mesh_assets.words.rules import Place, Rule

ON_FAILURE, LIMIT = "onFailure", "quarantineLimit"
CHOICES = ("refuse", "quarantine")

#: Percent of a draft's rows, if the contract gives none: a source that is wrong as a whole is refused.
DEFAULT_LIMIT = Decimal(5)

#: What every row of the quarantine says beside the product's own columns.
ADDED_COLUMNS = ("mesh_rules", "mesh_run", "mesh_time")

#: Rules about the table: no row of it can be said to break them.
TABLE_KINDS = frozenset(
    {
        "row_count",
        "row_count_positive",
        "physical_types",
        "sql",
        "balance",
        "change",
        "distribution",
        "freshness",
        "match_rate",
        "outlier_share",
        "schema_unchanged",
    }
)


def sets_aside(contract: Contract, rule: Rule) -> bool:
    """True if rows that break the rule go to quarantine instead of stopping the draft."""
    mode = contract.quarantine
    if mode is None or not can_set_aside(rule):
        return False
    return rule.id in mode.rules or (rule.kind == "pandera" and mode.expectations)


def can_set_aside(rule: Rule) -> bool:
    """True for a blocking rule about single rows. A consumer's expectation sets no row of another domain
    aside.
    """
    return rule.blocking and rule.expected_by is None and about_rows(rule)


def about_rows(rule: Rule) -> bool:
    """True if single rows break the rule; a threshold counts only where it leaves no room for one."""
    if rule.kind in TABLE_KINDS:
        return False
    operator, value = rule.arguments.get("operator"), rule.arguments.get("value")
    if operator in ("mustBe", "mustBeLessOrEqualTo"):
        return bool(value == 0)
    if operator == "mustBeLessThan":
        small = isinstance(value, int | float | Decimal) and 0 < value <= 1
        return small and rule.arguments.get("unit") != "percent"
    if operator == "mustBeBetween":
        return isinstance(value, Sequence) and value[1] == 0
    return operator is None


def quarantine_of(document: Document, table: Steps, rules: Sequence[Rule]) -> Quarantine | None:
    """What the contract says of quarantine; a word in the wrong place is refused, not overlooked."""
    said = _said(document, ON_FAILURE)
    limits = _said(document, LIMIT)
    default = _choice(document, said.pop(table, None) or said.pop((), None))
    said.pop((), None)  # the table's word is nearer
    chosen = {rule.id for rule in rules if default and can_set_aside(rule)}
    for owner, at in said.items():
        _apply(document, owner, at, rules, chosen)
    limit = _limit(document, limits, table, needed=default or bool(chosen))
    if not default and not chosen:
        return None
    _refuse_taken_names(document, table)
    return Quarantine(limit=limit, rules=frozenset(chosen), expectations=default)


def _said(document: Document, name: str) -> dict[Steps, Steps]:
    """Owner of the customProperty of that name -> path of its value, anywhere in the document."""
    return {
        owner: (*owner, "customProperties", number, "value")
        for owner, value in _mappings((), document.value)
        for number, custom in enumerate(_listed(value.get("customProperties")))
        if custom.get("property") == name
    }


def _mappings(path: Steps, value: Any) -> Iterator[tuple[Steps, dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            yield from _mappings((*path, key), inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _mappings((*path, number), inner)


def _listed(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _choice(document: Document, at: Steps | None) -> bool:
    """True for quarantine."""
    if at is None:
        return False
    word = document.at(at)
    if word not in CHOICES:
        raise document.malformed(at, f"`{ON_FAILURE}` is {kind_of(word)}", allowed_words(word, CHOICES))
    return bool(word == "quarantine")


def _apply(document: Document, owner: Steps, at: Steps, rules: Sequence[Rule], chosen: set[str]) -> None:
    wanted, here = _choice(document, at), document.place(owner)
    meant = [rule for rule in rules if rule.place is not None and _same(rule.place, here)]
    if not meant:
        raise document.malformed(
            at,
            f"`{ON_FAILURE}` stands where no rule is",
            "Write it in customProperties of the contract, of its table, of a quality rule or a relationship",
        )
    able = {rule.id for rule in meant if can_set_aside(rule)}
    if wanted and not able:
        raise document.refused(at, _why_not(meant[0]), "Write onFailure: refuse, or leave it out", key=False)
    if wanted:
        chosen |= able
    else:
        chosen -= able


def _same(place: Place, other: Place) -> bool:
    return (place.line, place.column) == (other.line, other.column)


def _why_not(rule: Rule) -> str:
    if not rule.blocking:
        return f"{rule.id} is a warning: the rows that break it are published, so none can be set aside"
    return f"{rule.id} is about the whole table: there is no row of it to set aside"


def _limit(document: Document, limits: dict[Steps, Steps], table: Steps, *, needed: bool) -> Decimal:
    at = limits.pop(table, None) or limits.get(())
    limits.pop((), None)
    if limits:
        stray = next(iter(limits.values()))
        raise document.malformed(
            stray, f"`{LIMIT}` stands on a rule or a column", "It is one limit for the contract or its table"
        )
    if at is None:
        return DEFAULT_LIMIT
    value = document.at(at)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not 0 <= value <= 100:
        raise document.malformed(at, f"`{LIMIT}` is {kind_of(value)}; it must be a percent from 0 to 100")
    if not needed:
        raise document.malformed(at, f"there is a `{LIMIT}`, and nothing is set aside", "Add onFailure")
    return Decimal(str(value))


def _refuse_taken_names(document: Document, table: Steps) -> None:
    for number, written in enumerate(document.at((*table, "properties")) or ()):
        if written["name"].lower() in ADDED_COLUMNS:
            raise document.malformed(
                (*table, "properties", number, "name"),
                f"the quarantine has a column {written['name']!r} of its own",
                "Give the product's column another name",
            )
