"""Break a delivery in each of the ways that we know: what is made of it stops, readers keep what they had."""

from __future__ import annotations

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
from tests.conftest import SCALE, copy_example

pytestmark = pytest.mark.mesh

#: What the message says where no rule could run yet.
TOLD = {
    "missing_column": ("calls/2023-03-06.csv", "the column channel is missing", "call_id"),
    "impossible_date": ("engagement.payment", "payment_date", '"2023-02-30"', "recipe.py:"),
    "empty_file": ("formulary_filing.csv", "the file is empty"),
    "wrong_type": ("plan_filing.csv:", "enrollment is 'about two million'"),
    "cp1252_byte": ("crm_accounts.csv", "byte 0xe9, which is not utf-8", "line "),
    "wrong_delimiter": ("affiliation_roster.csv", "is missing; the file has npi;ccn;role"),
    "truncated_file": ("fills/2023-03-06.parquet", "this is not Parquet"),
    "missing_file": ("drug.package", "there is no file at", "ndc_package.tsv"),
    "undefined_byte": ("ndc_product.tsv", "byte 0x81, which is not windows-1252", "line "),
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
            return handle.arrow().num_rows
        finally:
            handle.close()


@pytest.fixture(scope="module")
def example(built_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """One copy for all ways of breaking: each test leaves the sources whole."""
    home = tmp_path_factory.mktemp("broken") / ".mesh"
    copy_example(built_home, home)
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
    finally:  # the other tests need the sources whole
        mend(example.settings.sources)

    tells_what_is_wrong(example, planted, caught.value)
    assert example.heads(users) == before
    assert {each: example.rows(each) for each in users} == {each: example.head(each).rows for each in users}

    again = example.build(name)

    assert again.record.outcome in (BuildOutcome.UNCHANGED, BuildOutcome.PUBLISHED)
    assert example.head(name).fingerprint == fingerprint


def tells_what_is_wrong(example: Example, planted: Planted, error: MeshError) -> None:
    """The error is the expected one, and says what a person needs to find the defect."""
    if not isinstance(error, PromiseBroken):
        assert type(error).__name__ == planted.expected
        missing = [words for words in TOLD[planted.kind] if words not in str(error)]
        assert not missing, f"{error} does not say {missing}"
        return
    name = product_name(planted.product)
    contract = example.mesh.assets[name].contract
    results = {each.rule.id: each for each in example.registry.rule_results(name)}
    broken = results[planted.expected]
    assert contract is not None
    assert broken.stops_publication
    assert f"`{planted.expected}` {broken.summary}" in str(error)
    assert str(broken.failed_rows or broken.value) in broken.summary
    if planted.kind not in ("null_key", "swapped_columns"):  # these have no key any more, or every row
        assert {str(row[contract.key[0]]) for row in broken.sample} <= set(planted.rows)
    if broken.rule.kind != "sql":  # a query that counts knows no rows
        assert broken.rule.columns
        assert broken.sample
