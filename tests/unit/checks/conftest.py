"""A contract in one line, and a draft written out as SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.contracts.model import Automation, Column, Contract
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Place, Rule, RuleResult, Severity, Verdict

PRODUCT = ProductName("shop", "orders")


def rule(kind: str, *columns: str, id: str = "", severity: str = "error", **arguments: Any) -> Rule:
    return Rule(
        id or "_".join((*columns, kind)),
        kind,
        columns,
        f"{kind} of {columns}",
        Severity(severity),
        None,
        arguments,
    )


def contract_of(
    *rules: Rule, key: tuple[str, ...] = (), personal: tuple[str, ...] = (), types: Any = ()
) -> Contract:
    names = dict.fromkeys((*key, *personal, *(name for rule in rules for name in rule.columns), *dict(types)))
    return Contract(
        product=PRODUCT,
        version="1.0.0",
        api_version="v3.1.0",
        status="active",
        title="Orders",
        purpose="",
        limitations="",
        usage="",
        description="",
        columns=tuple(
            Column(
                name,
                "string",
                dict(types).get(name, "VARCHAR"),
                key_position=key.index(name) + 1 if name in key else None,
                classification="personal" if name in personal else None,
            )
            for name in names
        ),
        rules=rules,
        owners=(),
        tags=(),
        partitioning=None,
        automation=Automation("eager"),
        sla=(),
        raw={},
        text="",
        place=Place("contract.yaml", 1),
        digest="",
    )


def draft(*rows: tuple[str, ...], columns: str) -> str:
    """A relation of SQL literals: draft(("1", "'a'"), columns="id, name")."""
    values = ", ".join(f"({', '.join(row)})" for row in rows)
    return f"(SELECT * FROM (VALUES {values}) AS rows({columns}))"


def one_column(type_: str, *values: str, name: str = '"x"') -> str:
    """A relation of one column of this type; no values make an empty table."""
    rows = ", ".join(f"(({value})::{type_})" for value in values) or f"((NULL)::{type_})"
    return f"(SELECT * FROM (VALUES {rows}) AS rows({name}) {'' if values else 'WHERE FALSE'})"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    yield connection
    connection.close()


@pytest.fixture
def verdict_on(con: duckdb.DuckDBPyConnection) -> Callable[..., Verdict]:
    def verdict(relation: str, *rules: Rule, **more: Any) -> Verdict:
        about = {name: more.pop(name) for name in ("key", "personal", "types") if name in more}
        return audit(con, relation, contract_of(*rules, **about), **more)

    return verdict


@pytest.fixture
def result_of(verdict_on: Callable[..., Verdict]) -> Callable[..., RuleResult]:
    def result(relation: str, rule: Rule, **more: Any) -> RuleResult:
        return verdict_on(relation, rule, **more).results[0]

    return result
