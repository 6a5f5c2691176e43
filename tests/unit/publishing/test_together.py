"""Several products as one release: readers see all of them or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.together import Together, publish_together
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.versions import BuildOutcome
from tests.shop import ORDERS, ORDERS_NAME, Shop, make_shop

REVENUE = product_name("books.revenue")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path)


def together(shop: Shop, *, run_id: str = "group-1", force: bool = False, registry: Registry | None = None):
    def workshop(domain: str, selected: frozenset[ProductName], view: Registry) -> Workshop:
        made = shop.workshop(domain, run_id=run_id, force=force)
        made.registry.close()
        return Workshop(**{**vars(made), "registry": view, "selected": selected})

    with registry or open_registry(shop.settings) as opened:
        return publish_together(read_mesh(shop.settings), [ORDERS_NAME, REVENUE], opened, workshop)


def test_products_of_two_domains_are_one_release_and_fit_together(shop: Shop) -> None:
    ended = together(shop)

    assert ended.released
    assert shop.rows("books.revenue") == [(2, 30)]  # of the orders that were released with it
    with open_registry(shop.settings) as registry:
        (release,) = registry.releases()
        version = registry.head(REVENUE)
    assert release.moved == {ORDERS_NAME: (None, 1), REVENUE: (None, 1)}
    assert version is not None
    assert [(str(each.product), each.number) for each in version.certificate.inputs] == [("shop.orders", 1)]


def test_if_one_is_refused_no_reader_sees_any(shop: Shop) -> None:
    together(shop)
    shop.deliver(ORDERS + "3,30\n")
    contract = shop.folder("books.revenue") / "contract.yaml"
    rule = """quality:
      - name: few_orders
        type: sql
        query: select max(order_count) from {object}
        mustBeLessThan: 3
        severity: error
        dimension: accuracy
        description: The till is small.
"""
    text = contract.read_text()
    contract.write_text(text.replace("    quality:\n", f"    {rule}", 1))

    ended = together(shop, run_id="group-2")

    assert not ended.released
    assert [(record.product, record.outcome) for record in ended.records] == [
        (ORDERS_NAME, BuildOutcome.SKIPPED),
        (REVENUE, BuildOutcome.REFUSED),
    ]
    assert ended.records[0].message == "is released together with books.revenue, which was refused"
    assert (shop.head("shop.orders"), shop.head("books.revenue")) == (1, 1)
    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]


def test_what_an_unreleased_group_committed_is_released_by_the_next(shop: Shop) -> None:
    together(shop)
    shop.deliver(ORDERS + "3,-30\n")
    assert not together(shop, run_id="group-2").released

    shop.deliver(ORDERS + "3,30\n")
    ended = together(shop, run_id="group-3")

    assert ended.released
    assert shop.rows("books.revenue") == [(3, 60)]
    assert [record.outcome for record in ended.records] == [BuildOutcome.PUBLISHED] * 2


def test_what_needs_a_refused_product_waits_for_it(shop: Shop) -> None:
    shop.deliver("order_id,amount\n1,-10\n")

    ended = together(shop)

    assert [record.outcome for record in ended.records] == [BuildOutcome.REFUSED, BuildOutcome.SKIPPED]
    assert ended.records[1].message == "waits for shop.orders, which was refused"
    assert list(ended.refused) == [ORDERS_NAME]


def test_a_group_that_finds_nothing_new_releases_nothing(shop: Shop) -> None:
    together(shop)

    ended = together(shop, run_id="group-2")

    assert [record.outcome for record in ended.records] == [BuildOutcome.UNCHANGED] * 2
    with open_registry(shop.settings) as registry:
        assert len(registry.releases()) == 1


def test_a_group_that_was_overtaken_looks_again_and_still_fits_together(shop: Shop) -> None:
    together(shop)
    shop.deliver(ORDERS + "3,30\n")
    registry = open_registry(shop.settings)
    neighbours = iter([ORDERS + "4,40\n"])

    real = Registry.release

    def release(self: Registry, *args: object, **kwargs: object) -> object:
        """Somebody else publishes orders just before the group's first release."""
        for text in neighbours:
            shop.deliver(text)
            shop.build("shop.orders", run_id="neighbour")
        return real(self, *args, **kwargs)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Registry, "release", release)
        ended: Together = together(shop, run_id="group-2", registry=registry)

    assert ended.released
    assert shop.rows("shop.orders") == [(1, 10), (2, 20), (4, 40)]
    assert shop.rows("books.revenue") == [(3, 70)]
    with open_registry(shop.settings) as opened:
        revenue = opened.head(REVENUE)
    assert revenue is not None
    assert [each.number for each in revenue.certificate.inputs] == [shop.head("shop.orders")]
