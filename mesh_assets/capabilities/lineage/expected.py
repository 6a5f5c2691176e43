"""Who expects what of a domain's products: the files that consumers keep in their own folders.

Here: finding them, judging each against the product's contract, leaving out what cannot be used.
Not here: how such a file reads (contracts), running its rules (checks).

A producer's location reads consumers' files and imports nothing of theirs. A file that cannot be used is left
out and told of: no consumer can keep a producer from loading, building or publishing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from mesh_assets.capabilities.contracts.domain import read_domain
from mesh_assets.capabilities.contracts.expects import (
    expected_product,
    read_expectations,
    read_own_words,
)
from mesh_assets.capabilities.contracts.model import Contract, Domain
from mesh_assets.capabilities.contracts.read import read_contract
from mesh_assets.capabilities.lineage.model import Asset, DomainAssets, LeftOut
from mesh_assets.words.errors import DocumentMalformed, ExpectationMismatch, MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Rule
from mesh_assets.words.settings import Settings

#: The folder in a domain for what it expects of others.
FOLDER = "expects"


def with_expected(settings: Settings, domain: DomainAssets) -> DomainAssets:
    """The domain with the rules that consumers wrote about its products, and with what was left out."""
    found = _Found()
    for path in sorted(settings.domains.glob(f"*/{FOLDER}/{domain.domain.name}.*.yaml")):
        _take(found, domain, path)
    assets = tuple(
        replace(asset, expected=tuple(found.rules[asset.name])) if asset.name in found.rules else asset
        for asset in domain.assets
    )
    return replace(domain, assets=assets, left_out=tuple(found.left_out))


def check_own_files(settings: Settings, consumer: Domain) -> None:
    """Raise for the first of the consumer's own files that is wrong in itself.

    What the producer's contract does not have (any more) is not the consumer's mistake alone, and is left to
    `mesh doctor`: a producer that drops a column must not take its consumers' locations down.
    """
    for path in own_files(settings, consumer.name):
        read_own_words(path)
        with suppress(ExpectationMismatch):
            read_expectations(path, _contract(settings, path), consumer)


def _contract(settings: Settings, path: Path) -> Contract:
    product = expected_product(path)
    try:
        return read_contract(settings.domains / product.domain / product.product / "contract.yaml")
    except MeshError:
        raise _unknown(path, product) from None  # or it is there and wrong: its own location says so


def own_files(settings: Settings, consumer: str) -> list[Path]:
    """Every YAML file in a domain's folder of expectations, whatever its name."""
    folder = settings.domains / consumer / FOLDER
    return sorted(path for path in folder.glob("*.y*ml")) if folder.is_dir() else []


def stray_expectations(
    settings: Settings, consumer: str, known: Sequence[ProductName]
) -> Iterator[MeshError]:
    """What no producer's location sees: files whose name is none, or names a product that no domain makes."""
    for path in own_files(settings, consumer):
        try:
            product = expected_product(path)
        except MeshError as error:
            yield error
            continue
        if product not in known:
            yield _unknown(path, product)


@dataclass
class _Found:
    rules: dict[ProductName, list[Rule]] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)


def _take(found: _Found, domain: DomainAssets, path: Path) -> None:
    consumer = path.parent.parent.name
    try:
        product = expected_product(path)
    except MeshError:
        return  # it is about nothing of ours; the consumer's own location says so
    try:
        asset = _asked(domain, path, product)
        rules = _compiled(asset, path, found.rules.get(product, ()))
    except MeshError as error:
        found.left_out.append(LeftOut(product, consumer, error))
    except Exception as error:  # whatever a consumer's file does to its reader is no matter of the producer's
        told = DocumentMalformed(file=path, line=1, problem=f"{type(error).__name__}: {error}")
        found.left_out.append(LeftOut(product, consumer, told))
    else:
        found.rules.setdefault(product, []).extend(rules)


def _asked(domain: DomainAssets, path: Path, product: ProductName) -> Asset:
    for asset in domain.assets:
        if asset.name == product and asset.contract is not None:
            return asset
    raise _unknown(path, product)


def _compiled(asset: Asset, path: Path, others: Sequence[Rule]) -> tuple[Rule, ...]:
    assert asset.contract is not None
    rules = read_expectations(path, asset.contract, read_domain(path.parent.parent))
    taken = {rule.id.lower() for rule in (*asset.own_rules, *others)}
    for rule in rules:
        if rule.id.lower() in taken:
            place = rule.place
            raise ExpectationMismatch(
                file=path,
                line=place.line if place else 1,
                problem=f"{asset.name} has a rule {rule.id!r} already",
                remedy="Give yours another name",
            )
    return rules


def _unknown(path: Path, product: ProductName) -> ExpectationMismatch:
    return ExpectationMismatch(
        file=path,
        line=1,
        problem=f"there is no product {product}, and only a product can be expected to be right",
        remedy="See `mesh products`",
    )
