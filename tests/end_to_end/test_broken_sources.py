"""Break a delivery in each of the ways that we know: what is made of it stops, readers keep what they had."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mesh_assets.capabilities.lake import Handle
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.order import in_order
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.build import Built, build
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.operational.defects import KINDS, Planted, mend, plant
from mesh_assets.words.errors import MeshError, PromiseBroken
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.settings import Settings, read_settings
from mesh_assets.words.versions import BuildOutcome, Version
from tests.conftest import SCALE

pytestmark = pytest.mark.mesh

#: What the message of an error that comes before any rule says, beside the product and the file.
TOLD = {
    "missing_column": ("column channel is missing", "call_id"),
    "impossible_date": ("2023-02-30",),
    "empty_file": ("is empty",),
    "wrong_type": ("about two million",),
    "cp1252_byte": ("0xe9", "utf-8", "line "),
    "wrong_delimiter": ("is missing", ";"),
    "truncated_file": ("not Parquet",),
    "missing_file": ("there is no file",),
    "undefined_byte": ("0x81", "cp1252", "line "),
}


@dataclass
class Example:
    """The built example in a folder of its own, built further without Dagster in between."""

    settings: Settings
    registry: Registry
    mesh: Mesh
    runs: int = 0

    def build(self, name: ProductName) -> Built:
        """The product, after all assets of its domain that it is made from."""
        self.runs += 1
        own = [need for need in self.mesh.upstream([name]) if need.domain == name.domain]
        chain = [need for need in in_order(self.mesh, own) if self.mesh.assets[need].in_lake]
        workshop = Workshop(
            settings=self.settings,
            registry=self.registry,
            domain=self.mesh.domains[name.domain],
            run_id=f"run-{self.runs}",
            who="tester",
            tools=Tools(dbt=run_dbt, program=run_program),
            selected=frozenset(chain),
        )
        return [build(workshop, need) for need in chain][-1]

    def head(self, name: ProductName) -> Version:
        version = self.registry.head(name)
        assert version is not None
        return version

    def heads(self, names: set[ProductName]) -> dict[ProductName, int]:
        return {name: number for name, number in self.registry.heads().items() if name in names}

    def rows(self, name: ProductName) -> int:
        """How many rows a reader finds who touches all of them."""
        version = self.head(name)
        handle = Handle(self.settings, name, number=version.number, snapshot=version.snapshot)
        try:
            first = handle.relation.columns[0]
            return handle.relation.aggregate(f'count(*) filter ("{first}" is not null or true)').fetchall()[0][0]
        finally:
            handle.close()


@pytest.fixture(scope="module")
def example(built_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """One copy for all ways of breaking: each test leaves the sources whole."""
    home = tmp_path_factory.mktemp("broken") / ".mesh"
    shutil.copytree(built_home, home, symlinks=True)
    settings = read_settings({"MESH_HOME": str(home), "MESH_SCALE": SCALE})
    with open_registry(settings) as registry:
        yield Example(settings, registry, read_mesh(settings))


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_delivery_stops_what_is_made_of_it_and_nobody_else(example: Example, kind: str) -> None:
    planted = plant(example.settings.sources, kind)
    name = product_name(planted.product)
    users = {each for each in example.mesh.downstream([name]) if example.mesh.assets[each].contract}
    before, fingerprint = example.heads(users), example.head(name).fingerprint

    try:
        with pytest.raises(MeshError) as caught:
            example.build(name)
    finally:
        mend(example.settings.sources)

    print(kind, type(caught.value).__name__, caught.value)
    tells(example, planted, caught.value)
    assert example.heads(users) == before
    assert {each: example.rows(each) for each in users} == {each: example.head(each).rows for each in users}

    again = example.build(name)

    assert again.record.outcome in (BuildOutcome.UNCHANGED, BuildOutcome.PUBLISHED)
    assert example.head(name).fingerprint == fingerprint


def tells(example: Example, planted: Planted, error: MeshError) -> None:
    """The error is the expected one, and says what a person needs to find the defect."""
    if not isinstance(error, PromiseBroken):
        assert type(error).__name__ == planted.expected
        for words in (planted.product, Path(planted.source).name, *TOLD[planted.kind]):
            assert words in str(error)
        return
    assert error.facts["rule"] == planted.expected, str(error)
