"""Promises of alerts: each fact once, grouped, with its recovery, and never lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mesh_assets.capabilities.observability.alert_messages import channel, send_test
from mesh_assets.capabilities.observability.alert_rules import parse_alerts
from mesh_assets.capabilities.observability.alerts import look_and_tell, tell
from mesh_assets.capabilities.observability.delivery import Delivered, deliver
from mesh_assets.capabilities.registry import Registry, open_registry, outbox
from mesh_assets.words.alerts import Alerts, NotDelivered, Subject
from mesh_assets.words.settings import read_settings
from tests.receivers import Mailbox, Receiver, listening, taking_mail
from tests.shop import Shop

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
RULE = (
    "rules:\n  - {name: broken, to: hook, group: 10m, repeat: 4h, any: [{state: [late, refused, warned]}]}\n"
)
QUIET = "quiet_hours: {from: '22:00', until: '07:00', timezone: UTC}"


def alerts(receiver: str = "{name: hook, kind: webhook, url_from: HOOK_URL}", rule: str = RULE) -> Alerts:
    return parse_alerts("alerts.yaml", f"receivers:\n  - {receiver}\n{rule}")


def stands(name: str = "shop.orders", state: str = "late") -> Subject:
    return Subject(name, frozenset({state}), "since noon", domain="shop", product=name)


class Desk:
    """A registry, rules, and a clock that a test moves."""

    def __init__(self, registry: Registry, home: Path) -> None:
        self.registry, self.now = registry, NOW
        self.settings = read_settings({"MESH_HOME": str(home)})
        self.alerts = alerts()

    def look(self, *found: Subject, minutes: float = 0) -> Delivered:
        self.now += timedelta(minutes=minutes)
        tell(self.registry, self.alerts.rules, found, self.now)
        return deliver(self.registry, channel(self.settings, self.alerts), now=self.now)

    def states(self) -> list[str]:
        with self.registry.reading() as connection:
            return [each.state for each in outbox.messages(connection)]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    environ = {"MESH_HOME": str(tmp_path / "home")}
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        database = server.database()
        request.addfinalizer(lambda: server.drop(database))
        environ["MESH_REGISTRY"] = server.url(database)
    with open_registry(read_settings(environ)) as registry:
        yield Desk(registry, tmp_path)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with listening() as found:
        monkeypatch.setenv("HOOK_URL", f"{found.url}/hook?key=secret")
        yield found


def subjects(hook: Receiver) -> list[list[tuple[str, bool]]]:
    return [[(item["subject"], item["recovered"]) for item in body["items"]] for body in hook.bodies]


def test_what_stands_at_once_is_one_message_and_is_told_once(desk: Desk, hook: Receiver) -> None:
    for _ in range(3):
        desk.look(stands(), stands("shop.stock"), minutes=20)

    assert subjects(hook) == [[("shop.orders", False), ("shop.stock", False)]]
    assert hook.headers[0]["idempotency-key"].startswith("broken:")


def test_what_comes_within_the_window_waits_for_its_end(desk: Desk, hook: Receiver) -> None:
    desk.look(stands())
    desk.look(stands(), stands("shop.stock"), minutes=5)
    desk.look(stands(), stands("shop.stock"), stands("shop.till"), minutes=4)
    assert len(hook.bodies) == 1

    desk.look(stands(), stands("shop.stock"), stands("shop.till"), minutes=2)

    assert subjects(hook)[1:] == [[("shop.stock", False), ("shop.till", False)]]


def test_what_is_over_is_told_to_those_who_heard_that_it_began(desk: Desk, hook: Receiver) -> None:
    desk.look(stands())
    desk.look(stands(), stands("shop.blip"), minutes=1)
    desk.look(stands(), minutes=1)  # the blip was never told
    desk.look(minutes=20)
    desk.look(minutes=20)

    assert subjects(hook) == [[("shop.orders", False)], [("shop.orders", True)]]


def test_another_state_and_a_long_time_are_told_again(desk: Desk, hook: Receiver) -> None:
    desk.look(stands())
    desk.look(stands(state="refused"), minutes=20)
    desk.look(stands(state="refused"), minutes=239)
    desk.look(stands(state="refused"), minutes=2)

    assert [body["items"][0]["states"] for body in hook.bodies] == [["late"], ["refused"], ["refused"]]
    assert {body["items"][0]["since"] for body in hook.bodies} == {NOW.isoformat(timespec="seconds")}


def test_a_receiver_that_is_down_gets_everything_when_it_is_up(desk: Desk, hook: Receiver) -> None:
    hook.answers = [503] * 2
    assert desk.look(stands()).failed == 1
    assert desk.look(stands(), stands("shop.stock"), minutes=11).failed == 1
    assert hook.bodies == []

    desk.look(stands(), stands("shop.stock"), minutes=60)

    assert sorted(subjects(hook)) == [[("shop.orders", False)], [("shop.stock", False)]]
    assert desk.states() == ["sent", "sent"]


def test_a_problem_names_no_address_and_no_secret(desk: Desk, hook: Receiver, monkeypatch: Any) -> None:
    monkeypatch.setenv("HOOK_URL", "http://127.0.0.1:1/T0/secret")
    desk.look(stands())
    monkeypatch.delenv("HOOK_URL")
    desk.look(stands("shop.stock"), minutes=20)

    with desk.registry.reading() as connection:
        problems = {each.problem for each in outbox.messages(connection)}
    assert "HOOK_URL is not set" in problems
    assert "secret" not in str(problems)


def test_a_redirect_is_not_followed(desk: Desk, hook: Receiver) -> None:
    hook.answers = [302]

    assert desk.look(stands()).failed == 1
    assert hook.bodies == []


def test_what_is_given_up_is_on_record_and_can_be_tried_again(desk: Desk, hook: Receiver) -> None:
    hook.answers = [400] * 5
    for _ in range(8):
        desk.look(stands(), minutes=25)
    assert desk.states() == ["dead"]

    with desk.registry.writing() as connection:
        assert outbox.revive(connection, "alert", desk.now) == 1
    desk.look(stands(), minutes=1)

    assert desk.states() == ["sent"]


def test_quiet_hours_hold_messages_back_and_end_with_one_digest(desk: Desk, hook: Receiver) -> None:
    desk.alerts = alerts(f"{{name: hook, kind: webhook, url_from: HOOK_URL, {QUIET}}}")
    desk.now = NOW.replace(hour=23)
    assert desk.look(stands()).held == 1
    desk.look(stands(), stands("shop.stock"), minutes=60)
    assert hook.bodies == []

    desk.look(stands(), stands("shop.stock"), minutes=7 * 60)

    assert subjects(hook)[0] == [("shop.orders", False), ("shop.stock", False)]
    assert hook.bodies[0]["digest"] is True


def test_what_is_urgent_is_told_in_quiet_hours(desk: Desk, hook: Receiver) -> None:
    receiver = f"{{name: hook, kind: webhook, url_from: HOOK_URL, {QUIET}}}"
    desk.alerts = alerts(receiver, RULE.replace("to: hook", "to: hook, urgent: true"))
    desk.now = NOW.replace(hour=23)

    desk.look(stands())

    assert len(hook.bodies) == 1


def test_slack_gets_text_in_which_nothing_is_a_command(desk: Desk, hook: Receiver) -> None:
    desk.alerts = alerts("{name: hook, kind: slack, url_from: HOOK_URL}")

    desk.look(Subject("shop.orders", frozenset({"late"}), "<!channel> & more"))

    assert set(hook.bodies[0]) == {"text"}
    assert "&lt;!channel&gt; &amp; more" in hook.bodies[0]["text"]


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with taking_mail() as found:
        yield found


def mail_rules(mailbox: Mailbox) -> Alerts:
    to = "to: [a@example.com, b@example.com], from: mesh@example.com"
    return alerts(f"{{name: hook, kind: mail, host: 127.0.0.1, port: {mailbox.port}, {to}}}")


def test_mail_comes_once_the_server_takes_it(desk: Desk, mailbox: Mailbox) -> None:
    desk.alerts = mail_rules(mailbox)
    mailbox.mails.clear()
    mailbox.answers = ["451 later"]
    assert desk.look(Subject("shop.orders\r\nBcc: x@example.com", frozenset({"late"}), "why")).failed == 1

    desk.look(minutes=1)

    (mail,) = mailbox.mails
    assert mail["Subject"].startswith("mesh: shop.orders Bcc: x@example.com late")
    assert (mail["Bcc"], mail["To"]) == (None, "a@example.com, b@example.com")
    assert "since 2030-01-31T12:00:00+00:00: why" in mail.get_content()


def test_the_test_button_reaches_a_receiver_or_says_why_not(
    tmp_path: Path, hook: Receiver, mailbox: Mailbox
) -> None:
    settings = read_settings({"MESH_HOME": str(tmp_path)})
    mailbox.mails.clear()
    send_test(settings, alerts().receivers["hook"])
    send_test(settings, mail_rules(mailbox).receivers["hook"])
    assert (len(hook.bodies), len(mailbox.mails)) == (1, 1)

    hook.answers = [500]
    with pytest.raises(NotDelivered, match="hook was not reached: it answered 500"):
        send_test(settings, alerts().receivers["hook"])


def test_a_refused_product_and_a_warning_are_told_from_the_facts_of_status(shop: Shop) -> None:
    found = parse_alerts(
        "alerts.yaml",
        "receivers:\n  - {name: log, kind: file}\n"
        "rules:\n  - {name: bad, to: log, group: 0s, any: [{state: [refused]}, {failures: {in_a_row: 2}}]}\n",
    )
    shop.build("shop.orders")
    with open_registry(shop.settings) as registry:
        assert look_and_tell(shop.settings, registry, found).standing == 0
        shop.deliver("order_id,amount\n1,-5\n")
        for run in ("run-2", "run-3"):
            with pytest.raises(Exception, match="amount_positive"):
                shop.build("shop.orders", run_id=run)
        assert look_and_tell(shop.settings, registry, found).standing == 1
        shop.deliver("order_id,amount\n1,5\n")
        shop.build("shop.orders", run_id="run-4")
        assert look_and_tell(shop.settings, registry, found).standing == 0

    lines = (shop.settings.home / "alerts.ndjson").read_text(encoding="utf-8").splitlines()
    first, second = (json.loads(line)["items"] for line in lines)
    assert [(item["subject"], item["states"]) for item in first] == [("shop.orders", ["refused"])]
    assert "amount_positive" in first[0]["told"]
    assert [item["recovered"] for item in second] == [True]
