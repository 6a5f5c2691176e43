"""What a kitchen changes: its own versions, products whose code is another, and whom a contract breaks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mesh_assets.capabilities.contracts.compare import Change, compare
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.lineage.columns import column_lineage
from mesh_assets.capabilities.lineage.model import Asset, Mesh
from mesh_assets.capabilities.publishing.keys import recipe_hash
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings

BREAKING = "breaking"


@dataclass(frozen=True)
class ChangedContract:
    """A product whose promise is another; `old` or `new` is None for one that comes or goes."""

    product: ProductName
    old: Contract | None
    new: Contract | None
    changes: tuple[Change, ...]
    #: Consumers that go on as before, and can be broken by it.
    broken: tuple[ProductName, ...]
    #: Columns that they read, of those that change. Consumer -> columns; () if it cannot be told.
    columns: Mapping[ProductName, tuple[str, ...]]

    @property
    def breaking(self) -> bool:
        return self.new is None or any(each.consumers == BREAKING for each in self.changes)


@dataclass(frozen=True)
class Side:
    """A mesh as its code says it is."""

    settings: Settings
    mesh: Mesh


def code_changed(before: Mesh, after: Mesh) -> frozenset[ProductName]:
    """Products and private assets that are new, gone, or made in another way or to another promise."""
    names = {*before.assets, *after.assets}
    return frozenset(name for name in names if _made_by(before, name) != _made_by(after, name))


def _made_by(mesh: Mesh, name: ProductName) -> tuple[str, ...] | None:
    asset = mesh.assets.get(name)
    if asset is None:
        return None
    rules = tuple(f"{rule.id} {rule.kind} {sorted(rule.arguments.items(), key=str)}" for rule in asset.rules)
    contract = asset.contract.digest if asset.contract else ""
    return (recipe_hash(mesh.domains[name.domain], asset), contract, *rules)


def changed_contracts(before: Side, after: Side, names: Collection[ProductName]) -> Iterator[ChangedContract]:
    """Contracts that differ, with the consumers that each can break."""
    for name in sorted(names):
        old, new = (_contract(side.mesh, name) for side in (before, after))
        if (old is None and new is None) or (old is not None and new is not None and old.text == new.text):
            continue
        changes = compare(old, new) if old and new else ()
        hurt = old is not None and (new is None or any(c.consumers == BREAKING for c in changes))
        columns = _broken(before, after, name, changes) if hurt else {}
        yield ChangedContract(name, old, new, changes, tuple(sorted(columns)), columns)


def _contract(mesh: Mesh, name: ProductName) -> Contract | None:
    asset = mesh.assets.get(name)
    return asset.contract if asset else None


def _broken(
    before: Side, after: Side, name: ProductName, changes: Collection[Change]
) -> dict[ProductName, tuple[str, ...]]:
    """Those that read what breaks, and that the kitchen leaves as they are."""
    hurt = {change.path.split("[")[0].split(".")[0] for change in changes if change.consumers == BREAKING}
    found = {}
    for user in _users(after.mesh, name):
        same = _made_by(before.mesh, user.name) == _made_by(after.mesh, user.name)
        if not same or user.name.domain == name.domain:
            continue
        read = column_lineage(before.settings, before.mesh, user.name).reads.get(name)
        columns = hurt & set(read or ()) if read is not None else set()
        known = {column.name for column in (_contract(before.mesh, name) or user.contract).columns}  # type: ignore[union-attr]
        if read is None or columns or not hurt <= known:
            found[user.name] = tuple(sorted(columns))
    return found


def _users(mesh: Mesh, name: ProductName) -> list[Asset]:
    return [asset for asset in mesh.assets.values() if name in asset.needs]


def folder_of(settings: Settings, name: ProductName) -> Path:
    return settings.domains / name.domain / name.product
