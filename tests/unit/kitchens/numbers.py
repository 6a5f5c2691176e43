"""A shop whose code is two numbers that people change, and whose data tell by which they were made."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from tests.shop import Shop
from tests.unit.kitchens.conftest import git

ORDERS, REVENUE = product_name("shop.orders"), product_name("books.revenue")
#: The two numbers in the code that people change: what an amount is taken by, and what is added to the sum.
FACTOR = re.compile(r"(as bigint\)) \* (\d+) as amount")
OFFSET = re.compile(r"\+ (\d+)\)::decimal")
#: What the second order amounts to, whatever is delivered.
SECOND = 20

Numbers = tuple[int, int]


def numbers_in(orders: str, revenue: str) -> Numbers:
    """The two numbers in the text of the two recipes."""
    found = FACTOR.search(orders), OFFSET.search(revenue)
    assert found[0] and found[1]
    return int(found[0][2]), int(found[1][1])


def written(shop: Shop) -> Numbers:
    """The two numbers as the code of a shop has them."""
    folders = (shop.settings.domains / each for each in ("shop/orders", "books/revenue"))
    first, second = ((each / "recipe.sql").read_text(encoding="utf-8") for each in folders)
    return numbers_in(first, second)


def write(shop: Shop, product: str, pattern: re.Pattern[str], text: str) -> None:
    path = shop.settings.domains / product / "recipe.sql"
    path.write_text(pattern.sub(text, path.read_text(encoding="utf-8")), encoding="utf-8")


def write_numbers(shop: Shop, factor: int | None, offset: int | None) -> None:
    """Change one or both, and commit."""
    if factor is not None:
        write(shop, "shop/orders", FACTOR, rf"\1 * {factor} as amount")
    if offset is not None:
        write(shop, "books/revenue", OFFSET, f"+ {offset})::decimal")
    if git(shop.settings.domains, "status", "--porcelain"):
        git(shop.settings.domains, "commit", "--quiet", "-am", f"numbers {factor} {offset}")


def with_numbers(root: Path, template: Shop) -> Shop:
    """The built shop, its code with the two numbers in it, built again."""
    shutil.copytree(template.root, root / "shop")
    shop = Shop(root / "shop")
    orders, revenue = shop.folder("shop.orders") / "recipe.sql", shop.folder("books.revenue") / "recipe.sql"
    text = orders.read_text(encoding="utf-8")
    orders.write_text(text.replace("cast(amount as bigint)", "cast(amount as bigint) * 1"), encoding="utf-8")
    text = revenue.read_text(encoding="utf-8")
    changed = text.replace("sum(amount)::decimal", "(sum(amount) + 0)::decimal")
    revenue.write_text(changed, encoding="utf-8")
    git(shop.root, "commit", "--quiet", "-am", "numbers")
    shop.build("shop.orders", run_id="numbers")
    shop.build("books.revenue", run_id="numbers")
    return shop


def merged(base: Numbers, ours: Numbers, theirs: Numbers) -> Numbers:
    """Each number as whoever changed it wrote it."""
    first, second = (
        o if o != b else t for b, o, t in zip(base, ours, theirs, strict=True)
    )  # both changed it alike, or git would not have merged it
    return first, second


def made_by(shop: Shop) -> Numbers:
    """The numbers by which what readers see was made; they see both products of one state."""
    with open_registry(shop.settings) as registry:
        heads = registry.heads()
    amounts = [int(str(amount)) for _, amount in shop.rows("shop.orders", heads[ORDERS])]
    ((_, revenue),) = shop.rows("books.revenue", heads[REVENUE])
    return amounts[1] // SECOND, int(str(revenue)) - sum(amounts)
