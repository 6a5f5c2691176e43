"""Pins, builds, rule results and the schema."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, inspect, text

from mesh_assets.capabilities.registry import migrations, open_registry
from mesh_assets.words.errors import NoVersion, SettingMalformed
from mesh_assets.words.rules import Outcome, Place, Rule, RuleResult, Severity
from mesh_assets.words.versions import BuildOutcome, BuildRecord
from tests.unit.registry.conftest import FIELDS, ORDERS, release

NOW = datetime(2024, 1, 31, 12, tzinfo=UTC)


def build(run: str = "run1", **facts: object) -> BuildRecord:
    record = BuildRecord(
        product=ORDERS,
        run_id=run,
        outcome=BuildOutcome.REFUSED,
        started=NOW,
        seconds=1.5,
        rows=10,
        passed=1,
        failed=1,
        message="it's \x00 broken \udce9",
        draft="staging/run1",
        details={"weeks": ["2024-01-29"]},
    )
    return replace(record, **facts)


def result(outcome: Outcome = Outcome.FAILED, **facts: object) -> RuleResult:
    rule = Rule(
        id="id_pattern",
        kind="pattern",
        columns=("id",),
        description="id is a number",
        severity=Severity.WARNING,
        dimension="conformity",
        arguments={"value": "^[0-9]+$"},
        place=Place("contract.yaml", 12, 3),
    )
    found = RuleResult(
        rule=rule,
        outcome=outcome,
        failed_rows=2,
        checked_rows=10,
        value="2",
        summary="failed on 2 of 10 rows",
        sample=({"id": "x\x00"}, {"id": None}),
    )
    return replace(found, **facts)


def test_a_pin_holds_until_it_expires_or_is_let_go(registry):
    release(registry, "run1", ORDERS, FIELDS)
    registry.pin("kitchen", {ORDERS: 1, FIELDS: 1}, NOW + timedelta(hours=1))
    registry.pin("ann", {ORDERS: 1})

    def held(now):
        return [(pin.holder, pin.product) for pin in registry.pins(now=now)]

    assert held(NOW) == [("ann", ORDERS), ("kitchen", FIELDS), ("kitchen", ORDERS)]
    assert held(NOW + timedelta(hours=2)) == [("ann", ORDERS)]
    registry.unpin("ann")
    assert held(NOW + timedelta(hours=2)) == []


def test_a_holder_that_pins_again_holds_the_new_versions_only(registry):
    release(registry, "run1", ORDERS, FIELDS)
    registry.pin("kitchen", {ORDERS: 1})
    registry.pin("kitchen", {FIELDS: 1})

    assert [pin.product for pin in registry.pins()] == [FIELDS]


def test_what_does_not_exist_cannot_be_pinned(registry):
    with pytest.raises(NoVersion):
        registry.pin("kitchen", {ORDERS: 1})


def test_a_build_is_remembered_as_it_ended(registry):
    registry.record_build(build())

    assert registry.last_build(ORDERS) == build(message="it's \ufffd broken ?")
    assert registry.last_build(FIELDS) is None


def test_the_last_build_of_each_product_is_told(registry):
    registry.record_build(build("run1"))
    registry.record_build(build("run1", product=FIELDS))
    registry.record_build(build("run2", outcome=BuildOutcome.PUBLISHED, version=1))

    last = registry.last_builds()
    assert {product: record.run_id for product, record in last.items()} == {ORDERS: "run2", FIELDS: "run1"}
    assert [record.run_id for record in registry.builds(ORDERS)] == ["run2", "run1"]


def test_rule_results_come_back_as_they_were_in_contract_order(registry):
    second = result(Outcome.PASSED, failed_rows=None, value=None, sample=(), summary="")
    registry.record_build(build(), [result(), second])

    assert registry.rule_results(ORDERS) == (result(), second)


def test_rule_results_are_those_of_the_last_build_that_ran_rules(registry):
    registry.record_build(build("run1"), [result()])
    registry.record_build(build("run2"), [result(Outcome.PASSED)])
    registry.record_build(build("run3", outcome=BuildOutcome.FAILED))

    assert [kept.outcome for kept in registry.rule_results(ORDERS)] == [Outcome.PASSED]
    assert [kept.outcome for kept in registry.rule_results(ORDERS, run_id="run1")] == [Outcome.FAILED]
    assert registry.rule_results(ORDERS, run_id="run3") == ()


def test_samples_with_dates_and_decimals_are_kept_as_text(registry):
    registry.record_build(build(), [result(sample=({"day": NOW.date()},))])

    assert registry.rule_results(ORDERS)[0].sample == ({"day": "2024-01-31"},)


def test_a_rule_has_a_history(registry):
    registry.record_build(build("run1"), [result()])
    registry.record_build(build("run2"), [result(Outcome.PASSED, failed_rows=0)])

    history = registry.rule_history(ORDERS, "id_pattern")
    assert [(said.run_id, said.failed_rows) for said in history] == [("run2", 0), ("run1", 2)]
    assert history[0].started == NOW


def test_opening_a_registry_again_keeps_what_it_has(settings):
    for run in ("run1", "run2"):
        with open_registry(settings) as registry:
            release(registry, run, ORDERS)

    with open_registry(settings) as registry:
        assert registry.heads() == {ORDERS: 2}


def test_migrations_run_once_and_in_order(registry):
    def add_mood(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE build ADD COLUMN mood TEXT"))

    def add_mood_index(connection: Connection) -> None:
        connection.execute(text("CREATE INDEX build_by_mood ON build (mood)"))

    wanted = [*migrations.MIGRATIONS, add_mood, add_mood_index]
    newest = 1 + len(wanted)
    for _ in range(2):
        with registry.writing() as connection:
            assert migrations.migrate(connection, wanted) == newest

    with registry.reading() as connection:
        assert "mood" in {column["name"] for column in inspect(connection).get_columns("build")}
        assert migrations.schema_of(connection) == newest


def test_a_newer_registry_is_left_as_it_is(registry):
    with registry.writing() as connection:
        newest = migrations.schema_of(connection)
        assert migrations.migrate(connection, []) == newest


def test_a_moment_without_a_time_zone_is_refused(registry):
    with pytest.raises(Exception, match="has no time zone"):
        registry.record_build(build(started=datetime(2024, 1, 31)))  # noqa: DTZ001


def test_a_password_in_the_registry_setting_is_refused_and_not_repeated(settings):
    unsafe = replace(settings, registry="postgresql+psycopg://ann:hunter2@db/mesh")

    with pytest.raises(SettingMalformed) as refused:
        open_registry(unsafe)

    assert "hunter2" not in str(refused.value)


def audit_of(registry, run, *results, **facts):
    """One build, or recheck, that ran these rules."""
    registry.record_build(build(run, **{"outcome": BuildOutcome.PUBLISHED, **facts}), results)


def said(rule, outcome, **facts):
    found = result(outcome, **facts)
    return replace(found, rule=replace(found.rule, id=rule))


def test_the_standing_of_a_rule_is_its_newest_word_and_since_when_it_fails(registry):
    for day, outcome in enumerate((Outcome.FAILED, Outcome.PASSED, Outcome.FAILED, Outcome.ERROR)):
        audit_of(registry, f"run{day}", said("id_pattern", outcome), started=NOW + timedelta(days=day))

    (standing,) = registry.standings(ORDERS)

    assert standing.result.outcome is Outcome.ERROR
    assert standing.audit.run_id == "run3"
    assert (standing.failing_since, standing.failing_audits) == (NOW + timedelta(days=2), 2)


def test_a_rule_that_passes_fails_since_never(registry):
    audit_of(registry, "run1", said("id_pattern", Outcome.FAILED))
    audit_of(registry, "run2", said("id_pattern", Outcome.PASSED))

    (standing,) = registry.standings(ORDERS)

    assert (standing.failing_since, standing.failing_audits) == (None, 0)


def test_a_recheck_of_one_rule_leaves_the_others_as_they_stood(registry):
    audit_of(registry, "run1", said("a", Outcome.FAILED), said("b", Outcome.PASSED))
    audit_of(registry, "check1", said("a", Outcome.PASSED), recheck=True)

    stand = {each.result.rule.id: each for each in registry.standings(ORDERS)}

    assert (stand["a"].result.outcome, stand["a"].audit.recheck) == (Outcome.PASSED, True)
    assert (stand["b"].result.outcome, stand["b"].audit.run_id) == (Outcome.PASSED, "run1")


def test_a_recheck_is_in_the_history_and_is_no_build(registry):
    audit_of(registry, "run1", said("a", Outcome.PASSED), said("b", Outcome.PASSED))
    audit_of(registry, "check1", said("a", Outcome.FAILED), recheck=True, outcome=BuildOutcome.UNCHANGED)

    assert [audit.build.run_id for audit in registry.audits(ORDERS)] == ["check1", "run1"]
    assert [audit.build.run_id for audit in registry.audits(ORDERS, rules={"b"})] == ["run1"]
    assert [record.run_id for record in registry.builds(ORDERS)] == ["run1"]
    assert registry.last_builds()[ORDERS].run_id == "run1"
    assert registry.builds_of("check1") == {}
    assert [each.outcome for each in registry.rule_results(ORDERS)] == [Outcome.PASSED, Outcome.PASSED]


def test_who_expects_a_rule_is_on_record(registry):
    expected = result()
    expected = replace(expected, rule=replace(expected.rule, expected_by="books", path=("[]", "zip")))

    audit_of(registry, "run1", expected)

    (kept,) = registry.rule_results(ORDERS)
    assert (kept.rule.expected_by, kept.rule.path) == ("books", ("[]", "zip"))


def test_the_oldest_builds_go_and_the_last_audit_stays(registry, monkeypatch):
    monkeypatch.setattr("mesh_assets.capabilities.registry.builds.KEPT_BUILDS", 3)
    audit_of(registry, "older", said("a", Outcome.PASSED))
    audit_of(registry, "audited", said("a", Outcome.FAILED))
    registry.record_build(build("of another product", product=FIELDS))
    for number in range(4):
        registry.record_build(build(f"unchanged {number}", outcome=BuildOutcome.UNCHANGED))

    kept = [record.run_id for record in registry.builds(ORDERS)]

    assert kept == ["unchanged 3", "unchanged 2", "unchanged 1", "audited"]
    assert [each.outcome for each in registry.rule_results(ORDERS)] == [Outcome.FAILED]
    assert [record.run_id for record in registry.builds(FIELDS)] == ["of another product"]


def test_a_registry_of_before_rechecks_is_migrated_and_keeps_its_builds(settings):
    with open_registry(settings) as registry:
        registry.record_build(build("run1"))
        with registry.writing() as connection:
            connection.execute(text("ALTER TABLE build DROP COLUMN recheck"))
            connection.execute(text("DELETE FROM schema_version"))
            connection.execute(text("INSERT INTO schema_version VALUES (1, '2024-01-31 12:00:00')"))

    with open_registry(settings) as registry:
        assert [(record.run_id, record.recheck) for record in registry.builds(ORDERS)] == [("run1", False)]
