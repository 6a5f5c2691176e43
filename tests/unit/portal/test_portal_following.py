"""Promises to people who wait for a product: they hear of it once, and get access only from its owner."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from mesh_assets.capabilities.observability.followers import tell_followers
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.controls import Announcement, AnnouncementKind
from mesh_assets.words.following import (
    Asked,
    By,
    Follow,
    FollowMalformed,
    Heard,
    UnknownAccess,
    checked_address,
)
from mesh_assets.words.names import product_name
from mesh_assets.words.portal import read_portal_settings
from tests.portal import HTML, Shown, shown
from tests.receivers import listening
from tests.shop import Shop

PAGE = "/-/follow/shop/orders"
BEHIND = {"MESH_PORTAL_IDENTITY_HEADER": "X-Forwarded-Email"}
TOMORROW = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()


def send(portal: Shown, do: str, fields: dict[str, object], who: str = "") -> tuple[int, str]:
    headers = {**HTML, **({"X-Forwarded-Email": who} if who else {})}
    page = portal.client.get(PAGE, headers=headers).text
    token = re.search(r'name="token" value="([^"]*)"', page)
    data = {"token": token[1] if token else "", "do": do, **fields}
    answer = portal.client.post(PAGE, data=data, headers=headers)
    return answer.status_code, answer.text or answer.headers.get("location", "")


def test_a_follower_is_told_of_each_thing_once_and_of_nothing_before(own_past: Shop) -> None:
    with listening() as receiver, shown(own_past) as portal, open_registry(own_past.settings) as registry:
        fields = {"by": "webhook", "address": receiver.url, "on": [each.value for each in Heard]}
        assert send(portal, "follow", fields)[0] == 303

        tell_followers(own_past.settings, registry, None)
        assert receiver.bodies == []

        own_past.deliver("order_id,amount\n1,10\n2,21\n")
        own_past.build("shop.orders", run_id="run-6")
        own_past.deliver("order_id,amount\n1,-5\n")
        with pytest.raises(Exception, match=r"shop\.orders"):
            own_past.build("shop.orders", run_id="run-7")
        registry.announce(
            Announcement(
                number=0,
                product=product_name("shop.orders"),
                kind=AnnouncementKind.BREAKING,
                on=date(2030, 1, 1),
                text="amount becomes a decimal",
                who="owner",
                announced=datetime.now(UTC),
            )
        )
        for _ in range(2):
            tell_followers(own_past.settings, registry, None)

    told = [(body["product"], body["event"]) for body in receiver.bodies]
    assert sorted(told) == [("shop.orders", each) for each in ("breaking", "failed", "released")]


def test_news_wait_for_a_receiver_that_is_down(own_past: Shop) -> None:
    now = datetime.now(UTC)
    with listening() as receiver, open_registry(own_past.settings) as registry:
        registry.follow(Follow("shop", "ada", By.WEBHOOK, receiver.url, now, frozenset({Heard.RELEASED})))
        own_past.deliver("order_id,amount\n1,10\n2,22\n")
        own_past.build("shop.orders", run_id="run-8")
        receiver.answers = [503]

        assert tell_followers(own_past.settings, registry, None).failed == 1
        later = datetime.now(UTC) + timedelta(minutes=5)
        assert tell_followers(own_past.settings, registry, None, now=later).sent == 1

    assert [body["told"] for body in receiver.bodies] == ["version 3 is what readers see now"]


@pytest.mark.parametrize(
    ("by", "address", "told"),
    [
        (By.WEBHOOK, "https://ada:pw@hooks.example.com/x", "leave it out"),
        (By.WEBHOOK, "https://hooks.example.com/x?token=1", "leave it out"),
        (By.WEBHOOK, "file:///etc/passwd", "http://host"),
        (By.WEBHOOK, "http://[::1", "http://host"),
        (By.WEBHOOK, "https://other.example/x", "MESH_FOLLOW_HOSTS"),
        (By.WEBHOOK, "https://evilhooks.example.com/x", "MESH_FOLLOW_HOSTS"),
        (By.MAIL, "ada@example.com\r\nBcc: all@example.com", "name@host"),
    ],
)
def test_addresses_that_would_leak_or_reach_elsewhere_are_refused(by: By, address: str, told: str) -> None:
    with pytest.raises(FollowMalformed, match=re.escape(told)) as refused:
        checked_address(by, address, ("hooks.example.com",))

    assert "pw" not in str(refused.value)
    assert checked_address(By.WEBHOOK, "https://a.hooks.example.com/x", ("hooks.example.com",))


def test_behind_a_login_nobody_sends_webhooks_to_hosts_that_nobody_named(own_past: Shop) -> None:
    with listening() as receiver, shown(own_past, read_portal_settings(BEHIND)) as portal:
        fields = {"by": "webhook", "address": receiver.url, "on": ["released"]}
        status, page = send(portal, "follow", fields, who="ada@example.com")

    assert status == 422
    assert "MESH_FOLLOW_HOSTS" in page


def test_access_is_asked_by_a_reader_and_granted_by_an_owner_with_an_end(own_past: Shop) -> None:
    with shown(own_past, read_portal_settings(BEHIND)) as portal:
        asked = send(portal, "ask", {"purpose": "planning <b>", "until": TOMORROW}, who="ada@example.com")
        assert asked[0] == 303
        registry = portal.site.setting.registry
        request = registry.access_requests("shop")[0]
        assert send(portal, "grant", {"number": request.id}, who="ada@example.com")[0] == 422
        assert registry.access_request(request.id).state is Asked.OPEN

        assert send(portal, "grant", {"number": request.id}, who="owner@example.com")[0] == 303

        granted = registry.access_request(request.id)
        assert (granted.state, granted.decided_by) == (Asked.GRANTED, "owner@example.com")
        seen = portal.client.get(PAGE, headers={**HTML, "X-Forwarded-Email": "owner@example.com"}).text
        assert "setfacl" in seen
        assert "planning &lt;b&gt;" in seen
        other = portal.client.get(PAGE, headers={**HTML, "X-Forwarded-Email": "eve@example.com"}).text
        assert "planning" not in other
        with pytest.raises(UnknownAccess):
            registry.decide_access(request.id, Asked.REFUSED, "owner@example.com")


@pytest.mark.parametrize(("purpose", "until"), [("", TOMORROW), ("x", "soon"), ("x", "2020-01-01")])
def test_a_request_needs_a_purpose_and_a_day_to_come(own_past: Shop, purpose: str, until: str) -> None:
    with shown(own_past) as portal:
        assert send(portal, "ask", {"purpose": purpose, "until": until})[0] == 422
        assert portal.site.setting.registry.access_requests() == []
