"""Promises of the file of alert rules: read strictly, with the place of what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from mesh_assets.capabilities.observability.alert_facts import holds, matched
from mesh_assets.capabilities.observability.alert_messages import quiet_until
from mesh_assets.capabilities.observability.alert_rules import parse_alerts, read_alerts
from mesh_assets.words.alerts import Alerts, NoAlerts, QuietHours, Subject
from mesh_assets.words.errors import DocumentMalformed
from mesh_assets.words.settings import PACKAGE, read_settings

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
RECEIVERS = "receivers:\n  - {name: log, kind: file}\n"


def rules(text: str) -> Alerts:
    return parse_alerts("alerts.yaml", f"{RECEIVERS}rules:\n{text}")


def one(condition: str) -> Alerts:
    return rules(f"  - {{name: one, to: log, {condition}}}\n")


def test_the_shipped_rules_are_right() -> None:
    found = read_alerts(read_settings({}))

    assert found.file == str(PACKAGE / "alerts.yaml")
    assert found.rules


def test_a_file_that_is_not_there_is_told(tmp_path) -> None:
    with pytest.raises(NoAlerts, match="MESH_ALERTS"):
        read_alerts(read_settings({"MESH_ALERTS": str(tmp_path / "none.yaml")}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("  - {name: one, to: log}", "4:.*one of `any` and `all`"),
        ("  - {name: one, to: log, any: []}", "no condition is here"),
        ("  - {name: one, to: log, any: [{stat: late}]}", "4:.*`stat` is not known.*state"),
        ("  - {name: one, to: log, any: [{state: lat}]}", "'lat' is not known here.*late"),
        ("  - {name: one, to: lag, any: [{state: late}]}", "no receiver 'lag'.*log"),
        ("  - {name: one, to: log, group: 5, any: [{state: late}]}", "Write a span of time"),
        ("  - {name: one, to: log, any: [{failures: {count: 3}}]}", "`within` is missing"),
        ("  - {name: one, to: log, any: [{failures: {in_a_row: 0}}]}", "from 1 to 50"),
        ("  - {name: one, to: log, any: [{duration: 5m}]}", "must be a mapping"),
        ("  - {name: one, to: log, any: [{severity: bad}]}", "'bad' is not known.*error, warning"),
        ("  - {name: one, to: log, urgent: soon, any: [{state: late}]}", "true or false"),
        (
            "  - {name: one, to: log, any: [{state: late}]}\n  - {name: one, to: log, any: [{state: late}]}",
            "5:.*twice",
        ),
    ],
)
def test_what_is_wrong_in_a_rule_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(DocumentMalformed, match=told):
        rules(text)


@pytest.mark.parametrize(
    ("receiver", "told"),
    [
        ("{name: a, kind: pigeon}", "'pigeon' is no kind.*mail, webhook"),
        ("{name: a, kind: webhook}", "`url_from` is missing"),
        ("{name: a, kind: mail, host: h, from: f, to: t, port: 99999}", "from 1 to 65535"),
        (
            "{name: a, kind: file, quiet_hours: {from: '22:00', until: '07:00', timezone: Mars}}",
            "no time zone 'Mars'",
        ),
        ("{name: a, kind: file, quiet_hours: {from: '22:00', until: '22:00', timezone: UTC}}", "same time"),
        (
            "{name: a, kind: file, quiet_hours: {from: 22, until: '7:00', timezone: UTC}}",
            "time of day in quotes",
        ),
    ],
)
def test_what_is_wrong_in_a_receiver_is_told(receiver: str, told: str) -> None:
    with pytest.raises(DocumentMalformed, match=told):
        parse_alerts("alerts.yaml", f"receivers:\n  - {receiver}\nrules: []\n")


def test_an_address_in_the_file_is_refused_and_not_repeated() -> None:
    text = (
        "receivers:\n  - {name: a, kind: slack, url_from: 'https://hooks.example.com/T0/secret'}\nrules: []\n"
    )

    with pytest.raises(DocumentMalformed, match="no name of a variable") as error:
        parse_alerts("alerts.yaml", text)

    assert "secret" not in str(error.value)


def product(**facts: object) -> Subject:
    values = {"states": frozenset({"late"}), "domain": "shop", "product": "shop.orders"}
    return Subject("shop.orders", **{**values, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("condition", "subject", "expected"),
    [
        ("any: [{state: late}]", product(), True),
        ("any: [{state: [missing, refused]}]", product(), False),
        ("any: [{state: refused}, {domain: shop}]", product(), True),
        ("all: [{state: late}, {domain: 'b*'}]", product(), False),
        ("all: [{product: 'shop.*', state: late}]", product(), True),
        ("all: [{journey: '*'}]", product(), False),
        ("all: [{any: [{state: missing}, {state: late}]}, {product: shop.orders}]", product(), True),
        ("all: [{severity: warning}]", product(severities=frozenset({"warning"})), True),
        ("all: [{severity: error}]", product(severities=frozenset({"warning"})), False),
        ("all: [{duration: {above: 10m}}]", product(seconds=601.0), True),
        ("all: [{duration: {above: 10m}}]", product(seconds=600.0), False),
        ("all: [{failures: {in_a_row: 3}}]", product(in_a_row=3), True),
        ("all: [{failures: {in_a_row: 3}}]", product(in_a_row=2, bad=(NOW,) * 9), False),
        ("all: [{failures: {count: 2, within: 1d}}]", product(bad=(NOW, NOW - timedelta(hours=23))), True),
        ("all: [{failures: {count: 2, within: 1d}}]", product(bad=(NOW, NOW - timedelta(hours=25))), False),
    ],
)
def test_a_condition_holds_exactly_when_it_says_so(condition: str, subject: Subject, expected: bool) -> None:
    assert holds(one(condition).rules[0].when, subject, NOW) is expected


def test_a_rule_tells_of_the_states_that_it_asks_about() -> None:
    subject = product(states=frozenset({"late", "warned"}))

    assert matched(one("any: [{state: late}]").rules[0], [subject], NOW)["shop.orders"].states == {"late"}
    assert (
        matched(one("any: [{domain: shop}]").rules[0], [subject], NOW)["shop.orders"].states == subject.states
    )


NIGHT = QuietHours(time(22), time(7), "Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2030-01-31T20:59:00+00:00", None),
        ("2030-01-31T21:00:00+00:00", "2030-02-01T06:00:00+00:00"),
        ("2030-02-01T05:59:00+00:00", "2030-02-01T06:00:00+00:00"),
        ("2030-02-01T06:00:00+00:00", None),
        # The clock goes forward in the night: it ends an hour earlier, in UTC.
        ("2030-03-30T22:00:00+00:00", "2030-03-31T05:00:00+00:00"),
        # And back: it ends an hour later.
        ("2030-10-26T21:00:00+00:00", "2030-10-27T06:00:00+00:00"),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(now: str, end: str | None) -> None:
    expected = None if end is None else datetime.fromisoformat(end)

    assert quiet_until(NIGHT, datetime.fromisoformat(now)) == expected


def test_quiet_hours_that_the_clock_jumps_into_or_repeats_are_kept() -> None:
    """02:30 is not there on 31 March and twice on 27 October: quiet lasts from the first to the last."""
    jumped = QuietHours(time(2, 30), time(4), "Europe/Berlin")
    assert quiet_until(jumped, datetime(2030, 3, 31, 1, 30, tzinfo=UTC)) == datetime(
        2030, 3, 31, 2, tzinfo=UTC
    )
    twice = QuietHours(time(1), time(2, 30), "Europe/Berlin")
    assert quiet_until(twice, datetime(2030, 10, 27, 1, 15, tzinfo=UTC)) == datetime(
        2030, 10, 27, 1, 30, tzinfo=UTC
    )


def test_quiet_hours_of_some_days_begin_on_those_days() -> None:
    friday = QuietHours(time(22), time(7), "UTC", frozenset({4}))

    assert quiet_until(friday, datetime(2030, 2, 2, 6, tzinfo=UTC)) == datetime(2030, 2, 2, 7, tzinfo=UTC)
    assert quiet_until(friday, datetime(2030, 2, 3, 6, tzinfo=UTC)) is None
