"""Custom rules: `type: custom`, by engine.

Here: which engine a rule is for.
Not here: library metrics (metrics), sql and text (quality).
"""

from __future__ import annotations

from mesh_assets.capabilities.contracts.site import Site
from mesh_assets.words.rules import Rule


def custom_rule(site: Site) -> Rule:
    """The rule of an engine that the mesh runs; others are refused by name."""
    raise site.document.refused(
        (*site.path, "engine"),
        f"{site.label} is for the engine {site.written.get('engine')!r}, which the mesh does not run",
        "Say it as a library or sql rule, or in expectations.py beside the contract",
    )
