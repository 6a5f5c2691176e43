"""Who has the roles of several domains, who keeps events, and what `mesh lake grants` tells of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.observability.event_lake import flush
from mesh_assets.capabilities.publishing.together import publish_together
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.capabilities.upkeep.roles import grant
from mesh_assets.cli.app import app
from mesh_assets.words.names import ProductName
from mesh_assets.words.orders import KeptOrder, OrderItem, OrderState, RunOrder
from mesh_assets.words.stores import NotAllowed, RegistryRefused
from tests.postgres import Postgres
from tests.shop import ORDERS, ORDERS_NAME, Shop, make_shop
from tests.unit.upkeep.test_roles import DOMAINS, REVENUE, environment, person

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def granted(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    root = tmp_path_factory.mktemp("granted")
    shop = make_shop(root, **environment(postgres, postgres.database(), "mesh"))
    grant(shop.settings, DOMAINS)
    return shop


def together(shop: Shop, run_id: str) -> bool:
    with open_registry(shop.settings) as registry:
        return publish_together(
            read_mesh(shop.settings),
            [ORDERS_NAME, REVENUE],
            registry,
            lambda domain, _, view: workshop(shop, domain, run_id, view),
        ).released


def workshop(shop: Shop, domain: str, run_id: str, view: Registry) -> Workshop:
    made = shop.workshop(domain, run_id=run_id, force=True)
    made.registry.close()
    return replace(made, registry=view)


def order(*products: ProductName) -> KeptOrder:
    return KeptOrder(
        id="-".join(map(str, products)),
        order=RunOrder(names=tuple(products)),
        who="ann",
        state=OrderState.RUNNING,
        started=datetime.now(UTC),
        ended=None,
        items=tuple(OrderItem(product=product) for product in products),
    )


def test_a_release_of_several_domains_takes_the_roles_of_all(postgres: Postgres, granted: Shop) -> None:
    ann = person(postgres, granted, "ann", "mesh_writer_shop")
    two = person(postgres, granted, "two", "mesh_writer_shop, mesh_writer_books")
    two.deliver(ORDERS)

    assert not together(ann, "run-1")
    assert granted.head("shop.orders") is None

    assert together(two, "run-2")
    assert (granted.head("shop.orders"), granted.head("books.revenue")) == (1, 1)


def test_an_order_of_several_domains_takes_the_roles_of_all(postgres: Postgres, granted: Shop) -> None:
    ann = person(postgres, granted, "ann", "mesh_writer_shop")
    two = person(postgres, granted, "two", "mesh_writer_shop, mesh_writer_books")
    with open_registry(two.settings) as registry:
        registry.begin_order(order(ORDERS_NAME, REVENUE))
        registry.set_order(order(ORDERS_NAME, REVENUE).id, OrderState.INTERRUPTED)
    with open_registry(ann.settings) as registry:
        registry.begin_order(order(ORDERS_NAME))
        registry.set_order(order(ORDERS_NAME).id, OrderState.INTERRUPTED)
        with pytest.raises(RegistryRefused, match="mesh lake grants"):
            registry.begin_order(order(REVENUE))
        registry.set_order(order(ORDERS_NAME, REVENUE).id, OrderState.RUNNING)
        seen = {kept.id: kept.state for kept in registry.orders()}

    assert set(seen.values()) == {OrderState.INTERRUPTED}


def test_events_are_kept_by_a_role_that_writes_no_domain(postgres: Postgres, granted: Shop) -> None:
    eve = person(postgres, granted, "eve", "mesh_events")
    granted.build("shop.orders", run_id="run-events", force=True)

    with open_registry(eve.settings) as registry:
        flushed = flush(eve.settings, registry)

    assert flushed.batches == 1
    with pytest.raises((NotAllowed, RegistryRefused)):
        eve.build("shop.orders", run_id="run-evil", force=True)


def test_grants_tells_who_has_what(
    postgres: Postgres, granted: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(postgres, granted, "ann", "mesh_writer_shop")
    for name, value in granted.environment.items():
        monkeypatch.setenv(name, value)

    told = CliRunner().invoke(app, ["lake", "grants", "--json"])
    shown = CliRunner().invoke(app, ["lake", "grants"])

    found = json.loads(told.stdout)
    writer = next(each for each in found["roles"] if each["role"] == "mesh_writer_shop")
    assert "ann" in writer["members"] and writer["writes"] == ["shop"]
    assert writer["registry"]["version"] == ["INSERT"] and "expiry" not in writer["registry"]
    assert next(each for each in found["roles"] if each["role"] == "mesh_events")["writes"] == ["_mesh"]
    assert "mesh" in found["unbound"]
    assert shown.exit_code == 0 and "mesh_keeper" in shown.stdout
