"""What a recipe is given: its pinned inputs, its sources, a private DuckDB, and nothing else of the mesh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mesh_assets.capabilities.lake.read import Handle
from mesh_assets.capabilities.publishing.sources import SourceFile
from mesh_assets.words.errors import RecipeMalformed
from mesh_assets.words.names import ProductName
from mesh_assets.words.partitions import MONTH, weeks_of

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """One execution of a recipe. Inputs and sources that were not declared are refused: lineage must be
    true.
    """

    product: ProductName
    run_id: str
    #: Partition keys to build, oldest first: Mondays, firsts of months, or files; () for a product without
    #: partitions.
    partitions: tuple[str, ...]
    #: `week`, `month`, `file`; "" for a product without partitions.
    every: str
    #: Every declared input is the view `<domain>.<product>` here, every declared source the view
    #: `source.<name>`.
    con: duckdb.DuckDBPyConnection
    #: Files put here are kept with the version.
    artifacts: Path
    inputs: Mapping[str, Handle]
    sources: Mapping[str, SourceFile]
    recipe: Path

    @property
    def weeks(self) -> tuple[str, ...]:
        """Mondays of the weeks to build; of a monthly product, of those that overlap its months."""
        return weeks_of(self.every, self.partitions)

    @property
    def months(self) -> tuple[str, ...]:
        """First days of the months to build; () for a product that is not monthly."""
        return self.partitions if self.every == MONTH else ()

    def read(self, product: str) -> Handle:
        """A declared input at the version that this run has pinned."""
        return self._declared(self.inputs, product, "inputs")

    def source(self, name: str) -> SourceFile:
        """A declared source of this domain."""
        return self._declared(self.sources, name, "sources")

    def _declared(self, known: Mapping[str, T], name: str, kind: str) -> T:
        if name in known:
            return known[name]
        raise RecipeMalformed(
            file=str(self.recipe),
            line=1,
            problem=f"the recipe reads {name!r}, which its @mesh.recipe(…) does not list in {kind}",
        )
