"""How everything stands that an alert may be about: products, journeys, domains.

Here: gathering, from the same facts as `mesh status` and `mesh journeys`; whether a condition holds.
Not here: what was told already (alerts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lineage.journeys import read_journeys
from mesh_assets.capabilities.observability.health_facts import ProductFacts, State, facts
from mesh_assets.capabilities.observability.journey_facts import current
from mesh_assets.capabilities.observability.locations import notice, readable_mesh
from mesh_assets.words.alerts import AlertRule, Condition, Subject
from mesh_assets.words.errors import MeshError
from mesh_assets.words.journeys import Journey, JourneyState
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import BuildOutcome, BuildRecord

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.model import Mesh
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.settings import Settings

BAD = (BuildOutcome.REFUSED, BuildOutcome.FAILED)
#: How far repeated failures are looked for.
WINDOW = timedelta(days=30)


def subjects(
    settings: Settings, registry: Registry, now: datetime, *, history: bool = True
) -> tuple[list[Subject], tuple[Journey, ...]]:
    """Everything as it stands now, and the journeys that name whom to tell. Without `history`, for rules
    that do not ask for it, builds of before are not looked at.
    """
    mesh, problems = readable_mesh(settings)
    broken = notice(registry, problems)
    past = _past(registry, now) if history else {}
    found = [_product(each, past.get(each.product, [])) for each in facts(settings, registry, mesh, now)]
    found += [
        Subject(each.domain, frozenset({str(State.BROKEN)}), each.problem, domain=each.domain)
        for each in broken
    ]
    journeys = _journeys(settings, mesh)
    for journey in journeys:
        instance = current(registry, journey, now=now)
        if instance is not None:
            told = f"{instance.told} (period {instance.period.key})"
            states = frozenset({str(instance.state)})
            found.append(Subject(f"journey {journey.name}", states, told, journey=journey.name))
    return found, journeys


def _journeys(settings: Settings, mesh: Mesh) -> tuple[Journey, ...]:
    """None while a domain that they name cannot be read: that domain has an alert of its own."""
    try:
        return tuple(read_journeys(settings, mesh))
    except MeshError:
        return ()


def _past(registry: Registry, now: datetime) -> dict[ProductName, list[BuildRecord]]:
    """Builds of the last time, newest first, by product."""
    found: dict[ProductName, list[BuildRecord]] = {}
    for each in registry.builds_since(now - WINDOW):
        if not each.recheck:
            found.setdefault(each.product, []).append(each)
    return {name: sorted(builds, key=_ended, reverse=True) for name, builds in found.items()}


def _ended(build: BuildRecord) -> datetime:
    return build.started + timedelta(seconds=build.seconds)


def _product(each: ProductFacts, past: Sequence[BuildRecord]) -> Subject:
    ran = [build for build in past if build.outcome is not BuildOutcome.SKIPPED]
    good = next((number for number, build in enumerate(ran) if build.outcome not in BAD), len(ran))
    severities = [("warning", each.warned), ("error", each.broke)]
    return Subject(
        name=str(each.product),
        states=frozenset(str(state).replace(" ", "_") for state in each.states),
        told=_told(each),
        domain=each.product.domain,
        product=str(each.product),
        severities=frozenset(word for word, count in severities if count),
        seconds=ran[0].seconds if ran else None,
        in_a_row=good,
        bad=tuple(_ended(build) for build in ran if build.outcome in BAD),
    )


def _told(each: ProductFacts) -> str:
    """Why, in one line."""
    said = {
        State.LOST: f"{len(each.lost)} files of version {each.version} are gone",
        State.REFUSED: each.message,
        State.FAILED: each.message,
        State.LATE: f"late since {each.late_since:%Y-%m-%d %H:%M} UTC: {each.promise}"
        if each.late_since
        else "",
        State.OUT_OF_ORDER: f"made before {', '.join(map(str, each.stale))} changed",
        State.PAUSED: each.why_not or "",
        State.WARNED: f"{each.warned} rules warn",
        State.MISSING: "never published",
        State.BROKEN: "its domain cannot be read",
    }
    return "; ".join(said[state] for state in each.states if said[state])


def holds(condition: Condition, subject: Subject, now: datetime) -> bool:
    """Whether all that a condition says is true of the subject."""
    return (
        (not condition.states or bool(condition.states & subject.states))
        and _named(condition.products, subject.product)
        and _named(condition.domains, subject.domain)
        and _named(condition.journeys, subject.journey)
        and (not condition.severities or bool(condition.severities & subject.severities))
        and _measured(condition, subject, now)
        and (not condition.any_of or any(holds(each, subject, now) for each in condition.any_of))
        and all(holds(each, subject, now) for each in condition.all_of)
    )


def _named(patterns: Sequence[str], name: str) -> bool:
    return not patterns or (bool(name) and any(fnmatchcase(name, each) for each in patterns))


def _measured(condition: Condition, subject: Subject, now: datetime) -> bool:
    longer, failures = condition.longer_than, condition.failures
    if longer is not None and (subject.seconds is None or subject.seconds <= longer.total_seconds()):
        return False
    if failures is None:
        return True
    if failures.within is None:
        return subject.in_a_row >= failures.count
    return sum(moment >= now - failures.within for moment in subject.bad) >= failures.count


def asks_for_history(condition: Condition) -> bool:
    """Whether durations or repeated failures matter."""
    inside = (*condition.any_of, *condition.all_of)
    own = condition.longer_than is not None or condition.failures is not None
    return own or any(asks_for_history(each) for each in inside)


def matched(rule: AlertRule, found: Sequence[Subject], now: datetime) -> Mapping[str, Subject]:
    """Subjects for which a rule holds, with the states that the rule asks about."""
    asked = _asked(rule.when)
    return {
        each.name: replace(each, states=each.states & asked if asked else each.states)
        for each in found
        if holds(rule.when, each, now)
    }


def _asked(condition: Condition) -> frozenset[str]:
    inside = (_asked(each) for each in (*condition.any_of, *condition.all_of))
    return condition.states.union(*inside)


def journey_rules(journeys: Sequence[Journey], known: Sequence[str]) -> list[AlertRule]:
    """Journeys name whom to tell by themselves; what they say of receivers that there are."""
    bad = frozenset(str(state) for state in JourneyState if not state.good)
    return [
        AlertRule(f"journey_{each.name}", Condition(states=bad, journeys=(each.name,)), to)
        for each in journeys
        if (to := tuple(name for name in each.told if name in known))
    ]
