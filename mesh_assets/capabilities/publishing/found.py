"""What was made again and found as it was: knowledge that no certificate has."""

from __future__ import annotations

from collections.abc import Mapping

from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.versions import BuildOutcome, Version

#: How far behind refused and failed builds one is looked for that found nothing new.
BUILDS = 50


def found_equal(registry: Registry, head: Version) -> Mapping[str, str]:
    """Keys under which partitions of the head were made again and found as they were; {} if none was.

    A build behind that which was refused or failed forgets nothing of it.
    """
    last = registry.last_build(head.product)
    if last is not None and last.outcome in (BuildOutcome.REFUSED, BuildOutcome.FAILED):
        looked = (BuildOutcome.UNCHANGED, BuildOutcome.PUBLISHED)
        builds = registry.builds(head.product, limit=BUILDS)
        last = next((each for each in builds if each.outcome in looked), None)
    if last is None or last.outcome is not BuildOutcome.UNCHANGED or last.version != head.number:
        return {}
    keys: Mapping[str, str] = last.details.get("input_keys", {})
    return keys
