"""A mesh of two small domains, for tests of what surrounds a product: `shop` sells, `books` counts.

shop.orders reads a CSV drop; books.revenue reads shop.orders in another domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mesh_assets.capabilities.contracts.scaffold import new_contract_text, new_domain_text
from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.publishing.build import Built, build
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.settings import PROJECT, Settings, read_settings

ORDERS = "order_id,amount\n1,10\n2,20\n"
SOURCES = """value:
      - name: order_log
        path: shop/orders.csv
        format: csv
        description: What the till wrote.
        columns: [order_id, amount]
"""
AMOUNT_RULE = """        quality:
          - name: amount_positive
            type: sql
            query: select count(*) from {object} where amount <= 0
            mustBe: 0
            severity: error
            dimension: accuracy
            description: Nobody is paid for buying.
"""


@dataclass(frozen=True)
class Shop:
    """The two domains in a folder, with what a test does to them."""

    root: Path
    #: Settings beyond the folders: MESH_REGISTRY and MESH_CATALOG for PostgreSQL.
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "MESH_HOME": str(self.root / ".mesh"),
            "MESH_DOMAINS": str(self.root / "domains"),
            "MESH_SOURCES": str(self.root / "sources"),
            "MESH_DBT_PROJECT": str(PROJECT / "dbt_project"),
            **self.more,
        }

    @property
    def settings(self) -> Settings:
        return read_settings(self.environment)

    def folder(self, product: str) -> Path:
        name = product_name(product)
        return self.root / "domains" / name.domain / name.product

    def expects(self, consumer: str, product: str, schema: str) -> Path:
        """A consumer's file about a product; `schema` is what stands below the table's name."""
        path = self.root / "domains" / consumer / "expects" / f"{product}.yaml"
        path.parent.mkdir(exist_ok=True)
        about = f"id: {consumer}.expects.{product}\nversion: 1.0.0\nstatus: active\n"
        table = f"schema:\n  - name: {product_name(product).product}\n{schema}"
        path.write_text(f"apiVersion: v3.1.0\nkind: DataContract\n{about}{table}", encoding="utf-8")
        return path

    def deliver(self, text: str) -> None:
        """What the till writes next."""
        target = self.root / "sources" / "shop" / "orders.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def workshop(self, domain: str, *, run_id: str = "run-1", force: bool = False) -> Workshop:
        assets = read_domain_assets(self.settings, domain)
        return Workshop(
            settings=self.settings,
            registry=open_registry(self.settings),
            domain=assets,
            run_id=run_id,
            who="tester",
            tools=Tools(dbt=run_dbt, program=run_program),
            selected=frozenset(asset.name for asset in assets.assets),
            force=force,
        )

    def build(self, product: str, *, run_id: str = "run-1", force: bool = False) -> Built:
        """Build one product here, with no Dagster in between."""
        name = product_name(product)
        workshop = self.workshop(name.domain, run_id=run_id, force=force)
        try:
            return build(workshop, name)
        finally:
            workshop.registry.close()

    def rows(self, product: str, version: int | None = None) -> list[tuple[object, ...]]:
        """What readers see, in key order."""
        from mesh_assets.capabilities.lake import Handle

        name = product_name(product)
        with open_registry(self.settings) as registry:
            found = registry.head(name) if version is None else registry.version(name, version)
        assert found is not None
        stored = self.settings.of(found.stored)
        handle = Handle(stored, name, number=found.number, snapshot=found.snapshot)
        try:
            return sorted(handle.relation.fetchall())
        finally:
            handle.close()

    def head(self, product: str) -> int | None:
        with open_registry(self.settings) as registry:
            return registry.heads().get(product_name(product))


def make_shop(root: Path, **more: str) -> Shop:
    """Write the two domains; nothing is built."""
    shop = Shop(root, more)
    shop.deliver(ORDERS)
    add_domain(shop, "shop", ("orders",), sources=SOURCES)
    add_domain(shop, "books", ("revenue",), inputs=("shop.orders",))
    write_product(
        shop,
        "shop.orders",
        columns=(("order_id", "BIGINT"), ("amount", "BIGINT")),
        recipe="""-- source: order_log
select cast(order_id as bigint) as order_id, cast(amount as bigint) as amount from source.order_log
""",
        rules=AMOUNT_RULE,
    )
    write_product(
        shop,
        "books.revenue",
        columns=(("order_count", "BIGINT"), ("revenue", "DECIMAL(38,0)")),
        recipe="""-- input: shop.orders
select count(*) as order_count, sum(amount)::decimal(38,0) as revenue from shop.orders
""",
    )
    return shop


def write_product(
    shop: Shop, product: str, *, columns: tuple[tuple[str, str], ...], recipe: str, rules: str = ""
) -> Path:
    """A contract of these columns (rules stand below the last column) and a SQL recipe."""
    folder = shop.folder(product)
    folder.mkdir(parents=True, exist_ok=True)
    text = new_contract_text(product_name(product), columns)
    text = text.replace("    quality:\n", f"{rules}    quality:\n", 1)
    (folder / "contract.yaml").write_text(text, encoding="utf-8")
    (folder / "recipe.sql").write_text(recipe, encoding="utf-8")
    return folder


def add_domain(
    shop: Shop, name: str, products: tuple[str, ...], *, sources: str = "", inputs: tuple[str, ...] = ()
) -> None:
    folder = shop.root / "domains" / name
    folder.mkdir(parents=True)
    text = new_domain_text(name, products=products)
    if inputs:
        ports = "".join(
            f"\n  - name: {each.replace('.', '_')}\n    version: 1.0.0\n    contractId: {each}"
            for each in inputs
        )
        text = text.replace("inputPorts: []", f"inputPorts:{ports}")
    if sources:
        text = text.replace("value: []\n", sources)
    (folder / "domain.yaml").write_text(text, encoding="utf-8")
    (folder / "definitions.py").write_text(
        "from mesh_assets import mesh\n\ndefs = mesh.definitions(__file__)\n", encoding="utf-8"
    )


ORDERS_NAME = ProductName("shop", "orders")


def keep_quarantine(shop: Shop, *, limit: int = 60, personal: str = "") -> None:
    """Let shop.orders set rows aside whose amount is not above zero, or whose order_id comes twice."""
    path = shop.folder("shop.orders") / "contract.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace(AMOUNT_RULE, "        logicalTypeOptions: {exclusiveMinimum: 0}\n")
    if personal:
        before, _, after = text.partition(f"- name: {personal}\n")
        after = after.replace("classification: internal", "classification: personal", 1)
        text = f"{before}- name: {personal}\n{after}"
    text += f"""customProperties:
  - property: onFailure
    value: quarantine
  - property: quarantineLimit
    value: {limit}
"""
    path.write_text(text, encoding="utf-8")
