"""One server and one browser for all tests of the UI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import copy_example, mesh_in
from tests.ui.served import Ui, serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: A sandbox needs rights that a container lacks; the rest keeps the browser from calling home.
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGE_SECONDS = 90


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's chromium, without a screen. For one module: while it is open, an event loop is running."""
    found = shutil.which("chromium")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("chromium is not installed: CI drives the UI (.ci/run installs it)", pytrace=False)
    if found is None:
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def ui(browser: Browser, built_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """`mesh dev` over a copy of the built example."""
    folder = tmp_path_factory.mktemp("ui")
    copy_example(built_home, folder / ".mesh")
    with serve(mesh_in(folder / ".mesh"), folder / "mesh-dev.log") as ui:
        yield ui


@pytest.fixture
def page(ui: Ui, browser: Browser) -> Iterator[Page]:
    """A new window on the UI; its addresses are relative."""
    context = browser.new_context(
        base_url=ui.url, viewport={"width": 1400, "height": 900}, timezone_id="UTC", locale="en-GB"
    )
    context.set_default_timeout(PAGE_SECONDS * 1000)
    yield context.new_page()
    context.close()
