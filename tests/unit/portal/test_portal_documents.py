"""Promises of the documents: each is what its standard says, and one address gives them to whoever asks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard
from openlineage.client import event_v2

from mesh_assets.capabilities.contracts import standard
from mesh_assets.capabilities.lake.places import RECORD
from mesh_assets.capabilities.portal.address import QUESTIONS
from mesh_assets.capabilities.portal.catalog import make_catalog
from mesh_assets.capabilities.portal.negotiate import MEDIA, wanted_form
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.following import Access
from tests.portal import HOME, Shown, shown
from tests.shop import Shop

#: rdflib uses what it tells others not to use any more.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
PRODUCTS = ("/shop/orders", "/shop/orders@1", "/crm/client", "/crm/later", "/books/revenue")
#: Ours, written from the specification (its head says how): not the shapes that DPROD publishes.
SHAPES = Path(__file__).parents[2] / "corpus" / "dprod-shapes.ttl"
SCHEMAS = Path(standard.__file__).parent / "schemas"
DPROD = "https://www.omg.org/spec/DPROD/"
#: Every property and class of DPROD that may stand in a document of ours.
KNOWN = {
    "DataProduct", "DataProductLifecycleStatus", "InformationSensitivityClassification", "dataProductOwner",
    "domain", "informationSensitivityClassification", "inputDataset", "isAccessServiceOf", "isDistributionOf",
    "lifecycleStatus", "outputDataset", "outputPort", "protocol", "purpose",
}  # fmt: skip


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_contract_is_given_out_as_it_was_written_and_is_odcs(portal: Shown, product: str) -> None:
    answer = portal.client.get(f"{product}.yaml")
    document = yaml.safe_load(answer.text)
    name = product.partition("@")[0].strip("/").replace("/", ".")

    assert answer.text == (portal.shop.folder(name) / "contract.yaml").read_text(encoding="utf-8")
    OpenDataContractStandard.model_validate(document)
    validator = jsonschema.Draft201909Validator(standard._odcs_schema(document["apiVersion"]))
    assert not list(validator.iter_errors(document))


@pytest.mark.parametrize("domain", ["shop", "crm", "books"])
def test_a_domain_is_odps_with_the_five_questions_as_management_ports(portal: Shown, domain: str) -> None:
    document = yaml.safe_load(portal.client.get(f"/{domain}.yaml").text)
    schema = json.loads((SCHEMAS / f"odps-{document['apiVersion'][1:]}.json").read_text(encoding="utf-8"))

    jsonschema.Draft201909Validator(schema).validate(document)
    assert {port["name"]: port["url"] for port in document["managementPorts"]} == {
        question: f"{HOME}/{domain}/{question}" for question in QUESTIONS
    }
    for port in document["managementPorts"]:
        assert portal.client.get(port["url"].removeprefix(HOME)).status_code == 200
    written = yaml.safe_load((portal.shop.root / "domains" / domain / "domain.yaml").read_text("utf-8"))
    assert {key: document[key] for key in written} == written


@pytest.mark.parametrize(
    "path", ["/-/catalog.jsonld", "/shop.jsonld", *(f"{each}.jsonld" for each in PRODUCTS)]
)
def test_linked_data_has_the_shapes_of_dcat_and_dprod(portal: Shown, path: str) -> None:
    from pyshacl import validate
    from rdflib import RDF, Graph, Namespace

    graph = Graph().parse(data=portal.client.get(path).text, format="json-ld")

    conforms, _, told = validate(graph, shacl_graph=str(SHAPES), inference="none")
    assert conforms, told
    used = {str(each) for triple in graph for each in triple[1:] if str(each).startswith(DPROD)}
    assert {each.removeprefix(DPROD) for each in used} <= KNOWN
    products = set(graph.subjects(RDF.type, Namespace(DPROD).DataProduct))
    assert {str(each) for each in products} >= (
        {f"{HOME}/shop/orders"} if "shop" in path else {str(each) for each in products}
    )
    assert products


def test_linked_data_says_how_it_is_reached_and_who_is_asked_and_names_nobody_who_did(own_past: Shop) -> None:
    with shown(own_past) as portal, open_registry(own_past.settings) as registry:
        now = datetime.now(UTC)
        registry.ask_access(Access("shop.orders", "ada@private.example", "to count", now.date(), now))
        text = portal.client.get("/shop/orders.jsonld").text
        (own_past.root / ".mesh" / "lakes" / "books" / RECORD).write_text("s3://bucket/books\n", "utf-8")
        remote = make_catalog(own_past.settings, registry, portal.site.shelf.read().documents, "").in_buckets

    nodes = {node["@id"]: node for node in json.loads(text)["@graph"]}
    here = f"{HOME}/shop/orders"
    permission = nodes[f"{here}#policy"]["odrl:permission"]
    assert nodes[f"{here}#port"]["dprod:protocol"]["rdfs:label"] == "file"
    assert permission["odrl:assigner"][0]["@id"] == "mailto:owner@example.com"
    assert permission["odrl:duty"]["odrl:action"] == {"@id": "odrl:obtainConsent"}
    assert "ada@" not in text
    assert remote == {"books"}


def test_the_shapes_find_what_is_missing() -> None:
    from pyshacl import validate
    from rdflib import Graph

    graph = Graph().parse(data=f"<urn:x> a <{DPROD}DataProduct> .", format="turtle")

    assert not validate(graph, shacl_graph=str(SHAPES), inference="none")[0]


def test_events_are_openlineage(portal: Shown) -> None:
    events = portal.client.get("/shop/orders.openlineage.json").json()

    assert [event["eventType"] for event in events[:2]] == ["FAIL", "START"]
    assert len(events) == 6
    for event in events:
        made = event_v2.RunEvent(
            eventTime=event["eventTime"],
            run=event_v2.Run(event["run"]["runId"]),
            job=event_v2.Job(event["job"]["namespace"], event["job"]["name"]),
            eventType=event_v2.RunState(event["eventType"]),
            producer=event["producer"],
        )
        assert made.job.name == "shop.orders"
    pinned = portal.client.get("/shop/orders@1/when.openlineage.json").json()
    assert len(pinned) == 2
    assert pinned[0]["outputs"][0]["facets"]["version"]["datasetVersion"] == "1"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "html"),
        ("*/*", "html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
        ("application/json", "json"),
        ("application/ld+json, application/json;q=0.5", "jsonld"),
        ("application/json;q=0.4, application/yaml;q=0.9", "yaml"),
        ("application/vnd.openlineage+json", "openlineage"),
        ("text/html;q=0, application/json", "json"),
        ("image/png", None),
        ("a" * 5000, "html"),
        ("text/html;q=zzz", None),
    ],
)
def test_accept_decides_the_form(accept: str, form: str | None) -> None:
    assert wanted_form(accept, ("html", "json", "yaml", "jsonld", "openlineage")) == form


def test_one_address_answers_everybody(portal: Shown) -> None:
    kinds: dict[str, Any] = {}
    for form, media in MEDIA.items():
        answer = portal.client.get("/shop/orders", headers={"accept": media.partition(";")[0]})
        kinds[form] = answer.headers["content-type"]
        assert "Accept" in answer.headers["vary"]

    assert kinds == MEDIA
    refused = portal.client.get("/shop/orders", headers={"accept": "image/png"})
    assert refused.status_code == 406


def test_a_page_names_its_documents_and_is_not_sent_twice(portal: Shown) -> None:
    first = portal.client.get("/shop/orders.yaml")
    again = portal.client.get("/shop/orders.yaml", headers={"if-none-match": first.headers["etag"]})

    assert again.status_code == 304
    assert not again.content
    text = portal.page("/shop/orders")
    for kind in ("application/json", "application/yaml", "application/ld+json"):
        assert f'<link rel="alternate" type="{kind}"' in text
