"""Custom rules: `type: custom`, by engine.

Here: which engine a rule is for; every other engine is refused by name.
Not here: library metrics (metrics), sql and text (quality), what each engine's rules say (kinds,
pandera_rules).
"""

from __future__ import annotations

from collections.abc import Iterator

from mesh_assets.capabilities.contracts.document import allowed_words
from mesh_assets.capabilities.contracts.kinds import mesh_rules
from mesh_assets.capabilities.contracts.pandera_rules import pandera_rule
from mesh_assets.capabilities.contracts.site import Site
from mesh_assets.words.rules import Rule

ENGINES = ("mesh", "pandera")


def custom_rules(site: Site) -> Iterator[Rule]:
    """The rules of an engine that the mesh runs: one, or two where one contract line has two levels."""
    engine = site.written.get("engine")
    if engine == "mesh":
        yield from mesh_rules(site)
    elif engine == "pandera":
        yield pandera_rule(site)
    else:
        raise site.document.refused(
            (*site.path, "engine"),
            f"{site.label} is for the engine {engine!r}, which the mesh does not run",
            f"{allowed_words(engine, ENGINES)}. Or say it as a library or sql rule, or in expectations.py",
        )
