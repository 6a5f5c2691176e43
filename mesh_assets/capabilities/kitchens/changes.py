"""What a kitchen changes, in four layers: code, contracts, data, operations.

Here: gathering it. Not here: showing it (report, cli), deciding on it (plan).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from threading import local
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.kitchens.agreement import Agreement, agreement
from mesh_assets.capabilities.kitchens.crossing import Crossing
from mesh_assets.capabilities.kitchens.operations import Operation, operations_changed
from mesh_assets.capabilities.kitchens.raw import moved_since_pin
from mesh_assets.capabilities.kitchens.repository import (
    Changed,
    ask,
    changed_between,
    log_between,
)
from mesh_assets.capabilities.kitchens.touched import (
    ChangedContract,
    Side,
    changed_contracts,
    code_changed,
)
from mesh_assets.capabilities.lake import connect, known
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.code import git
from mesh_assets.capabilities.publishing.difference import Compared, compare_versions, plain_difference
from mesh_assets.capabilities.publishing.rows import Reader
from mesh_assets.words.kitchens import MovedFile
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Files and commits that are told one by one.
MOST = 500


@dataclass(frozen=True)
class CodeChanges:
    """Files and commits since the branch began."""

    since: str
    files: Mapping[str, tuple[Changed, ...]]
    commits: tuple[Mapping[str, str], ...]
    #: Files that are in no commit yet.
    uncommitted: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataChange:
    """One product of which the kitchen shows another version."""

    product: ProductName
    before: Version | None
    after: Version
    #: None for a new product, or where the fingerprints are the same.
    compared: Compared | None = None
    #: Files that it was made from, and the version before was not: part of the difference may be theirs.
    files: tuple[MovedFile, ...] = ()


@dataclass(frozen=True)
class KitchenDiff:
    """All of it."""

    kitchen: str
    base: str
    code: CodeChanges | None
    #: Products that are made in another way.
    touched: frozenset[ProductName]
    contracts: tuple[ChangedContract, ...]
    data: tuple[DataChange, ...]
    operations: tuple[Operation, ...]
    agreement: Agreement
    mesh: Mesh

    @property
    def changed(self) -> frozenset[ProductName]:
        return self.touched | {each.product for each in self.data}


def compare_kitchen(
    crossing: Crossing, *, tolerance: float = 0.0, rows: bool = True, jobs: int = 2
) -> KitchenDiff:
    """The kitchen against what it was opened from; `rows` False looks at fingerprints only."""
    before = Side(crossing.there, read_mesh(crossing.there))
    after = Side(crossing.here, read_mesh(crossing.here))
    touched = code_changed(before.mesh, after.mesh) if crossing.has_code else frozenset()
    return KitchenDiff(
        kitchen=crossing.name,
        base=crossing.there.environment,
        code=_code(crossing) if crossing.has_code else None,
        touched=touched,
        contracts=tuple(changed_contracts(before, after, touched)),
        data=_data(crossing, after.mesh, tolerance if rows else None, jobs),
        operations=operations_changed(before, after),
        agreement=agreement(crossing),
        mesh=after.mesh,
    )


def _code(crossing: Crossing) -> CodeChanges:
    top = crossing.repository
    since = ask(top, "merge-base", crossing.head, crossing.branch)
    files: dict[str, list[Changed]] = {}
    for each in changed_between(top, since, crossing.branch)[:MOST]:
        files.setdefault(_domain(crossing.there, each.path), []).append(each)
    told = git(crossing.kitchen.code, "status", "--porcelain") or ""
    return CodeChanges(
        since,
        {domain: tuple(found) for domain, found in sorted(files.items())},
        tuple(log_between(top, since, crossing.branch)),
        tuple(line[2:].strip() for line in told.splitlines()),
    )


def _domain(settings: Settings, path: str) -> str:
    """The domain that a file belongs to, "" for one that is everybody's."""
    parts = path.split("/")
    for root in ("domains", "models"):
        if root in parts[:-2]:
            return parts[parts.index(root) + 1]
    return ""


def _data(crossing: Crossing, mesh: Mesh, tolerance: float | None, jobs: int) -> tuple[DataChange, ...]:
    """Fingerprints first; rows are looked at where these differ, several products at a time."""
    found = [
        DataChange(name, crossing.taken(name), version, None, moved_since_pin(crossing.own, name, version))
        for name, version in sorted(crossing.made.items())
        if name in mesh.assets
    ]
    if tolerance is None:
        return tuple(found)
    near = tolerance
    _learn_of(crossing, found)

    def compared(each: DataChange) -> DataChange:
        before = each.before
        if before is None or before.fingerprint == each.after.fingerprint:
            return each
        asset, con = mesh.assets[each.product], connections.of_this_thread()
        reader = Reader(crossing.here, crossing.own, asset, threads=1, connection=con)
        return replace(each, compared=compare_versions(reader, before, each.after, tolerance=near))

    with _Connections(crossing.here) as connections, ThreadPoolExecutor(max_workers=jobs) as pool:
        return tuple(pool.map(compared, found))


class _Connections(ExitStack):
    """One for each thread, closed at the end."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings, self._own = settings, local()

    def of_this_thread(self) -> DuckDBPyConnection:
        if not hasattr(self._own, "connection"):
            self._own.connection = self.enter_context(closing(connect(self._settings, threads=1)))
        found: DuckDBPyConnection = self._own.connection
        return found


def _learn_of(crossing: Crossing, changes: list[DataChange]) -> None:
    """One side after the other: a lake is attached once, and threads find what is known."""
    both = [(each.before, each.after) for each in changes if each.before]
    pairs = [(a, b) for a, b in both if a.fingerprint != b.fingerprint]
    for each in (*(a for a, _ in pairs), *(b for _, b in pairs)):
        known(crossing.here.of(each.stored), each.product, each.snapshot)


def plain(found: KitchenDiff) -> dict[str, Any]:
    """For scripts."""
    return {
        "kitchen": found.kitchen,
        "base": found.base,
        "code": _plain_code(found.code),
        "products": [str(name) for name in sorted(found.touched)],
        "contracts": [_plain_contract(each, found) for each in found.contracts],
        "data": [_plain_data(each) for each in found.data],
        "operations": [vars(each) for each in found.operations],
        "agreement": {
            "asked": {" ".join(group): list(what) for group, what in found.agreement.asked.items()},
            "missing": {owners: list(what) for owners, what in found.agreement.missing.items()},
        },
    }


def _plain_code(code: CodeChanges | None) -> dict[str, Any] | None:
    if code is None:
        return None
    files = {domain: [vars(each) for each in changed] for domain, changed in code.files.items()}
    commits = [dict(each) for each in code.commits]
    return {"since": code.since, "files": files, "commits": commits, "uncommitted": list(code.uncommitted)}


def _plain_contract(each: ChangedContract, found: KitchenDiff) -> dict[str, Any]:
    return {
        "product": str(each.product),
        "before": each.old.version if each.old else None,
        "after": each.new.version if each.new else None,
        "breaking": each.breaking,
        "changes": [vars(change) for change in each.changes],
        "broken": [
            {"product": str(name), "columns": list(each.columns[name]), "owners": owners_of(found, name)}
            for name in each.broken
        ],
    }


def owners_of(found: KitchenDiff, name: ProductName) -> list[str]:
    """Whom a product's contract, or else its domain, names."""
    asset = found.mesh.assets.get(name)
    return [each.name for each in asset.contract.owners] if asset and asset.contract else []


def _plain_data(each: DataChange) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "product": str(each.product),
        "before": each.before.number if each.before else None,
        "after": each.after.number,
        "rows": [each.before.rows if each.before else None, each.after.rows],
        "same": each.before is not None and each.before.fingerprint == each.after.fingerprint,
        "sources_moved": [vars(one) for one in each.files],
    }
    if each.compared is None:
        return facts
    told = plain_difference(each.compared)
    return {
        **facts,
        **{name: told[name] for name in told if name not in ("product", "a", "b", "rows", "same")},
    }
