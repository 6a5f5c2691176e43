"""What an engine says of a rule or recipe that could not run, without the values of personal columns.

DuckDB and pandera quote the value that they stumbled over; the words go to the registry, to Dagster and to
logs.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from mesh_assets.capabilities.checks.subject import MASK
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.words.rules import Outcome, RuleResult

_QUOTED = re.compile(r"(?P<mark>['\"])(?P<inside>[^'\"]*)(?P=mark)")
_COLUMN = re.compile(r"source column (\w+)")
_OF_A_VALUE = re.compile(r"conver|cast|pars|out of range", re.IGNORECASE)


def discreet(contract: Contract, result: RuleResult) -> RuleResult:
    """The result; in an error about a product with personal columns, what is quoted is masked unless the
    contract wrote it.
    """
    if result.outcome is not Outcome.ERROR or not contract.personal:
        return result
    rule = result.rule
    written = json.dumps(dict(rule.arguments), default=str, ensure_ascii=False)
    return replace(result, summary=_masked(contract, result.summary, {rule.id, rule.kind}, written))


def discreet_about_values(contract: Contract | None, message: str) -> str:
    """A recipe's error; where a value could not be converted into a product with personal columns, what is
    quoted is masked, unless the engine says that it is of a column that is not personal. Other errors quote
    what whoever mends the recipe has to see: names.
    """
    if contract is None or not contract.personal or not _OF_A_VALUE.search(message):
        return message
    column = _COLUMN.search(message)
    if column and contract.column(column[1]) and column[1] not in contract.personal:
        return message
    return _masked(contract, message, set(), "")


def _masked(contract: Contract, message: str, names: set[str], written: str) -> str:
    known = {column.name for column in contract.columns} | {str(contract.product), *names}

    def masked(found: re.Match[str]) -> str:
        inside = found["inside"]
        return found[0] if inside in known or (inside and inside in written) else f"'{MASK}'"

    return _QUOTED.sub(masked, message)
