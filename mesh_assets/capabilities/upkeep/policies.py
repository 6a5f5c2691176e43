"""What each role may do in a bucket, as a policy that S3-compatible servers take.

A writer puts files below its own domain's folder and deletes none: letting go is the keeper's.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lake import lake_of
from mesh_assets.capabilities.upkeep.roles import Roles

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings

LOOK = ["s3:GetObject"]
PUT = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
KEEP = [*PUT, "s3:DeleteObject"]


def policies(settings: Settings, domains: Collection[str], *, prefix: str = "mesh") -> dict[str, Any]:
    """Role to policy, for the domains whose lakes are in object storage."""
    roles = Roles(prefix)
    places = {domain: lake_of(settings, domain).objects for domain in domains}
    there = {domain: place.removeprefix("s3://") for domain, place in places.items() if place}
    if not there:
        return {}
    found = {
        roles.reader: [*_read(there.values())],
        roles.keeper: [*_read(there.values(), uploads=True), _allow(KEEP, there.values())],
    }
    for domain, place in there.items():
        found[roles.writer(domain)] = [*_read(there.values()), _allow(PUT, [place])]
    return {role: {"Version": "2012-10-17", "Statement": rules} for role, rules in found.items()}


def _read(places: Collection[str], *, uploads: bool = False) -> list[dict[str, Any]]:
    buckets = sorted({place.partition("/")[0] for place in places})
    lists = ["s3:ListBucket", *(["s3:ListBucketMultipartUploads"] if uploads else [])]
    prefixes = [f"{place.partition('/')[2]}/*" for place in places]
    listing = {
        "Effect": "Allow",
        "Action": lists,
        "Resource": [f"arn:aws:s3:::{bucket}" for bucket in buckets],
        "Condition": {"StringLike": {"s3:prefix": prefixes}},
    }
    return [_allow(LOOK, places), listing]


def _allow(actions: list[str], places: Collection[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": [f"arn:aws:s3:::{each}/*" for each in places]}
