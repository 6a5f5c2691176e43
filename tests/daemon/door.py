"""A recipe that says when it has begun, and then waits until somebody opens its door."""

from __future__ import annotations

from tests.shop import Shop

RECIPE = """import time
from pathlib import Path

from mesh_assets import mesh


@mesh.recipe(inputs=["shop.orders"])
def {name}(run: mesh.Run) -> str:
    Path({began!r}).write_text("yes")
    while not Path({door!r}).read_text():
        time.sleep(0.05)
    return "{sql}"
"""


def put_behind_door(shop: Shop, product: str, sql: str) -> None:
    """Let a product of shop.orders be made by such a recipe. The door is open."""
    open_door(shop)
    folder = shop.folder(product)
    (folder / "recipe.sql").unlink()
    places = {name: str(shop.root / name) for name in ("began", "door")}
    text = RECIPE.format(name=folder.name, sql=sql, **places)
    (folder / "recipe.py").write_text(text, encoding="utf-8")


def open_door(shop: Shop) -> None:
    (shop.root / "door").write_text("open", encoding="utf-8")


def shut_door(shop: Shop) -> None:
    """From now on the recipe waits, once it has begun."""
    (shop.root / "began").unlink(missing_ok=True)
    (shop.root / "door").write_text("", encoding="utf-8")


def has_begun(shop: Shop) -> bool:
    return (shop.root / "began").exists()
