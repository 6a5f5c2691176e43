"""The portal in a browser: what a person who has never seen the mesh finds, reads and follows, by mouse, by
keyboard, on a small screen, with assistive tools.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mesh_assets.capabilities.portal.app import make_app, make_site
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.portal import read_portal_settings
from mesh_assets.words.settings import Settings, in_kitchen, read_settings
from tests.portal import make_many, make_past
from tests.spark import spark_python
from tests.ui.pictures import WANTED, picture
from tests.ui.showing import serving, window
from tests.unit.kitchens.conftest import in_git

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]  # one browser and one portal for all


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Settings:
    """The small mesh with a past; for pictures the built example, which is what people see."""
    if WANTED:
        return read_settings({"MESH_HOME": str(request.getfixturevalue("built_home"))})
    return in_git(make_past(tmp_path_factory.mktemp("portal-ui"))).settings


@pytest.fixture(scope="module")
def portal(mesh: Settings) -> Iterator[str]:
    with open_registry(mesh) as registry:
        site = make_site(mesh, read_portal_settings({}), registry, patience=60)
        with serving(make_app(site)) as url:
            yield url


#: Where a frame is when it has scrolled, or after ten seconds.
SCROLLED = """frame => new Promise(done => {
    frame.addEventListener('scroll', () => done(frame.scrollLeft));
    setTimeout(() => done(frame.scrollLeft), 10000);
})"""
small = pytest.mark.skipif(WANTED, reason="pictures are taken of the example")


@small
def test_a_newcomer_finds_a_product_by_search_and_runs_its_program(
    browser: Browser, portal: str, tmp_path: Path
) -> None:
    with window(browser, portal) as page:
        page.goto("/")
        page.get_by_label("Search names").fill("amount")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="shop.orders").click()
        page.get_by_role("link", name="SQL, polars, pandas, Spark").click()
        program = page.get_by_label("Program for polars").text_content() or ""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "order_id" in done.stdout


@small
def test_every_program_that_is_shown_reads_the_rows(browser: Browser, portal: str, tmp_path: Path) -> None:
    """By a stranger's Python, in a folder of its own, as it stands on the page."""
    with window(browser, portal) as page:
        page.goto("/shop/orders/where")
        shown = page.locator("pre[aria-label^='Program for']")
        programs = {
            (each.get_attribute("aria-label") or "").removeprefix("Program for "): each.text_content() or ""
            for each in shown.all()
        }
    assert set(programs) == {"DuckDB", "SQL", "polars", "pandas", "Spark"}

    spark, sql = programs.pop("Spark"), programs.pop("SQL")
    del programs["polars"]  # it ran after the search above
    (tmp_path / "read.sql").write_text(sql, encoding="utf-8")
    programs["SQL"] = "import duckdb\nprint(duckdb.connect().execute(open('read.sql').read()).df())"
    for name, program in programs.items():
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, (name, done.stderr)
        assert "order_id" in done.stdout, name
    done = subprocess.run([spark_python(), "-c", spark], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "order_id" in done.stdout


@small
def test_the_lineage_picture_fits_its_page_and_scrolls_by_keyboard(browser: Browser, portal: str) -> None:
    with window(browser, portal) as page:
        for size in ("", "&zoom=whole"):
            page.goto(f"/-/lineage?open=shop&open=books{size}")
            frame, drawn = (page.locator(each).bounding_box() for each in (".canvas", "svg.graph"))
            assert frame and drawn and drawn["width"] <= frame["width"], size
        page.get_by_role("link", name="large").click()
        page.wait_for_url("**zoom=large")
    with window(browser, portal, width=400) as page:
        page.goto("/-/lineage?open=shop&open=books&open=crm&zoom=large")
        page.locator(".canvas").focus()
        moved = page.locator(".canvas").evaluate_handle(f"frame => ({{later: ({SCROLLED})(frame)}})")
        page.keyboard.press("ArrowRight")
        assert moved.evaluate("each => each.later") > 0


@small
def test_a_picture_of_many_domains_is_read_without_scrolling_and_unfolds_by_keyboard(
    browser: Browser, tmp_path: Path
) -> None:
    settings = make_many(tmp_path)
    with open_registry(settings) as registry:
        site = make_site(settings, read_portal_settings({}), registry, patience=60)
        with serving(make_app(site)) as url, window(browser, url) as page:
            page.goto("/-/lineage")
            inside = (
                "frame => [frame.scrollWidth - frame.clientWidth, frame.scrollHeight - frame.clientHeight]"
            )
            assert page.locator(".canvas").evaluate(inside) == [0, 0]
            page.get_by_role("link", name="Show 10 more domains").last.focus()
            page.keyboard.press("Enter")
            page.wait_for_url("**/-/lineage?unfold=3")
            assert page.get_by_role("link", name="Show 10 more domains").count() == 2
            page.get_by_role("link", name="Fold again").click()
            page.wait_for_url("**/-/lineage")


@small
def test_the_keyboard_is_enough(browser: Browser, portal: str) -> None:
    with window(browser, portal) as page:
        page.goto("/shop/orders")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the content"
        page.keyboard.press("/")
        page.keyboard.type("email")
        page.keyboard.press("Enter")
        page.get_by_text("1 found").wait_for()
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.getAttribute('href')") == "/crm/client":
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/crm/client")
        # Nodes of a picture are links as well.
        assert page.locator("svg.graph a[href='/crm/client']").count() == 1
        page.locator("svg.graph a").first.focus()
        assert page.evaluate("document.activeElement.closest('svg') !== null")


@small
def test_a_rule_kept_by_form_is_a_check_of_its_kitchen_in_dagster(
    browser: Browser, portal: str, mesh: Settings
) -> None:
    from mesh_assets.capabilities.orchestration.definitions import domain_definitions

    with window(browser, portal) as page:
        page.goto("/books/revenue/what")
        page.get_by_role("link", name="add or change").click()
        page.get_by_role("link", name="Between columns").click()
        page.get_by_label("Name", exact=True).fill("not_rich")
        page.get_by_label("Expression").fill("revenue < 5")
        page.get_by_role("button", name="Try it").click()
        page.get_by_text("would have failed 1 of 1 rows").wait_for()
        page.get_by_role("button", name="Keep it").click()
        page.get_by_text("It is a commit in kitchen rules-revenue").wait_for()

    found = {}
    for settings in (in_kitchen(mesh, "rules-revenue"), mesh):
        graph = domain_definitions("books", settings).resolve_asset_graph()
        found[settings.kitchen] = {key.name for key in graph.asset_check_keys}
    assert found["rules-revenue"] - found[""] == {"not_rich"}


@small
def test_a_failing_product_leads_to_its_run(browser: Browser, portal: str) -> None:
    with window(browser, portal) as page:
        page.goto("/")
        page.get_by_role("heading", name="shop").get_by_role("link").click()
        page.get_by_role("region", name="Products").get_by_role("link", name="orders").click()
        page.get_by_text("The last draft was refused").wait_for()
        target = page.get_by_role("link", name="See the run").get_attribute("href")
        assert target == "http://127.0.0.1:3000/runs/run-5"
        page.get_by_role("link", name="all runs and checks").click()
        page.get_by_role("heading", name="Checks, audit by audit").wait_for()
        assert page.locator(".matrix td.tone-bad").count() >= 1


PAGES = (
    "/", "/?q=orders", "/shop", "/shop/orders", "/shop/orders/what", "/shop/orders/where",
    "/shop/orders/when",
    "/shop/orders/with", "/shop/orders/how", "/shop/orders@1/with", "/shop/what", "/shop/when",
    "/-/lineage", "/-/lineage?open=shop", "/books/revenue/how", "/-/journeys", "/-/journeys/daily_count",
    "/-/rules/shop/orders", "/-/rules/shop/orders?kind=expression", "/-/follow/shop/orders", "/nope",
)  # fmt: skip


@small
def test_a_small_screen_shows_everything(browser: Browser, portal: str) -> None:
    with window(browser, portal, width=400) as page:
        for path in PAGES:
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 400, path


@small
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, portal: str, dark: bool) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with window(browser, portal, dark=dark) as page:
        page.set_content("<html><body><img src=x></body></html>")
        assert Axe().run(page).violations_count  # it looks
        for path in ("/", "/shop/orders/when") if dark else PAGES:
            page.goto(path)
            found = Axe().run(page).response["violations"]
            bad = [
                (path, each["id"], [node["html"][:160] for node in each["nodes"][:3]])
                for each in found
                if each["impact"] in ("serious", "critical")
            ]
            assert not bad, bad


@small
def test_it_works_without_a_script(browser: Browser, portal: str) -> None:
    context = browser.new_context(base_url=portal, java_script_enabled=False)
    page = context.new_page()
    page.goto("/?q=orders")
    page.get_by_role("link", name="shop.orders").click()
    page.get_by_role("link", name="When", exact=True).click()
    assert page.get_by_role("heading", name="Versions").is_visible()
    assert not page.get_by_role("button", name="Copy").count()
    context.close()


@small
def test_a_static_site_filters_by_itself(browser: Browser, mesh: Settings, tmp_path: Path) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    from mesh_assets.capabilities.portal.export import export_site

    with open_registry(mesh) as registry:
        site = make_site(mesh, read_portal_settings({}), registry, static=True)
        export_site(site, tmp_path / "site")
    files = Starlette(routes=[Mount("/any/where", StaticFiles(directory=tmp_path / "site", html=True))])
    with serving(files) as url, window(browser, url) as page:
        page.goto("/any/where/index.html")
        page.get_by_label("Search names").fill("email")
        assert page.locator(".hits li:visible").count() == 1
        page.get_by_role("link", name="crm.client").click()
        page.get_by_role("link", name="What", exact=True).click()
        page.get_by_role("heading", name="Columns").wait_for()
        assert urllib.request.urlopen(page.url.replace("/what/index.html", ".yaml")).status == 200


@pytest.mark.skipif(not WANTED, reason="MESH_PICTURES=1 takes them")
def test_pictures_of_the_main_pages(browser: Browser, portal: str) -> None:
    with window(browser, portal) as page:
        for path, name in (
            ("/", "portal"),
            ("/?q=npi", "portal-search"),
            ("/hcp/hcp_master", "portal-product"),
            ("/hcp/hcp_master/what", "portal-what"),
            ("/hcp/hcp_master/where", "portal-where"),
            ("/hcp/hcp_master/when", "portal-when"),
            ("/hcp/hcp_master/with", "portal-with"),
            ("/-/lineage", "portal-lineage"),
            ("/-/journeys/weekly_brand_scorecard", "journey"),
        ):
            page.goto(path)
            picture(page, name)
    with window(browser, portal, dark=True) as page:
        page.goto("/field_reports/brand_scorecard")
        picture(page, "portal-dark")
