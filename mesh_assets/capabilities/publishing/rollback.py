"""Rollback: an older version becomes the newest one, forward, through the audit and the one path.

Its files enter the lake under second names, as a commit of their own; the contract of now has the say. What
it was made with and how is copied from its certificate, and who and when are the rollback's.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mesh_assets.capabilities.lake import commit, connect, write_manifest
from mesh_assets.capabilities.lake.adopt import adopt
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.lineage.model import Asset, Mesh
from mesh_assets.capabilities.publishing.adopted import base_of
from mesh_assets.capabilities.publishing.auditor import Auditor
from mesh_assets.capabilities.publishing.bench import PIN_LASTS, pinned
from mesh_assets.capabilities.publishing.build import Built, record_of, refuse
from mesh_assets.capabilities.publishing.certify import told_result
from mesh_assets.capabilities.publishing.keep import artifact_folder
from mesh_assets.capabilities.publishing.keys import all_partitions
from mesh_assets.capabilities.publishing.lake_words import comments_of, within_the_lake
from mesh_assets.capabilities.publishing.quarantine import Sifted, rows_aside
from mesh_assets.capabilities.publishing.stale import find_sources, keys_now, read_heads, source_versions
from mesh_assets.capabilities.publishing.stamp import leave_stamp
from mesh_assets.capabilities.publishing.supply import supply_now
from mesh_assets.capabilities.publishing.workshop import Bench, Work, Workshop
from mesh_assets.capabilities.registry import as_json
from mesh_assets.words.errors import MeshError, NothingToRollBack, VersionLost
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import PartOfPromotion
from mesh_assets.words.rules import Verdict
from mesh_assets.words.versions import WHOLE, BuildOutcome, Certificate, Draft, Version


@dataclass(frozen=True)
class Dependent:
    """Something that is made from the product, directly or not."""

    name: ProductName
    direct: bool
    #: The version of the product that it was made from; None if it was never built, or not directly from it.
    made_from: int | None


def roll_back(workshop: Workshop, target: Version, *, why: str = "") -> Built:
    """Publish a version's content again as the newest version; raises PromiseBroken if it no longer keeps
    the contract, NothingToRollBack, and VersionLost.
    """
    asset = workshop.asset(target.product)
    head = workshop.registry.head(target.product)
    if head is None or target.number == head.number:
        raise NothingToRollBack(product=target.product, number=target.number)
    _refuse_part(workshop, target, head)
    work = Work(
        asset=asset,
        inputs=read_heads(workshop, asset),
        sources={},
        keys=_keys_of_now(workshop, asset, head),
        partitions=_partitions_to_change(workshop, target, head),
        head=head,
        started=datetime.now(UTC),
        clock=time.monotonic(),
    )
    if not work.partitions:
        raise NothingToRollBack(product=target.product, number=target.number)
    with _kept(workshop, work, target), _bench(workshop, work) as bench:
        draft = _draft(work, target, bench)
        auditor = Auditor(bench, work)
        verdict = auditor.audit(draft)
        if verdict.stops_publication:
            refuse(auditor, draft, Sifted(draft, verdict))
        _refuse_damaged(draft, verdict, target)
        return _publish(bench, work, Sifted(draft, verdict, _aside(work, target, bench)), target, why=why)


def _refuse_part(workshop: Workshop, target: Version, head: Version) -> None:
    """What a promotion moved together goes back together: no run could have made one without the others."""
    for each in workshop.registry.promotions_of(target.product):
        mine = next(one for one in each.moved if one.product == target.product)
        others = [str(one.product) for one in each.moved if one.product != target.product]
        if target.number < mine.after <= head.number and (others or each.after):
            told = ", ".join(others) or "the code that makes it"
            raise PartOfPromotion(product=target.product, number=target.number, id=each.id, others=told)


def dependents_of(
    mesh: Mesh, registry_heads: Mapping[ProductName, Version], name: ProductName
) -> list[Dependent]:
    """Everything that is made from a product, those that read it first."""
    found = []
    for each in sorted(mesh.downstream([name]) - {name}):
        version = registry_heads.get(each)
        read = [one.number for one in version.certificate.inputs if one.product == name] if version else []
        found.append(Dependent(each, name in mesh.assets[each].needs, read[0] if read else None))
    return sorted(found, key=lambda each: (not each.direct, each.name))


def _keys_of_now(workshop: Workshop, asset: Asset, head: Version) -> Mapping[str, str]:
    """What a build of this moment would be made of: held. A source may be what is broken: then the head's."""
    try:
        inputs = read_heads(workshop, asset)
        supply = supply_now(workshop, asset, inputs, all_partitions(asset.partitioning))
        files = find_sources(workshop, asset, supply.partitions)
        return keys_now(workshop, asset, inputs, source_versions(workshop, asset, files))
    except MeshError:
        return head.certificate.input_keys


def _partitions_to_change(workshop: Workshop, target: Version, head: Version) -> tuple[str, ...]:
    """Partitions that differ; all of them where columns do."""
    asset = workshop.asset(target.product)
    if asset.partitioning is None:
        return (WHOLE,)
    before, now = target.certificate, head.certificate
    keys = sorted({*before.partitions, *now.partitions})
    if _shape(target) != _shape(head):
        return tuple(keys)
    aside = before.quarantine.get("partitions", {}), now.quarantine.get("partitions", {})
    return tuple(
        key
        for key in keys
        if before.partitions.get(key, {}).get("fingerprint") != now.partitions.get(key, {}).get("fingerprint")
        or aside[0].get(key, {}).get("fingerprint") != aside[1].get(key, {}).get("fingerprint")
    )


def _shape(version: Version) -> set[str]:
    """Fingerprints begin with a digest of the columns."""
    return {
        str(each["fingerprint"]).split(":")[1]
        for each in version.certificate.partitions.values()
        if each["fingerprint"]
    }


@contextmanager
def _kept(workshop: Workshop, work: Work, target: Version) -> Iterator[None]:
    """Nobody may expire what is read, the older version included."""
    with pinned(workshop, work):
        holder = f"run {workshop.run_id} {work.asset.name}"
        workshop.registry.keep(holder, target.product, target.number, datetime.now(UTC) + PIN_LASTS)
        yield


@contextmanager
def _bench(workshop: Workshop, work: Work) -> Iterator[Bench]:
    """A place to audit on; no recipe runs, so there are no sources."""
    con = connect(workshop.settings)
    artifacts = workshop.scratch / "artifacts" / str(work.asset.name)
    try:
        yield Bench(workshop, work.asset, work.inputs, {}, work.partitions, con, artifacts)
    finally:
        con.close()
        shutil.rmtree(workshop.settings.staging / workshop.run_id, ignore_errors=True)


def _draft(work: Work, target: Version, bench: Bench) -> Draft:
    column = work.asset.partitioning.column if work.asset.partitioning else None
    return adopt(
        bench.workshop.settings.of(target.stored),
        target.product,
        target.snapshot,
        into=bench.workshop.settings,
        run_id=bench.workshop.run_id,
        partition_column=column,
        partitions=work.partitions,
    )


def _aside(work: Work, target: Version, bench: Bench) -> Draft | None:
    """The rows that the older version had in quarantine; none of them if it had none and the head has."""
    assert work.head is not None
    for version, kept in ((target, True), (work.head, False)):
        if version.certificate.quarantine.get("table"):
            found = adopt(
                bench.workshop.settings.of(version.stored),
                target.product.quarantine,
                version.snapshot,
                into=bench.workshop.settings,
                run_id=bench.workshop.run_id,
                partition_column=work.asset.partitioning.column if work.asset.partitioning else None,
                partitions=work.partitions,
            )
            return found if kept else replace(found, files=())
    return None


def _refuse_damaged(draft: Draft, verdict: Verdict, target: Version) -> None:
    """The bytes must still be what the certificate says."""
    for partition in draft.partitions:
        told = target.certificate.partitions.get(partition, {})
        if told.get("rows") and told["fingerprint"] != verdict.fingerprints.get(partition):
            raise VersionLost(
                product=target.product, snapshot=target.snapshot, file=f"partition {partition!r}", count=1
            )


def _publish(bench: Bench, work: Work, sifted: Sifted, target: Version, *, why: str) -> Built:
    workshop, head = bench.workshop, work.head
    assert head is not None
    certificate = _certificate(workshop, work, sifted.verdict, target, why=why)
    _copy_artifacts(workshop, target)
    committed = commit(
        workshop.settings,
        sifted.draft,
        who=workshop.who,
        extra={
            "fingerprint": certificate.fingerprint,
            "rows": certificate.rows,
            "rolled_back_to": target.number,
        },
        comments=comments_of(work.asset),
        base=base_of(workshop, work),
        beside=sifted.aside,
    )
    beside = list(within_the_lake(workshop, work.asset, committed.files_beside))
    certificate = replace(
        certificate,
        snapshot=committed.snapshot,
        files=within_the_lake(workshop, work.asset, committed.files),
        quarantine={**certificate.quarantine, "files": beside} if certificate.quarantine else {},
        finished=datetime.now(UTC),
    )
    write_manifest(workshop.settings, target.product, workshop.run_id, as_json(certificate))
    (version,) = workshop.registry.release(
        [certificate],
        expected={target.product: head.number},
        reads={name: each.number for name, each in work.inputs.items()},
        who=workshop.who,
        run_id=workshop.run_id,
    )
    leave_stamp(workshop.settings, version)
    record = replace(
        record_of(workshop, work, BuildOutcome.PUBLISHED, sifted.verdict),
        version=version.number,
        rows=version.rows,
        message=f"rolled back from version {head.number} to {target.number}",
        details=rows_aside(version),
    )
    workshop.registry.record_build(record, sifted.verdict.results)
    return Built(record, sifted.verdict, version)


def _certificate(
    workshop: Workshop, work: Work, verdict: Verdict, target: Version, *, why: str
) -> Certificate:
    assert work.head is not None
    contract, now = work.asset.contract, datetime.now(UTC)
    facts = {"from": work.head.number, "to": target.number, "who": workshop.who, "run": workshop.run_id}
    return replace(
        target.certificate,
        number=None,
        contract_version=contract.version if contract else "",
        contract_text=contract.text if contract else "",
        rule_results=tuple(told_result(result) for result in verdict.results),
        started=work.started,
        finished=now,
        run_id=workshop.run_id,
        who=workshop.who,
        rolled_back={**facts, "why": why},
        promises={},  # what the rules say now is not what the older certificate has
        hold={**facts, "since": now.isoformat(timespec="seconds"), "keys": dict(work.keys)},
    )


def _copy_artifacts(workshop: Workshop, target: Version) -> None:
    """Reports that the recipe left lie under the run's id: the new run gets them too."""
    if not target.certificate.artifacts:
        return
    source = artifact_folder(workshop.settings.of(target.stored), target.product, target.run_id)
    into = artifact_folder(workshop.settings, target.product, workshop.run_id)
    store = store_at(source)
    for each in store.below(source):
        store.copy(each.path, f"{into}{each.path.removeprefix(source)}")
