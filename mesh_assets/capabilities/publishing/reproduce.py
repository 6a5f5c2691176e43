"""Reproducing a version: its recipe at the recorded commit, over the recorded inputs and sources, in a
scratch place; the result is compared and thrown away.

What is recorded is checked first: a commit that was dirty, inputs that expired, sources that changed are told
by name, since a difference would mean nothing then. The machinery is the installed one; packages whose
version is another are named.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from mesh_assets.capabilities.lake import connect, version_files
from mesh_assets.capabilities.lake.compare import Difference, Side, compare
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.publishing.auditor import Auditor
from mesh_assets.capabilities.publishing.bench import PIN_LASTS, set_up_bench
from mesh_assets.capabilities.publishing.build import draft_of
from mesh_assets.capabilities.publishing.certify import artifact_digests
from mesh_assets.capabilities.publishing.code import digest_of_file, package_versions, who
from mesh_assets.capabilities.publishing.corrected_files import SOURCE, current_corrections
from mesh_assets.capabilities.publishing.corrections import corrected
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.keys import recipe_hash
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.quarantine import Sifted, sift
from mesh_assets.capabilities.publishing.workshop import Bench, Tools, Work, Workshop
from mesh_assets.capabilities.publishing.worktree import Asked, code_of
from mesh_assets.capabilities.registry.open import Registry
from mesh_assets.words.errors import CannotReproduce, MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Certificate, SourceVersion, Version


@dataclass(frozen=True)
class Reproduced:
    """What came of it."""

    version: Version
    #: Partitions whose content is another ("" is the whole of a product that has none).
    partitions: tuple[str, ...]
    #: How the content differs, from the version to what was made again; None if it does not.
    difference: Difference | None
    #: Files beside the table that are others.
    artifacts: tuple[str, ...]
    #: Package -> (version then, version now), where they differ.
    packages: Mapping[str, tuple[str, str]]
    seconds: float

    @property
    def identical(self) -> bool:
        return not self.partitions


def reproduce(settings: Settings, registry: Registry, version: Version) -> Reproduced:
    """Make a version again from its certificate and compare; raises CannotReproduce with the reason."""
    clock, certificate = time.monotonic(), version.certificate
    run_id = f"reproduce-{uuid4().hex[:12]}"
    folder = settings.scratch / run_id
    if certificate.git_commit is None:
        raise _refused(version, "it was made outside of a git repository: its certificate names no commit")
    inputs = _inputs(settings, registry, version)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        asked = Asked(version.product, version.number, certificate.git_commit)
        with code_of(settings, asked, folder) as then, _kept(registry, run_id, version, inputs):
            then = replace(then, sources=_recorded_sources(settings, version, folder / "sources"))
            pinned = PinnedRegistry(registry, inputs)
            workshop = _workshop(then, pinned, version, run_id)
            return replace(_compared(workshop, version, inputs), seconds=time.monotonic() - clock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(settings.staging / run_id, ignore_errors=True)


class PinnedRegistry(Registry):
    """The registry as the version's build saw it: the inputs' heads are the recorded ones."""

    def __init__(self, registry: Registry, inputs: Mapping[ProductName, Version]) -> None:
        super().__init__(registry.engine)
        self._inputs = inputs

    def head(self, product: ProductName, environment: str = "prod") -> Version | None:
        return self._inputs.get(product) or super().head(product, environment)


def _inputs(settings: Settings, registry: Registry, version: Version) -> dict[ProductName, Version]:
    """The recorded versions of the inputs, readable still."""
    found = {}
    for each in version.certificate.inputs:
        told = f"its input {each.product} version {each.number}"
        try:
            found[each.product] = registry.version(each.product, each.number).readable()
            with closing(connect(settings)) as con:
                files, _ = version_files(
                    con, settings.of(found[each.product].stored), each.product, each.snapshot
                )
        except Exception as error:  # the lake's words for a snapshot that expired are many
            raise _refused(version, f"{told} cannot be read any more") from error
        if found[each.product].fingerprint != each.fingerprint:
            raise _refused(version, f"{told} is not what was read then")
        if any(store_at(file).size(file) is None for file in files):
            raise _refused(version, f"{told} has lost its files")
    return found


def _recorded_sources(settings: Settings, version: Version, folder: Path) -> Path:
    """The drops that were read, and no others, under their own names."""
    gone, changed = [], []
    folder.mkdir(parents=True)
    for each in version.certificate.sources:
        path = _source_file(settings, each)
        if not path.is_file():
            gone.append(each.path)
        elif digest_of_file(path) != each.sha256:
            changed.append(each.path)
        elif not each.name.endswith(SOURCE):
            (folder / each.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / each.path).symlink_to(path)
    if gone or changed:
        told = [f"gone: {', '.join(gone)}"] if gone else []
        told += [f"changed since: {', '.join(changed)}"] if changed else []
        raise _refused(version, f"its sources are not what they were ({'; '.join(told)})")
    recorded = {each.sha256 for each in version.certificate.sources if each.name.endswith(SOURCE)}
    if recorded != {each.sha256 for each in current_corrections(settings, version.product).values()}:
        raise _refused(version, "other corrected rows are in force now")
    return folder


def _source_file(settings: Settings, source: SourceVersion) -> Path:
    return (settings.home if source.name.endswith(SOURCE) else settings.sources) / source.path


@contextmanager
def _kept(
    registry: Registry, run_id: str, version: Version, inputs: Mapping[ProductName, Version]
) -> Iterator[None]:
    """Nobody may expire what is read meanwhile."""
    holder = f"run {run_id}"
    wanted = {name: each.number for name, each in inputs.items()}
    if version.expired is None:  # else its fingerprint is all that is left, and enough
        wanted[version.product] = version.number
    registry.pin(holder, wanted, datetime.now(UTC) + PIN_LASTS)
    try:
        yield
    finally:
        registry.unpin(holder)


def _workshop(then: Settings, registry: Registry, version: Version, run_id: str) -> Workshop:
    """A run over the product alone; refuses code that the commit does not have as it was."""
    try:
        domain = read_domain_assets(then, version.product.domain)
    except (MeshError, OSError) as error:
        raise _refused(version, f"the domain of that commit cannot be read: {error}") from error
    certificate = version.certificate
    workshop = Workshop(
        settings=then,
        registry=registry,
        domain=domain,
        run_id=run_id,
        who=who(),
        tools=Tools(dbt=run_dbt, program=run_program),
        selected=frozenset([version.product]),
        weeks=tuple(certificate.partitions) if set(certificate.partitions) != {""} else None,
        force=True,
    )
    if all(asset.name != version.product for asset in domain.assets):
        raise _refused(version, "that commit does not have the product")
    if recipe_hash(domain, workshop.asset(version.product)) != certificate.recipe_hash:
        dirty = "there were uncommitted changes" if certificate.git_dirty else "other files were in force"
        raise _refused(
            version, f"its recipe was not as commit {str(certificate.git_commit)[:12]} has it: {dirty}"
        )
    return workshop


def _compared(workshop: Workshop, version: Version, inputs: Mapping[ProductName, Version]) -> Reproduced:
    asset, certificate = workshop.asset(version.product), version.certificate
    work = Work(
        asset=asset,
        inputs=inputs,
        sources={},
        keys={},
        partitions=tuple(certificate.partitions),
        head=None,
        started=datetime.now(UTC),
        clock=time.monotonic(),
    )
    with set_up_bench(workshop, work) as bench:
        auditor = Auditor(bench, work)
        sifted = sift(auditor, corrected(auditor, draft_of(bench)))
        partitions = _other_partitions(certificate, sifted)
        made = artifact_digests(bench.artifacts)
        return Reproduced(
            version=version,
            partitions=partitions,
            difference=_difference(bench, asset, version, sifted)
            if partitions and version.expired is None
            else None,
            artifacts=tuple(sorted(name for name, _ in made.items() ^ certificate.artifacts.items())),
            packages=_other_packages(certificate),
            seconds=0.0,
        )


def _other_partitions(certificate: Certificate, sifted: Sifted) -> tuple[str, ...]:
    verdict = sifted.verdict
    return tuple(
        key
        for key, told in certificate.partitions.items()
        if (told["rows"] or verdict.partition_rows.get(key))
        and told["fingerprint"] != verdict.fingerprints.get(key)
    )


def _difference(bench: Bench, asset: Asset, version: Version, sifted: Sifted) -> Difference:
    settings = bench.workshop.settings
    with closing(connect(settings)) as con:
        before = Side(*version_files(con, settings.of(version.stored), version.product, version.snapshot))
        after = Side(tuple(file.path for file in sifted.draft.files), sifted.draft.columns)
        return compare(con, before, after, key=asset.contract.key if asset.contract else ())


def _other_packages(certificate: Certificate) -> dict[str, tuple[str, str]]:
    now = package_versions()
    return {
        name: (then, now.get(name, "not installed"))
        for name, then in certificate.packages.items()
        if now.get(name) != then
    }


def _refused(version: Version, reason: str) -> CannotReproduce:
    return CannotReproduce(product=version.product, number=version.number, reason=reason)
