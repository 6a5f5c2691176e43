"""`mesh up` as a person starts it: the portal and Dagster beside each other, from a form to a check, from a
refused draft to its run, and one Ctrl-C for both.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mesh_assets.capabilities.orchestration.server import Server, running_server
from mesh_assets.words.settings import PROJECT
from tests.shop import Shop, make_shop
from tests.ui.served import PRODUCT, wait_for
from tests.ui.showing import free_port, window

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]
#: Two servers with a code location and a daemon start on what may be busy cores.
START_SECONDS = 240
RELOAD = "mutation($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"


@dataclass(frozen=True)
class Beside:
    """Both servers, and the process that started them."""

    shop: Shop
    portal: str
    dagster: Server
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    """shop.orders has a version of amounts 10 and 20; rules by form go into the working tree."""
    root = tmp_path_factory.mktemp("up")
    port, other = free_port(), free_port()
    shop = make_shop(root, MESH_WORKSPACE=str(root / "workspace.yaml"), MESH_PORTAL_SAVES="tree")
    shop.build("shop.orders")
    place = "{relative_path: domains/shop/definitions.py, location_name: shop}"
    (root / "workspace.yaml").write_text(f"load_from:\n  - python_file: {place}\n", encoding="utf-8")
    with (root / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "mesh_assets.cli",
                "up",
                "--port",
                str(port),
                "--dagster-port",
                str(other),
            ],
            env={**os.environ, **shop.environment},
            cwd=PROJECT,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def up() -> Server | None:
        assert process.poll() is None, (root / "up.log").read_text(encoding="utf-8")
        return running_server(shop.settings)

    try:
        server = wait_for("both servers", up, START_SECONDS)
        yield Beside(shop, f"http://127.0.0.1:{port}", server, process)
    finally:
        process.terminate()  # it ends both, and those that do not are made to
        process.wait()


def test_both_addresses_are_told(beside: Beside) -> None:
    told = (beside.shop.root / "up.log").read_text(encoding="utf-8")

    assert f"the portal   {beside.portal}" in told
    assert f"Dagster      {beside.dagster.url}" in told


def test_a_rule_that_is_added_by_form_is_a_check_in_dagster(beside: Beside, browser: Browser) -> None:
    with window(browser, beside.portal) as page:
        page.goto("/shop/orders/what")
        page.get_by_role("link", name="add or change").click()
        page.get_by_role("link", name="Between columns").click()
        page.get_by_label("Name").fill("amount_below_15")
        page.locator("#f-expression").fill("amount < 15")
        page.get_by_label("If it is broken").select_option("error")
        page.get_by_role("button", name="Try it on the current version").click()
        page.get_by_text("would have failed 1 of 2 rows").wait_for()
        bad = page.get_by_role("region", name="Rows that break amount_below_15")
        assert bad.get_by_role("cell", name="20", exact=True).count() == 1
        page.get_by_role("button", name="Keep it").click()
        page.get_by_label("Kept").wait_for()
        page.reload()
        rules = page.get_by_role("region", name="Rules in the contract")
        rules.get_by_text("amount_below_15").first.wait_for()

    beside.dagster.ask(RELOAD, name="shop")

    def checks() -> set[str]:
        found = beside.dagster.ask(PRODUCT, key={"path": ["shop", "orders"]})["assetNodeOrError"]
        return {each["name"] for each in found["assetChecksOrError"]["checks"]}

    assert wait_for("the check", lambda: checks() & {"amount_below_15"}) == {"amount_below_15"}


def test_a_refused_product_leads_to_its_run_in_dagster(beside: Beside, browser: Browser) -> None:
    """The rule of before stands: amounts of 15 and more are refused."""
    ended = subprocess.run(
        [sys.executable, "-m", "mesh_assets.cli", "run", "shop.orders", "--json"],
        env={**os.environ, **beside.shop.environment},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr

    with window(browser, beside.portal) as page:
        refused = page.get_by_text("The last draft was refused")

        def told() -> bool:  # a page may be of a moment before
            page.goto("/shop/orders")
            return refused.count() > 0

        wait_for("the refusal", told)
        page.get_by_role("link", name="See the run").click()
        page.wait_for_url(f"{beside.dagster.url}/runs/*", timeout=60_000)
        page.get_by_text("Failure", exact=True).first.wait_for(timeout=60_000)
        page.get_by_text("amount_below_15").first.wait_for(timeout=60_000)
    assert beside.shop.head("shop.orders") == 1


def test_one_ctrl_c_ends_both(beside: Beside) -> None:
    """The last one: nothing answers afterwards."""
    import urllib.error
    import urllib.request

    beside.process.send_signal(signal.SIGINT)

    assert beside.process.wait(60) == 0
    for url in (beside.portal, beside.dagster.url):
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(url, timeout=5)
    assert "Traceback" not in (beside.shop.root / "up.log").read_text(encoding="utf-8").split("dagster")[0]
