"""How states are shown: a tone, a symbol and a word each, so that colour is never alone in saying it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mesh_assets.capabilities.observability.health_facts import ProductFacts, State
from mesh_assets.capabilities.observability.health_status import DomainHealth
from mesh_assets.words.journeys import JourneyState

GOOD, NOTE, WARN, BAD, NONE = "good", "note", "warn", "bad", "none"


@dataclass(frozen=True)
class Look:
    """A tone (a class of the stylesheet), a symbol, a word."""

    tone: str
    symbol: str
    word: str


WELL = Look(GOOD, "●", "good")
STATES = {
    State.MISSING: Look(NONE, "○", "not yet published"),
    State.LOST: Look(BAD, "✕", "files lost"),
    State.REFUSED: Look(BAD, "✕", "refused"),
    State.FAILED: Look(BAD, "✕", "failed"),
    State.BROKEN: Look(BAD, "✕", "does not load"),
    State.LATE: Look(WARN, "▲", "late"),
    State.OUT_OF_ORDER: Look(WARN, "▲", "out of order"),
    State.PAUSED: Look(WARN, "■", "paused"),
    State.WARNED: Look(NOTE, "◆", "good, with warnings"),
}
RULES = {
    "passed": Look(GOOD, "✓", "passed"),
    "warned": Look(WARN, "!", "warned"),
    "failed": Look(BAD, "✕", "failed"),
    "error": Look(BAD, "?", "could not run"),
    "not run": Look(NONE, "·", "not run"),
}
BUILDS = {
    "published": Look(GOOD, "●", "published"),
    "unchanged": Look(GOOD, "=", "unchanged"),
    "refused": Look(BAD, "✕", "refused"),
    "failed": Look(BAD, "✕", "failed"),
    "skipped": Look(NONE, "·", "skipped"),
    "checked": Look(GOOD, "✓", "checked again"),
}
JOURNEYS = {
    JourneyState.RUNNING: Look(NOTE, "◐", "running"),
    JourneyState.ON_TIME: Look(GOOD, "●", "on time"),
    JourneyState.LATE: Look(WARN, "▲", "late"),
    JourneyState.MISSING: Look(BAD, "○", "missing"),
    JourneyState.OUT_OF_SEQUENCE: Look(WARN, "▲", "out of sequence"),
    JourneyState.FAILED_TESTS: Look(BAD, "✕", "failed tests"),
    JourneyState.INCOMPLETE: Look(BAD, "✕", "incomplete"),
}
_WORST = (
    State.BROKEN,
    State.LOST,
    State.FAILED,
    State.REFUSED,
    State.LATE,
    State.OUT_OF_ORDER,
    State.PAUSED,
    State.MISSING,
    State.WARNED,
)


def of_product(facts: ProductFacts | None) -> Look:
    """The worst that is to be said of a product."""
    if facts is None:
        return STATES[State.MISSING]
    states = set(facts.states)
    return next((STATES[state] for state in _WORST if state in states), WELL)


def of_domain(health: DomainHealth) -> Look:
    if health.broken is not None:
        return STATES[State.BROKEN]
    there = {state for state, _ in health.states}
    if health.pause is not None:
        return STATES[State.PAUSED]
    worst = next((state for state in _WORST if state in there), None)
    return STATES[worst] if worst else WELL


def worst(looks: Iterable[Look]) -> Look:
    """Of several, the one that somebody should see first."""
    found = set(looks)
    return next((STATES[state] for state in _WORST if STATES[state] in found), WELL)


def why(facts: ProductFacts) -> list[str]:
    """Sentences that say why a product is not well, worst first; none of one that is."""
    late = f"late since {clock(facts.late_since)}: {facts.promise}" if facts.late_since else ""
    told = {
        State.MISSING: "It was never published.",
        State.LOST: f"Version {facts.version} has lost {len(facts.lost)} of its files.",
        State.REFUSED: f"The last draft was refused; readers still see version {facts.version}.",
        State.FAILED: f"The last build failed; readers still see version {facts.version}.",
        State.LATE: f"It is {late}.",
        State.OUT_OF_ORDER: f"It was made before its inputs changed: {', '.join(map(str, facts.stale))}.",
        State.PAUSED: f"{facts.why_not}.",
        State.BROKEN: "Its domain's folder cannot be read; the last version stays readable.",
        State.WARNED: f"{facts.warned} rule{'s' if facts.warned != 1 else ''} warned of what is published.",
    }
    return [told[state] for state in facts.states]


def clock(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else ""


def span(length: timedelta | float | None) -> str:
    """A length of time as a person says it: 3.2 s, 41 min, 5 h, 3 days."""
    if length is None:
        return ""
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= size * (2 if unit == "day" else 1):
            count = seconds / size
            shown = f"{count:.0f}" if count >= 10 or count == int(count) else f"{count:.1f}"
            return f"{shown} {unit}{'s' if unit == 'day' else ''}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
