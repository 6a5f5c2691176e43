"""The stamp on a manifest: that its commit was released, as which version, when.

A manifest is written before its release. Without the stamp nobody could tell, of a registry that was lost,
which commits readers had been shown.
"""

from __future__ import annotations

from typing import Any

from mesh_assets.capabilities.lake import write_manifest
from mesh_assets.capabilities.registry import as_json
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version

STAMP = "published"


def stamped(version: Version) -> dict[str, Any]:
    """What the manifest of a released version says."""
    return {**as_json(version.certificate), STAMP: version.published.isoformat()}


def leave_stamp(settings: Settings, version: Version) -> None:
    """Write the version's manifest again. A run that dies before leaves it to `mesh lake check --repair`."""
    write_manifest(settings, version.product, version.run_id, stamped(version))
