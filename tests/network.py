"""A mesh of four small domains, for tests of what happens between domains.

    shop.orders (a CSV drop) -> books.revenue -> board.report
                             -> depot.parcels ----^
    shop.prices (a CSV drop) -> depot.lost       (whose recipe fails when a price is negative)

`board.report` reads both books and depot: a diamond over three code locations.
"""

from __future__ import annotations

from pathlib import Path

from tests.shop import Shop, add_domain, make_shop, write_product

PRICES = "order_id,price\n1,5\n"


def make_network(root: Path, **more: str) -> Shop:
    """Write the four domains; nothing is built."""
    shop = make_shop(root, **more)
    price(shop, PRICES)
    text = (root / "domains" / "shop" / "domain.yaml").read_text(encoding="utf-8")
    source = "      - {name: price_log, path: shop/prices.csv, format: csv, description: Prices.}\n"
    text = text.replace("      - name: order_log\n", f"{source}      - name: order_log\n")
    (root / "domains" / "shop" / "domain.yaml").write_text(text, encoding="utf-8")
    write_product(
        shop,
        "shop.prices",
        columns=(("order_id", "BIGINT"), ("price", "BIGINT")),
        recipe="-- source: price_log\n"
        "select cast(order_id as bigint) as order_id, cast(price as bigint) as price from source.price_log\n",
    )
    add_domain(shop, "depot", ("parcels", "lost"), inputs=("shop.orders", "shop.prices"))
    write_product(
        shop,
        "depot.parcels",
        columns=(("parcels", "BIGINT"), ("heaviest", "BIGINT")),
        recipe="-- input: shop.orders\n"
        "select count(*) as parcels, max(amount)::bigint as heaviest from shop.orders\n",
    )
    write_product(
        shop,
        "depot.lost",
        columns=(("price", "BIGINT"), ("root", "DOUBLE")),
        recipe="-- input: shop.prices\nselect price, sqrt(price) as root from shop.prices\n",
    )
    add_domain(shop, "board", ("report",), inputs=("books.revenue", "depot.parcels"))
    write_product(
        shop,
        "board.report",
        columns=(("revenue", "DECIMAL(38,0)"), ("parcels", "BIGINT")),
        recipe="-- input: books.revenue\n-- input: depot.parcels\n"
        "select revenue, parcels from books.revenue, depot.parcels\n",
    )
    return shop


def price(shop: Shop, text: str) -> None:
    """The price list that comes next."""
    target = shop.root / "sources" / "shop" / "prices.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def automate(shop: Shop, product: str, value: str) -> None:
    """Write the rule of a product into its contract."""
    path = shop.folder(product) / "contract.yaml"
    text = path.read_text(encoding="utf-8")
    before, found, _ = text.partition("customProperties:\n  - property: automation\n")
    rule = f"customProperties:\n  - property: automation\n    value: {value}\n"
    path.write_text((before if found else text) + rule, encoding="utf-8")
