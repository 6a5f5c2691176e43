"""What an engine says of a rule that could not run, without the values that it quotes from personal columns.

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


def discreet(contract: Contract, result: RuleResult) -> RuleResult:
    """The result; in an error about a product with personal columns, what is quoted is masked unless the
    contract wrote it.
    """
    if result.outcome is not Outcome.ERROR or not contract.personal:
        return result
    rule = result.rule
    known = {column.name for column in contract.columns} | {str(contract.product), rule.id, rule.kind}
    written = json.dumps(dict(rule.arguments), default=str, ensure_ascii=False)

    def masked(found: re.Match[str]) -> str:
        inside = found["inside"]
        return found[0] if inside in known or (inside and inside in written) else f"'{MASK}'"

    return replace(result, summary=_QUOTED.sub(masked, result.summary))
