"""A shop with several versions, and upkeep of it at any time of tests' choosing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.upkeep import check as checks
from mesh_assets.capabilities.upkeep import expiry, repair
from mesh_assets.capabilities.upkeep.check import Finding, Kind
from mesh_assets.capabilities.upkeep.expiry import Expiry
from tests.shop import ORDERS, Shop


def publish(shop: Shop, versions: int) -> None:
    """So many versions of shop.orders: two orders, three, four, …"""
    text = ORDERS
    for number in range(1, versions + 1):
        shop.deliver(text)
        shop.build("shop.orders", run_id=f"run-{number}")
        text += f"{number + 2},30\n"


def keep(shop: Shop, policy: str) -> None:
    """Write a retention into the contract of shop.orders."""
    path = shop.folder("shop.orders") / "contract.yaml"
    written = f"customProperties:\n  - property: retention\n    value: {policy}\n"
    path.write_text(path.read_text(encoding="utf-8") + written, encoding="utf-8")


def later(days: float = 365) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def findings(shop: Shop, *, deep: bool = False, now: datetime | None = None) -> list[Finding]:
    with open_registry(shop.settings) as registry:
        return checks.check(shop.settings, registry, ["shop"], deep=deep, now=now)


def kinds(shop: Shop, *, deep: bool = False, now: datetime | None = None) -> list[Kind]:
    return [finding.kind for finding in findings(shop, deep=deep, now=now)]


def mend(shop: Shop, now: datetime | None = None) -> list[str]:
    """What a repair did."""
    with open_registry(shop.settings) as registry:
        found = checks.check(shop.settings, registry, ["shop"], now=now)
        moment = now or datetime.now(UTC)
        return list(repair.repair(shop.settings, registry, found, who="tester", now=moment))


def expire(shop: Shop, now: datetime | None = None) -> Expiry:
    """Expire in shop a year from now, or then."""
    assets = read_domain_assets(shop.settings, "shop").assets
    with open_registry(shop.settings) as registry:
        return expiry.expire(shop.settings, registry, assets, who="tester", now=now or later())
