"""The versions before a build that rules of change compare with; looked up only if a rule asks for one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.publishing.inputs import rows_of_version
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.words.versions import Version

PREVIOUS = "previous"
SAME_WEEKDAY = "same weekday"


def baselines(workshop: Workshop, asset: Asset, *, published: Version | None = None) -> dict[str, str]:
    """SQL of each version that rules of the asset compare with, by their word for it, where there is one.

    Of a draft the previous version is the one that readers see now; of a version that is `published` already
    it is the one before. The same weekday's is the newest that was published a week ago or earlier.
    """
    wanted = {rule.arguments["against"] for rule in asset.rules if "against" in rule.arguments}
    if not wanted:
        return {}
    older = [
        version
        for version in workshop.registry.versions(asset.name)
        if version.expired is None and (published is None or version.number < published.number)
    ]
    a_week_ago = datetime.now(UTC) - timedelta(weeks=1)
    previous = workshop.registry.head(asset.name) if published is None else next(iter(older), None)
    week_old = next((version for version in older if version.published <= a_week_ago), None)
    found = {PREVIOUS: previous, SAME_WEEKDAY: week_old}
    return {
        word: rows_of_version(workshop.settings, version)
        for word, version in found.items()
        if version is not None and word in wanted
    }
