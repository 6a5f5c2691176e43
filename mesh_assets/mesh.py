"""The front door: all that a domain may import.

Here: `recipe` and `expectation` for a domain's code, `read`, `schema` and `verdict` for anybody's,
`definitions` for a code location.
Not here: how any of it works (capabilities).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mesh_assets.capabilities.checks.expectations import expectation
from mesh_assets.words.errors import MeshError, NoVersion, PromiseBroken, UnknownProduct
from mesh_assets.words.names import ProductName, at_version, product_name
from mesh_assets.words.settings import Settings, read_settings
from mesh_assets.words.versions import PROD, Version

if TYPE_CHECKING:
    from dagster import Definitions
    from pandera.pandas import DataFrameSchema

    from mesh_assets.capabilities.lake.read import Handle
    from mesh_assets.capabilities.publishing.run import Run
    from mesh_assets.capabilities.publishing.sources import SourceFile
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.rules import Verdict
    from mesh_assets.words.vaults import Secret

Function = TypeVar("Function", bound=Callable[..., Any])
Resource = TypeVar("Resource")

__all__ = [
    "Handle",
    "MeshError",
    "PromiseBroken",
    "Run",
    "Settings",
    "SourceFile",
    "definitions",
    "expectation",
    "journey_definitions",
    "outside",
    "read",
    "recipe",
    "schema",
    "secret",
    "verdict",
]


def recipe(
    *,
    inputs: Sequence[str] = (),
    sources: Sequence[str] = (),
    columns: Mapping[str, Sequence[str]] | None = None,
) -> Callable[[Function], Function]:
    """Mark the function that makes a product, and say what it reads; of an input in `columns`, these only.

    All of it must be written as literals: the mesh reads it from the text, so that loading a code location
    imports no recipe and no engine. The function has the product's name, takes a `mesh.Run`, and returns a
    polars DataFrame, a pyarrow Table, a DuckDB relation of `run.con`, or SQL text to run there.
    """
    return lambda function: function


def read(
    product: str, *, version: int | str | None = None, release: int | None = None, environment: str = PROD
) -> Handle:
    """A product as readers see it now, at a version, or at a release; lazy: no row is read until asked for.

    A version is a number or a tag, and may stand in the name: `mesh.read("drug.brand@spring")`. The handle
    has `.relation` (DuckDB), `.arrow()`, `.polars()`, `.pandas()` (each of some `columns` or of all),
    `.lazy()` (polars reads what it needs), `.number` and `.files`. Raises
    UnknownProduct for a name that no domain has, and NoVersion if it was never published or not that often.
    """
    from mesh_assets.capabilities.lake import Handle
    from mesh_assets.capabilities.registry import open_registry

    settings = read_settings()
    name, wanted = at_version(product)
    wanted = wanted if version is None else str(version)
    with open_registry(settings) as registry:
        if wanted is not None:
            found: Version | None = _found(settings, registry, name, wanted)
        elif release is not None:
            found = registry.head_at(name, release, environment)
        else:
            found = registry.head(name, environment)
    if found is None:
        _refuse_unknown(settings, name)
        raise NoVersion(product=name, wanted="" if release is None else f" at release {release}")
    found = found.readable()
    return Handle(settings.of(found.stored), name, number=found.number, snapshot=found.snapshot)


def schema(product: str, backend: str = "polars") -> DataFrameSchema:
    """A product's contract and expectations as a pandera schema of polars, pandas or ibis.

    Each rule is a named check with the meaning that it has in publication. Rules that the data alone cannot
    answer are in `metadata["elsewhere"]`, with the reason. Raises UnknownProduct if no contract is there.
    """
    from mesh_assets.capabilities.checks.expectations import declared_expectations
    from mesh_assets.capabilities.checks.schema import pandera_schema
    from mesh_assets.capabilities.contracts import read_contract

    settings, name = read_settings(), product_name(product)
    folder = settings.domains / name.domain / name.product
    if not (folder / "contract.yaml").is_file():
        raise UnknownProduct(name=str(name), near=_like(settings, name))
    path = folder / "expectations.py"
    return pandera_schema(
        read_contract(folder / "contract.yaml"),
        backend,
        expectations=path,
        extra_rules=declared_expectations(path),
    )


def verdict(schema: DataFrameSchema, data: Any) -> Verdict:
    """What publication would say of these data: a result per rule, and per check that the schema got besides.

    `results` have outcome, failed_rows, summary and a sample; `stops_publication` is the answer in one word.
    """
    from mesh_assets.capabilities.checks.schema import verdict_of

    return verdict_of(schema, data)


def _found(settings: Settings, registry: Registry, name: ProductName, wanted: str) -> Version:
    try:
        return registry.find(name, wanted)
    except NoVersion:
        _refuse_unknown(settings, name)
        raise


def _refuse_unknown(settings: Settings, name: ProductName) -> None:
    """A name that no folder has is a slip of the pen, not a product without a version."""
    if not (settings.domains / name.domain / name.product / "contract.yaml").is_file() and not name.private:
        raise UnknownProduct(name=str(name), near=_like(settings, name))


def _like(settings: Settings, name: ProductName) -> tuple[str, ...]:
    folders = [path.parent for path in settings.domains.glob("*/*/contract.yaml")]
    known = sorted(f"{folder.parent.name}.{folder.name}" for folder in folders)
    return tuple(difflib.get_close_matches(str(name), known, n=2))


def definitions(file: str) -> Definitions:
    """The Dagster definitions of the domain whose `definitions.py` this is called from."""
    from mesh_assets.capabilities.orchestration.definitions import domain_definitions
    from mesh_assets.capabilities.orchestration.kitchen_schedules import of_environment

    folder, settings = Path(file).resolve().parent, read_settings()
    return of_environment(domain_definitions(folder.name, settings), settings)


def journey_definitions(file: str) -> Definitions:
    """The Dagster definitions of the journeys beside the file that this is called from, and of the mesh as a
    whole.
    """
    from mesh_assets.capabilities.orchestration.journeys import journey_definitions as made
    from mesh_assets.capabilities.orchestration.kitchen_schedules import of_environment

    settings = replace(read_settings(), journeys=Path(file).resolve().parent)
    return of_environment(made(settings), settings)


def secret(address: str) -> Secret:
    """The secret at `vault://domain/name`, as this environment has it: `.reveal()` is its value.

    Written anywhere else it is its address. Raises SecretMissing; a kitchen is not given production's.
    """
    from mesh_assets.capabilities.publishing.vault import secret as found

    return found(read_settings(), address)


def outside(resource: Resource, *, kitchen_safe: bool = False) -> Resource:
    """A resource that does something outside of the mesh (sends, orders, writes elsewhere).

    In a kitchen it is a recorder: what it is asked to do becomes a line in the kitchen's `outside.jsonl`, and
    nothing is done; unless it is declared safe.
    """
    from mesh_assets.capabilities.publishing.vault import outside as placed

    return placed(read_settings(), resource, kitchen_safe=kitchen_safe)


def code_of_kitchen(package: Sequence[str], folder: str) -> list[str]:
    """Where the package of domains or of journeys is in the kitchen that this process works in; its own place
    for a mesh whose code is elsewhere.
    """
    settings = read_settings()
    if str(getattr(settings.root, folder)) not in [str(Path(each).resolve()) for each in package]:
        return list(package)
    return [str(getattr(settings, folder))]


def __getattr__(name: str) -> Any:
    """Types that recipes name in their signatures, imported when they are asked for."""
    if name == "Run":
        from mesh_assets.capabilities.publishing.run import Run

        return Run
    if name == "SourceFile":
        from mesh_assets.capabilities.publishing.sources import SourceFile

        return SourceFile
    if name == "Handle":
        from mesh_assets.capabilities.lake.read import Handle

        return Handle
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
