"""`mesh lake check` and `mesh lake expire` as a person runs them."""

from __future__ import annotations

import json

import pytest

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


def test_a_file_that_is_gone_or_damaged_is_told_to_whoever_reads_it(mesh: Command, shop: Shop) -> None:
    publish(shop, 2)
    first, second = (shop.root / f".mesh/lakes/shop/data/shop/orders/run-{run}.parquet" for run in (1, 2))
    first.unlink()
    second.write_bytes(second.read_bytes()[:100])

    for command in (("diff", "shop.orders", "1", "2"), ("read", "shop.orders")):
        said = mesh(*command)
        assert said.code == 1
        assert "gone or damaged" in said.err and "`mesh lake check shop --deep`" in said.err


def test_a_catalog_that_is_none_is_a_finding_and_the_other_domains_are_checked(
    mesh: Command, shop: Shop
) -> None:
    publish(shop, 1)
    shop.build("books.revenue")
    catalog = shop.root / ".mesh/lakes/shop/catalog.sqlite"
    for each in catalog.parent.glob("catalog.sqlite*"):
        each.unlink()
    catalog.write_text("garbage" * 200)
    next((shop.root / ".mesh/lakes/books/data/books/revenue").glob("*.parquet")).unlink()

    said = mesh("lake", "check")

    assert said.code == 1
    assert "catalog damaged" in said.out and "`mesh lake restore" in said.out
    assert "books.revenue version 1" in said.out
    for command in (("lake", "expire", "--yes"), ("read", "shop.orders")):
        refused = mesh(*command)
        assert refused.code == 1 and "The catalog of shop cannot be read" in refused.err


def test_a_place_that_no_folder_can_be_made_in_is_told_and_no_move_is_begun(
    mesh: Command, shop: Shop
) -> None:
    publish(shop, 1)
    (shop.root / "file").write_text("")
    inside = str(shop.root / "file" / "place")

    for command in (("lake", "backup", inside), ("lake", "move", "shop", "--to", inside)):
        refused = mesh(*command)
        assert refused.code == 1 and "file/place" in refused.err and "Not a directory" in refused.err
    assert mesh("lake", "move", "shop", "--to", str(shop.root / "disk")).code == 0


def test_a_manifest_that_is_json_and_no_manifest_is_written_again(mesh: Command, shop: Shop) -> None:
    publish(shop, 1)
    manifest = shop.root / ".mesh/lakes/shop/manifests/orders/run-1.json"
    manifest.write_text("[]")

    assert "manifest differs" in mesh("lake", "check").out
    assert mesh("lake", "check", "--repair", "--yes").code == 0


@pytest.mark.parametrize("damage", ["shorter", "other bytes", "no catalog"])
def test_what_a_check_advises_mends_it(mesh: Command, shop: Shop, damage: str) -> None:
    publish(shop, 1)
    file = shop.root / ".mesh/lakes/shop/data/shop/orders/run-1.parquet"
    content = file.read_bytes()
    if damage == "no catalog":
        for each in (shop.root / ".mesh/lakes/shop").glob("catalog.sqlite*"):
            each.unlink()
    else:
        half = len(content) // 8
        file.write_bytes(
            content[:half] if damage == "shorter" else content[:4] + bytes(half) + content[4 + half :]
        )
    advised = mesh("lake", "check", "--deep")
    assert advised.code == 1 and "`mesh build shop.orders --force`" in advised.out

    assert mesh("build", "shop.orders", "--force").code == 0

    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]
