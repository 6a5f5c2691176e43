"""Who needs whom: the order of operations, selections from the mesh, and what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.contracts.model import Domain
from mesh_assets.capabilities.lineage.model import Asset, DomainAssets, Mesh, Recipe, RecipeKind
from mesh_assets.capabilities.lineage.order import in_order, needs_of, ready_batch, select
from mesh_assets.words.errors import DocumentMalformed, UnknownProduct
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.rules import Place


def mesh_of(needs: dict[str, Sequence[str]]) -> Mesh:
    """A mesh without contracts: {"a.x": ["b.y"]}; a name that begins with an underscore is a dbt model."""
    assets = [_asset(name, inputs) for name, inputs in needs.items()]
    domains = {
        name: DomainAssets(_domain(name), tuple(asset for asset in assets if asset.name.domain == name))
        for name in {asset.name.domain for asset in assets}
    }
    return Mesh(domains, {asset.name: asset for asset in assets})


def _asset(text: str, inputs: Sequence[str]) -> Asset:
    name = product_name(text)
    path = Path("domains", name.domain, name.product, "recipe.sql")
    return Asset(
        name,
        None,
        Recipe(
            kind=RecipeKind.DBT if name.private else RecipeKind.SQL,
            path=path,
            inputs=tuple(product_name(each) for each in inputs),
            sources=(),
            place=Place(str(path), 3),
            code=(path,),
        ),
    )


def _domain(name: str) -> Domain:
    folder = Path("domains", name)
    return Domain(
        name=name, title=name, version="1.0.0", status="active", purpose="", limitations="", usage="",
        owners=(), tags=(), sources=(), input_ports=(), output_ports=(), support=(), folder=folder, raw={},
        place=Place(str(folder / "domain.yaml"), 1),
    )  # fmt: skip


@st.composite
def meshes(draw: st.DrawFn) -> Mesh:
    """Up to a dozen assets of three domains, each made of some before it; some are private dbt models."""
    names: list[str] = []
    needs: dict[str, list[str]] = {}
    for number in range(draw(st.integers(1, 12))):
        domain = draw(st.sampled_from("abc"))
        private = draw(st.booleans()) and draw(st.booleans())
        able = [name for name in names if "._" not in name or name.startswith(domain)]
        name = f"{domain}.{'_' if private else ''}p{number}"
        needs[name] = draw(st.lists(st.sampled_from(able), unique=True, max_size=4)) if able else []
        names.append(name)
    shuffled = draw(st.permutations(names))
    return mesh_of({name: needs[name] for name in shuffled})


@settings(deadline=None)  # a busy machine is no mistake
@given(meshes())
def test_each_stands_after_all_that_it_needs(mesh: Mesh) -> None:
    ordered = in_order(mesh, list(mesh.assets))

    assert sorted(ordered) == sorted(mesh.assets)
    for name in ordered:
        assert all(ordered.index(need) < ordered.index(name) for need in needs_of(mesh, name))


@settings(deadline=None)  # a busy machine is no mistake
@given(meshes())
def test_batches_hold_what_is_ready_and_build_everything(mesh: Mesh) -> None:
    waiting = in_order(mesh, [name for name, asset in mesh.assets.items() if asset.in_lake])
    finished: set[ProductName] = set()

    while waiting:
        batches = [
            ready_batch(mesh, domain=domain, waiting=waiting, unfinished=waiting) for domain in mesh.domains
        ]
        assert any(batches), f"nothing can be built of {waiting}"
        for batch in batches:
            for place, name in enumerate(batch):
                needs = {need for need in needs_of(mesh, name) if mesh.assets[need].in_lake}
                assert needs <= finished | set(batch[:place])
        built = {name for batch in batches for name in batch}
        finished |= built
        waiting = [name for name in waiting if name not in built]

    assert finished == {name for name, asset in mesh.assets.items() if asset.in_lake}


@settings(deadline=None)  # a busy machine is no mistake
@given(meshes())
def test_what_runs_in_another_domain_is_waited_for(mesh: Mesh) -> None:
    """One domain runs: a batch of another never needs what is being made there."""
    waiting = in_order(mesh, [name for name, asset in mesh.assets.items() if asset.in_lake])
    running = [name for name in waiting if name.domain == "a"]
    left = [name for name in waiting if name not in running]

    for domain in "bc":
        batch = ready_batch(mesh, domain=domain, waiting=left, unfinished=waiting)
        assert not mesh.upstream(batch) & set(running)


@settings(deadline=None)  # a busy machine is no mistake
@given(meshes())
def test_upstream_and_downstream_are_inverse(mesh: Mesh) -> None:
    for name in mesh.assets:
        for other in mesh.upstream([name]):
            assert name in mesh.downstream([other])


def test_equal_ranks_stand_by_name() -> None:
    mesh = mesh_of({"b.two": [], "a.one": [], "a.last": ["b.two"]})

    assert [str(name) for name in in_order(mesh, list(mesh.assets))] == ["a.one", "b.two", "a.last"]


def test_a_circle_is_told_with_all_its_names() -> None:
    mesh = mesh_of({"a.x": ["c.z"], "b.y": ["a.x"], "c.z": ["b.y"], "a.free": []})

    with pytest.raises(
        DocumentMalformed, match=r"recipe\.sql:3:1: these products need each other in a circle: "
    ) as told:
        in_order(mesh, list(mesh.assets))

    path = str(told.value).split("circle: ")[1].split(". Take")[0].split(" -> ")
    assert sorted(path[1:]) == ["a.x", "b.y", "c.z"]
    assert path[0] == path[-1]
    for use, made in itertools.pairwise(path):
        assert product_name(made) in mesh.assets[product_name(use)].needs


CHAIN = {"a.one": [], "a.two": ["a.one"], "b.three": ["a.two"], "b.other": []}


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        (["*"], ["a.one", "a.two", "b.other", "b.three"]),
        (["all"], ["a.one", "a.two", "b.other", "b.three"]),
        (["b"], ["b.other", "b.three"]),
        (["a.two"], ["a.two"]),
        (["a/two"], ["a.two"]),
        (["+b.three"], ["a.one", "a.two", "b.three"]),
        (["a.two+"], ["a.two", "b.three"]),
        (["+a.two+"], ["a.one", "a.two", "b.three"]),
        (["a+"], ["a.one", "a.two", "b.three"]),
        (["b.other", "a.one"], ["a.one", "b.other"]),
        ([], []),
    ],
)
def test_a_selection_names_assets(selection: list[str], chosen: list[str]) -> None:
    assert [str(name) for name in select(mesh_of(CHAIN), selection)] == chosen


@pytest.mark.parametrize(
    ("text", "told"), [("a.tow", "Did you mean a.two"), ("c", "Did you mean a or b"), ("b.two", "a.two")]
)
def test_an_unknown_name_is_told_with_the_nearest(text: str, told: str) -> None:
    with pytest.raises(UnknownProduct, match=told):
        select(mesh_of(CHAIN), [text])
