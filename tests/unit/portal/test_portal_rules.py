"""Promises of rules by form: what is tried is told, what is kept is text, and nothing else is touched."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh_assets.capabilities.contracts.read import read_contract
from mesh_assets.words.portal import read_portal_settings
from mesh_assets.words.settings import in_kitchen
from tests.portal import HTML, Shown, shown
from tests.shop import Shop

PAGE = "/-/rules/shop/orders"
RULE = {
    "kind": "expression",
    "name": "amount_below_25",
    "expression": "amount < 25",
    "severity": "error",
    "description": "Nobody orders for more: not here",
}


@pytest.fixture
def own(own_past: Shop) -> Iterator[Shown]:
    with shown(own_past, read_portal_settings({"MESH_PORTAL_SAVES": "tree"})) as portal:
        yield portal


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields that every form of the page sends along."""
    return dict(re.findall(r'<input type="hidden" name="(token|was|kitchen)" value="([^"]*)">', page))


def send(portal: Shown, do: str, fields: dict[str, str], path: str = PAGE) -> tuple[int, str]:
    hidden = fields_of(portal.page(path))
    answer = portal.client.post(path, data={**hidden, **fields, "do": do}, headers=HTML)
    return answer.status_code, answer.text if answer.status_code != 303 else answer.headers["location"]


def contract_of(portal: Shown) -> Path:
    return portal.shop.root / "domains" / "shop" / "orders" / "contract.yaml"


def test_a_rule_is_tried_on_the_current_version_and_nothing_is_kept(own: Shown) -> None:
    before = contract_of(own).read_text()

    status, page = send(own, "try", RULE)

    assert status == 200
    assert "would have failed 1 of 3 rows" in page
    assert "<td>30</td>" in page
    assert contract_of(own).read_text() == before


def test_a_rule_that_is_kept_stands_in_the_contract_and_every_other_line_stays(own: Shown) -> None:
    contract = contract_of(own)
    contract.write_text("# ours\n" + contract.read_text())
    before = contract.read_text().splitlines()

    status, _ = send(own, "keep", RULE)

    assert status == 303
    after = contract.read_text().splitlines()
    assert [line for line in after if line in before] == before
    assert "amount_below_25" in [rule.id for rule in read_contract(contract).rules]
    assert "amount_below_25" in own.page(PAGE)


def test_a_kept_rule_is_changed_and_removed_again(own: Shown) -> None:
    before = contract_of(own).read_text()
    send(own, "keep", RULE)
    page = own.page(PAGE)
    number = re.search(r"number=(\d+)&amp;at=&amp;level=#form\" aria-label=\"Change amount_below_25", page)
    assert number is not None
    place = {"number": number[1], "at": ""}
    form = own.page(f"{PAGE}?number={number[1]}&at=&level=")
    assert 'value="amount &lt; 25"' in form

    assert send(own, "keep", {**RULE, **place, "expression": "amount < 100"})[0] == 303
    rule = next(each for each in read_contract(contract_of(own)).rules if each.id == "amount_below_25")
    assert rule.arguments["expression"] == "amount < 100"

    assert send(own, "remove", place)[0] == 303
    assert contract_of(own).read_text() == before


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"expression": "amonut < 25"}, "amonut"),
        ({"expression": "(select 1)"}, "contract.yaml"),
        ({"kind": "rowCount", "operator": "mustBe", "value": "many"}, "&#39;many&#39; is no number"),
        ({"kind": "rowCount", "operator": "mustBeBetween", "value": "1"}, "two numbers"),
        ({"kind": "change", "aggregate": "median", "operator": "mustBe", "value": "1"}, "none of count"),
        ({"kind": "nonsense"}, "Choose a kind"),
        ({"name": "amount_positive"}, "contract.yaml"),
    ],
)
def test_what_cannot_be_a_rule_is_told_and_nothing_is_kept(
    own: Shown, fields: dict[str, str], told: str
) -> None:
    before = contract_of(own).read_text()

    status, page = send(own, "keep", {**RULE, **fields})

    assert status == 422
    assert told in page
    assert str(own.shop.root) not in page
    assert contract_of(own).read_text() == before


@pytest.mark.parametrize(
    "fields", [{"at": "no_such_column"}, {"kitchen": "{object}"}, {"kitchen": "nowhere"}]
)
def test_a_form_that_names_what_is_not_there_is_told_so(own: Shown, fields: dict[str, str]) -> None:
    status, page = send(own, "try", {**RULE, **fields})

    assert status == 404
    assert "Nothing here" in page


def test_who_comes_second_is_told_and_overwrites_nothing(own: Shown) -> None:
    hidden = fields_of(own.page(PAGE))
    contract = contract_of(own)
    contract.write_text(contract.read_text() + "# a colleague was here\n")
    theirs = contract.read_text()

    answer = own.client.post(PAGE, data={**hidden, **RULE, "do": "keep"}, headers=HTML)

    assert answer.status_code == 422
    assert "Reload the page" in answer.text
    assert contract.read_text() == theirs


def test_readers_see_rules_and_change_none(own_past: Shop) -> None:
    headers = {"X-Forwarded-Email": "reader@example.com"}
    setting = read_portal_settings(
        {"MESH_PORTAL_IDENTITY_HEADER": "X-Forwarded-Email", "MESH_PORTAL_SAVES": "tree"}
    )
    with shown(own_past, setting) as portal:
        page = portal.client.get(PAGE, headers={**HTML, **headers})
        assert page.status_code == 200
        assert "<form class=" not in page.text.split("<main", 1)[1]
        refused = portal.client.post(PAGE, data={**RULE, "do": "keep"}, headers={**HTML, **headers})

    assert refused.status_code == 403


def test_personal_values_are_masked_in_what_a_trial_shows(own: Shown) -> None:
    path = "/-/rules/crm/client"
    rule = {
        "kind": "invalidValues",
        "at": "email",
        "name": "only_ours",
        "validValues": "nobody@ours.example",
        "operator": "mustBe",
        "value": "0",
        "severity": "warning",
    }

    status, page = send(own, "try", rule, path)

    assert status == 200
    assert "would have failed 1 of 1 rows" in page
    assert "private.example" not in page


def test_changes_go_to_a_kitchen_unless_the_mesh_says_otherwise(own_past: Shop) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    (own_past.root / ".gitignore").write_text(".mesh\n")
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "as it was"]):
        subprocess.run([*git, *command], cwd=own_past.root, check=True, capture_output=True)
    with shown(own_past) as portal:
        before = contract_of(portal).read_text()

        status, location = send(portal, "keep", RULE)

        assert status == 303
        assert "kitchen=rules-orders" in location
        assert contract_of(portal).read_text() == before
        kitchen = in_kitchen(own_past.settings, "rules-orders")
        kept = kitchen.domains / "shop" / "orders" / "contract.yaml"
        assert "amount_below_25" in [rule.id for rule in read_contract(kept).rules]
        log = subprocess.run(
            ["git", "log", "-1", "--format=%s", "--", str(kept)],
            cwd=kept.parent,
            capture_output=True,
            text=True,
        )
        assert "Add a rule of shop.orders: amount_below_25" in log.stdout
        assert "mesh kitchen promote rules-orders" in portal.page(location)
