"""Domains and products as DCAT 3 and DPROD 1.0 in JSON-LD: a catalog that other catalogs can take in.

A product is a dprod:DataProduct with one output port; its current (or pinned) version is the dcat:Dataset
that the port gives access to. Nothing is fetched to read it: the context is in the document.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mesh_assets.capabilities.contracts.model import Contract, Person
from mesh_assets.capabilities.portal.address import Address, of_product
from mesh_assets.capabilities.portal.catalog import Catalog
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import Version

CONTEXT: dict[str, Any] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dprod": "https://www.omg.org/spec/DPROD/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "issued": {"@id": "dct:issued", "@type": "xsd:dateTime"},
    "modified": {"@id": "dct:modified", "@type": "xsd:dateTime"},
}
PARQUET = "https://www.iana.org/assignments/media-types/application/vnd.apache.parquet"
#: How files are read where they lie: by name on a disk, or from an object store. DPROD leaves open what a
#: protocol is; these are the specifications of them.
FILE_PROTOCOL = {"@id": "https://www.rfc-editor.org/info/rfc8089", "rdfs:label": "file"}
S3_PROTOCOL = {"@id": "https://docs.aws.amazon.com/AmazonS3/latest/API/", "rdfs:label": "S3"}
#: A contract's status, as DPROD's examples call the phases of a product's life.
LIFE = {
    "proposed": "Ideation",
    "draft": "Design",
    "active": "Consume",
    "deprecated": "Retire",
    "retired": "Retire",
}


def mesh_document(catalog: Catalog, base: str) -> dict[str, Any]:
    """The whole mesh as one dcat:Catalog with all its products."""
    graph: list[dict[str, Any]] = [
        {
            "@id": f"{base}/",
            "@type": "dcat:Catalog",
            "dct:title": "Data mesh",
            "dct:description": "Every domain of the mesh and every product that it publishes.",
            "modified": catalog.now.isoformat(timespec="seconds"),
            "dcat:catalog": [{"@id": base + Address(name).path} for name in catalog.mesh.domains],
        }
    ]
    for name in catalog.mesh.domains:
        graph += _domain(catalog, name, base)
    return {"@context": CONTEXT, "@graph": graph}


def domain_document(catalog: Catalog, domain: str, base: str) -> dict[str, Any]:
    return {"@context": CONTEXT, "@graph": _domain(catalog, domain, base)}


def product_document(
    catalog: Catalog, name: ProductName, contract: Contract, version: Version | None, base: str
) -> dict[str, Any]:
    return {"@context": CONTEXT, "@graph": _product(catalog, name, contract, version, base)}


def _domain(catalog: Catalog, domain: str, base: str) -> list[dict[str, Any]]:
    described = catalog.mesh.domains[domain].domain
    here = base + Address(domain).path
    products = [
        (asset.name, asset.contract)
        for asset in catalog.mesh.domains[domain].assets
        if asset.contract is not None and not asset.name.private
    ]
    graph: list[dict[str, Any]] = [
        {
            "@id": here,
            "@type": "dcat:Catalog",
            "rdfs:label": described.title,
            "dct:title": described.title,
            "dct:description": described.purpose,
            "dct:publisher": _agents(described.owners),
            "dcat:keyword": list(described.tags),
            "foaf:page": [{"@id": base + Address(domain, question=each).path} for each in _QUESTIONS],
            "dcat:resource": [{"@id": base + of_product(name).path} for name, _ in products],
        }
    ]
    for name, contract in products:
        graph += _product(catalog, name, contract, catalog.heads.get(name), base)
    return graph


_QUESTIONS = ("what", "where", "when", "with", "how")


def _product(
    catalog: Catalog, name: ProductName, contract: Contract, version: Version | None, base: str
) -> list[dict[str, Any]]:
    here, asset = base + of_product(name).path, catalog.asset(name)
    inputs = [each for each in (asset.needs if asset else ()) if catalog.knows(each)]
    return [
        {
            "@id": here,
            "@type": "dprod:DataProduct",
            "rdfs:label": contract.title,
            "dct:identifier": str(name),
            "dct:description": contract.description or contract.purpose,
            "dprod:purpose": contract.purpose,
            "dprod:domain": {"@id": base + Address(name.domain).path},
            "dprod:dataProductOwner": _agents(contract.owners),
            "dprod:lifecycleStatus": {
                "@id": f"{base}/-/life/{LIFE.get(contract.status, 'Consume')}",
                "@type": "dprod:DataProductLifecycleStatus",
                "rdfs:label": LIFE.get(contract.status, "Consume"),
            },
            "dprod:inputDataset": [{"@id": f"{base}{of_product(each).path}#data"} for each in inputs],
            "dprod:outputDataset": {"@id": f"{here}#data"},
            "dprod:outputPort": {"@id": f"{here}#port"},
            "odrl:hasPolicy": {"@id": f"{here}#policy"},
            "foaf:page": [{"@id": f"{base}{of_product(name, each).path}"} for each in _QUESTIONS],
        },
        *_port(name, contract, version, base, in_bucket=name.domain in catalog.in_buckets),
        _policy(name, contract, base),
        *({"@id": f"{base}{of_product(each).path}#data", "@type": "dcat:Dataset"} for each in inputs),
    ]


def _port(
    name: ProductName, contract: Contract, version: Version | None, base: str, *, in_bucket: bool
) -> Iterable[dict[str, Any]]:
    """The way in, what it hands out, and the dataset that this is a copy of."""
    here = base + of_product(name).path
    pinned = base + of_product(name, wanted=version.number if version else None).path
    yield {
        "@id": f"{here}#port",
        "@type": "dcat:DataService",
        "rdfs:label": f"How to read {name}",
        "dcat:endpointURL": {"@id": f"{here}/where"},
        "dcat:endpointDescription": {"@id": f"{here}/where.json"},
        "dprod:protocol": S3_PROTOCOL if in_bucket else FILE_PROTOCOL,
        "dprod:isAccessServiceOf": {"@id": f"{here}#files"},
        "dcat:servesDataset": {"@id": f"{here}#data"},
    }
    yield {
        "@id": f"{here}#files",
        "@type": "dcat:Distribution",
        "dct:format": "Parquet",
        "dcat:mediaType": {"@id": PARQUET},
        "dcat:accessURL": {"@id": f"{here}/where"},
        "dcat:accessService": {"@id": f"{here}#port"},
        "dct:conformsTo": {"@id": f"{pinned}.yaml"},
        "dprod:isDistributionOf": {"@id": f"{here}#data"},
    }
    dataset: dict[str, Any] = {
        "@id": f"{here}#data",
        "@type": "dcat:Dataset",
        "rdfs:label": str(name),
        "dct:title": contract.title,
        "dct:description": contract.description or contract.purpose,
        "dct:conformsTo": {"@id": f"{pinned}.yaml"},
        "dcat:distribution": {"@id": f"{here}#files"},
        "odrl:hasPolicy": {"@id": f"{here}#policy"},
        "dcat:keyword": list(contract.tags),
    }
    if contract.personal:
        dataset["dprod:informationSensitivityClassification"] = {
            "@id": f"{base}/-/sensitivity/personal",
            "@type": "dprod:InformationSensitivityClassification",
            "rdfs:label": "personal",
        }
    if version is not None:
        dataset |= {
            "dcat:version": str(version.number),
            "issued": version.published.isoformat(timespec="seconds"),
            "prov:wasDerivedFrom": [
                {"@id": f"{base}{of_product(each.product).path}#data"}
                for each in version.certificate.inputs
                if not each.product.private
            ],
        }
    yield dataset


def _policy(name: ProductName, contract: Contract, base: str) -> dict[str, Any]:
    """How somebody comes to read it: by asking the owner. Who did so already is nobody's business here.

    An offer of the owner, as ODRL calls it; of a product that has none, a set of rules.
    """
    here, owners = base + of_product(name).path, _agents(contract.owners)
    consent = {"odrl:action": {"@id": "odrl:obtainConsent"}}
    return {
        "@id": f"{here}#policy",
        "@type": ["odrl:Policy", "odrl:Offer" if owners else "odrl:Set"],
        "dct:description": f"Ask at {base}/-/follow/{name.domain}/{name.product} for access, with a purpose "
        "and a last day; the owner grants or refuses it.",
        "odrl:permission": {
            "@type": "odrl:Permission",
            "odrl:target": {"@id": f"{here}#data"},
            "odrl:action": {"@id": "odrl:read"},
            **({"odrl:assigner": owners} if owners else {}),
            "odrl:duty": {
                "@type": "odrl:Duty",
                **consent,
                **({"odrl:consentingParty": owners} if owners else {}),
            },
        },
    }


def _agents(people: Iterable[Person]) -> list[dict[str, Any]]:
    """People by their address where it is one, teams by name."""
    return [
        {
            **({"@id": f"mailto:{each.name}"} if _is_address(each.name) else {}),
            "@type": "prov:Agent",
            "rdfs:label": each.name,
        }
        for each in people
    ]


def _is_address(text: str) -> bool:
    name, at, host = text.partition("@")
    plain = (
        text.isascii() and text.replace("@", "").replace(".", "").replace("-", "").replace("_", "").isalnum()
    )
    return bool(name and at and host) and plain
