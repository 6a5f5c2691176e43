"""The quality rules of a contract, each by its `type`: library, sql, text, custom.

Here: the order in which they are written, sql rules, prose; refusing what the mesh does not run.
Not here: library metrics (metrics), custom rules (custom), what a property declares without a quality rule
(options, rules).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mesh_assets.capabilities.contracts.custom import custom_rules
from mesh_assets.capabilities.contracts.document import Document, Steps, allowed_words, kind_of
from mesh_assets.capabilities.contracts.explain import OPERATORS
from mesh_assets.capabilities.contracts.metrics import library_rule
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.site import OLD_OPERATORS, Site, operator_of, rule_at
from mesh_assets.words.rules import Rule

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
    "library": ("metric", "rule", "unit", "arguments", "validValues", *OPERATORS, *OLD_OPERATORS),
    "sql": ("query", *OPERATORS, *OLD_OPERATORS),
    "text": (),
    "custom": ("engine", "implementation"),
}

#: Whatever looks like one: `${…}`, and the words that this and other tools put into braces.
_PLACEHOLDER = re.compile(
    r"\$?\{(?P<word>object|property|table|column|schema|model|field)\}|\$\{\w*\}", re.IGNORECASE
)


def quality_rules(
    document: Document, owner: Steps, column: Column | None, columns: tuple[Column, ...]
) -> Iterator[Rule]:
    """The rules under `quality` of a property (or of the table: column None), in order."""
    for number, written in enumerate(document.at((*owner, "quality")) or ()):
        site = Site(document, (*owner, "quality", number), written, column, columns)
        kind = written.get("type", "library")
        _refuse_what_does_not_run(site, kind)
        if kind == "library":
            yield library_rule(site)
        elif kind == "sql":
            yield _sql_rule(site)
        elif kind == "custom":
            yield from custom_rules(site)


def documentation_rules(document: Document, owner: Steps, column: Column | None) -> Iterator[dict[str, Any]]:
    """What `type: text` says: prose, kept and never run."""
    for written in document.at((*owner, "quality")) or ():
        if written.get("type") == "text":
            yield {
                "column": column.shown if column else None,
                "name": written.get("name", ""),
                "description": written.get("description", ""),
            }


def _refuse_what_does_not_run(site: Site, kind: str) -> None:
    document, path, written = site.document, site.path, site.written
    for key in ("schedule", "scheduler"):
        if key in written:
            document.convention(
                document.refused(
                    (*path, key),
                    f"{site.label} has a `{key}`, and rules of the mesh run whenever the product is built",
                    "Remove it",
                )
            )
    if kind not in _KEYS:
        raise document.malformed((*path, "type"), f"`type` is {kind_of(kind)}", allowed_words(kind, _KEYS))
    allowed = (*_KEYS[kind], *_DESCRIBING, *_DESCRIBING_TOO)
    for key in written:
        if key not in (*allowed, "schedule", "scheduler"):
            raise document.malformed(
                (*path, key), f"{site.label} has the key `{key}`", allowed_words(key, allowed), key=True
            )


def placeholders(version: str) -> tuple[str, ...]:
    """What a query may write for its table and its column in a contract of this version of ODCS."""
    older = ("${table}", "${column}") if version.startswith("v3.0") else ()
    return ("{object}", "{property}", "${object}", "${property}", *older)


def _sql_rule(site: Site) -> Rule:
    query = site.written["query"]
    at = (*site.path, "query")
    for found in _PLACEHOLDER.finditer(query):
        if found.group() not in placeholders(site.document.value["apiVersion"]):
            variable = found.group().startswith("${") and not found["word"]
            raise site.document.refused(
                at,
                f"the query has the placeholder {found.group()}"
                + (", and what the environment fills in is no part of a promise" if variable else ""),
                "The placeholders are {object} and {property}",
            )
        if found["word"] in ("property", "column") and site.column is None:
            raise site.document.malformed(
                at, f"the query of the table has {found.group()}, which only a column's rule has"
            )
    operator, value = operator_of(site)
    columns = (site.column.name,) if site.column else ()
    return rule_at(
        site,
        kind="sql",
        columns=columns,
        fallback="_".join((*columns, "sql")),
        said=f"the query's result {operator} {value}",
        dimension=None,
        arguments={"query": query.strip(), "operator": operator, "value": value},
    )
