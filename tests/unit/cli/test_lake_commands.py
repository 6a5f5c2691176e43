"""`mesh lake check` and `mesh lake expire` as a person runs them."""

from __future__ import annotations

import json

from mesh_assets.capabilities.lake import commit_lock, lake_of
from mesh_assets.capabilities.registry import open_registry
from tests.shop import ORDERS_NAME, Shop
from tests.unit.cli.conftest import Command
from tests.unit.upkeep.keeping import keep, publish


def test_a_whole_lake_is_code_0(mesh: Command, shop: Shop) -> None:
    publish(shop, 1)

    said = mesh("lake", "check", "--deep")

    assert (said.code, said.out) == (0, "nothing is wrong\n")


def test_a_finding_says_what_is_wrong_and_what_to_do_and_is_code_1(mesh: Command, shop: Shop) -> None:
    publish(shop, 1)
    next((shop.root / ".mesh/lakes/shop/data/shop/orders").glob("*.parquet")).unlink()

    said = mesh("lake", "check", "shop")

    assert said.code == 1
    assert "shop.orders version 1: shop/orders/run-1.parquet is missing" in said.out
    assert "`mesh build shop.orders --force`" in said.out


def test_a_domain_that_is_not_there_is_code_2(mesh: Command) -> None:
    said = mesh("lake", "check", "shoe")

    assert said.code == 2
    assert "there is no domain 'shoe'" in said.err


def test_a_repair_is_dry_until_it_is_told_yes(mesh: Command, shop: Shop) -> None:
    publish(shop, 1)
    manifest = shop.root / ".mesh/lakes/shop/manifests/orders/run-1.json"
    manifest.unlink()

    dry = mesh("lake", "check", "--repair")
    assert (dry.code, manifest.exists()) == (1, False)
    assert "1 of 1 can be mended safely" in dry.out
    done = mesh("lake", "check", "--repair", "--yes", "--json")
    assert (done.code, manifest.exists()) == (0, True)
    assert json.loads(done.out)["repaired"] == ["wrote the manifest of shop.orders version 1"]


def test_a_garbled_registry_is_put_aside_and_made_again(mesh: Command, shop: Shop) -> None:
    publish(shop, 2)
    path = shop.root / ".mesh/registry.sqlite"
    for old in path.parent.glob("registry.sqlite-*"):
        old.unlink()
    path.write_bytes(b"not a database" * 500)

    found = mesh("lake", "check")
    assert found.code == 1 and "registry damaged" in found.out
    done = mesh("lake", "check", "--repair", "--yes")
    assert done.code == 0, done.out
    assert "put shop.orders version 2 back into the registry" in done.out
    assert shop.rows("shop.orders", version=1) == [(1, 10), (2, 20)]


def test_an_expired_version_is_told_as_such_and_its_certificate_shown(mesh: Command, shop: Shop) -> None:
    publish(shop, 3)
    with open_registry(shop.settings) as registry:
        registry.expire({ORDERS_NAME: [1]}, who="tester")

    said = mesh("read", "shop.orders@1")

    assert said.code == 1
    assert "shop.orders version 1 was expired on" in said.err
    assert "version 1: 2 rows" in mesh("show", "shop.orders@1").out
    assert "1, expired" in mesh("versions", "shop.orders").out


def test_an_expiry_is_dry_until_it_is_told_yes(mesh: Command, shop: Shop) -> None:
    keep(shop, "{versions: 2}")
    publish(shop, 3)

    said = mesh("lake", "expire", "shop.orders", "--json")

    assert said.code == 0
    # They are minutes old: whoever reads them now may be reading still.
    assert json.loads(said.out) == {
        "done": False,
        "versions": [],
        "unreleased": {},
        "files": [],
        "bytes_reclaimed": 0,
    }
    assert "0 versions and 0 unreleased commits were expired" in mesh("lake", "expire", "--yes").out


def test_who_commits_and_who_waits_can_be_seen(mesh: Command, shop: Shop) -> None:
    assert mesh("lake", "waiting").out == "nobody commits, and nobody waits\n"

    with commit_lock(shop.settings, lake_of(shop.settings, "shop"), what="commit of shop.orders"):
        said = mesh("lake", "waiting", "--json")

    (turn,) = json.loads(said.out)
    assert (turn["domain"], turn["what"], turn["holds"]) == ("shop", "commit of shop.orders", True)
