"""One step per product: the audited path inside a Dagster op.

A refused draft yields its failed checks and then raises, before any materialization: so nothing downstream,
in this run, another location, a schedule or a backfill, can take it for done.

Annotations are evaluated here: Dagster looks at the class that stands beside `context`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import extract_data_version_from_entry

from mesh_assets.capabilities.lineage.model import Asset, DomainAssets
from mesh_assets.capabilities.orchestration.alive import working
from mesh_assets.capabilities.orchestration.describe import asset_key, asset_spec, check_spec
from mesh_assets.capabilities.orchestration.failing import one_failure
from mesh_assets.capabilities.orchestration.tools import dagster_tools
from mesh_assets.words.errors import PromiseBroken
from mesh_assets.words.rules import Outcome, RuleResult, Verdict
from mesh_assets.words.settings import read_settings
from mesh_assets.words.versions import BuildOutcome, Version

FORCE = "mesh/force"

#: How columns are known -> what Dagster's column lineage then is.
LINEAGE_TOLD = {
    "parsed": "parsed: read from the SQL",
    "declared": "declared: any column may be from any that the recipe declares",
    "observed": "observed: what the recipe asked for when this version was made",
    "all": "all: any column may be from any column of the inputs",
}

#: Times that what was not expected is tried again, and the seconds before the first.
TRIES_MORE, FIRST_PAUSE = 2, 2

Event = dg.MaterializeResult[Any] | dg.AssetCheckResult


def product_step(domain: DomainAssets, asset: Asset) -> dg.AssetsDefinition:
    """Build, audit and publish the product; with only checks selected, run these on what is published."""

    @dg.multi_asset(
        name=f"{asset.name.domain}__{asset.name.product}",
        specs=[asset_spec(domain, asset)],
        check_specs=[check_spec(asset, rule) for rule in asset.rules],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run() if asset.partitioning else None,
        pool=f"{asset.name.domain}_lake",
        op_tags={"mesh/domain": asset.name.domain},
    )
    def step(context: dg.AssetExecutionContext) -> Iterator[Event]:
        with _tried_again(context), _told(), working(read_settings(), context.run.run_id):
            if asset_key(asset.name) in context.selected_asset_keys:
                yield from _build(context, domain, asset)
            else:
                yield from _audit_published(context, domain, asset)

    return step


@contextmanager
def _tried_again(context: dg.AssetExecutionContext) -> Iterator[None]:
    """What may pass is tried again with growing pauses.

    Not a RetryPolicy: with one, Dagster tries a step again that somebody has stopped, and the run goes on.
    """
    try:
        yield
    except Exception as error:
        final = isinstance(error, dg.Failure) and not error.allow_retries
        if final or context.retry_number >= TRIES_MORE:
            raise
        pause = FIRST_PAUSE * 2**context.retry_number
        raise dg.RetryRequested(max_retries=TRIES_MORE, seconds_to_wait=pause) from error


def model_step(domain: DomainAssets, models: list[Asset]) -> dg.AssetsDefinition:
    """Private dbt models of a domain: made together, in the scratch database of the run."""

    @dg.multi_asset(
        name=f"{domain.domain.name}__dbt_models",
        specs=[asset_spec(domain, model) for model in models],
        can_subset=True,
        op_tags={"mesh/domain": domain.domain.name},
    )
    def step(context: dg.AssetExecutionContext) -> Iterator[Event]:
        from mesh_assets.capabilities.publishing.dbt import make_models, rows_of
        from mesh_assets.capabilities.publishing.pauses import refuse_paused_models
        from mesh_assets.capabilities.publishing.record import on_record

        chosen = [model for model in models if asset_key(model.name) in context.selected_asset_keys]
        with _told():
            workshop = _workshop(context, domain)
            refuse_paused_models(workshop, chosen)
        with (
            _told(),
            working(workshop.settings, context.run.run_id),
            on_record(workshop, [model.name for model in chosen]),
        ):
            make_models(workshop, chosen, workshop.weeks or ())
        for model in chosen:
            yield dg.MaterializeResult(
                asset_key=asset_key(model.name),
                metadata={"dagster/row_count": rows_of(workshop, model), "kept": "no: scratch of this run"},
            )

    return step


def _build(context: dg.AssetExecutionContext, domain: DomainAssets, asset: Asset) -> Iterator[Event]:
    from mesh_assets.capabilities.publishing.build import build
    from mesh_assets.capabilities.publishing.pauses import announced_to

    checks = {key.name for key in context.selected_asset_check_keys}
    workshop = _workshop(context, domain)
    for note in announced_to(workshop, asset):
        context.log.warning(f"{asset.name} reads what is announced to change: {note}")
    try:
        built = build(workshop, asset.name)
    except PromiseBroken as refused:
        verdict: Verdict = refused.verdict  # type: ignore[attr-defined]
        yield from check_results(asset, verdict.results, checks)
        raise dg.Failure(description=str(refused), allow_retries=False) from None
    assert built.version is not None
    if built.verdict is not None:
        yield from check_results(asset, built.verdict.results, checks)
    else:
        yield from _certified_results(asset, built.version, checks)
        yield from _expected_results(context, domain, asset, checks)
    context.log.info(f"{asset.name}: {built.record.outcome}, version {built.version.number}")
    yield dg.MaterializeResult(
        asset_key=asset_key(asset.name),
        data_version=dg.DataVersion(
            _data_version(
                context, asset, built.version, changed=built.record.outcome is BuildOutcome.PUBLISHED
            )
        ),
        metadata=version_metadata(built.version, str(built.record.outcome), _only_week(context)),
    )


def _audit_published(
    context: dg.AssetExecutionContext, domain: DomainAssets, asset: Asset
) -> Iterator[Event]:
    from mesh_assets.capabilities.publishing.reaudit import reaudit

    checks = {key.name for key in context.selected_asset_check_keys}
    with _told():
        version, verdict = reaudit(_workshop(context, domain), asset.name, only=checks)
    context.log.info(f"{asset.name}: held {len(checks)} rules against version {version.number} again")
    yield from check_results(asset, verdict.results, checks)


def _workshop(context: dg.AssetExecutionContext, domain: DomainAssets) -> Any:
    """What this run's builds share, from what Dagster knows of the run."""
    from mesh_assets.capabilities.lake import sweep
    from mesh_assets.capabilities.publishing.code import who
    from mesh_assets.capabilities.publishing.workshop import Workshop
    from mesh_assets.capabilities.registry import open_registry

    settings = read_settings()
    sweep(settings, keep=frozenset([context.run.run_id]))
    chosen = context.op_execution_context.job_def.asset_layer.selected_asset_keys
    return Workshop(
        settings=settings,
        registry=open_registry(settings),
        domain=domain,
        run_id=context.run.run_id,
        who=context.run.tags.get("user") or who(),
        tools=dagster_tools(context),
        selected=frozenset(asset.name for asset in domain.assets if asset_key(asset.name) in chosen),
        weeks=tuple(context.partition_keys)
        if context.has_partition_key or context.has_partition_key_range
        else None,
        force=context.run.tags.get(FORCE) == "true",
    )


@contextmanager
def _told() -> Iterator[None]:
    """A mesh error, or a disk's, as one Dagster failure in its own words, tried again only if it may pass."""
    with one_failure(read_settings().home):
        yield


def check_results(
    asset: Asset, results: tuple[RuleResult, ...], wanted: set[str]
) -> Iterator[dg.AssetCheckResult]:
    for result in results:
        if result.rule.id in wanted:
            yield dg.AssetCheckResult(
                asset_key=asset_key(asset.name),
                check_name=result.rule.id,
                passed=result.outcome is Outcome.PASSED,
                severity=_severity(result.rule.blocking and not result.quarantined_rows),
                description=result.summary,
                metadata=_result_metadata(result, asset),
            )


def _certified_results(asset: Asset, version: Version, wanted: set[str]) -> Iterator[dg.AssetCheckResult]:
    """Nothing was audited again because nothing changed: what the certificate says still holds."""
    said: Mapping[str, Mapping[str, Any]] = {each["id"]: each for each in version.certificate.rule_results}
    for rule in asset.own_rules:
        if rule.id in wanted and rule.id in said:
            result = said[rule.id]
            yield dg.AssetCheckResult(
                asset_key=asset_key(asset.name),
                check_name=rule.id,
                passed=result["outcome"] == "passed",
                severity=_severity(rule.blocking and not result.get("quarantined_rows")),
                description=f"{result['summary']} (certificate of version {version.number})",
                metadata=_rows_metadata(
                    result["failed_rows"], result.get("quarantined_rows", 0), result.get("sample", ()), asset
                ),
            )


def _severity(blocking: bool) -> dg.AssetCheckSeverity:
    """A blocking rule whose bad rows were set aside warns: what is published keeps it."""
    return dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN


def _expected_results(
    context: dg.AssetExecutionContext, domain: DomainAssets, asset: Asset, wanted: set[str]
) -> Iterator[dg.AssetCheckResult]:
    """Consumers change what they expect whenever they like: their rules run again, the product stays."""
    from mesh_assets.capabilities.publishing.reaudit import reaudit

    theirs = {rule.id for rule in asset.expected} & wanted
    if not theirs:
        return
    with _told():
        _, verdict = reaudit(_workshop(context, domain), asset.name, only=theirs)
    yield from check_results(asset, verdict.results, theirs)


def _result_metadata(result: RuleResult, asset: Asset) -> dict[str, Any]:
    found: dict[str, Any] = {"checked rows": result.checked_rows}
    if result.rule.dimension:
        found["dimension"] = result.rule.dimension
    if result.rule.expected_by:
        found["expected by"] = result.rule.expected_by
    if result.value is not None:
        found["measured"] = result.value
    if result.outcome is Outcome.ERROR:
        found["could not run"] = True
    return {**found, **_rows_metadata(result.failed_rows, result.quarantined_rows, result.sample, asset)}


def _rows_metadata(
    failed: int | None, quarantined: int, sample: Sequence[Mapping[str, Any]], asset: Asset
) -> dict[str, Any]:
    """How many rows broke the rule, some of them as a table (masked already), and how to get all."""
    found: dict[str, Any] = {} if failed is None else {"failed rows": failed}
    if quarantined:
        found["quarantined rows"] = quarantined
        found["see them"] = dg.MetadataValue.md(f"`mesh quarantine {asset.name}`")
    if sample:
        names = list(dict.fromkeys(name for row in sample for name in row))
        found["failing rows"] = dg.MetadataValue.table(
            records=[dg.TableRecord({name: _plain(row.get(name)) for name in names}) for row in sample],
            schema=dg.TableSchema(columns=[dg.TableColumn(name=name, type="string") for name in names]),
        )
    return found


def _plain(value: Any) -> str:
    return "null" if value is None else str(value)


def version_metadata(version: Version, outcome: str, week: str | None) -> dict[str, Any]:
    certificate = version.certificate
    rows = certificate.partitions.get(week, {}).get("rows", 0) if week else version.rows
    return {
        "dagster/row_count": int(rows),
        "version": version.number,
        "outcome": outcome,
        "snapshot": version.snapshot,
        "fingerprint": version.fingerprint,
        "contract version": version.contract_version,
        "published": version.published.isoformat(timespec="seconds"),
        "inputs": dg.MetadataValue.json({str(each.product): each.number for each in certificate.inputs}),
        "code": (certificate.git_commit or "no commit")[:12]
        + (" with changes" if certificate.git_dirty else ""),
        **_quarantine_metadata(version),
        **_lineage_metadata(version),
    }


def _origins(lineage: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """Own column -> where its values may be from: all that is read, where that is said and no more known."""
    columns, reads = lineage.get("columns") or {}, lineage.get("reads") or {}
    if columns or None in reads.values():
        return columns
    read = [f"{product}.{column}" for product, names in sorted(reads.items()) for column in names]
    return dict.fromkeys(lineage.get("own") or (), read)


def _lineage_metadata(version: Version) -> dict[str, Any]:
    """Dagster draws it per column; where it is not known by column, that is told in words."""
    found = {
        name: [
            dg.TableColumnDep(dg.AssetKey(origin.split(".")[:2]), origin.split(".", 2)[2])
            for origin in origins
        ]
        for name, origins in _origins(version.certificate.lineage).items()
        if origins
    }
    drawn = {"dagster/column_lineage": dg.TableColumnLineage(found)} if found else {}
    how = version.certificate.lineage.get("how")
    return {**drawn, "column lineage": LINEAGE_TOLD[how]} if how in LINEAGE_TOLD else drawn


def _quarantine_metadata(version: Version) -> dict[str, Any]:
    held = version.certificate.quarantine
    if not held.get("rows"):
        return {}
    return {
        "quarantined rows": held["rows"],
        "quarantined by rule": dg.MetadataValue.json(dict(held["rules"])),
        "quarantine": dg.MetadataValue.md(f"`mesh quarantine {version.product}`, table `{held['table']}`"),
    }


def _data_version(context: dg.AssetExecutionContext, asset: Asset, version: Version, *, changed: bool) -> str:
    """The product's fingerprint; a week that a run found unchanged keeps the one that Dagster has of it.

    A run over many weeks reports one data version for all of them: no week's own fingerprint will do.
    """
    if not changed and _only_week(context) is not None:
        record = context.instance.get_latest_data_version_record(
            asset_key(asset.name), partition_key=_only_week(context)
        )
        known = extract_data_version_from_entry(record.event_log_entry) if record else None
        if known is not None:
            return known.value
    return version.fingerprint or "empty"


def _only_week(context: dg.AssetExecutionContext) -> str | None:
    keys = (
        tuple(context.partition_keys) if context.has_partition_key or context.has_partition_key_range else ()
    )
    return keys[0] if len(keys) == 1 else None
