"""When: versions, freshness against what is promised, how checks fared, which runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mesh_assets.capabilities.contracts.sla import strictest
from mesh_assets.capabilities.observability.health_status import history
from mesh_assets.capabilities.observability.rules import audit_rows
from mesh_assets.capabilities.observability.versions import version_rows
from mesh_assets.capabilities.portal.address import of_product
from mesh_assets.capabilities.portal.looks import BUILDS, RULES
from mesh_assets.capabilities.portal.timelines import freshness
from mesh_assets.capabilities.portal.view import View
from mesh_assets.words.versions import BuildRecord

VERSIONS, RUNS, AUDITS, DAYS = 40, 40, 24, 14


def product(view: View) -> dict[str, Any]:
    name = view.name
    versions = version_rows(view.registry, name, VERSIONS)
    for row in versions:
        row["path"] = of_product(name, "when", row["version"]).path
    builds = view.registry.builds(name, limit=RUNS)
    seconds = {build.run_id: build.seconds for build in builds}
    for row in versions:
        row["seconds"] = seconds.get(row["run"])
    audits = audit_rows(view.registry.audits(name, limit=AUDITS))
    level = strictest(view.contract.service_levels) if view.contract else None
    facts = {
        "product": str(name),
        "version": view.version.number if view.version else None,
        "promise": level.description if level else "",
        "looked": view.facts.looked,
        "late_since": view.facts.late_since,
        "versions": versions,
        "builds": [_build(build) for build in builds],
        "audits": audits,
    }
    return {
        "facts": facts,
        "freshness": freshness(level, view.registry.builds(name, limit=400), view.catalog.now),
        "matrix": _matrix(audits),
        "rule_looks": RULES,
        "build_looks": BUILDS,
        "run": {
            run: view.dagster.run(run)
            for run in {build.run_id for build in builds} | {r["run"] for r in versions}
        },
        "pinned": view.version if view.address.wanted is not None else None,
    }


def _build(build: BuildRecord) -> dict[str, Any]:
    return {
        "started": build.started,
        "ended": build.started + timedelta(seconds=build.seconds),
        "seconds": build.seconds,
        "outcome": str(build.outcome),
        "version": build.version,
        "rows": build.rows,
        "passed": build.passed,
        "warned": build.warned,
        "failed": build.failed,
        "run": build.run_id,
        "message": build.message,
    }


def _matrix(audits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row per rule that ever ran, with a cell per audit, oldest first."""
    rules = list(dict.fromkeys(rule for audit in reversed(audits) for rule in audit["rules"]))
    return [{"rule": rule, "cells": [audit["rules"].get(rule) for audit in audits]} for rule in rules]


def domain(view: View) -> dict[str, Any]:
    names = view.catalog.products_of(view.address.domain)
    known = [view.catalog.facts[name] for name in names]
    releases = [
        each
        for each in view.registry.releases(limit=100)
        if any(name.domain == view.address.domain for name in each.moved)
    ][:20]
    days = [
        each for each in history(view.registry, view.catalog.now, DAYS) if each.domain == view.address.domain
    ]
    facts = {
        "domain": view.address.domain,
        "products": [
            {
                "product": str(each.product),
                "path": of_product(each.product, "when").path,
                "version": each.version,
                "published": each.published,
                "looked": each.looked,
                "promise": each.promise,
                "late_since": each.late_since,
                "outcome": str(each.outcome) if each.outcome else None,
            }
            for each in known
        ],
        "releases": [
            {
                "release": each.id,
                "released": each.released,
                "who": each.who,
                "run": each.run_id,
                "moved": {
                    str(name): number
                    for name, (_, number) in each.moved.items()
                    if name.domain == view.address.domain and not name.private
                },
            }
            for each in releases
        ],
        "days": [vars(each) for each in days],
    }
    return {"facts": facts, "build_looks": BUILDS}
