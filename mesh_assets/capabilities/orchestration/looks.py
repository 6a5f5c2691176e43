"""When a `mesh build` that found nothing to do has to tell Dagster so.

Here: which products promise to be looked at, and are due. No import of Dagster, which costs a build that has
nothing to do more than all the rest: a promise is renewed when a tenth of it is over, not at each look.
Not here: telling (freshness).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mesh_assets.capabilities.contracts.sla import strictest
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.settings import Settings

SHARE = 10


def tell_looked(settings: Settings, registry: Registry, assets: Iterable[Asset]) -> None:
    """Renew the promises of products that were found unchanged without a run."""
    now, told = datetime.now(UTC), _told(settings)
    due = [asset for asset in assets if _due(registry, asset, now, told.get(str(asset.name)))]
    if not due:
        return
    from mesh_assets.capabilities.orchestration.freshness import report_looked

    heads = [(asset, registry.head(asset.name)) for asset in due]
    report_looked(settings, [(asset, head) for asset, head in heads if head is not None])
    told.update({str(asset.name): now.isoformat() for asset in due})
    _file(settings).write_text(json.dumps(told, indent=1), encoding="utf-8")


def _due(registry: Registry, asset: Asset, now: datetime, told: str | None) -> bool:
    level = strictest(asset.contract.service_levels) if asset.contract else None
    if level is None:
        return False
    last = datetime.fromisoformat(told) if told else None
    if last is None:
        build = registry.last_build(asset.name)
        last = build.started if build else datetime.min.replace(tzinfo=UTC)
    return now - last > (level.within or timedelta(days=1)) / SHARE


def _told(settings: Settings) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(_file(settings).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _file(settings: Settings) -> Path:
    return settings.dagster_home / "looked.json"
