"""How a product is cut: the contract's customProperty `partitions`.

    value: {column: week_start, every: week, first: 2023-01-02, until: 2024-12-30}
    value: {column: month, every: month, first: 2023-01-01}
    value: {column: filing, every: file, source: plan_filings}

Here: reading it. Not here: which partitions there are (publishing), how cuts overlap (words/partitions).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from mesh_assets.capabilities.contracts.columns import column_named
from mesh_assets.capabilities.contracts.document import Document, Steps, allowed_words, check_keys, kind_of
from mesh_assets.capabilities.contracts.model import Column, Partitioning
from mesh_assets.words.partitions import FILE, MONTH, WEEK, beginning

PARTITIONS = "partitions"
CUTS = (WEEK, MONTH, FILE)


def partitioning_of(
    document: Document, found: tuple[Steps, Any] | None, table: Steps, columns: tuple[Column, ...]
) -> Partitioning | None:
    """What the contract says; None where it says nothing. Raises DocumentMalformed."""
    partitioning = None
    if found is not None:
        path, value = found
        every = value.get("every") if isinstance(value, dict) else None
        more = ("source",) if every == FILE else ("first",)
        check_keys(
            document, path, required=("column", "every", *more), optional=() if every == FILE else ("until",)
        )
        if every not in CUTS:
            raise document.malformed(
                (*path, "every"), f"`every` is {kind_of(every)}", allowed_words(every, CUTS)
            )
        column = column_named(document, (*path, "column"), value["column"], columns)
        _check_type(document, (*path, "column"), column, every)
        read = _by_file if every == FILE else _by_days
        partitioning = read(document, path, column, every)
    _check_partitioned_columns(document, table, partitioning)
    return partitioning


def _check_type(document: Document, path: Steps, column: Column, every: str) -> None:
    wanted, what = (
        ("VARCHAR", "partitions by file go by a VARCHAR")
        if every == FILE
        else (
            "DATE",
            "partitions go by a DATE",
        )
    )
    if column.physical_type != wanted:
        raise document.malformed(path, f"{what}, and {column.name} is {column.physical_type}")


def _by_file(document: Document, path: Steps, column: Column, every: str) -> Partitioning:
    source = document.at((*path, "source"))
    if not isinstance(source, str):
        raise document.malformed(
            (*path, "source"), f"`source` is {kind_of(source)}; it must name a source of domain.yaml"
        )
    return Partitioning(column=column.name, every=every, source=source)


def _by_days(document: Document, path: Steps, column: Column, every: str) -> Partitioning:
    value = document.at(path)
    first = _beginning(document, (*path, "first"), value["first"], every)
    until = None
    if value.get("until") is not None:
        until = _beginning(document, (*path, "until"), value["until"], every)
        if until <= first:
            raise document.malformed((*path, "until"), f"`until` ({until}) is not after `first` ({first})")
    return Partitioning(column=column.name, every=every, first=first, until=until)


def _beginning(document: Document, path: Steps, value: Any, every: str) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        example = "2023-01-02" if every == WEEK else "2023-01-01"
        raise document.malformed(path, f"{kind_of(value)} is no date", f"Write e.g. {example}") from None
    if day != beginning(every, day):
        told = (
            f"{day} is a {day:%A}, and weeks begin on Monday"
            if every == WEEK
            else f"{day} is day {day.day} of its month, and months begin on day 1"
        )
        raise document.malformed(path, told, f"Write e.g. {beginning(every, day)}")
    return day


def _check_partitioned_columns(document: Document, table: Steps, partitioning: Partitioning | None) -> None:
    for number, written in enumerate(document.at((*table, "properties"))):
        if written.get("partitioned") and (partitioning is None or written["name"] != partitioning.column):
            raise document.malformed(
                (*table, "properties", number, "partitioned"),
                f"the column {written['name']} is `partitioned`, and `partitions` does not say so",
                "Add the customProperty {property: partitions, value: {column: …, every: week, first: …}}",
                key=True,
            )
