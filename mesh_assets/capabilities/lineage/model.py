"""The mesh as facts: domains, their assets, how each is made and what it needs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mesh_assets.capabilities.contracts.model import Contract, Domain, Partitioning
from mesh_assets.words.errors import MeshError, UnknownProduct
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Place, Rule, products_of


class RecipeKind(StrEnum):
    PYTHON = "python"
    SQL = "sql"
    DBT = "dbt"
    PROGRAM = "program"


@dataclass(frozen=True)
class Recipe:
    """How an asset is made, as its own file declares it."""

    kind: RecipeKind
    path: Path
    inputs: tuple[ProductName, ...]
    sources: tuple[str, ...]
    place: Place
    #: Every file whose change changes the result; their content is the recipe's hash.
    code: tuple[Path, ...]
    #: For a foreign program: its command line, `{python}` standing for this interpreter.
    command: tuple[str, ...] = ()
    #: Engines and libraries that the recipe's file imports, for the catalogue ("polars", "duckdb", "altair").
    tools: tuple[str, ...] = ()
    #: Input -> the only columns of it that the recipe is given; an input that is not here is given whole.
    columns: Mapping[ProductName, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Asset:
    """A product, or a private asset of a domain (no contract)."""

    name: ProductName
    contract: Contract | None
    recipe: Recipe
    #: Rules that the domain wrote in expectations.py, beyond the contract's.
    expectations: tuple[Rule, ...] = ()
    #: Rules that consuming domains wrote about this product; they neither make it stale nor add inputs.
    expected: tuple[Rule, ...] = ()

    @property
    def inputs(self) -> tuple[ProductName, ...]:
        return self.recipe.inputs

    @property
    def partitioning(self) -> Partitioning | None:
        return self.contract.partitioning if self.contract else None

    @property
    def own_rules(self) -> tuple[Rule, ...]:
        """What the producer promises, in the contract and in expectations.py."""
        return (*(self.contract.rules if self.contract else ()), *self.expectations)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule of an audit: the producer's own, then what consumers expect."""
        return (*self.own_rules, *self.expected)

    @property
    def in_lake(self) -> bool:
        """False for a private dbt model: it lives in the scratch database of one run."""
        return not (self.name.private and self.recipe.kind is RecipeKind.DBT)

    @property
    def needs(self) -> tuple[ProductName, ...]:
        """Inputs, and the products that rules of the product's own compare it with."""
        named = (name for rule in self.own_rules for name in products_of(rule) if name != self.name)
        return tuple(dict.fromkeys((*self.inputs, *named)))


@dataclass(frozen=True)
class LeftOut:
    """A consumer's file of expectations that cannot be used: the product's audit goes on without it."""

    product: ProductName
    consumer: str
    problem: MeshError


@dataclass(frozen=True)
class DomainAssets:
    domain: Domain
    assets: tuple[Asset, ...]
    #: Consumers' files about products of this domain that are left out, each with the reason.
    left_out: tuple[LeftOut, ...] = ()
    #: What was checked out when this was read; "" outside of a repository.
    commit: str = ""


@dataclass(frozen=True)
class Mesh:
    """All domains that were read, and every asset by name."""

    domains: Mapping[str, DomainAssets]
    assets: Mapping[ProductName, Asset] = field(default_factory=dict)

    def asset(self, name: ProductName) -> Asset:
        """The asset of that name, or an error that names the nearest ones."""
        found = self.assets.get(name)
        if found is None:
            near = difflib.get_close_matches(str(name), [str(known) for known in self.assets], n=2)
            raise UnknownProduct(name=str(name), near=tuple(near))
        return found

    @property
    def products(self) -> tuple[Asset, ...]:
        return tuple(asset for asset in self.assets.values() if not asset.name.private)

    def upstream(self, names: Iterable[ProductName]) -> set[ProductName]:
        """The names, and everything that they need, through all domains."""
        found: set[ProductName] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found and name in self.assets:
                found.add(name)
                waiting.extend(self.assets[name].needs)
        return found

    def downstream(self, names: Iterable[ProductName]) -> set[ProductName]:
        """The names, and everything that needs them, through all domains."""
        users: dict[ProductName, list[ProductName]] = {}
        for asset in self.assets.values():
            for need in asset.needs:
                users.setdefault(need, []).append(asset.name)
        found: set[ProductName] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(users.get(name, ()))
        return found
