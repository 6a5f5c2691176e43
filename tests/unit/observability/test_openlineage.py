"""Promises of OpenLineage: valid events for every build, none lost while the receiver is down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openlineage.client import event_v2, facet_v2

from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.observability import foreign, lineage_out
from mesh_assets.capabilities.observability.lineage_out import Target, emit, target
from mesh_assets.capabilities.registry import open_registry, outbox
from mesh_assets.words.errors import SettingMalformed
from tests.receivers import Receiver, listening
from tests.shop import Shop

CERTIFICATE = Path(foreign.__file__).parent / "schemas" / "MeshCertificateDatasetFacet.json"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


def sent_to_file(shop: Shop) -> list[dict[str, Any]]:
    path = shop.root / "lineage.ndjson"
    with open_registry(shop.settings) as registry:
        emit(registry, read_mesh(shop.settings), Target(file=str(path)))
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_build_is_a_start_and_a_complete_with_what_it_read_and_made(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue", run_id="run-2")

    start, done = sent_to_file(shop)[2:]

    assert (start["eventType"], done["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == done["run"]["runId"] != done["run"]["facets"]["parent"]["run"]["runId"]
    assert [each["name"] for each in done["inputs"]] == ["shop.orders"]
    output = done["outputs"][0]
    assert output["name"] == "books.revenue"
    assert [each["name"] for each in output["facets"]["schema"]["fields"]] == ["order_count", "revenue"]
    assert all(each["success"] for each in output["facets"]["dataQualityAssertions"]["assertions"])
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 1


def test_a_refused_build_fails_with_the_assertion_and_the_reason(shop: Shop) -> None:
    shop.deliver("order_id,amount\n1,-5\n")
    with pytest.raises(Exception, match="amount_positive"):
        shop.build("shop.orders")

    done = sent_to_file(shop)[-1]

    assert done["eventType"] == "FAIL"
    assert "amount_positive" in done["run"]["facets"]["errorMessage"]["message"]
    said = {
        e["name"]: e["success"] for e in done["outputs"][0]["facets"]["dataQualityAssertions"]["assertions"]
    }
    assert said["amount_positive"] is False
    assert "mesh_certificate" not in done["outputs"][0]["facets"]


def test_events_are_what_the_standards_own_client_makes_of_them(shop: Shop) -> None:
    """The client's classes are generated from the specification: an unknown or a missing key is an error."""
    shop.build("shop.orders")
    shop.build("books.revenue", run_id="run-2")
    shop.deliver("order_id,amount\n1,-5\n")
    with pytest.raises(Exception, match="amount_positive"):
        shop.build("shop.orders", run_id="run-3")

    for document in sent_to_file(shop):
        assert foreign.from_lineage(document, "tool").events
        made = event_v2.RunEvent(
            eventType=event_v2.RunState(document["eventType"]),
            eventTime=document["eventTime"],
            run=event_v2.Run(document["run"]["runId"], facets=facets(document["run"]["facets"])),
            job=event_v2.Job(document["job"]["namespace"], document["job"]["name"]),
            producer=document["producer"],
        )
        assert made.schemaURL == document["schemaURL"]
        for dataset in (*document["inputs"], *document["outputs"]):
            facets({**dataset.get("facets", {}), **dataset.get("outputFacets", {})})


KINDS: dict[str, Any] = {
    "parent": facet_v2.parent_run.ParentRunFacet,
    "processing_engine": facet_v2.processing_engine_run.ProcessingEngineRunFacet,
    "errorMessage": facet_v2.error_message_run.ErrorMessageRunFacet,
    "schema": facet_v2.schema_dataset.SchemaDatasetFacet,
    "version": facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet,
    "columnLineage": facet_v2.column_lineage_dataset.ColumnLineageDatasetFacet,
    "dataQualityAssertions": facet_v2.data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet,
    "outputStatistics": facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
}


def facets(written: dict[str, Any]) -> dict[str, Any]:
    """Each standard facet through its own class; its address is the class's own. Ours by its own schema."""
    made = {}
    for name, facet in written.items():
        if name == "mesh_certificate":
            jsonschema.validate(facet, json.loads(CERTIFICATE.read_text(encoding="utf-8")))
            continue
        values = {key: value for key, value in facet.items() if not key.startswith("_")}
        for inside in values.get("assertions", ()):
            facet_v2.data_quality_assertions_dataset.Assertion(**inside)
        made[name] = KINDS[name](**values, producer=facet["_producer"])
        assert made[name]._schemaURL == facet["_schemaURL"]
    return made


def test_nothing_is_lost_while_the_receiver_is_down(shop: Shop, receiver: Receiver, monkeypatch: Any) -> None:
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "the-key")
    shop.build("shop.orders")
    mesh, now = read_mesh(shop.settings), datetime.now(UTC) + timedelta(minutes=1)
    where = Target(url=f"{receiver.url}/api/v1/lineage")
    receiver.answers = [503] * 3
    with open_registry(shop.settings) as registry:
        done = emit(registry, mesh, where, now=now)
        assert (done.sent, done.failed, receiver.bodies) == (0, 1, [])
        for minutes in (1, 5, 20, 60):
            emit(registry, mesh, where, now=now + timedelta(minutes=minutes))
        again = emit(registry, mesh, where, now=now + timedelta(days=1))

    assert sorted(each["eventType"] for each in receiver.bodies) == ["COMPLETE", "START"]
    assert again.sent == 0
    assert {each["authorization"] for each in receiver.headers} == {"Bearer the-key"}


def test_what_the_receiver_refuses_is_given_up_and_listed(shop: Shop, receiver: Receiver) -> None:
    shop.build("shop.orders")
    receiver.answers = [422] * 100
    mesh, now = read_mesh(shop.settings), datetime.now(UTC) + timedelta(minutes=1)
    with open_registry(shop.settings) as registry:
        for hours in range(0, 40, 2):
            emit(registry, mesh, Target(url=receiver.url), now=now + timedelta(hours=hours))
        with registry.reading() as connection:
            found = outbox.messages(connection, "openlineage")

    assert [each.state for each in found] == ["dead", "dead"]
    assert {each.problem for each in found} == {"it answered 422"}


def test_the_transport_is_configured_as_the_standard_client_is() -> None:
    assert target({}) is None
    assert target({"OPENLINEAGE_URL": "http://h:5000", "OPENLINEAGE_DISABLED": "true"}) is None
    assert target({"OPENLINEAGE_URL": "http://h:5000/"}) == Target(url="http://h:5000/api/v1/lineage")
    named = {"OPENLINEAGE_URL": "http://h", "OPENLINEAGE_ENDPOINT": "/in", "OPENLINEAGE_NAMESPACE": "prod"}
    assert target(named) == Target(url="http://h/in", namespace="prod")
    file = {"OPENLINEAGE__TRANSPORT__TYPE": "file", "OPENLINEAGE__TRANSPORT__LOG_FILE_PATH": "x.ndjson"}
    assert target(file) == Target(file="x.ndjson")
    with pytest.raises(SettingMalformed, match="kafka"):
        target({"OPENLINEAGE__TRANSPORT__TYPE": "kafka"})
    assert lineage_out.api_key({"OPENLINEAGE__TRANSPORT__AUTH": '{"type": "api_key", "apiKey": "k"}'}) == "k"
