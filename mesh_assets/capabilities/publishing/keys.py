"""What is stale: one key per partition over code, contract, inputs and sources.

Equal key, equal result: the recipe need not run. A key is compared with those of the version that readers
see now and with those of the last build that found nothing new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mesh_assets.capabilities.contracts.model import Domain, Partitioning
from mesh_assets.capabilities.lineage.model import Asset, DomainAssets
from mesh_assets.capabilities.lineage.through import through_private_models
from mesh_assets.capabilities.publishing.code import digest_of
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE, SourceVersion, Version

#: Changes when the way of making data changes for every product at once.
FORMAT = "1"


def all_partitions(partitioning: Partitioning | None) -> tuple[str, ...]:
    """Every partition key that exists now: Mondays up to `until`, or up to the last week that is over."""
    if partitioning is None:
        return (WHOLE,)
    today = datetime.now(UTC).date()
    end = partitioning.until or today - timedelta(days=today.weekday())
    weeks = (end - partitioning.first).days // 7
    return tuple(str(partitioning.first + timedelta(weeks=n)) for n in range(max(weeks, 0)))


def recipe_hash(domain: DomainAssets, asset: Asset) -> str:
    """sha256 over the recipe, the private models under it and the code that they share."""
    return digest_of(path for each in through_private_models(domain, asset) for path in each.recipe.code)


def input_keys(
    domain: DomainAssets,
    asset: Asset,
    *,
    inputs: Mapping[ProductName, Version],
    sources: Mapping[str, Mapping[str, Sequence[SourceVersion]]],
    settings: Settings,
) -> dict[str, str]:
    """Partition -> key. `sources` is name -> partition (WHOLE for a source of all partitions) -> files."""
    base = {
        "format": FORMAT,
        "recipe": recipe_hash(domain, asset),
        "contract": asset.contract.digest if asset.contract else "",
        "rules": [
            f"{rule.id} {rule.kind} {json.dumps(dict(rule.arguments), default=str)}"
            for rule in asset.own_rules
        ],
    }
    expectations = settings.domains / asset.name.domain / asset.name.product / "expectations.py"
    if expectations.is_file():
        base["expectations"] = digest_of([expectations])
    return {
        partition: _digest(
            {
                **base,
                "inputs": {str(name): _seen(version, partition) for name, version in sorted(inputs.items())},
                "sources": {
                    name: sorted(
                        (file.path, file.sha256) for file in files.get(partition, files.get(WHOLE, ()))
                    )
                    for name, files in sorted(sources.items())
                    # Corrected rows of other partitions are none of this one's.
                    if files.get(partition) or files.get(WHOLE)
                },
            }
        )
        for partition in all_partitions(asset.partitioning)
    }


def _seen(version: Version, partition: str) -> str:
    """The fingerprint of what a partition reads of an input: the same week of a weekly one, else all of
    it.
    """
    partitions = version.certificate.partitions
    if partition != WHOLE and partition in partitions:
        return str(partitions[partition]["fingerprint"])
    return version.fingerprint


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def stale_partitions(keys: Mapping[str, str], known: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Partitions whose key is in none of the known maps."""
    return tuple(
        partition for partition, key in keys.items() if all(each.get(partition) != key for each in known)
    )


def source_weeks(domain: Domain, name: str, partition: str) -> tuple[str, ...]:
    """The drop weeks that a partition reads of a source: its own and the `late` ones after it."""
    source = domain.source(name)
    if source is None or partition == WHOLE or not source.weekly:
        return ()
    first = date.fromisoformat(partition)
    return tuple(str(first + timedelta(weeks=n)) for n in range(source.late + 1))
