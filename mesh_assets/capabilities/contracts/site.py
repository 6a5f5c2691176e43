"""One quality rule where it is written, and what every kind of quality rule shares.

Here: its place and name, operators and thresholds, severities; making the `Rule`.
Not here: what the kinds measure (metrics, quality, custom).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mesh_assets.capabilities.contracts.document import Document, Steps, allowed_words, kind_of, shortened
from mesh_assets.capabilities.contracts.explain import OPERATORS
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.words.rules import Rule, Severity

#: Spellings of drafts and early tools, each with the standard's own.
OLD_OPERATORS = {
    "mustBeGreaterThanOrEqualTo": "mustBeGreaterOrEqualTo",
    "mustBeLessThanOrEqualTo": "mustBeLessOrEqualTo",
}
SEVERITIES = {
    **dict.fromkeys(("warning", "warn", "info", "low", "minor"), Severity.WARNING),
    **dict.fromkeys(("error", "critical", "blocker", "high", "major", "medium"), Severity.ERROR),
}


@dataclass(frozen=True)
class Site:
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


def severity_of(document: Document, path: Steps, word: Any) -> Severity:
    """Whether a rule of this severity blocks publication or is told; a word that says neither is an error."""
    if word is None:
        return Severity.ERROR
    if not isinstance(word, str) or word.lower() not in SEVERITIES:
        raise document.malformed(path, f"the severity is {kind_of(word)}", allowed_words(word, SEVERITIES))
    return SEVERITIES[word.lower()]


#: A rule's name is the name of a check, of a file and of a row in a history.
LONGEST_NAME = 100


def operator_of(site: Site, default: int | None = None) -> tuple[str, Any]:
    found = [key for key in site.written if key in OPERATORS or key in OLD_OPERATORS]
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
    operator = OLD_OPERATORS.get(found[0], found[0])
    value = site.written[found[0]]
    _check_threshold(site, found[0], value, between=operator.endswith("Between"))
    return operator, value


def _check_threshold(site: Site, key: str, value: Any, *, between: bool) -> None:
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
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def rule_at(site: Site, *, fallback: str, said: str, dimension: str | None, **facts: Any) -> Rule:
    written = site.written
    return Rule(
        id=_identifier(site, fallback),
        description=(written.get("description") or written.get("name") or said).strip(),
        severity=severity_of(site.document, (*site.path, "severity"), written.get("severity")),
        dimension=written.get("dimension", dimension),
        place=site.document.place(site.path),
        **facts,
    )


def _identifier(site: Site, fallback: str) -> str:
    name = site.written.get("name")
    if name is None:
        return fallback
    identifier = snake_case(name)
    if not identifier:
        raise site.document.malformed((*site.path, "name"), f"the name {name!r} has no letter or digit")
    if len(identifier) > LONGEST_NAME:
        raise site.document.malformed(
            (*site.path, "name"),
            f"the name {shortened(name)!r} has {len(identifier):,} characters, above {LONGEST_NAME}",
            "Say the rest in `description`",
        )
    return identifier


def snake_case(name: str) -> str:
    """`Paid amount isPositive` is paid_amount_is_positive: how a rule's name becomes the name of a check."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[^A-Za-z0-9]+", "_", parted).strip("_").lower()
