"""Builds as OpenLineage 2-0-2 run events: START, then COMPLETE or FAIL, with what they read and made.

Here: the documents. Not here: delivering them (lineage_out), events of other tools (foreign).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mesh_assets.capabilities.registry.certificates import as_json
from mesh_assets.capabilities.registry.events import Logged
from mesh_assets.words.rules import Outcome, RuleResult, Severity
from mesh_assets.words.versions import BuildOutcome, Certificate, Version

SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACETS = "https://openlineage.io/spec/facets"
PRODUCER = "urn:mesh-assets:openlineage:1"
#: The schema is in this package: `schemas/MeshCertificateDatasetFacet.json`.
CERTIFICATE = "urn:mesh-assets:openlineage:1-0-0:MeshCertificateDatasetFacet"
#: Run ids that are no UUIDs become some, always the same.
RUNS = uuid.UUID("8f1f7f6e-6b0c-5a3e-9c1d-2a5b8d0e4c77")
BAD = (BuildOutcome.REFUSED, BuildOutcome.FAILED)
#: What a consumer of lineage needs not be told: it is long, or it is a file of ours.
LEFT_OUT = {
    "contract_text",
    "files",
    "packages",
    "partitions",
    "input_keys",
    "rule_results",
    "quarantine",
    "lineage",
}


@dataclass(frozen=True)
class Names:
    """How this mesh calls itself in lineage."""

    namespace: str
    #: (name, type, description) of columns, by product.
    columns: Mapping[str, Sequence[tuple[str, str, str]]] = field(default_factory=dict)
    #: What a product reads, as its files say now, for a build that came to no certificate.
    inputs: Mapping[str, Sequence[str]] = field(default_factory=dict)


def run_events(logged: Logged, version: Version | None, names: Names) -> Iterator[dict[str, Any]]:
    """The two events of a build; none of one that was skipped. `version` is what it published or found."""
    build = logged.build
    if build.outcome is BuildOutcome.SKIPPED:
        return
    certificate = version.certificate if version else None
    ended = build.started + timedelta(seconds=build.seconds)
    yield _event(logged, names, "START", build.started, certificate)
    kind = "FAIL" if build.outcome in BAD else "COMPLETE"
    done = _event(logged, names, kind, ended, certificate)
    if kind == "FAIL":
        told = _facet("ErrorMessageRunFacet", "1-0-1", message=build.message, programmingLanguage="PYTHON")
        done["run"]["facets"]["errorMessage"] = told
    assertions = _assertions(logged.results)
    if build.recheck:
        done["inputs"][0]["inputFacets"] = {"dataQualityAssertions": assertions}
    else:
        done["outputs"][0] |= _made(logged, version, names)
        if logged.results:
            done["outputs"][0]["facets"]["dataQualityAssertions"] = assertions
    yield done


def _event(
    logged: Logged, names: Names, kind: str, moment: datetime, certificate: Certificate | None
) -> dict[str, Any]:
    build, product = logged.build, str(logged.build.product)
    own = {"namespace": names.namespace, "name": product}
    return {
        "eventType": kind,
        "eventTime": moment.isoformat(timespec="milliseconds"),
        "run": {"runId": run_uuid(f"{build.run_id}/{product}/{logged.id}"), "facets": _run(logged, names)},
        "job": {
            "namespace": names.namespace,
            "name": f"{product}.recheck" if build.recheck else product,
            "facets": {
                "jobType": _facet(
                    "JobTypeJobFacet",
                    "2-0-4",
                    processingType="BATCH",
                    integration="MESH",
                    jobType="CHECK" if build.recheck else "PRODUCT",
                )
            },
        },
        "inputs": [own] if build.recheck else _inputs(product, names, certificate),
        "outputs": [] if build.recheck else [dict(own)],
        "producer": PRODUCER,
        "schemaURL": SPEC,
    }


def run_uuid(text: str) -> str:
    """The run's own UUID, or one made of its name."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid5(RUNS, text))


def _run(logged: Logged, names: Names) -> dict[str, Any]:
    """The Dagster run of the domain, in which the build was a step."""
    build = logged.build
    parent = {"namespace": names.namespace, "name": build.product.domain}
    return {
        "parent": _facet("ParentRunFacet", "1-2-0", run={"runId": run_uuid(build.run_id)}, job=parent),
        "processing_engine": {
            **_facet("ProcessingEngineRunFacet", "1-1-1"),
            "name": "mesh_assets",
            "version": "1",
        },
    }


def _facet(name: str, version: str, **values: Any) -> dict[str, Any]:
    url = f"{FACETS}/{version}/{name}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": url, **values}


def _inputs(product: str, names: Names, certificate: Certificate | None) -> list[dict[str, Any]]:
    """What was read: by the certificate with its version, else what the files say."""
    if certificate is None:
        return [{"namespace": names.namespace, "name": name} for name in names.inputs.get(product, ())]
    found: list[dict[str, Any]] = [
        {
            "namespace": names.namespace,
            "name": str(each.product),
            "facets": {"version": _version(str(each.number))},
        }
        for each in certificate.inputs
    ]
    sources: dict[str, dict[str, Any]] = {}
    for source in certificate.sources:
        name = f"{certificate.product.domain}.{source.name}"
        sources.setdefault(name, {"namespace": f"{names.namespace}:sources", "name": name})
    return found + list(sources.values())


def _version(number: str) -> dict[str, Any]:
    return _facet("DatasetVersionDatasetFacet", "1-0-1", datasetVersion=number)


def _made(logged: Logged, version: Version | None, names: Names) -> dict[str, Any]:
    """Facets of the product: its columns; version, size and certificate if there is one."""
    product = str(logged.build.product)
    fields = [
        {"name": name, "type": kind, "description": told}
        for name, kind, told in names.columns.get(product, ())
    ]
    facets = {"schema": _facet("SchemaDatasetFacet", "1-2-0", fields=fields)} if fields else {}
    if version is None:
        return {"facets": facets}
    facets["version"] = _version(str(version.number))
    facets["mesh_certificate"] = certificate_facet(version)
    facets |= _column_lineage(version, names)
    size = _facet("OutputStatisticsOutputDatasetFacet", "1-0-2", rowCount=version.rows)
    return {"facets": facets, "outputFacets": {"outputStatistics": size}}


def _column_lineage(version: Version, names: Names) -> dict[str, Any]:
    """Per column what its values are from, and beside it what else is read: for the sake of rows, or by a
    recipe of which no more is known. An input that is read as a whole is told with all of its columns.
    """
    told = version.certificate.lineage

    def field(origin: str, kind: str) -> dict[str, Any]:
        domain, product, column = origin.split(".", 2)
        place = {"namespace": names.namespace, "name": f"{domain}.{product}", "field": column}
        return {**place, "transformations": [{"type": kind}]}

    values = {name: origins for name, origins in (told.get("columns") or {}).items() if origins}
    fields = {
        name: {"inputFields": [field(origin, "DIRECT") for origin in origins]}
        for name, origins in values.items()
    }
    direct = {origin for origins in values.values() for origin in origins}
    reads = told.get("reads") or {}
    whole = {product: [name for name, *_ in names.columns.get(product, ())] for product in reads}
    read = {
        f"{product}.{column}"
        for product, columns in reads.items()
        for column in (whole[product] if columns is None else columns)
    }
    dataset = [field(origin, "INDIRECT") for origin in sorted(read - direct)]
    if not fields and not dataset:
        return {}
    return {"columnLineage": _facet("ColumnLineageDatasetFacet", "1-2-0", fields=fields, dataset=dataset)}


def certificate_facet(version: Version) -> dict[str, Any]:
    """The record of the version, short: hashes and names, no data and no paths of files."""
    facts = {name: value for name, value in as_json(version.certificate).items() if name not in LEFT_OUT}
    sources = [{"name": each["name"], "sha256": each["sha256"]} for each in facts["sources"]]
    rules = [
        {name: result.get(name) for name in ("id", "outcome", "severity")}
        for result in version.certificate.rule_results
    ]
    known = ("product", "fingerprint", "contract_version", "snapshot", "started", "finished", "recipe_hash")
    return {
        "_producer": PRODUCER,
        "_schemaURL": CERTIFICATE,
        **{name: facts[name] for name in known},
        "number": version.number,
        "rows": version.rows,
        "published": version.published.isoformat(),
        "run_id": version.run_id,
        "git_commit": facts["git_commit"],
        "git_dirty": facts["git_dirty"],
        "inputs": [
            {name: each[name] for name in ("product", "number", "fingerprint")} for each in facts["inputs"]
        ],
        "sources": sources,
        "rules": rules,
    }


def _assertions(results: Sequence[RuleResult]) -> dict[str, Any]:
    return _facet(
        "DataQualityAssertionsDatasetFacet", "1-1-0", assertions=[_assertion(result) for result in results]
    )


def _assertion(result: RuleResult) -> dict[str, Any]:
    rule = result.rule
    said = {
        "assertion": rule.kind,
        "success": result.outcome is Outcome.PASSED,
        "severity": "error" if rule.severity is Severity.ERROR else "warn",
        "name": rule.id,
        "description": rule.description,
        "actual": result.value,
        "column": rule.columns[0] if len(rule.columns) == 1 else None,
    }
    return {name: value for name, value in said.items() if value is not None}
