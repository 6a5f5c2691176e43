"""What else a kitchen changes than tables: automation, schedules, checks, sources, secrets, journeys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mesh_assets.capabilities.contracts.model import Domain
from mesh_assets.capabilities.kitchens.touched import Side
from mesh_assets.capabilities.lineage.model import Asset

#: How code names a secret; never its value.
SECRET = re.compile(r"vault://[A-Za-z0-9_]+/[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Operation:
    """One thing that runs, checks or reads in another way."""

    kind: str
    #: A product, a domain or a journey.
    subject: str
    #: None: it is new, or gone.
    before: str | None
    after: str | None


def operations_changed(before: Side, after: Side) -> tuple[Operation, ...]:
    """Every difference, by kind and subject."""
    sides = [_all(side) for side in (before, after)]
    keys = sorted({*sides[0], *sides[1]})
    return tuple(
        Operation(*key[:2], sides[0].get(key), sides[1].get(key))
        for key in keys
        if sides[0].get(key) != sides[1].get(key)
    )


def _all(side: Side) -> Mapping[tuple[str, str, str], str]:
    found: dict[tuple[str, str, str], str] = {}
    for asset in side.mesh.assets.values():
        found |= {(kind, str(asset.name), item): told for kind, item, told in _of_asset(asset)}
    for name, domain in side.mesh.domains.items():
        found |= {("source", name, item): told for item, told in _sources(domain.domain)}
    for path in sorted(side.settings.journeys.glob("*.yaml")):
        found["journey", path.stem, ""] = path.read_text(encoding="utf-8")
    return found


def _of_asset(asset: Asset) -> Iterator[tuple[str, str, str]]:
    if asset.contract is not None:
        yield "automation", "", _told(asset.contract.automation)
        if asset.partitioning is not None:
            yield "partitions", "", f"{asset.partitioning.column} every {asset.partitioning.every}"
    for rule in asset.rules:
        by = f", expected by {rule.expected_by}" if rule.expected_by else ""
        told = f"{rule.id}: {rule.kind} {_told(dict(rule.arguments))} ({rule.severity}{by})"
        yield "check", rule.id, told
    for path in asset.recipe.code:
        for secret in sorted(set(SECRET.findall(_text(path)))):
            yield "secret", secret, secret


def _text(path: Any) -> str:
    try:
        return str(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""


def _sources(domain: Domain) -> Iterator[tuple[str, str]]:
    for source in domain.sources:
        yield source.name, f"{source.name}: {_told(source)}"


def _told(value: Any) -> str:
    """Facts in one line, without the place where they are written: that is each tree's own."""
    facts = asdict(value) if hasattr(value, "__dataclass_fields__") else value
    if isinstance(facts, dict):
        return ", ".join(
            f"{name}={_told(each) if isinstance(each, dict) else each}"
            for name, each in facts.items()
            if name != "place" and each not in (None, "", (), [], {})
        )
    return str(facts)
