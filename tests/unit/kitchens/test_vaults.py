"""Secrets: by address in code, by environment in value, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mesh_assets.capabilities.kitchens.opening import open_kitchen
from mesh_assets.capabilities.publishing.vault import missing, outside, secret
from mesh_assets.words.errors import RecipeFailed
from mesh_assets.words.vaults import SecretMalformed, SecretMissing, VaultMalformed
from tests.shop import Shop
from tests.unit.kitchens.conftest import entered, git

VALUE = "hunter2-and-more"
REFUSED = "raise ValueError(f'{token.reveal()} was refused')"
RECIPE = '''"""Asks somebody outside."""

import polars as pl

from mesh_assets import mesh


class Mail:
    """Sends."""

    def send(self, to: str, token: str) -> None:
        raise AssertionError("it went out")


@mesh.recipe(inputs=["shop.orders"])
def revenue(run: mesh.Run) -> pl.DataFrame:
    token = mesh.secret("vault://books/bank-token")
    print(token)
    mesh.outside(Mail()).send("all@example.com", token=token.reveal())
    {then}
    return pl.DataFrame({{"order_count": [2], "revenue": [30]}}).cast({{"revenue": pl.Decimal(38, 0)}})
'''


@pytest.fixture
def asking(built: Shop) -> Shop:
    """The recipe of books.revenue needs a secret, and tells somebody outside."""
    folder = built.folder("books.revenue")
    (folder / "recipe.sql").unlink()
    (folder / "recipe.py").write_text(RECIPE.format(then="pass"), encoding="utf-8")
    git(built.root, "add", "--all")
    git(built.root, "commit", "--quiet", "--message", "asks")
    return built


def use(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process works there, as recipes see it."""
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)


def test_a_kitchen_is_not_given_productions_secret_and_says_what_is_missing_when_it_opens(
    asking: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESH_SECRET_BOOKS_BANK_TOKEN", VALUE)

    made = open_kitchen(asking.settings, "try")

    assert any("vault://books/bank-token" in note for note in made.notes)
    assert secret(asking.settings, "vault://books/bank-token").reveal() == VALUE
    with pytest.raises(SecretMissing, match="MESH_KITCHEN_SECRET_BOOKS_BANK_TOKEN_FILE"):
        secret(made.settings, "vault://books/bank-token")


def test_a_value_is_in_nothing_that_is_written(
    asking: Shop, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    file = asking.root.parent / "token"
    file.write_text(f"{VALUE}\n", encoding="utf-8")
    monkeypatch.setenv("MESH_KITCHEN_SECRET_BOOKS_BANK_TOKEN_FILE", str(file))
    open_kitchen(asking.settings, "try")
    inside = entered(asking, "try")
    use(inside, monkeypatch)

    inside.build("books.revenue", run_id="in-kitchen")
    recipe = inside.settings.domains / "books" / "revenue" / "recipe.py"
    recipe.write_text(RECIPE.format(then=REFUSED), encoding="utf-8")
    with pytest.raises(RecipeFailed, match="vault://books/bank-token was refused"):
        inside.build("books.revenue", run_id="in-kitchen-2")

    assert "vault://books/bank-token" in capfd.readouterr().out
    written = [path for path in asking.root.rglob("*") if path.is_file()]
    assert [path for path in written if VALUE.encode() in path.read_bytes()] == []


def test_what_would_be_done_outside_is_recorded_in_a_kitchen_and_not_done(
    asking: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESH_KITCHEN_SECRET_BOOKS_BANK_TOKEN", VALUE)
    made = open_kitchen(asking.settings, "try")
    use(entered(asking, "try"), monkeypatch)

    entered(asking, "try").build("books.revenue", run_id="in-kitchen")

    told = json.loads((made.settings.home / "outside.jsonl").read_text(encoding="utf-8"))
    assert told["what"] == "Mail.send"
    assert told["arguments"] == ["'all@example.com'"]
    assert told["named"] == {"token": "'vault://books/bank-token'"}
    safe: list[int] = []
    assert outside(made.settings, safe, kitchen_safe=True) is safe
    assert outside(asking.settings, safe) is safe


def test_a_manager_is_asked_by_environment(
    built: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "our_manager.py").write_text(
        "class V:\n"
        "    def __init__(self, e): self.e = e\n"
        "    def get(self, domain, name): return f'{self.e} {domain} {name}' if self.e == 'prod' else None\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("MESH_VAULT", "our_manager:V")
    made = open_kitchen(built.settings, "try")

    assert secret(built.settings, "vault://shop/key").reveal() == "prod shop key"
    assert missing(made.settings, ["vault://shop/key"]) == ["vault://shop/key"]
    monkeypatch.setenv("MESH_VAULT", "nothing:V")
    with pytest.raises(VaultMalformed, match="No module named 'nothing'"):
        secret(built.settings, "vault://shop/key")
    with pytest.raises(SecretMalformed, match="vault://domain/name"):
        secret(built.settings, "vault://shop")
