"""The one path: pin, make a draft, audit it, commit it, release it. There is no other way to write."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from mesh_assets.capabilities.lake import commit, stage, write_manifest
from mesh_assets.capabilities.lake.spare import drop_spare
from mesh_assets.capabilities.lake.told import told_of_disks
from mesh_assets.capabilities.publishing.adopted import base_of
from mesh_assets.capabilities.publishing.again import Tries, persist
from mesh_assets.capabilities.publishing.auditor import Auditor
from mesh_assets.capabilities.publishing.bench import pinned, set_up_bench
from mesh_assets.capabilities.publishing.certify import artifact_digests, certify
from mesh_assets.capabilities.publishing.corrections import corrected
from mesh_assets.capabilities.publishing.fence import refuse_old_code
from mesh_assets.capabilities.publishing.holds import hold_after, told_of_hold
from mesh_assets.capabilities.publishing.keep import keep_artifacts, keep_draft
from mesh_assets.capabilities.publishing.lake_words import comments_of, within_the_lake
from mesh_assets.capabilities.publishing.lineage_told import lineage_facts
from mesh_assets.capabilities.publishing.lost import head_lost
from mesh_assets.capabilities.publishing.make import make, recipe_failed
from mesh_assets.capabilities.publishing.outside import refuse_outside
from mesh_assets.capabilities.publishing.pauses import refuse_paused
from mesh_assets.capabilities.publishing.quarantine import (
    Sifted,
    changed_aside,
    narrowed,
    quarantine_after,
    rows_aside,
    sift,
)
from mesh_assets.capabilities.publishing.record import failures_on_record
from mesh_assets.capabilities.publishing.stale import (
    asked_partitions,
    find_sources,
    found_equal,
    keys_now,
    partitions_to_make,
    read_heads,
    source_versions,
)
from mesh_assets.capabilities.publishing.stamp import leave_stamp
from mesh_assets.capabilities.publishing.supply import supply_now, told_aside
from mesh_assets.capabilities.publishing.workshop import Bench, Work, Workshop
from mesh_assets.capabilities.registry import as_json
from mesh_assets.words.errors import NoPartitionYet, PromiseBroken
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Verdict
from mesh_assets.words.versions import (
    WHOLE,
    BuildOutcome,
    BuildRecord,
    Certificate,
    Draft,
    InputVersion,
    Version,
)


@dataclass(frozen=True)
class Built:
    """How a build ended, for whoever asked for it."""

    record: BuildRecord
    verdict: Verdict | None
    version: Version | None


@dataclass(frozen=True)
class Ready:
    """A version that is audited and committed, and that nobody is shown before its release."""

    work: Work
    certificate: Certificate
    verdict: Verdict
    #: What it changes of the version that readers see now.
    partitions: tuple[str, ...]

    @property
    def expected(self) -> dict[ProductName, int | None]:
        head = self.work.head
        return {self.work.asset.name: head.number if head else None}


def build(workshop: Workshop, name: ProductName) -> Built:
    """Make a new version visible, or say that nothing changed, or leave readers on the old one and say why.

    If somebody else publishes meanwhile what this build stands on, it looks again and goes on from there.
    Raises PromiseBroken when a blocking rule failed, and every other MeshError that a recipe, source or
    contract can cause; the failed build is on record by then.
    """
    tries = Tries()

    def attempt() -> Built:
        ready = prepare(workshop, name, tries)
        return ready if isinstance(ready, Built) else release(workshop, ready)

    try:
        with failures_on_record(workshop, name):
            return persist(attempt, lambda: tries.recipes)
    finally:
        drop_spare(workshop.settings, workshop.run_id)


def prepare(workshop: Workshop, name: ProductName, tries: Tries) -> Built | Ready:
    """All of the path but the release; Built if there is nothing to release."""
    asset, started, clock = workshop.asset(name), _now(), time.monotonic()
    refuse_outside(workshop.settings, name)
    refuse_paused(workshop, asset)
    fence = refuse_old_code(workshop, asset)
    inputs = read_heads(workshop, asset)
    supply = supply_now(workshop, asset, inputs, asked_partitions(workshop, asset))
    head = workshop.registry.head(asset.name)
    if not supply.partitions and (supply.broken or head is None):
        raise supply.error or NoPartitionYet(product=name)
    files = find_sources(workshop, asset, supply.partitions) if supply.partitions else {}
    sources = source_versions(workshop, asset, files)
    keys = keys_now(workshop, asset, inputs, sources)
    work = Work(
        asset=asset,
        inputs=inputs,
        sources=sources,
        keys=keys,
        partitions=partitions_to_make(workshop, asset, keys, supply),
        head=head,
        started=started,
        clock=clock,
        set_aside=supply.set_aside,
        fence=fence,
    )
    if not work.partitions:
        if supply.broken:
            raise next(iter(supply.broken.values()))
        return _unchanged(workshop, work, None)
    with pinned(workshop, work), set_up_bench(workshop, work) as bench:
        auditor = Auditor(bench, work)
        draft = tries.draft(bench, work, lambda: corrected(auditor, draft_of(bench)))
        sifted = sift(auditor, draft)
        if sifted.refused:
            refuse(auditor, draft, sifted)
        sifted = _only_changed(bench, work, sifted)
        if not sifted.draft.partitions:
            return _unchanged(workshop, work, sifted)
        return _committed(workshop, work, bench, sifted)


def draft_of(bench: Bench) -> Draft:
    """Run the recipe and write its result where nobody reads."""
    import duckdb

    asset = bench.asset
    query = make(bench)
    try:
        with told_of_disks(bench.workshop.settings.staging):
            return stage(
                bench.con,
                query,
                product=asset.name,
                run_id=bench.workshop.run_id,
                settings=bench.workshop.settings,
                partition_column=asset.partitioning.column if asset.partitioning else None,
                partitions=bench.partitions,
                columns=tuple((column.name, column.physical_type) for column in asset.contract.columns)
                if asset.contract
                else None,
                audited=True,
            )
    except duckdb.Error as error:  # the recipe's SQL runs only now, when its rows are written
        raise recipe_failed(bench, error) from error


def refuse(auditor: Auditor, draft: Draft, sifted: Sifted) -> None:
    """Keep the draft with its failing rows, put the refusal on record, and raise PromiseBroken."""
    work, workshop, verdict = auditor.work, auditor.bench.workshop, sifted.verdict
    kept = keep_draft(auditor, draft, verdict)
    first, *others = verdict.broken
    error = PromiseBroken(
        product=work.asset.name,
        rule=first.rule.id,
        summary=first.summary + sifted.over,
        more=len(others),
        live=work.head.number if work.head else None,
    )
    record = record_of(workshop, work, BuildOutcome.REFUSED, verdict)
    record = replace(record, message=str(error), draft=str(kept), rows=verdict.rows)
    workshop.registry.record_build(record, verdict.results)
    error.verdict = verdict  # type: ignore[attr-defined]  # for whoever shows the rules
    raise error


def _only_changed(bench: Bench, work: Work, sifted: Sifted) -> Sifted:
    """What differs from the version that readers see, partition by partition, rows set aside included; all
    of it if promise or artifacts changed.
    """
    if (
        work.head is None
        or _promise_changed(work)
        or _artifacts_changed(bench, work)
        or head_lost(bench.workshop, work)
    ):
        return sifted
    published, verdict = work.head.certificate.partitions, sifted.verdict
    changed = [
        partition
        for partition in sifted.draft.partitions
        if published.get(partition, {}).get("fingerprint") != verdict.fingerprints.get(partition, "")
        or verdict.partition_rows.get(partition, 0) != published.get(partition, {}).get("rows", 0)
        or changed_aside(work, sifted, partition)
    ]
    return narrowed(sifted, changed)


def _promise_changed(work: Work) -> bool:
    assert work.head is not None
    contract, certificate = work.asset.contract, work.head.certificate
    if contract is not None and contract.text != certificate.contract_text:
        return True
    # What a consumer expects promises nothing: no file of another domain's makes a version.
    said = [result["id"] for result in certificate.rule_results if not result.get("expected_by")]
    return [rule.id for rule in work.asset.own_rules] != said


def _artifacts_changed(bench: Bench, work: Work) -> bool:
    assert work.head is not None
    return dict(work.head.certificate.artifacts) != artifact_digests(bench.artifacts)


def _committed(workshop: Workshop, work: Work, bench: Bench, sifted: Sifted) -> Ready:
    draft, verdict = sifted.draft, sifted.verdict
    keep_artifacts(workshop, bench)
    certificate = certify(
        workshop,
        work.asset,
        verdict=verdict,
        head=work.head,
        partitions=_partitions_after(work, draft, verdict),
        inputs=tuple(
            InputVersion(name, version.number, version.snapshot, version.fingerprint)
            for name, version in work.inputs.items()
        ),
        sources=work.sources,
        input_keys=_keys_after(workshop, work),
        artifacts=artifact_digests(bench.artifacts),
        lineage=lineage_facts(workshop, work, bench.asked.seen),
        started=work.started,
    )
    hold = hold_after(workshop.registry, work.head, work.partitions)
    certificate = replace(certificate, hold=hold, set_aside=work.set_aside)
    committed = commit(
        workshop.settings,
        draft,
        who=workshop.who,
        extra={"fingerprint": certificate.fingerprint, "rows": certificate.rows, **_told_aside(sifted)},
        comments=comments_of(work.asset),
        base=base_of(workshop, work),
        beside=sifted.aside,
        guard=partial(refuse_if_moved, workshop, work),
    )
    certificate = replace(
        certificate,
        snapshot=committed.snapshot,
        files=within_the_lake(workshop, work.asset, committed.files),
        quarantine=quarantine_after(
            work, sifted, within_the_lake(workshop, work.asset, committed.files_beside)
        ),
        finished=_now(),
    )
    write_manifest(workshop.settings, work.asset.name, workshop.run_id, as_json(certificate))
    return Ready(work, certificate, verdict, draft.partitions)


def refuse_if_moved(workshop: Workshop, work: Work) -> None:
    """Raise ReleaseConflict before a commit that could not be released any more."""
    workshop.registry.refuse_if_moved(
        {work.asset.name: work.head.number if work.head else None},
        {name: each.number for name, each in work.inputs.items()},
    )


def release(workshop: Workshop, ready: Ready) -> Built:
    """Show readers the version; raises ReleaseConflict if what it stands on has moved."""
    (version,) = workshop.registry.release(
        [ready.certificate],
        expected=ready.expected,
        reads={name: each.number for name, each in ready.work.inputs.items()},
        fences={ready.certificate.product: ready.work.fence},
        who=workshop.who,
        run_id=workshop.run_id,
    )
    return after_release(workshop, ready, version)


def after_release(workshop: Workshop, ready: Ready, version: Version) -> Built:
    """The stamp on the manifest and the build's line in the registry."""
    leave_stamp(workshop.settings, version)
    record = replace(
        record_of(workshop, ready.work, BuildOutcome.PUBLISHED, ready.verdict),
        version=version.number,
        rows=version.rows,
        message=told_aside(ready.work.set_aside),
        details=rows_aside(version),
    )
    workshop.registry.record_build(record, ready.verdict.results)
    return Built(record, ready.verdict, version)


def _told_aside(sifted: Sifted) -> dict[str, object]:
    """Makes a commit with other rows set aside another commit."""
    return (
        {"aside": {key: each.get("fingerprint") for key, each in sifted.held.items()}} if sifted.held else {}
    )


def _partitions_after(work: Work, draft: Draft, verdict: Verdict) -> dict[str, dict[str, object]]:
    """Every partition that the new version will hold: the head's, with the draft's in their place."""
    kept = dict(work.head.certificate.partitions) if work.head and draft.partition_column else {}
    made = {
        partition: {
            "fingerprint": verdict.fingerprints.get(partition, ""),
            "rows": verdict.partition_rows.get(partition, 0),
        }
        for partition in (draft.partitions if draft.partition_column else (WHOLE,))
    }
    return {**{key: dict(value) for key, value in kept.items()}, **made}


def _keys_after(workshop: Workshop, work: Work) -> dict[str, str]:
    """Keys of the partitions made now, and of the others as they were last found."""
    head = work.head
    kept = {**head.certificate.input_keys, **found_equal(workshop.registry, head)} if head else {}
    return {**kept, **{partition: work.keys[partition] for partition in work.partitions}}


def _unchanged(workshop: Workshop, work: Work, sifted: Sifted | None) -> Built:
    assert work.head is not None
    verdict = sifted.verdict if sifted else None
    results = work.head.certificate.rule_results
    record = record_of(workshop, work, BuildOutcome.UNCHANGED, verdict)
    record = replace(
        record,
        version=work.head.number,
        rows=work.head.rows,
        message=told_of_hold(workshop.registry, work.head) or told_aside(work.set_aside),
        passed=sum(result["outcome"] == "passed" for result in results),
        warned=sum(result["outcome"] != "passed" for result in results),
        details={"input_keys": _keys_after(workshop, work), **rows_aside(work.head)},
    )
    workshop.registry.record_build(record, verdict.results if verdict else ())
    return Built(record, verdict, work.head)


def record_of(workshop: Workshop, work: Work, outcome: BuildOutcome, verdict: Verdict | None) -> BuildRecord:
    return BuildRecord(
        product=work.asset.name,
        run_id=workshop.run_id,
        outcome=outcome,
        started=work.started,
        seconds=time.monotonic() - work.clock,
        passed=len(verdict.passed) if verdict else 0,
        warned=len(verdict.warned) if verdict else 0,
        failed=len(verdict.broken) if verdict else 0,
    )


def _now() -> datetime:
    return datetime.now(UTC)
