"""A small mesh with a past for tests of the portal: versions, a draft that was refused, a personal column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.testclient import TestClient

from mesh_assets.capabilities.contracts.scaffold import new_contract_text, new_domain_text
from mesh_assets.capabilities.portal.app import make_app, make_site
from mesh_assets.capabilities.portal.forms import Form
from mesh_assets.capabilities.portal.site import Site
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import ProductName
from mesh_assets.words.portal import PortalSettings, read_portal_settings
from mesh_assets.words.settings import Settings, read_settings
from tests.shop import Shop, add_domain, make_shop, write_product

HOME = "http://127.0.0.1:3010"
HTML = {"accept": "text/html"}
#: What a person wrote into the data: never to be seen on a page.
PRIVATE = "ada@private.example"
CLIENTS = f"client_id,email\n1,{PRIVATE}\n"
SOURCES = """value:
      - name: client_list
        path: crm/clients.csv
        format: csv
        description: Who buys.
        columns: [client_id, email]
"""
JOURNEY = """name: daily_count
description: Every morning somebody counts what was sold.
targets: [books.revenue]
schedule:
  cron: "0 0 * * *"
steps:
  - name: sales
    products: [shop.orders]
  - name: count
    products: [books.revenue]
expectations:
  ready_by: {time: "23:59"}
owners: [owner@example.com]
"""


def make_past(root: Path) -> Shop:
    """shop.orders has two versions and a refused draft, books.revenue one; crm.client holds e-mail addresses,
    crm.later was never made.
    """
    shop = make_shop(root)
    add_domain(shop, "crm", ("client", "later"), sources=SOURCES)
    sql = "-- source: client_list\nselect client_id::bigint as client_id, email from source.client_list\n"
    folder = write_product(
        shop, "crm.client", columns=(("client_id", "BIGINT"), ("email", "VARCHAR")), recipe=sql
    )
    contract = folder / "contract.yaml"
    before, mark, after = contract.read_text(encoding="utf-8").partition("- name: email\n")
    after = after.replace("classification: internal", "classification: personal", 1)
    contract.write_text(before + mark + after, encoding="utf-8")
    write_product(shop, "crm.later", columns=(("client_id", "BIGINT"),), recipe=sql)
    clients = shop.root / "sources" / "crm" / "clients.csv"
    clients.parent.mkdir(parents=True)
    clients.write_text(CLIENTS, encoding="utf-8")
    (shop.root / "journeys").mkdir()
    (shop.root / "journeys" / "daily_count.yaml").write_text(JOURNEY, encoding="utf-8")
    shop.build("shop.orders", run_id="run-1")
    shop.build("books.revenue", run_id="run-2")
    shop.build("crm.client", run_id="run-3")
    shop.deliver("order_id,amount\n1,10\n2,20\n3,30\n")
    shop.build("shop.orders", run_id="run-4")
    shop.deliver("order_id,amount\n1,-5\n")
    try:
        shop.build("shop.orders", run_id="run-5")
    except Exception as error:
        assert "shop.orders" in str(error)
    return shop


def make_many(root: Path, domains: int = 60) -> Settings:
    """Many domains of one product that nobody built: twenty from nothing, twenty from those, and so on."""
    for number in range(domains):
        name = ProductName(f"d{number:02}", "numbers")
        folder = root / "domains" / name.domain
        (folder / "numbers").mkdir(parents=True)
        (folder / "domain.yaml").write_text(new_domain_text(name.domain, products=["numbers"]), "utf-8")
        contract = new_contract_text(name, [("id", "BIGINT")])
        (folder / "numbers" / "contract.yaml").write_text(contract, "utf-8")
        before = f"d{number - 20:02}.numbers"
        sql = f"-- input: {before}\nselect * from {before}\n" if number >= 20 else "select 1 as id\n"
        (folder / "numbers" / "recipe.sql").write_text(sql, "utf-8")
    return read_settings({"MESH_HOME": str(root / ".mesh"), "MESH_DOMAINS": str(root / "domains")})


@dataclass(frozen=True)
class Shown:
    """A portal over a mesh, and somebody who asks it."""

    shop: Shop
    site: Site
    client: TestClient

    def page(self, path: str) -> str:
        answer = self.client.get(path, headers=HTML)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.text


@contextmanager
def shown(
    shop: Shop, portal: PortalSettings | None = None, forms: tuple[Form, ...] = (), peer: str = "127.0.0.1"
) -> Iterator[Shown]:
    """The portal as an app; pages wait for what is newest."""
    with open_registry(shop.settings) as registry:
        site = make_site(shop.settings, portal or read_portal_settings({}), registry, patience=60)
        client = TestClient(
            make_app(site, forms), base_url=HOME, follow_redirects=False, client=(peer, 50000)
        )
        yield Shown(shop, site, client)
        site.setting.reading.close()
