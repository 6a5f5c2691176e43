"""Pandera's schema classes, made so that a validation cannot pass without having run.

Here: what pandera 0.35 passes over in silence, made to run or refused by name.
Not here: a contract's schema (schema).

- A setting (`PANDERA_VALIDATION_ENABLED`, `PANDERA_VALIDATION_DEPTH`) and a polars LazyFrame make pandera
  pass everything: validation runs on all rows, whatever the settings, and collects a LazyFrame.
- Its narwhals backend breaks on failing rows: refused.
- head, tail and sample change counts and shares, and ibis ignores them: refused.
- ibis ignores `Column(unique=True)`, all but one group of `unique`, and `ignore_na=False`; polars ignores
  `groupby`: refused.
- On polars a check that answers false for the table cannot be reported beside one that names rows, and on
  pandas no row of a frame whose index repeats: mended.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from mesh_assets.words.errors import PanderaWouldNotCheck


@cache
def schema_class(backend: str) -> Any:
    """The DataFrameSchema of this backend, as described above."""
    parent: Any = importlib.import_module(f"pandera.{backend}").DataFrameSchema

    class ContractSchema(parent):  # type: ignore[misc]
        """A contract as a pandera schema; see mesh_assets.capabilities.checks.schema."""

        def validate(self, check_obj: Any, *positional: Any, **options: Any) -> Any:
            from pandera.config import ValidationDepth, config_context

            _refuse(self, backend, positional, options)
            data, restored = _reportable(self, check_obj)
            with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
                return restored(super().validate(data, **options))

        @classmethod
        def get_backend(cls, check_obj: Any | None = None, check_type: type | None = None) -> Any:
            found = parent.get_backend(check_obj, check_type)
            return _reporting(found.__class__)() if backend == "polars" else found

    return ContractSchema


def _reportable(schema: Any, data: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Data that pandera can validate and report, and the way back from them."""
    if hasattr(data, "collect_schema") and hasattr(data, "collect"):
        return data.collect(), lambda frame: frame.lazy()
    index = getattr(data, "index", None)
    if index is not None and hasattr(index, "is_unique") and schema.index is None and not index.is_unique:
        return data.reset_index(drop=True), lambda frame: frame.set_axis(index, axis="index")
    return data, lambda frame: frame


def _reporting(parent: Any) -> Any:
    class Backend(parent):  # type: ignore[misc]
        """Polars' backend, with an answer about the table told as text: failing rows are text as well."""

        def failure_cases_metadata(self, schema_name: str, schema_errors: list[Any]) -> Any:
            for error in schema_errors:
                if isinstance(error.failure_cases, bool):
                    error.failure_cases = str(error.failure_cases)
            return super().failure_cases_metadata(schema_name, schema_errors)

    return Backend


def check_class(backend: str) -> Any:
    return importlib.import_module(f"pandera.{backend}").Check


def column_class(backend: str) -> Any:
    return importlib.import_module(f"pandera.{backend}").Column


def _refuse(schema: Any, backend: str, positional: tuple[Any, ...], options: dict[str, Any]) -> None:
    for what, remedy in _ignored(schema, backend, positional, options):
        raise PanderaWouldNotCheck(schema=schema.name, what=what, remedy=remedy)


def _ignored(
    schema: Any, backend: str, positional: tuple[Any, ...], options: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    from pandera.config import CONFIG

    if CONFIG.use_narwhals_backend:
        yield "the narwhals backend of pandera is switched on", "Set PANDERA_USE_NARWHALS_BACKEND=False"
    if positional or any(options.get(name) is not None for name in ("head", "tail", "sample")):
        yield "a contract is about all rows, not head, tail or sample", "Take the rows first, then validate"
    if backend == "polars":
        for check in foreign_checks(schema):
            if check.groupby is not None:
                yield f"polars ignores groupby of the check {check.name}", "Group in the check's function"
    if backend == "ibis":
        yield from _ignored_by_ibis(schema)


def _ignored_by_ibis(schema: Any) -> Iterator[tuple[str, str]]:
    for name, column in schema.columns.items():
        if column.unique:
            yield f"ibis ignores unique=True of the column {name}", "Write it as a check"
    if schema.unique and isinstance(schema.unique[0], list) and len(schema.unique) > 1:
        yield "ibis stops at the first of several unique groups", "Write each as a check"
    for check in foreign_checks(schema):
        if not check.ignore_na:
            yield f"ibis ignores ignore_na=False of the check {check.name}", "Fill nulls in its function"


def foreign_checks(schema: Any) -> Iterator[Any]:
    """Checks that the schema was extended by."""
    own = own_names(schema)
    for check in schema.checks:
        if check.name not in own:
            yield check
    for column in schema.columns.values():
        yield from column.checks


def own_names(schema: Any) -> set[str]:
    """Names of the checks that stand for the contract."""
    about = schema.metadata or {}
    return {*about.get("rules", ()), *about.get("types", ())}
