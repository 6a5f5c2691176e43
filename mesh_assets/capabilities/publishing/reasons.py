"""Why a product would be built now, in words: what moved since the version that readers see.

Here: comparing a certificate with what is there now. Not here: deciding (stale), which must never differ from
what a build itself finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.publishing.keys import all_partitions, recipe_hash
from mesh_assets.capabilities.publishing.stale import find_sources, read_heads, source_versions, unheard
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.words.errors import MeshError
from mesh_assets.words.versions import WHOLE, BuildOutcome, SourceVersion, Version

WENT_WRONG = (BuildOutcome.REFUSED, BuildOutcome.FAILED)


def reasons(workshop: Workshop, asset: Asset) -> tuple[str, ...]:
    """What is different from the product's version, the weightiest first; () if nothing that can be named."""
    last = workshop.registry.last_build(asset.name)
    head = workshop.registry.head(asset.name)
    found = []
    if last is not None and last.outcome in WENT_WRONG:
        found.append(f"its last build was {last.outcome}")
    if head is None:
        return (*found, "never built")
    found += _contract_and_code(workshop, asset, head)
    if len(workshop.registry.versions(asset.name)) and unheard(workshop.registry, asset):
        found.append("what a consumer expects of it changed")
    try:
        found += _inputs(workshop, asset, head)
        found += _sources(workshop, asset, head)
    except MeshError as error:
        found.append(str(error))
    found += _new_partitions(asset, head)
    return tuple(found)


def _contract_and_code(workshop: Workshop, asset: Asset, head: Version) -> Iterator[str]:
    certificate = head.certificate
    if asset.contract and asset.contract.text != certificate.contract_text:
        before, now = certificate.contract_version, asset.contract.version
        yield "its contract changed" + (f" ({before} to {now})" if before != now else "")
    if recipe_hash(workshop.domain, asset) != certificate.recipe_hash:
        yield "its code changed"


def _inputs(workshop: Workshop, asset: Asset, head: Version) -> Iterator[str]:
    before = {each.product: each for each in head.certificate.inputs}
    for name, version in sorted(read_heads(workshop, asset).items()):
        if name not in before:
            yield f"{name} is a new input"
        elif before[name].fingerprint != version.fingerprint:
            yield f"{name} moved from version {before[name].number} to {version.number}"


def _sources(workshop: Workshop, asset: Asset, head: Version) -> Iterator[str]:
    files = find_sources(workshop, asset, all_partitions(asset.partitioning))
    now = source_versions(workshop, asset, files)
    before = _files({WHOLE: head.certificate.sources})
    for name, versions in sorted(now.items()):
        seen = {path: digest for (source, path), digest in before.items() if source == name}
        found = {path: digest for (_, path), digest in _files(versions).items()}
        counts = Counter(
            changed=sum(path in seen and seen[path] != digest for path, digest in found.items()),
            new=sum(path not in seen for path in found),
            gone=sum(path not in found for path in seen),
        )
        told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        if told:
            one = next((path for path, digest in found.items() if seen.get(path) != digest), "")
            yield f"source {name} changed: {told}" + (f" ({PurePath(one).name})" if one else "")


def _files(versions: Mapping[str, Sequence[SourceVersion]]) -> dict[tuple[str, str], str]:
    return {(file.name, file.path): file.sha256 for files in versions.values() for file in files}


def _new_partitions(asset: Asset, head: Version) -> Iterator[str]:
    new = set(all_partitions(asset.partitioning)) - set(head.certificate.input_keys)
    if new and asset.partitioning is not None:
        yield f"{len(new)} partition{'s' if len(new) > 1 else ''} never built"
