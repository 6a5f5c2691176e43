"""When a product is made: the rules by name, and the clock of a cron."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from dagster._utils.schedules import cron_string_iterator
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.contracts.automation import described, due_since, late_since, next_due
from mesh_assets.capabilities.contracts.model import Automation, Contract
from mesh_assets.words.errors import DocumentMalformed

MONDAYS = Automation("cron", "0 6 * * 1", "America/New_York", timedelta(hours=2))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def rule_of(contract_of: Callable[[str], Contract], contract_text: str) -> Callable[[str], Automation]:
    """Reads a value of the customProperty in a contract."""
    before = "{property: automation, value: manual}"
    return lambda value: (
        contract_of(contract_text.replace(before, f"{{property: automation, value: {value}}}")).automation
    )


@pytest.mark.parametrize(
    ("value", "rule", "said"),
    [
        ("eager", Automation("eager"), "eager: when the content of an input changed"),
        ("all_new", Automation("all_new"), "all_new: when all inputs are new"),
        ("manual", Automation("manual"), "manual: when somebody starts it"),
        (
            '{cron: "0 6 * * 1", timezone: America/New_York, deadline: 2h}',
            MONDAYS,
            "cron: at 0 6 * * 1 (America/New_York), when its inputs are there, late after 2 hours",
        ),
        (
            '{cron: "*/5 * * * *"}',
            Automation("cron", "*/5 * * * *"),
            "cron: at */5 * * * * (UTC), when its inputs are there",
        ),
    ],
)
def test_a_rule_is_read_by_its_name(
    rule_of: Callable[[str], Automation], value: str, rule: Automation, said: str
) -> None:
    found = rule_of(value)

    assert found == rule
    assert described(found) == said


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (
            "eagr",
            "automation is 'eagr' (text). Did you mean eager? Allowed: eager, all_new, manual, or {cron",
        ),
        (
            "[eager]",
            "the automation is a list. Did you mean eager? Allowed: eager, all_new, manual, or {cron",
        ),
        ("cron", "the automation is 'cron' and says no time. Write e.g. {cron"),
        ("{crom: x}", "the key `crom` is not known here. Did you mean cron?"),
        ("{timezone: UTC}", "`cron` is nothing; it must be an expression of five fields"),
        ("{cron: 6}", "`cron` is 6 (a number); it must be an expression of five fields"),
        ('{cron: "0 6 * *"}', "the cron '0 6 * *' cannot be read: it has 4 fields"),
        ('{cron: "60 6 * * *"}', "cannot be read: '60' is no minute (from 0 to 59)"),
        ('{cron: "0 6 31 2 *"}', "cannot be read: it names no day of any year"),
        ('{cron: "0 6 * * 1", timezone: New York}', "'New York' (text) is no time zone"),
        ('{cron: "0 6 * * 1", timezone: 5}', "5 (a number) is no time zone"),
        ('{cron: "0 6 * * 1", deadline: 2}', "the deadline: 2 has no unit"),
    ],
)
def test_a_rule_that_cannot_be_read_is_told_with_its_place(
    rule_of: Callable[[str], Automation], contract_text: str, value: str, problem: str
) -> None:
    with pytest.raises(DocumentMalformed) as refused:
        rule_of(value)

    line = next(n for n, text in enumerate(contract_text.splitlines(), 1) if "property: automation" in text)
    assert problem in str(refused.value)
    assert f"contract.yaml:{line}:" in str(refused.value)


def test_a_time_that_the_clock_skips_comes_when_it_jumps_and_one_shown_twice_comes_once() -> None:
    """New York, 2026: clocks go forward on 8 March at 2:00, and back on 1 November at 2:00."""
    night = Automation("cron", "30 2 * * *", "America/New_York")
    early = Automation("cron", "30 1 * * *", "America/New_York")

    skipped = next_due(night, moment("2026-03-08T05:00"))
    twice = next_due(early, moment("2026-11-01T04:00"))

    assert (skipped, skipped and next_due(night, skipped)) == (
        moment("2026-03-08T07:00"),
        moment("2026-03-09T06:30"),
    )
    assert (twice, twice and next_due(early, twice)) == (
        moment("2026-11-01T06:30"),
        moment("2026-11-02T06:30"),
    )


FIELDS = st.tuples(
    st.sampled_from(["0", "*/15", "7,37", "59"]),
    st.sampled_from(["6", "0", "1", "2", "12-14", "23", "*/8"]),
    st.sampled_from(["*", "1", "15", "28"]),
    st.sampled_from(["*", "jan", "2-5", "11"]),
    st.sampled_from(["*", "1", "mon-fri", "0", "7", "sat"]),
)
ZONES = st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata"])


@settings(max_examples=150, deadline=None)
@given(FIELDS, ZONES, st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001 - made UTC below
def test_moments_are_those_of_dagsters_own_schedules(
    fields: tuple[str, ...], zone: str, naive: datetime
) -> None:
    now, rule = naive.replace(tzinfo=UTC), Automation("cron", " ".join(fields), zone)
    theirs = cron_string_iterator(now.timestamp(), rule.cron, zone)
    first = next(each for each in theirs if each.timestamp() > now.timestamp())

    ours = next_due(rule, now)

    assert ours == first.astimezone(UTC)
    assert due_since(rule, ours) == ours
    before = due_since(rule, ours - timedelta(seconds=1))
    assert before is not None and before <= now


def test_a_product_is_late_when_its_deadline_went_by_without_a_build() -> None:
    due, deadline = moment("2026-06-08T10:00"), moment("2026-06-08T12:00")

    assert due_since(MONDAYS, moment("2026-06-09T00:00")) == due
    assert next_due(MONDAYS, moment("2026-06-09T00:00")) == moment("2026-06-15T10:00")
    assert late_since(MONDAYS, None, moment("2026-06-08T12:01")) == deadline
    assert late_since(MONDAYS, moment("2026-06-08T10:05"), moment("2026-06-08T12:01")) is None
    assert late_since(MONDAYS, moment("2026-06-07T10:05"), moment("2026-06-08T11:59")) is None
    assert late_since(MONDAYS, moment("2026-05-30T00:00"), moment("2026-06-08T11:59")) == moment(
        "2026-06-01T12:00"
    )


def test_a_rule_without_a_clock_or_without_a_deadline_is_never_late() -> None:
    now = moment("2026-06-08T12:01")

    assert late_since(Automation("eager"), None, now) is None
    assert late_since(Automation("cron", "0 6 * * 1"), None, now) is None
