"""What the mesh keeps about products that are made without anybody asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mesh_assets.words.names import ProductName


@dataclass(frozen=True)
class HeadNow:
    """What readers see of a product now, as far as automation asks."""

    number: int
    fingerprint: str
    published: datetime


@dataclass(frozen=True)
class Told:
    """How a build ended that a request brought about."""

    started: datetime
    good: bool


@dataclass(frozen=True)
class Watched:
    """A product, its rule, and what it was last asked for."""

    product: ProductName
    #: The rule's name: eager, all_new, cron, manual.
    rule: str
    #: What it reads from lakes.
    inputs: tuple[ProductName, ...]
    #: When automation first knew of it.
    since: datetime
    #: Content of each input when it was last asked for, or found to need nothing; None: to be looked at.
    seen: Mapping[ProductName, str] | None = None
    #: When a run was last asked for.
    asked: datetime | None = None
    #: Names the request that is not over yet; products with one token are made in one run.
    token: str = ""
    #: Partitions of that request.
    partitions: tuple[str, ...] = ()
    #: The newest build of the registry when it was asked for: what ended later may be its own.
    after: int = 0
    #: True if it was asked for because another product of its run was: its own inputs had not changed.
    joined: bool = False
    #: Runs that ended without a word of it, one after the other.
    lost: int = 0


@dataclass(frozen=True)
class Picture:
    """All that a tick decides by, as of one moment."""

    heads: Mapping[ProductName, HeadNow]
    watched: Mapping[ProductName, Watched]
    #: Products that an order has in hand, and which.
    in_hand: Mapping[ProductName, str] = field(default_factory=dict)
    #: Of the products that were asked for: how a build of since ended.
    told: Mapping[ProductName, Told] = field(default_factory=dict)
    #: Number of the newest build and of the newest release.
    build: int = 0
    release: int = 0
