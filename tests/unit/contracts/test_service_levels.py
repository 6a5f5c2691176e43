"""Each entry of slaProperties is a promise that is watched, a rule, prose, or refused by name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mesh_assets.capabilities.contracts.periods import UNITS, PeriodRefused, period, told
from mesh_assets.capabilities.contracts.sla import strictest
from mesh_assets.words.errors import DocumentMalformed, RuleRefused
from mesh_assets.words.rules import Severity

HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: shop.orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer}
      - {name: sold_at, logicalType: timestamp}
slaProperties:
"""


def contract(*levels: str) -> str:
    return HEAD + "".join(f"  - {{{level}}}\n" for level in levels)


@pytest.mark.parametrize(
    ("value", "unit", "span"),
    [
        (4, "d", timedelta(days=4)),
        (1.5, "hours", timedelta(minutes=90)),
        ("4", "day", timedelta(days=4)),
        ("24h", None, timedelta(days=1)),
        ("P1D", None, timedelta(days=1)),
        ("PT1H30M", None, timedelta(minutes=90)),
        ("p2w", None, timedelta(weeks=2)),
        ("P1M", None, timedelta(days=31)),
        ("Daily", None, timedelta(days=1)),
        (1, "mo", timedelta(days=31)),
        (1, "yr", timedelta(days=366)),
    ],
)
def test_a_span_of_time_is_a_number_with_a_unit_a_period_or_a_word(value, unit, span):
    assert period(value, unit) == span


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (4, None),
        (4, "m"),
        (4, "fortnights"),
        (0, "d"),
        (-1, "d"),
        (True, "d"),
        (None, "d"),
        ("soon", None),
        ("P", None),
        ("PT", None),
        ("P1D", "d"),
        ("1h", "d"),
        (1e300, "y"),
        ("9" * 400, "d"),
        (float("nan"), "d"),
    ],
)
def test_what_is_no_span_of_time_is_refused(value, unit):
    with pytest.raises(PeriodRefused):
        period(value, unit)


def test_spans_are_told_in_their_largest_unit():
    assert [told(span) for span in (UNITS["d"], 36 * UNITS["h"], 90 * UNITS["s"])] == [
        "1 day",
        "36 hours",
        "90 seconds",
    ]


def test_latency_and_frequency_bound_how_long_ago_a_build_looked(contract_of):
    found = contract_of(
        contract("property: latency, value: 3, unit: d", "property: FY, value: P1W, element: orders")
    )

    assert [(level.name, level.within) for level in found.service_levels] == [
        ("latency", timedelta(days=3)),
        ("frequency", timedelta(days=7)),
    ]
    strict = strictest(found.service_levels)
    assert strict is not None
    assert strict.name == "latency"


@pytest.mark.parametrize(
    ("written", "cron", "zone", "window"),
    [
        ("value: '09:00-08:00'", "0 17 * * *", "UTC", timedelta(hours=9)),
        ("value: '01:30+05:30'", "0 20 * * *", "UTC", timedelta(hours=1, minutes=30)),
        ("value: '00:00Z'", "0 0 * * *", "UTC", timedelta(days=1)),
        ("value: '09:15', valueExt: Europe/Berlin", "15 9 * * *", "Europe/Berlin", timedelta(hours=9.25)),
    ],
)
def test_a_time_of_availability_is_a_deadline_in_its_time_zone(contract_of, written, cron, zone, window):
    (level,) = contract_of(contract(f"property: timeOfAvailability, {written}")).service_levels

    assert level.deadline is not None
    assert (level.deadline.cron, level.deadline.zone, level.deadline.window) == (cron, zone, window)


def test_the_earlier_of_two_deadlines_says_the_later_one_too(contract_of):
    found = contract_of(
        contract(
            "property: timeOfAvailability, value: '09:00-08:00', driver: regulatory",
            "property: timeOfAvailability, value: '08:00-08:00', driver: analytics",
        )
    )

    strict = strictest(found.service_levels)
    assert strict is not None
    assert strict.deadline is not None
    assert strict.deadline.cron == "0 16 * * *"


@pytest.mark.parametrize("element", ["orders.sold_at", "sold_at"])
def test_latency_of_a_column_is_a_rule_that_warns(contract_of, element):
    found = contract_of(contract(f"property: latency, value: 36, unit: h, element: {element}"))

    (rule,) = [rule for rule in found.rules if rule.id == "sold_at_latency"]
    assert (rule.kind, rule.columns, rule.severity, rule.dimension) == (
        "freshness",
        ("sold_at",),
        Severity.WARNING,
        "timeliness",
    )
    assert rule.arguments == {
        "clock": "build",
        "unit": "hours",
        "operator": "mustBeLessOrEqualTo",
        "value": 36,
    }
    assert rule.place is not None
    assert rule.place.line == 12
    assert strictest(found.service_levels) is None


def test_announcements_and_promises_of_people_are_said(contract_of):
    found = contract_of(
        contract(
            "property: endOfLife, value: '2042-05-12T09:30:10-08:00'",
            "property: ga, value: '2022-05-12', description: Since spring.",
            "property: timeToRepair, value: 4, unit: h",
        )
    )

    assert [level.description for level in found.service_levels] == [
        "endOfLife: 2042-05-12T09:30:10-08:00",
        "Since spring.",
        "timeToRepair: 4 h",
    ]
    assert strictest(found.service_levels) is None


@pytest.mark.parametrize(
    ("level", "problem"),
    [
        (
            "property: retention, value: 3, unit: y, element: orders.sold_at",
            "what is kept or expired is a whole",
        ),
        ("property: availability, value: 99.9, unit: percent", "measured at a server"),
        ("property: throughput, value: 5", "measured at a server"),
        ("property: er, value: 1, unit: percent", "errorRate does not say which rows"),
        ("property: latancy, value: 1, unit: d", "does not know.*'latancy'.*Did you mean latency"),
        ("property: frequency, value: 1, valueExt: 2, unit: d", "`valueExt`, which the standard gives no"),
        (
            "property: frequency, value: 1, unit: d, element: orders.sold_at",
            "about sold_at, and what is built",
        ),
        ("property: latency, value: 1, unit: d, element: orders.id", "stored as BIGINT"),
        ("property: latency, value: 30, unit: s", "Dagster looks twice a minute"),
        ("property: latency, value: P1D, schedule: 0 6 * * *", "has a `schedule`"),
    ],
)
def test_a_promise_that_nobody_would_watch_is_refused_by_name(contract_of, level, problem):
    with pytest.raises(RuleRefused, match=problem) as raised:
        contract_of(contract(level))

    assert raised.value.facts["line"] == 12


@pytest.mark.parametrize(
    ("level", "problem"),
    [
        ("property: latency, value: 4", "4 has no unit. Add unit"),
        ("property: latency, value: 4, unit: m", "the unit is 'm'"),
        ("property: latency, value: true, unit: d", "must be a number of units"),
        ("property: timeOfAvailability, value: '09:00'", "no time zone"),
        ("property: timeOfAvailability, value: '25:00Z'", "no time of day"),
        ("property: timeOfAvailability, value: '09:00', valueExt: Mars/Base", "no time zone"),
        ("property: endOfLife, value: someday", "no date"),
        ("property: latency, value: 1, unit: d, element: orders.sold_it", "Did you mean sold_at"),
    ],
)
def test_a_malformed_promise_is_an_error_in_its_line(contract_of, level, problem):
    with pytest.raises(DocumentMalformed, match=problem) as raised:
        contract_of(contract(level))

    assert raised.value.facts["line"] == 12


def test_two_promises_that_no_one_policy_says_are_refused(contract_of):
    with pytest.raises(RuleRefused, match=r"one freshness policy. Keep the one") as raised:
        contract_of(
            contract("property: latency, value: P1D", "property: timeOfAvailability, value: '09:00Z'")
        )

    assert raised.value.facts["line"] == 13
