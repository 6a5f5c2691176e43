"""Certificates as plain JSON values, and back: `certificate_from_json(as_json(c)) == c`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from mesh_assets.words.names import product_name
from mesh_assets.words.versions import Certificate, InputVersion, SourceVersion


def as_json(certificate: Certificate) -> dict[str, Any]:
    """A certificate as JSON values: what `json.dumps` writes, any program can read."""
    plain = {field.name: getattr(certificate, field.name) for field in fields(certificate)}
    return {
        **plain,
        "product": str(certificate.product),
        "partitions": {key: dict(facts) for key, facts in certificate.partitions.items()},
        "rule_results": [dict(result) for result in certificate.rule_results],
        "files": list(certificate.files),
        "started": certificate.started.isoformat(),
        "finished": certificate.finished.isoformat(),
        "inputs": [_input(version) for version in certificate.inputs],
        "sources": [vars(source) for source in certificate.sources],
        "packages": dict(certificate.packages),
        "input_keys": dict(certificate.input_keys),
        "set_aside": dict(certificate.set_aside),
        "rolled_back": dict(certificate.rolled_back),
        "hold": dict(certificate.hold),
        "promoted": dict(certificate.promoted),
    }


def certificate_from_json(document: Mapping[str, Any]) -> Certificate:
    """The certificate that `as_json` wrote, without the facts that only a newer mesh knows."""
    known = {field.name for field in fields(Certificate)}
    facts = {name: value for name, value in document.items() if name in known}
    facts |= {
        "product": product_name(document["product"]),
        "rule_results": tuple(document["rule_results"]),
        "files": tuple(document["files"]),
        "started": datetime.fromisoformat(document["started"]),
        "finished": datetime.fromisoformat(document["finished"]),
        "inputs": tuple(_input_from(version) for version in document["inputs"]),
        "sources": tuple(SourceVersion(**source) for source in document["sources"]),
    }
    return Certificate(**facts)


def _input(version: InputVersion) -> dict[str, Any]:
    return {**vars(version), "product": str(version.product)}


def _input_from(document: Mapping[str, Any]) -> InputVersion:
    return InputVersion(**{**document, "product": product_name(document["product"])})
