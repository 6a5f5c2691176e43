"""What the checks of one validation found: asked once for all rules, remembered until it is over.

Here: asking the audit about a frame.
Not here: pandera (schema), what a frame is (frames).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.checks.format import error_result, one_line
from mesh_assets.capabilities.checks.frames import Frame
from mesh_assets.capabilities.checks.stored import CannotRun
from mesh_assets.words.rules import Outcome, Rule, RuleResult

_HEARD: ContextVar[dict[str, RuleResult] | None] = ContextVar("mesh_heard", default=None)


@contextmanager
def hearing() -> Iterator[dict[str, RuleResult]]:
    """While it lasts, the first check asks for all rules in one scan, and every answer is kept by rule id."""
    heard: dict[str, RuleResult] = {}
    token = _HEARD.set(heard)
    try:
        yield heard
    finally:
        _HEARD.reset(token)


def asked(frame: Frame, rule: Rule, expectations: Path | None) -> RuleResult:
    """What the audit says of the frame by this rule; CannotRun if the rule could not run."""
    heard = _HEARD.get()
    if heard is None:
        (result,) = _audited(frame, (rule,), expectations)
    else:
        if not heard:
            heard.update((each.rule.id, each) for each in _audited(frame, frame.promise.rules, expectations))
        result = heard[rule.id]
    if result.outcome is Outcome.ERROR:
        raise CannotRun(result.summary)
    return result


def _audited(frame: Frame, rules: tuple[Rule, ...], expectations: Path | None) -> tuple[RuleResult, ...]:
    try:
        with frame.lent() as (con, relation):
            only = {rule.id for rule in rules}
            return audit(con, relation, frame.promise, expectations=expectations, only=only).results
    except Exception as error:  # whatever data a notebook has: no rule can be judged, and each says why
        return tuple(error_result(rule, f"the data cannot be read: {one_line(error)}", 0) for rule in rules)
