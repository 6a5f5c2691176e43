"""What is wrong with an installation and a mesh, and how to mend it: one finding per look."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from mesh_assets.words.errors import MeshError

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings
    from mesh_assets.words.versions import Version

#: The engine and its extensions must be of one version: a wheel takes the place of a download.
ENGINE = (
    "duckdb",
    "duckdb-extension-ducklake",
    "duckdb-extension-sqlite-scanner",
    "duckdb-extension-postgres-scanner",
)
#: The last bytes of every Parquet file.
PARQUET = b"PAR1"


@dataclass(frozen=True)
class Finding:
    what: str
    good: bool
    told: str


def look_at_all(settings: Settings) -> list[Finding]:
    """Every look, the bad findings with what to do about them. A look that fails is a finding itself."""
    return [finding for look in LOOKS for finding in safely(look, settings)]


def safely(look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    """A look that fails is a finding, not the end of the others."""
    try:
        yield from look(settings)
    except MeshError as error:
        yield Finding(look.__name__.strip("_"), False, str(error))
    except Exception as error:
        yield Finding(
            look.__name__.strip("_"), False, f"{type(error).__name__}: {str(error).splitlines()[0]}"
        )


def _python(_: Settings) -> Iterator[Finding]:
    found = sys.version.split()[0]
    good = sys.version_info >= (3, 11)
    yield Finding("python", good, found if good else f"{found}: install Python 3.11 or later")


def _engine(_: Settings) -> Iterator[Finding]:
    versions = {}
    for name in ENGINE:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            yield Finding("engine", False, f"{name} is not installed: `make setup`")
    if len(set(versions.values())) == 1:
        yield Finding("engine", True, f"duckdb and its extensions {next(iter(versions.values()))}")
    elif versions:
        told = ", ".join(f"{name} {number}" for name, number in versions.items())
        yield Finding("engine", False, f"these must be of one version: {told}; `make setup` pins them")


def _home(settings: Settings) -> Iterator[Finding]:
    folder = settings.home
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.write_text("", encoding="utf-8")
        probe.unlink()
    except OSError as error:
        yield Finding(
            "home",
            False,
            f"{folder} cannot be written ({error.strerror}): set MESH_HOME to a folder of yours",
        )
        return
    yield Finding("home", True, str(folder))


def _registry(settings: Settings) -> Iterator[Finding]:
    from mesh_assets.capabilities.registry import open_registry

    with open_registry(settings) as registry:
        heads = registry.heads()
        kind = registry.engine.dialect.name
    yield Finding("registry", True, f"{kind}, {len(heads)} products published")


def _lakes(settings: Settings) -> Iterator[Finding]:
    """Look up every file of every head: DuckLake answers counts from statistics when a file is lost."""
    from mesh_assets.capabilities.lake.stores import store_at
    from mesh_assets.capabilities.registry import open_registry

    with open_registry(settings) as registry:
        for name, number in sorted(registry.heads().items()):
            head = registry.version(name, number)
            lost = [path for path in _files(settings, head) if not _whole(path)]
            if lost:
                told = f"{name} version {number} has lost {len(lost)} of its files, first {lost[0]}"
                first = "Remove what is left of it and build" if store_at(lost[0]).size(lost[0]) else "Build"
                yield Finding("lake", False, f"{told}. {first} it again: `mesh build {name} --force`")
        yield Finding("lakes", True, f"{settings.lakes}: every file of every current version is looked up")


def _whole(path: str) -> bool:
    """False for a file that is gone or was cut off."""
    from mesh_assets.capabilities.lake.stores import store_at

    store = store_at(path)
    return (store.size(path) or 0) >= len(PARQUET) and store.tail(path, len(PARQUET)) == PARQUET


def _files(settings: Settings, head: Version) -> tuple[str, ...]:
    from mesh_assets.capabilities.lake import files

    return files(settings.of(head.stored), head.product, head.snapshot)


def _domains(settings: Settings) -> Iterator[Finding]:
    from mesh_assets.capabilities.lineage.read import domain_names, read_domain_assets

    for name in domain_names(settings):
        try:
            found = read_domain_assets(settings, name)
        except MeshError as error:
            yield Finding(name, False, str(error))
            continue
        products = [asset for asset in found.assets if not asset.name.private]
        yield Finding(
            name, True, f"{len(products)} products, {sum(len(asset.rules) for asset in products)} rules"
        )


def _mesh(settings: Settings) -> Iterator[Finding]:
    """What no domain can see alone: unknown inputs, private ones of others, circles, ports that do not tell
    the truth.
    """
    from mesh_assets.capabilities.lineage.order import in_order
    from mesh_assets.capabilities.lineage.read import read_mesh, stray_ports

    mesh = read_mesh(settings)
    in_order(mesh, list(mesh.assets))
    strays = stray_ports(mesh)
    for told in strays:
        yield Finding("ports", False, told)
    yield Finding("mesh", True, f"{len(mesh.domains)} domains, {len(mesh.products)} products, no circle")


def _expects(settings: Settings) -> Iterator[Finding]:
    """What consumers expect, and what of it is left out: no build fails of that."""
    from mesh_assets.capabilities.lineage.expected import stray_expectations
    from mesh_assets.capabilities.lineage.read import read_mesh

    mesh = read_mesh(settings)
    for name, domain in mesh.domains.items():
        for problem in stray_expectations(settings, name, list(mesh.assets)):
            yield Finding("expects", False, str(problem))
        for each in domain.left_out:
            if each.product in mesh.assets:
                told = f"{each.product} is audited without what {each.consumer} expects: {each.problem}"
                yield Finding("expects", False, told)
    rules = [rule for asset in mesh.assets.values() for rule in asset.expected]
    consumers = {rule.expected_by for rule in rules}
    yield Finding("expects", True, f"{len(rules)} rules of {len(consumers)} consumers run")


def _workspace(settings: Settings) -> Iterator[Finding]:
    from mesh_assets.capabilities.lineage.read import domain_names
    from mesh_assets.capabilities.lineage.workspace import code_locations

    path = settings.workspace
    named = {location.name for location in code_locations(path)}
    for name in domain_names(settings):
        if name not in named:
            yield Finding(
                "workspace",
                False,
                f"{path.name} has no location for {name}: add one as for the others, "
                f"with `location_name: {name}`",
            )
    yield Finding("workspace", True, f"{len(named)} code locations")


LOOKS = (_python, _engine, _home, _registry, _lakes, _domains, _mesh, _expects, _workspace)
