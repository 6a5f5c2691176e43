"""What a location shows of products of other domains that its own are made of.

Dagster makes a stub of every key that it does not know, without partitions, owner or description; a month
could not tell the weeks that it is made of. So each is written out, from its owner's contract and
domain.yaml, the descriptors that every domain publishes. No code of another domain is read. In the graph of
the workspace the owner's asset, which can be materialized, stands before these stubs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import dagster as dg

from mesh_assets.capabilities.contracts.domain import read_domain
from mesh_assets.capabilities.contracts.model import Contract, Domain, Partitioning
from mesh_assets.capabilities.contracts.read import read_contract
from mesh_assets.capabilities.lineage.model import DomainAssets
from mesh_assets.capabilities.orchestration.partitions import partitions
from mesh_assets.capabilities.publishing.partitions import seen_from
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName

TAG = re.compile(r"[^A-Za-z0-9_.-]")


def neighbours(domain: DomainAssets) -> tuple[ProductName, ...]:
    """Products of other domains that some asset of this one needs."""
    names = (need for asset in domain.assets for need in asset.needs)
    return tuple(dict.fromkeys(name for name in names if name.domain != domain.domain.name))


def stubs(domain: DomainAssets) -> list[dg.AssetSpec]:
    """One per neighbour; of one whose contract cannot be read, its key and the reason."""
    folder = domain.domain.folder.parent
    owner = cache(lambda name: read_domain(folder / name))
    return [_stub(domain, name, owner) for name in neighbours(domain)]


def cut_of_parent(domain: DomainAssets, name: ProductName) -> Partitioning | None:
    """How something that the domain needs is cut; None if it is whole, or its contract cannot be read."""
    own = next((asset for asset in domain.assets if asset.name == name), None)
    if own is not None:
        return own.partitioning
    try:
        cut = _contract(domain, name).partitioning
    except (MeshError, OSError):
        return None
    return seen_from(domain.domain.name, name.domain, cut)


def _contract(domain: DomainAssets, name: ProductName) -> Contract:
    return read_contract(domain.domain.folder.parent / name.domain / name.product / "contract.yaml")


def owners_of(domain: Domain) -> list[str]:
    """As Dagster takes them: addresses, and teams by name."""
    named = [person.name for person in domain.owners]
    return [name if "@" in name else f"team:{TAG.sub('-', name)}" for name in named]


def _stub(domain: DomainAssets, name: ProductName, owner: Callable[[str], Domain]) -> dg.AssetSpec:
    about: dict[str, Any] = {
        "key": dg.AssetKey(list(name.asset_key)),
        "group_name": name.domain,
        "tags": {"mesh/asset": "stub"},
    }
    try:
        owners, contract = owners_of(owner(name.domain)), _contract(domain, name)
    except (MeshError, OSError) as error:
        return dg.AssetSpec(**about, metadata={"its contract cannot be read": str(error)})
    return dg.AssetSpec(
        **about,
        description=contract.description or contract.title,
        owners=owners,
        kinds={"external"},
        partitions_def=partitions(name, contract.partitioning),
        metadata={"contract": f"{contract.version} ({contract.status}), ODCS {contract.api_version}"},
    )
