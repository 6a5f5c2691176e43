"""Consumers' rules in a producer's audit: guests, who spoil nobody's dinner.

Here: one audit for all rules; if it breaks, the producer's own rules again, and each consumer's apart.
Not here: what a rule that cannot run says (audit): that is an error of the rule already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.checks.format import error_result
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.words.rules import Rule, RuleResult, Verdict

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def audit_with_guests(
    con: DuckDBPyConnection,
    relation_sql: str,
    contract: Contract,
    *,
    guests: Sequence[Rule],
    extra_rules: Sequence[Rule] = (),
    **how: Any,
) -> Verdict:
    """The verdict on the producer's rules and on its consumers' (`guests`), in this order.

    A consumer's rule may well find a way to break an audit that nobody thought of; it must not stop a product
    that is not the consumer's.
    """
    asked = partial(audit, con, relation_sql, contract)
    if not guests:
        return asked(extra_rules=extra_rules, **how)
    try:
        return asked(extra_rules=(*extra_rules, *guests), **how)
    except Exception:
        own = asked(extra_rules=extra_rules, **how)  # raises again if it is the producer's own
    only = how.pop("only", None)
    heard: list[RuleResult] = []
    for consumer in dict.fromkeys(rule.expected_by for rule in guests):
        theirs = [
            rule for rule in guests if rule.expected_by == consumer and (only is None or rule.id in only)
        ]
        try:
            heard += asked(extra_rules=theirs, only={rule.id for rule in theirs}, **how).results
        except Exception as error:
            heard += [error_result(rule, f"{type(error).__name__}: {error}", own.rows) for rule in theirs]
    return replace(own, results=(*own.results, *heard))
