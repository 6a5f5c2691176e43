"""Promises to people who look: whatever others wrote into names, words and data, nothing runs or leaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.portal.address import QUESTIONS, read_address
from tests.portal import HTML, Shown, shown
from tests.shop import make_shop, write_product

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</code></pre><svg onload=alert(1)>",
    "{{ 7*7 }}{% raise %}",
    "'; DROP TABLE version; --",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "]]><!--",
    "a\u2028b",
)
#: One text with all of them, and longer than any screen.
EVIL = " ".join(ATTACKS) + " " + "x" * 3000
ROWS = "select 1::bigint as id, $text$" + EVIL.replace("$", "") + "$text$ as words"


class Scripts(HTMLParser):
    """What a browser would run or fetch of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag in ("img", "iframe", "object", "embed", "style", "base", "foreignobject"):
            self.found.append(tag)
        if tag == "script" and not (known.get("src") or "").startswith("/-/static/portal.js"):
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "srcdoc"):
                self.found.append(f"{tag} {name}")
            if name in ("href", "action", "src", "xlink:href") and not _is_plain(value or ""):
                self.found.append(f"{tag} {name}={value}")


def _is_plain(url: str) -> bool:
    return url.startswith(("/", "#", "?", "http://127.0.0.1:3000"))


def harmless(text: str) -> bool:
    scripts = Scripts()
    scripts.feed(text)
    return not scripts.found


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A mesh whose authors wrote everything that is forbidden nowhere, wherever there is room for words."""
    shop = make_shop(tmp_path_factory.mktemp("hostile"))
    folder = write_product(
        shop, "shop.evil", columns=(("id", "BIGINT"), ("words", "VARCHAR")), recipe=ROWS + "\n"
    )
    contract = yaml.safe_load((folder / "contract.yaml").read_text(encoding="utf-8"))
    contract["name"] = EVIL
    contract["description"] = {"purpose": EVIL, "limitations": EVIL, "usage": EVIL}
    contract["tags"] = list(ATTACKS)
    contract["team"] = {"name": EVIL, "members": [{"username": text, "role": "owner"} for text in ATTACKS]}
    table = contract["schema"][0]
    table["description"] = EVIL
    for column in table["properties"]:
        column["description"] = EVIL
    table["quality"][0]["description"] = EVIL
    (folder / "contract.yaml").write_text(yaml.safe_dump(contract, allow_unicode=True), encoding="utf-8")
    path = shop.root / "domains" / "shop" / "domain.yaml"
    domain = yaml.safe_load(path.read_text(encoding="utf-8"))
    domain["name"] = EVIL
    domain["description"] = dict.fromkeys(("purpose", "limitations", "usage"), EVIL)
    domain["support"] = [{"channel": text, "url": "https://example.com/x"} for text in ATTACKS]
    path.write_text(yaml.safe_dump(domain, allow_unicode=True), encoding="utf-8")
    shop.build("shop.evil")
    with shown(shop) as made:
        yield made


@pytest.mark.parametrize("thing", ["/shop", "/shop/evil", "/shop/evil@1"])
def test_whatever_is_written_is_shown_and_nothing_of_it_runs(hostile: Shown, thing: str) -> None:
    for question in ("", *(f"/{word}" for word in QUESTIONS)):
        text = hostile.page(thing + question)
        assert harmless(text), thing + question
        assert "{{ 7*7 }}" in text or "7*7" not in text
    assert "&lt;script&gt;alert(1)" in hostile.page(thing)
    assert "<td>49</td>" not in hostile.page(f"{thing}/what")


def test_search_and_lists_are_harmless(hostile: Shown) -> None:
    for text in (*ATTACKS, EVIL):
        for page in (hostile.client.get("/", params={"q": text, "tag": text}, headers=HTML),):
            assert page.status_code in (200, 414)
            assert harmless(page.text) or page.status_code == 414
    assert harmless(hostile.page("/-/lineage?open=shop&open=<script>"))


def test_documents_of_hostile_words_are_well_formed(hostile: Shown) -> None:
    from rdflib import Graph

    for path in ("/shop/evil.json", "/shop/evil.jsonld", "/shop/evil.openlineage.json", "/shop.jsonld"):
        answer = hostile.client.get(path)
        assert json.loads(answer.text)
        assert answer.headers["x-content-type-options"] == "nosniff"
    for path in ("/shop/evil.yaml", "/shop.yaml"):
        assert yaml.safe_load(hostile.client.get(path).text)["domain"] == "shop"
    assert Graph().parse(data=hostile.client.get("/shop/evil.jsonld").text, format="json-ld")


test_documents_of_hostile_words_are_well_formed = pytest.mark.filterwarnings("ignore::DeprecationWarning")(
    test_documents_of_hostile_words_are_well_formed
)

TRAVERSALS = (
    "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/shop/..%2fbooks", "/shop/orders@../../x",
    "/shop/orders@..%2f..%2fx/how", "/-/static/..%2fapp.py", "/-/static/%2e%2e/app.py",
    "/-/static//etc/passwd",
    "/shop%00/orders", "/shop/orders%0d%0aSet-Cookie:%20a=b", "/shop/orders.json%0a", "/" + "a" * 3000,
    "/" + "/".join("abc" for _ in range(200)), "/shop//orders", "/shop/orders@1@2", "/shop/_private",
    "/-/journeys/..%2f..%2fx", "/-/catalog.exe", "/%ff%fe", "/shop/orders@" + "9" * 30,
)  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS)
def test_addresses_lead_nowhere_else(hostile: Shown, path: str) -> None:
    answer = hostile.client.get(path, headers=HTML)

    assert answer.status_code in (400, 404, 414)
    assert "root:" not in answer.text
    assert "import" not in answer.text
    assert "set-cookie" not in answer.headers
    assert harmless(answer.text)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.text(st.characters(codec="utf-8"), max_size=60),
    query=st.dictionaries(
        st.sampled_from(["q", "domain", "page", "open", "close", "unfold", "zoom", "tag"]),
        st.one_of(st.text(max_size=40), st.sampled_from(["*", "shop,*", "1,²,-1", "shop,shop", "9" * 3000])),
        max_size=3,
    ),
    accept=st.one_of(
        st.just("text/html"), st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
    ),
)
def test_no_request_brings_it_down(hostile: Shown, path: str, query: dict[str, str], accept: str) -> None:
    from urllib.parse import quote

    answer = hostile.client.get("/" + quote(path, safe="/@.:"), params=query, headers={"accept": accept})

    assert answer.status_code < 500
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert harmless(answer.text)


@given(st.text(max_size=80))
def test_an_address_is_read_or_it_is_nobodys(text: str) -> None:
    found = read_address(text)

    if found is not None:
        again = read_address(found.path)
        assert again is not None
        assert (again.domain, again.product, again.wanted) == (found.domain, found.product, found.wanted)
        assert ".." not in found.domain + found.product


def test_methods_that_change_things_are_refused(hostile: Shown) -> None:
    for method in ("PUT", "DELETE", "PATCH", "POST", "TRACE"):
        assert hostile.client.request(method, "/shop/evil").status_code == 405


def test_answers_that_are_kept_for_made_up_addresses_have_an_end(
    hostile: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.page("/")
    made = hostile.site._made
    assert made is not None
    most = made.letters + 50_000
    monkeypatch.setattr("mesh_assets.capabilities.portal.site.MOST_LETTERS", most)
    for number in range(30):
        hostile.page(f"/?q=never{number}")

    assert sum(len(each.body) for each in made.answers.values()) == made.letters <= most
    assert any("never0" in str(key) for key in made.answers)
    assert not any("never29" in str(key) for key in made.answers)


def test_a_source_of_the_portal_is_not_among_its_files(hostile: Shown) -> None:
    names = {
        path.name for path in (Path(__file__).parents[3] / "mesh_assets/capabilities/portal/static").iterdir()
    }

    assert set(hostile.site.files) == names
    assert hostile.client.get("/-/static/app.py").status_code == 404
