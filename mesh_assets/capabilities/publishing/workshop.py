"""What all builds of one run share: where, what of, by whom, with which tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lineage.model import Asset, DomainAssets
from mesh_assets.capabilities.publishing.asked import Asked
from mesh_assets.capabilities.publishing.sources import SourceFile
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import SourceVersion, Version

if TYPE_CHECKING:
    import duckdb

    from mesh_assets.capabilities.registry.open import Registry


#: Source name -> partition (WHOLE where all partitions read the same files) -> files.
SourceVersions = Mapping[str, Mapping[str, Sequence[SourceVersion]]]


@dataclass(frozen=True)
class DbtCall:
    """One invocation of dbt: its arguments, the environment it needs beyond ours, and its target folder."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    project: Path
    target: Path


@dataclass(frozen=True)
class ProgramCall:
    """One run of a foreign program: it is given JSON on its standard input and prints plain lines."""

    product: ProductName
    command: tuple[str, ...]
    folder: Path
    request: Mapping[str, object]


@dataclass(frozen=True)
class Tools:
    """How foreign tools are started. Orchestration hands in its own, so that their output reaches its log."""

    dbt: Callable[[DbtCall], None]
    program: Callable[[ProgramCall], None]


@dataclass(frozen=True)
class Workshop:
    """A run over assets of one domain."""

    settings: Settings
    registry: Registry
    domain: DomainAssets
    run_id: str
    who: str
    tools: Tools
    #: Assets that this run builds; a dbt invocation makes all of its models among them at once.
    selected: frozenset[ProductName]
    #: Only these partitions; None: whatever is stale.
    weeks: tuple[str, ...] | None = None
    #: Run the recipe even if nothing changed.
    force: bool = False

    @property
    def scratch(self) -> Path:
        """Private working space of this run, thrown away when it ends."""
        return self.settings.scratch / self.run_id

    def asset(self, name: ProductName) -> Asset:
        return next(asset for asset in self.domain.assets if asset.name == name)


@dataclass(frozen=True)
class Work:
    """What one build has found out before the recipe runs."""

    asset: Asset
    inputs: Mapping[ProductName, Version]
    sources: SourceVersions
    keys: Mapping[str, str]
    partitions: tuple[str, ...]
    head: Version | None
    started: datetime
    clock: float
    #: File of a source -> why this build goes on without it.
    set_aside: Mapping[str, str] = field(default_factory=dict)
    #: The promotion whose change the code has, 0 if none changed the product.
    fence: int = 0


@dataclass(frozen=True)
class Bench:
    """One product on the bench: its pinned inputs, its sources, the partitions to make, an engine to make
    it with.
    """

    workshop: Workshop
    asset: Asset
    inputs: Mapping[ProductName, Version]
    sources: Mapping[str, SourceFile]
    partitions: tuple[str, ...]
    con: duckdb.DuckDBPyConnection
    artifacts: Path
    #: What the recipe asks of its inputs.
    asked: Asked = field(default_factory=Asked)
