"""A shop in a git repository, built once; each test gets a copy of it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mesh_assets.capabilities.kitchens.opening import Wish, open_kitchen
from tests.shop import Shop, make_shop

Opener = Callable[..., Shop]


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.email=a@example.com", "-c", "user.name=a", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def in_git(shop: Shop) -> Shop:
    """Put the shop's code under version control."""
    git(shop.root, "init", "--quiet", "--initial-branch", "main")
    (shop.root / ".gitignore").write_text(".mesh\nsources\nmade.txt\n", encoding="utf-8")
    git(shop.root, "add", "--all")
    git(shop.root, "commit", "--quiet", "--message", "first")
    return shop


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = in_git(make_shop(tmp_path_factory.mktemp("template") / "shop"))
    shop.build("shop.orders")
    shop.build("books.revenue")
    return shop


@pytest.fixture
def built(template: Shop, tmp_path: Path) -> Shop:
    """Built, in git, a test's own."""
    shutil.copytree(template.root, tmp_path / "shop")
    return Shop(tmp_path / "shop")


def entered(shop: Shop, name: str) -> Shop:
    """The same shop as somebody in the kitchen sees it."""
    return replace(shop, more={**shop.more, "MESH_KITCHEN": name})


def opened(shop: Shop, name: str = "try", **wish: object) -> Shop:
    """Open a kitchen, and enter it."""
    open_kitchen(shop.settings, name, Wish(**wish))  # type: ignore[arg-type]
    return entered(shop, name)


def edit(shop: Shop, product: str, before: str, after: str) -> None:
    """Change a SQL recipe in the kitchen's own code."""
    domain, _, name = product.partition(".")
    path = shop.settings.domains / domain / name / "recipe.sql"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def everything_below(folder: Path) -> dict[str, bytes]:
    """Every file of production's lakes: what no kitchen may touch."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "turns" not in path.parts and not path.name.endswith(("-shm", "-wal"))
    }
