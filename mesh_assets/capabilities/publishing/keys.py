"""What is stale: one key per partition over code, contract, inputs and sources.

Equal key, equal result: the recipe need not run. A key is compared with those of the version that readers
see now and with those of the last build that found nothing new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mesh_assets.capabilities.contracts.model import Partitioning
from mesh_assets.capabilities.lineage.model import Asset, DomainAssets
from mesh_assets.capabilities.lineage.through import through_private_models
from mesh_assets.capabilities.publishing.code import digest_of
from mesh_assets.capabilities.publishing.partitions import cut_of, file_keys, input_seen
from mesh_assets.words.names import ProductName
from mesh_assets.words.partitions import FILE, keys_between
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE, SourceVersion, Version

#: Changes when the way of making data changes for every product at once.
FORMAT = "1"


def all_partitions(partitioning: Partitioning | None) -> tuple[str, ...]:
    """Every partition key that exists now: weeks and months up to `until` or to the last one that is over (in
    UTC), files as they are there.
    """
    if partitioning is None:
        return (WHOLE,)
    if partitioning.every == FILE:
        return tuple(sorted(file_keys(partitioning)))
    end = partitioning.until or datetime.now(UTC).date()
    return keys_between(partitioning.every, partitioning.first, end)


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
    cut = asset.partitioning
    mine = asset.name.domain
    cuts = {name: cut_of(settings, version, mine) for name, version in inputs.items()} if cut else {}
    expectations = settings.domains / asset.name.domain / asset.name.product / "expectations.py"
    if expectations.is_file():
        base["expectations"] = digest_of([expectations])
    return {
        partition: _digest(
            {
                **base,
                "inputs": {
                    str(name): input_seen(version, partition, cut, cuts.get(name))
                    for name, version in sorted(inputs.items())
                },
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
        for partition in all_partitions(cut)
    }


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def stale_partitions(keys: Mapping[str, str], known: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Partitions whose key is in none of the known maps."""
    return tuple(
        partition for partition, key in keys.items() if all(each.get(partition) != key for each in known)
    )
