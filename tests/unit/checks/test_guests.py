"""Some rules alone, and consumers' rules beside a producer's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import duckdb

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.checks.guests import audit_with_guests
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome, Rule, Severity
from tests.unit.checks.conftest import contract_of, draft, rule

ORDERS = draft(("1", "10"), ("2", "NULL"), columns="id, amount")
OWN = contract_of(rule("required", "amount"), rule("required", "id"), key=("id",))


class Trap(Mapping[str, Any]):
    """Arguments that break whoever looks at them: a mistake of ours that nobody has thought of."""

    def __getitem__(self, key: str) -> Any:
        raise ZeroDivisionError(key)

    def __iter__(self) -> Any:
        raise ZeroDivisionError

    def __len__(self) -> int:
        return 1


def guest(kind: str, *columns: str, of: str = "books", **arguments: Any) -> Rule:
    made = rule(kind, *columns, id=f"{of}__{'_'.join((*columns, kind))}", **arguments)
    return replace(made, severity=Severity.WARNING, expected_by=of)


def test_some_rules_alone_answer_alone(con: duckdb.DuckDBPyConnection) -> None:
    verdict = audit(con, ORDERS, OWN, only={"amount_required"})

    assert [(each.rule.id, each.failed_rows) for each in verdict.results] == [("amount_required", 1)]
    assert verdict.rows == 2


def test_some_rules_alone_run_no_pass_that_none_of_them_needs(con: duckdb.DuckDBPyConnection) -> None:
    """The reference and the query would fail if anybody looked."""
    lost = rule("foreign_key", "id", to_product="shop.stock", to_columns=["id"])
    query = rule("sql", id="query", query="SELECT error('looked')", operator="mustBe", value=0)
    contract = contract_of(rule("required", "amount"), lost, query, key=("id",))

    verdict = audit(
        con,
        ORDERS,
        contract,
        references={ProductName("shop", "stock"): "no_such_table"},
        only={"amount_required"},
    )

    assert [each.outcome for each in verdict.results] == [Outcome.FAILED]
    assert set(verdict.fingerprints.values()) == {""}


def test_guests_are_heard_after_the_producers_own_rules(con: duckdb.DuckDBPyConnection) -> None:
    verdict = audit_with_guests(con, ORDERS, OWN, guests=[guest("required", "amount")])

    assert [each.rule.id for each in verdict.results] == [
        "amount_required",
        "id_required",
        "books__amount_required",
    ]
    assert [each.rule.id for each in verdict.warned] == ["books__amount_required"]


def test_a_guest_that_raises_what_nobody_foresaw_is_an_error_of_that_rule_alone(
    con: duckdb.DuckDBPyConnection,
) -> None:
    trap = replace(guest("minimum", "amount"), arguments=Trap())
    guests = [trap, guest("required", "id"), guest("required", "amount", of="farm")]

    verdict = audit_with_guests(con, ORDERS, OWN, guests=guests)

    assert {each.rule.id: str(each.outcome) for each in verdict.results} == {
        "amount_required": "failed",
        "id_required": "passed",
        "books__amount_minimum": "error",
        "books__id_required": "passed",
        "farm__amount_required": "failed",
    }
    assert verdict.fingerprints == audit(con, ORDERS, OWN).fingerprints


def test_what_breaks_the_producers_own_rules_is_not_hidden(con: duckdb.DuckDBPyConnection) -> None:
    broken = contract_of(replace(rule("minimum", "amount"), arguments=Trap()), key=("id",))

    own, guests = audit_with_guests(con, ORDERS, broken, guests=[guest("required", "id")]).results

    assert own.stops_publication
    assert own.summary.startswith("could not run: ZeroDivisionError")
    assert guests.outcome is Outcome.PASSED


def test_only_counts_for_guests_too(con: duckdb.DuckDBPyConnection) -> None:
    trap = replace(guest("minimum", "amount"), arguments=Trap())

    verdict = audit_with_guests(
        con, ORDERS, OWN, guests=[trap, guest("required", "id")], only={"books__id_required", "id_required"}
    )

    assert [each.rule.id for each in verdict.results] == ["id_required", "books__id_required"]
