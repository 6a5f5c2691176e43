"""The Dagster UI over the built example, in a browser: what a person sees and does there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import PROJECT
from tests.ui.pictures import picture
from tests.ui.served import Ui, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

DOMAINS = {path.parent.name for path in (PROJECT / "mesh_assets" / "domains").glob("*/domain.yaml")}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.mesh,
    pytest.mark.xdist_group("ui"),  # one server for all of them
]


def materialize(page: Page, ui: Ui, product: str) -> str:
    """Click Materialize on the product's page, wait until its run has ended, and return the run's id."""
    page.goto(f"/assets/{product.replace('.', '/')}")
    page.get_by_role("button", name="Materialize").first.click()
    said = page.get_by_text(re.compile(r"^Launched run [0-9a-f]{8}")).first.text_content() or ""
    short = said.split()[-1][:8]

    def ended() -> str | None:
        found = [key for key, run in ui.runs().items() if key.startswith(short)]
        return next((key for key in found if ui.runs()[key]["status"] in ("SUCCESS", "FAILURE")), None)

    return wait_for(f"the run {short} ends", ended)


def test_every_domain_is_a_code_location_that_loads(ui: Ui) -> None:
    assert ui.locations() == dict.fromkeys(DOMAINS | {"journeys"}, "RepositoryLocation")


def test_assets_are_grouped_by_domain_and_joined_across_locations(ui: Ui) -> None:
    assets = ui.assets()

    for key, asset in assets.items():
        domain = key.split("/")[0]
        own = domain in DOMAINS
        assert asset["repository"]["location"]["name"] == (domain if own else "journeys"), key
        assert asset["groupName"] == domain if own else asset["groupName"] not in DOMAINS, key
    assert {asset["groupName"] for asset in assets.values()} > DOMAINS
    needs = ["/".join(each["path"]) for each in assets["brand_analytics/dim_hcp"]["dependencyKeys"]]
    assert "hcp/hcp_master" in needs


def test_sensors_that_wake_over_a_built_mesh_start_nothing(ui: Ui) -> None:
    """Each location's sensors run by default, look, and find that every product is as its inputs are."""
    before = set(ui.runs())

    def looked() -> bool:
        return all(sensor["ticks"] for sensor in ui.sensors().values())

    wait_for("every sensor has looked", looked)

    sensors = ui.sensors()
    assert {f"{domain}_automation" for domain in DOMAINS} < set(sensors)
    assert {sensor["status"] for sensor in sensors.values()} == {"RUNNING"}
    assert set(ui.runs()) == before


def test_the_lineage_page_shows_the_domains_in_order(page: Page) -> None:
    from playwright.sync_api import expect

    page.set_viewport_size({"width": 1960, "height": 1000})  # Dagster draws what is in the window, no more
    page.goto("/asset-groups")
    nodes = page.locator("svg foreignObject")
    shown = {
        domain: nodes.get_by_text(domain, exact=True).locator("visible=true").first for domain in DOMAINS
    }
    for node in shown.values():
        node.wait_for()
    expect(page.get_by_text("fetching statuses")).to_have_count(0)
    picture(page, "lineage")

    left = {domain: (node.bounding_box() or {"x": -1.0})["x"] for domain, node in shown.items()}
    assert left["geography"] < left["hcp"] < left["prescriptions"] < left["brand_analytics"]
    assert max(left, key=left.__getitem__) == "field_reports"


def test_the_catalog_lists_products_with_what_they_are(page: Page) -> None:
    page.goto("/assets")

    row = page.get_by_role("link", name="brand_analytics / dim_hcp")
    row.wait_for()
    page.get_by_text("One row per mastered prescriber").first.wait_for()


def test_a_products_page_shows_its_contract(page: Page) -> None:
    page.set_viewport_size({"width": 1400, "height": 1060})
    page.goto("/assets/hcp/hcp_master")

    for told in (
        "One row per health care professional",
        "hcp-owner@example.com",
        "National provider identifier, ten digits with a check digit",
        "classification: personal",
        "non-nullable",
        "Source code",
        "eager: when the content of an input changed",
        "Asset history",
    ):
        page.get_by_text(told).locator("visible=true").first.wait_for()
    picture(page, "asset")

    page.goto("/assets/hcp/hcp_master?view=checks&checkDetail=npi_pattern")
    page.get_by_text("npi matches ^[12][0-9]{9}$").first.wait_for()
    page.get_by_text("Passed").first.wait_for()
    page.get_by_text("blocking").first.wait_for()


def test_materializing_what_is_unchanged_keeps_the_version_and_tells_it(ui: Ui, page: Page) -> None:
    before = ui.latest("geography.zip_area")

    run = materialize(page, ui, "geography.zip_area")

    after = ui.latest("geography.zip_area")
    assert (after["run"], after["outcome"]) == (run, "unchanged")
    for same in ("version", "snapshot", "data version", "dagster/row_count"):
        assert after[same] == before[same]
    checks = ui.checks("geography.zip_area").values()
    assert {check["runId"] for check in checks} == {run}
    page.goto("/assets/geography/zip_area?view=events")
    page.get_by_role("link", name=run[:8]).first.wait_for()
    page.get_by_text("unchanged", exact=True).first.wait_for()


def test_a_refused_draft_is_a_failed_check_with_its_rows_and_readers_keep_their_version(
    ui: Ui, page: Page
) -> None:
    product = "payer.formulary_coverage"
    before = ui.latest(product)
    rows = ui.mesh.run("read", product, "--format", "csv").stdout
    assert ui.mesh.run("sources", "--break", "value_out_of_range").returncode == 0

    run = materialize(page, ui, product)

    assert ui.runs()[run]["status"] == "FAILURE"
    assert ui.latest(product) == before
    assert ui.mesh.run("read", product, "--format", "csv").stdout == rows
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto("/assets/payer/formulary_coverage?view=checks&checkDetail=tier_maximum")
    page.get_by_text(re.compile(r"failed on 2 of [\d,]+ rows")).first.wait_for()
    page.get_by_role("cell", name="9", exact=True).first.wait_for()
    page.get_by_text("Failed").first.wait_for()
    picture(page, "failed-check")
    page.goto(f"/runs/{run}")
    page.get_by_text("Readers still see version 1").first.wait_for()

    assert ui.mesh.run("sources", "--mend").returncode == 0
    mended = materialize(page, ui, product)
    assert ui.runs()[mended]["status"] == "SUCCESS"
    assert ui.checks(product)["tier_maximum"]["status"] == "SUCCEEDED"
    assert ui.latest(product)["version"] == before["version"]


def test_two_weeks_are_built_again_in_one_run(ui: Ui) -> None:
    """What "Materialize…" starts for chosen partitions of a weekly product."""
    launch = """mutation($what: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $what) {
      __typename ... on LaunchBackfillSuccess { backfillId } } }"""
    state = """query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
      status runs(limit: 5) { status } } } }"""
    weeks = ["2024-01-01", "2024-01-08"]
    asked = {"assetSelection": [{"path": ["engagement", "call"]}], "partitionNames": weeks}

    started = ui.ask(launch, what=asked)["launchPartitionBackfill"]

    assert started["__typename"] == "LaunchBackfillSuccess"

    def over() -> dict[str, object] | None:
        found: dict[str, object] = ui.ask(state, id=started["backfillId"])["partitionBackfillOrError"]
        return found if str(found["status"]).startswith("COMPLETED") else None

    done = wait_for("the backfill is done", over)
    assert done == {"status": "COMPLETED_SUCCESS", "runs": [{"status": "SUCCESS"}]}


def test_the_scorecard_is_a_page_that_a_browser_shows_without_fault(ui: Ui, page: Page) -> None:
    """The artifact stands alone: it asks for nothing from anywhere else."""
    told = ui.mesh.run("show", "field_reports.brand_scorecard").stdout
    (path,) = re.findall(r"^artifact: (.*\.html)$", told, re.MULTILINE)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: faults.append(asked.url) if asked.url.startswith("http") else None)
    page.set_viewport_size({"width": 1280, "height": 900})

    page.goto(Path(path).as_uri())

    page.get_by_role("heading").first.wait_for()
    page.locator("svg").first.wait_for()
    picture(page, "scorecard")
    assert faults == []
