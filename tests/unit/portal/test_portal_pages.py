"""Promises of the pages: each question is answered, for what is there now and for any version."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from html import unescape
from pathlib import Path

import pytest
import yaml

from mesh_assets.capabilities.portal.address import QUESTIONS
from mesh_assets.capabilities.portal.templates_loaded import NOTHING, short
from mesh_assets.words.names import product_name
from tests.portal import HTML, PRIVATE, Shown, shown
from tests.shop import Shop

THINGS = ("/shop", "/shop/orders", "/shop/orders@1", "/crm/client", "/crm/later", "/books@2")


@pytest.mark.parametrize("thing", THINGS)
def test_every_question_has_a_page_and_its_json(portal: Shown, thing: str) -> None:
    for question in ("", *(f"/{word}" for word in QUESTIONS)):
        text = portal.page(thing + question)
        assert text.startswith("<!doctype html>") or "<!doctype html>" in text[:200]
        found = portal.client.get(f"{thing}{question}.json")
        assert found.status_code == 200, found.text
        assert found.json()["product" if thing.count("/") == 2 else "domain"]


def test_what_tells_meaning_classes_rules_and_how_the_contract_changed(portal: Shown) -> None:
    text = portal.page("/shop/orders/what")
    facts = portal.client.get("/shop/orders/what.json").json()

    assert "Nobody is paid for buying." in text
    assert [column["name"] for column in facts["columns"]] == ["order_id", "amount"]
    assert facts["columns"][0]["key"] == 1
    rules = {rule["rule"]: rule for rule in facts["rules"]}
    assert rules["amount_positive"]["outcome"] == "failed"
    assert rules["primary_key"]["outcome"] == "passed"
    assert facts["contract_versions"][0]["contract"] == "1.0.0"


def test_sample_rows_hide_what_is_personal(portal: Shown) -> None:
    text = portal.page("/crm/client/what")

    assert PRIVATE not in text
    assert "***" in text
    assert "<td>1</td>" in text


def test_no_page_or_document_has_a_personal_value(portal: Shown) -> None:
    for question in ("", *(f"/{word}" for word in QUESTIONS)):
        for ending in ("", ".json", ".yaml", ".jsonld", ".openlineage.json"):
            assert PRIVATE not in portal.client.get(f"/crm/client{question}{ending}", headers=HTML).text


def test_the_programs_that_where_shows_run(portal: Shown, tmp_path: Path) -> None:
    """Those that need no download: DuckDB's own is run on real catalogs in tests of `mesh where`."""
    page = unescape(portal.page("/shop/orders/where"))
    snippets = portal.client.get("/shop/orders/where.json").json()["snippets"]

    for engine in ("polars", "pandas"):
        assert snippets[engine] in page
        done = subprocess.run(
            [sys.executable, "-c", snippets[engine]],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert "30" in done.stdout
    assert "AT (VERSION =&gt;" in portal.page("/shop/orders/where")
    assert set(snippets) == {"duckdb", "sql", "polars", "pandas", "spark"}


def test_when_tells_versions_runs_checks_and_freshness(portal: Shown) -> None:
    facts = portal.client.get("/shop/orders/when.json").json()
    text = portal.page("/shop/orders/when")

    assert [row["version"] for row in facts["versions"]] == [2, 1]
    assert [build["outcome"] for build in facts["builds"]] == ["refused", "published", "published"]
    assert facts["audits"][-1]["rules"]["amount_positive"]["outcome"] == "failed"
    assert '<svg class="timeline"' in text
    assert "http://127.0.0.1:3000/runs/run-5" in text
    assert "http://127.0.0.1:3000/assets/shop/orders?view=checks&amp;checkDetail=amount_positive" in text


def test_with_tells_the_exact_versions_back_to_files(portal: Shown) -> None:
    facts = portal.client.get("/books/revenue/with.json").json()

    assert [(each["product"], each["version"]) for each in facts["inputs"]] == [("shop.orders", 1)]
    assert facts["inputs"][0]["changed"] is True  # version 2 is there since
    (source,) = facts["sources"]
    assert source["source"] == "shop.order_log"
    assert len(source["sha256"]) == 64
    assert facts["packages"]["duckdb"]
    assert "with other content" in portal.page("/books/revenue/with")


def test_how_tells_the_recipe_and_how_to_make_it_again(portal: Shown) -> None:
    facts = portal.client.get("/shop/orders@1/how.json").json()

    assert facts["reproduce"] == "mesh reproduce shop.orders@1"
    assert facts["recipe"]["kind"] == "sql"
    assert "outside of a git repository" in portal.page("/shop/orders/how")


def test_the_recipe_is_shown_as_it_was_at_the_commit(own_past: Shop) -> None:
    from mesh_assets.capabilities.portal.git_source import shown_source
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.names import ProductName

    shop = own_past
    git = ["git", "-C", str(shop.root), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for command in (["init", "-q"], ["add", "domains"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True)
    shop.deliver("order_id,amount\n1,11\n")
    shop.build("shop.orders", run_id="run-9")
    recipe = shop.folder("shop.orders") / "recipe.sql"
    recipe.write_text(recipe.read_text() + "-- changed since\n")
    with open_registry(shop.settings) as registry:
        certificate = registry.versions(ProductName("shop", "orders"))[0].certificate

    found = shown_source(shop.settings, certificate, certificate.recipe)

    assert found.text is not None
    assert found.text.startswith("-- source: order_log")
    assert "changed since" not in found.text
    assert shown_source(shop.settings, certificate, "../../etc/passwd").text is None


def test_a_refused_product_says_why_and_leads_to_its_run(portal: Shown) -> None:
    text = portal.page("/shop/orders")

    assert "The last draft was refused; readers still see version 2." in text
    assert "http://127.0.0.1:3000/runs/run-5" in text
    facts = portal.client.get("/shop/orders.json").json()
    assert facts["state"] == "refused"
    assert facts["good"] is False


def test_a_pinned_page_shows_the_past_and_says_so(portal: Shown) -> None:
    text = portal.page("/shop/orders@1")
    facts = portal.client.get("/shop/orders@1/what.json").json()

    assert "version 1" in text
    assert "see the current one" in text
    assert facts["version"] == 1
    assert {rule["rule"]: rule["outcome"] for rule in facts["rules"]}["amount_positive"] == "passed"


def test_a_domain_is_pinned_at_a_release(portal: Shown) -> None:
    first = portal.client.get("/shop@1/where.json").json()["products"]
    now = portal.client.get("/shop/where.json").json()["products"]

    assert [each["version"] for each in first] == [1]
    assert [each["version"] for each in now] == [2]
    assert portal.client.get("/shop@999").status_code == 404


def test_search_finds_by_name_column_and_description(portal: Shown) -> None:
    def found(query: str) -> list[str]:
        answer = portal.client.get("/", params={"q": query}, headers={"accept": "application/json"})
        return [each["product"] for each in answer.json()["products"]]

    assert found("orders") == ["shop.orders"]
    assert found("email") == ["crm.client"]
    assert found("crm email") == ["crm.client"]
    assert found("owner@example.com") == ["books.revenue", "crm.client", "crm.later", "shop.orders"]
    assert found("nothing is called so") == []


def test_facets_narrow_down_and_count(portal: Shown) -> None:
    text = portal.page("/?q=owner@example.com&data=with+personal+columns")
    answer = portal.client.get(
        "/?data=with+personal+columns&state=good", headers={"accept": "application/json"}
    )

    assert "1 found" in text
    assert [each["product"] for each in answer.json()["products"]] == ["crm.client"]


def test_the_front_page_shows_every_domain_with_its_state(portal: Shown) -> None:
    facts = portal.client.get("/-/catalog.json").json()

    states = {each["domain"]: each["state"] for each in facts["domains"]}
    assert states["shop"] == "refused"
    assert states["crm"] == "not yet published"
    for domain in states:
        assert f'href="/{domain}"' in portal.page("/")


def test_the_picture_of_a_version_has_the_versions_that_it_was_made_from(portal: Shown) -> None:
    revenue, first, now = (
        portal.page(path) for path in ("/books/revenue/with", "/shop/orders@1/with", "/shop/orders/with")
    )

    assert 'href="/shop/orders@1/with" aria-label="shop.orders, version 1: an earlier version"' in revenue
    assert 'aria-label="shop.orders, version 2' not in revenue
    assert 'aria-label="shop.orders, version 1: an earlier version"' in first
    assert 'aria-label="books.revenue' not in first
    assert 'aria-label="shop.orders, version 2: refused"' in now
    assert 'aria-label="books.revenue' in now
    assert "order_log</text>" in first and "order_log</text>" in revenue
    assert 'class="graph' not in portal.page("/shop/orders@1")


def test_fingerprints_of_as_many_rows_are_told_apart() -> None:
    one, other = (short(f"d1:7298f504:42:{total}") for total in ("15ca620dd136", "25ca620dd136"))

    assert one == "d1:7298f504:42:15ca62…" != other
    assert short("d1:0") == "d1:0"
    assert short("e691769" * 6) == "e691769e6917"
    assert short(None) == NOTHING


def test_lineage_opens_domains_to_products(portal: Shown) -> None:
    closed, opened = portal.page("/-/lineage"), portal.page("/-/lineage?open=shop&open=books")

    assert 'href="/shop"' in closed
    assert 'href="/shop/orders"' not in closed
    assert 'href="/shop/orders"' in opened
    assert "shop.orders, version 2: refused" in opened


def test_a_journey_has_steps_and_a_history(portal: Shown) -> None:
    text = portal.page("/-/journeys/daily_count")
    facts = portal.client.get("/-/journeys/daily_count.json").json()

    assert [each["step"] for each in facts["steps"]] == ["sales", "count"]
    assert '<svg class="timeline"' in text
    assert facts["runs"][0]["state"]
    assert "daily_count" in portal.page("/-/journeys")


def test_what_is_not_there_is_told_with_what_is_near(portal: Shown) -> None:
    answer = portal.client.get("/shop/order", headers=HTML)

    assert answer.status_code == 404
    assert 'href="/shop/orders"' in answer.text
    assert portal.client.get("/shop/order.json").json()["near"] == ["/shop/orders"]
    for path in ("/nope", "/shop/orders@77", "/shop/orders@nope/when", "/shop/orders/why", "/-/nope"):
        assert portal.client.get(path, headers=HTML).status_code == 404, path


def test_a_domain_that_cannot_be_read_is_shown_with_its_problem(own_past: Shop) -> None:
    with shown(own_past) as portal:
        portal.page("/crm/client")
        contract = own_past.folder("crm.client") / "contract.yaml"
        contract.write_text(contract.read_text().replace("BIGINT", "BIGINTEGER"), encoding="utf-8")
        portal.site.shelf._looked = portal.site.shelf._made = 0.0

        assert "does not load" in portal.page("/")
        assert "BIGINTEGER" in portal.page("/crm")
        assert PRIVATE not in portal.page("/crm/client/what")
        assert portal.client.get("/crm/client/what.yaml").status_code in (200, 404)
        portal.page("/shop/orders")


def test_pages_follow_the_registry_and_the_documents(own_past: Shop) -> None:
    with shown(own_past) as portal:
        before = portal.client.get("/shop/orders.json").json()["version"]
        contract = own_past.folder("shop.orders") / "contract.yaml"
        text = contract.read_text(encoding="utf-8").replace("The amount.", "Another word.")
        contract.write_text(text, encoding="utf-8")
        own_past.deliver("order_id,amount\n7,70\n")
        own_past.build("shop.orders", run_id="run-8")
        portal.site.shelf._looked = portal.site.shelf._felt = portal.site.shelf._took = 0.0

        assert portal.client.get("/shop/orders.json").json()["version"] == before + 1
        assert "Another word." in portal.page("/shop/orders/what")
        assert yaml.safe_load(portal.client.get("/shop/orders.yaml").text)["id"] == "shop.orders"


def test_whoever_comes_during_the_first_reading_is_told_how_far_it_is(past: Shop) -> None:
    """Browsers ask again by themselves; programs are told when to; the newest catalog is waited for."""
    with shown(past) as portal:
        shelf = portal.site.shelf
        begun = threading.Event()
        shelf._worker = threading.Thread(target=begun.wait)  # a reading that takes its time
        shelf._worker.start()
        shelf.patience = 0.0
        try:
            answer = portal.client.get("/shop", headers=HTML)
            assert (answer.status_code, answer.headers["refresh"]) == (503, answer.headers["retry-after"])
            assert "is reading the mesh" in answer.text
            assert "is reading the mesh" in portal.client.get("/shop.json").json()["error"]
        finally:
            begun.set()
            shelf._worker.join()
            shelf._worker = None
        assert shelf.read().knows(product_name("shop.orders"))
        assert "Products" in portal.page("/shop")
