"""Promises of the static site: all of it is there, every link leads somewhere, any web server can show it."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from mesh_assets.capabilities.portal.app import make_site
from mesh_assets.capabilities.portal.export import Exported, export_site
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.portal import ExportExists, ExportNowhere, read_portal_settings
from tests.portal import PRIVATE
from tests.shop import Shop


class Targets(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in ("href", "src") and value}


@pytest.fixture(scope="module")
def exported(past: Shop, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Exported]:
    folder = tmp_path_factory.mktemp("site") / "out"
    with open_registry(past.settings) as registry:
        site = make_site(past.settings, read_portal_settings({}), registry, static=True)
        return folder, export_site(site, folder)


def dead_links(folder: Path) -> list[str]:
    dead = []
    for page in folder.rglob("*.html"):
        targets = Targets()
        targets.feed(page.read_text(encoding="utf-8"))
        for target in targets.found:
            if target.startswith(("http:", "https:", "mailto:", "#")):
                continue
            assert not target.startswith("/"), (page, target)
            path = unquote(urlsplit(target).path)
            if not (page.parent / path).is_file():
                dead.append(f"{page.relative_to(folder)} -> {target}")
    return dead


def test_every_link_of_the_site_leads_to_a_file(exported: tuple[Path, Exported]) -> None:
    folder, done = exported

    assert not dead_links(folder)
    assert len(list(folder.rglob("*.html"))) == done.pages


def test_versions_that_are_too_old_for_pages_of_their_own_are_no_links(
    past: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mesh_assets.capabilities.portal.export.PINNED", 1)
    monkeypatch.setattr("mesh_assets.capabilities.portal.export.RELEASES", 1)
    with open_registry(past.settings) as registry:
        site = make_site(past.settings, read_portal_settings({}), registry, static=True)
        export_site(site, tmp_path / "site")

    assert not dead_links(tmp_path / "site")
    assert not (tmp_path / "site" / "shop" / "orders@1").exists()
    page = (tmp_path / "site" / "shop" / "orders" / "when" / "index.html").read_text(encoding="utf-8")
    assert 'shop/orders@2/when/index.html">2</a>' in page
    assert "<a>1</a>" in page


def test_documents_stand_beside_the_pages(exported: tuple[Path, Exported]) -> None:
    folder, done = exported

    assert (folder / "shop" / "orders" / "what" / "index.html").is_file()
    assert json.loads((folder / "shop" / "orders.json").read_text())["product"] == "shop.orders"
    assert yaml.safe_load((folder / "shop.yaml").read_text())["managementPorts"]
    assert json.loads((folder / "-" / "catalog.jsonld").read_text())["@graph"]
    assert json.loads((folder / "shop" / "orders@1" / "with.json").read_text())["version"] == 1
    assert done.documents > 100
    assert not [path for path in folder.rglob("*") if path.is_file() and PRIVATE in path.read_text("utf-8")]


def test_an_export_replaces_an_export_and_nothing_else(past: Shop, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with open_registry(past.settings) as registry:
        site = make_site(past.settings, read_portal_settings({}), registry, static=True)
        with pytest.raises(ExportExists, match="no export"):
            export_site(site, tmp_path)

    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_site_goes_into_a_folder_and_nowhere_else(past: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with open_registry(past.settings) as registry:
        site = make_site(past.settings, read_portal_settings({}), registry, static=True)
        for target in (tmp_path / "file", tmp_path / "file" / "site"):
            with pytest.raises(ExportNowhere, match="name one that can be made"):
                export_site(site, target)

    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"
