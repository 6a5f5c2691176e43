"""Promises of the door for other tools: who may, what is taken, and that no body brings it down."""

from __future__ import annotations

import asyncio
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.observability.events import Wanted, foreign_runs, read_events
from mesh_assets.capabilities.observability.intake import LARGEST_EVENT, Door, make_app
from mesh_assets.capabilities.observability.tokens import Gate, read_senders, sender_of
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import SettingMalformed
from mesh_assets.words.events import EventKind, NoToken, TokensMalformed
from tests.shop import make_shop

TOKENS = """# who may send
airflow lineage,events airflow-token-000000
till sources:shop/click till-token-000000000
"""
COLUMNS = """columns: [order_id, amount]
      - name: click
        path: shop/click/{batch}.ndjson
        kind: events
        key: id
        columns: [id, page]
"""
TILL = "till-token-000000000"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RUN = "01941f29-7c00-7d5c-8d58-0a1bd1b5e0aa"


def a_run(kind: str = "COMPLETE", **facts: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventTime": "2030-01-31T09:00:00.123Z",
        "producer": "https://example.com/airflow",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": RUN},
        "job": {"namespace": "airflow", "name": "crm_sync"},
        **facts,
    }


class Client:
    """The app as a server calls it, without a network in between."""

    def __init__(self, home: Path) -> None:
        path = home / "tokens"
        path.write_text(TOKENS, encoding="utf-8")
        shop = make_shop(home)
        described = shop.root / "domains" / "shop" / "domain.yaml"
        text = described.read_text(encoding="utf-8")
        described.write_text(text.replace("columns: [order_id, amount]\n", COLUMNS, 1), encoding="utf-8")
        self.settings = shop.settings
        self.registry = open_registry(self.settings)
        senders = read_senders({"MESH_EVENTS_TOKEN_FILE": str(path)})
        self.app = make_app(Door(self.settings, self.registry, senders, Gate(1e6, 1e6)))

    def post(self, path: str, body: Any, token: str = "airflow-token-000000") -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        return asyncio.run(self._call(path, data, headers))

    async def _call(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        parts = [body[start : start + 300_000] for start in range(0, len(body), 300_000)] or [b""]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        }
        await self.app(scope, receive, send)
        answer = b"".join(message.get("body", b"") for message in sent)
        return sent[0]["status"], json.loads(answer)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    found = Client(tmp_path_factory.mktemp("intake"))
    yield found
    found.registry.close()


def test_a_run_of_another_tool_is_an_event_and_satisfies_a_journeys_step(client: Client) -> None:
    assert client.post("/api/v1/lineage", a_run("START")) == (201, {"new": 1})
    assert client.post("/api/v1/lineage", a_run()) == (201, {"new": 1})
    assert client.post("/api/v1/lineage", a_run()) == (201, {"new": 0})

    found = read_events(client.settings, client.registry, Wanted(sender="airflow", run_id=RUN))
    assert {(e.kind, e.job, e.outcome) for e in found} == {
        (EventKind.RUN, "crm_sync", "START"),
        (EventKind.RUN, "crm_sync", "COMPLETE"),
    }
    for job in ("crm_sync", "airflow/crm_sync"):
        assert [each.good for each in foreign_runs(client.registry, job, EPOCH)] == [True]


def test_assertions_and_row_counts_of_other_tools_are_tests_and_metrics(client: Client) -> None:
    facet = {"_producer": "https://example.com", "_schemaURL": "https://example.com/f.json"}
    tests = {**facet, "assertions": [{"assertion": "not_null", "success": False, "column": "id"}]}
    output = {
        "namespace": "warehouse",
        "name": "claims",
        "facets": {"dataQualityAssertions": tests},
        "outputFacets": {"outputStatistics": {**facet, "rowCount": 7}},
    }
    assert client.post("/api/v1/lineage", a_run(outputs=[output])) == (201, {"new": 3})

    found = read_events(client.settings, client.registry, Wanted(product="claims"))
    assert {(e.kind, e.outcome) for e in found if e.kind is EventKind.TEST} == {(EventKind.TEST, "failed")}
    assert [e.body["value"] for e in found if e.kind is EventKind.METRIC] == [7]


def test_datasets_and_jobs_are_described_without_a_run(client: Client) -> None:
    plain = {name: a_run()[name] for name in ("eventTime", "producer", "schemaURL")}
    assert client.post("/api/v1/lineage", {**plain, "dataset": {"namespace": "w", "name": "d"}})[0] == 201
    assert client.post("/api/v1/lineage", {**plain, "job": {"namespace": "w", "name": "j"}})[0] == 201


def test_plain_events_are_taken_together_or_not_at_all(client: Client) -> None:
    good = {
        "id": "1",
        "kind": "metric",
        "occurred": "2030-01-31T09:00:00Z",
        "body": {"name": "lag", "value": 3},
    }
    ended = {"id": "2", "kind": "run", "occurred": "2030-01-31T09:00:00Z", "job": "nightly", "run": "7"}
    bad = {**good, "id": "3", "body": {"name": "lag", "value": "three"}}

    code, told = client.post("/api/v1/events", {"events": [good, bad]})
    assert (code, "events[1].body.value" in told["error"]) == (422, True)
    assert client.post("/api/v1/events", {"events": [good, {**ended, "outcome": "failed"}]}) == (
        201,
        {"new": 2},
    )
    assert client.post("/api/v1/events", good) == (201, {"new": 0})
    assert [each.good for each in foreign_runs(client.registry, "nightly", EPOCH)] == [False]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"run": {"runId": "no-uuid"}}, "run.runId"),
        ({"eventTime": "yesterday"}, "eventTime"),
        ({"eventTime": "2030-01-31T09:00:00"}, "eventTime"),
        ({"eventType": "DONE"}, "eventType"),
        ({"job": {"name": "j"}}, "job"),
        ({"inputs": [{"name": "d"}]}, "inputs[0]"),
        ({"run": {"runId": RUN, "facets": {"x": {}}}}, "run.facets.x"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(client: Client, change: dict[str, Any], place: str) -> None:
    code, told = client.post("/api/v1/lineage", a_run(**change))

    assert code == 422
    assert f"not taken: {place}:" in told["error"]


def test_nobody_sends_without_a_token_or_beyond_its_scope(client: Client) -> None:
    assert client.post("/api/v1/lineage", a_run(), token="airflow-token-000001")[0] == 401
    assert client.post("/api/v1/lineage", a_run(), token="")[0] == 401
    assert client.post("/api/v1/lineage", a_run(), token=TILL)[0] == 403
    assert client.post("/api/v1/sources/shop/order_log", {}, token=TILL)[0] == 403


def test_rows_for_a_source_are_taken_once(client: Client) -> None:
    row = {"id": 1, "page": "front"}

    code, told = client.post("/api/v1/sources/shop/click", [row], token=TILL)
    assert (code, told["accepted"]) == (201, 1)
    code, told = client.post("/api/v1/sources/shop/click", [row], token=TILL)
    assert (code, told["accepted"], told["duplicates"]) == (201, 0, 1)
    code, told = client.post("/api/v1/sources/shop/click", [{"id": 2}], token=TILL)
    assert (code, "lacks page" in told["error"]) == (422, True)


def test_a_body_that_is_too_large_is_cut_off(client: Client) -> None:
    assert client.post("/api/v1/lineage", b" " * (LARGEST_EVENT + 1))[0] == 413


def test_a_sender_that_sends_without_end_is_slowed_down() -> None:
    gate = Gate(rate=0.001, burst=3)

    assert [gate.passes("a") for _ in range(4)] == [True, True, True, False]
    assert gate.passes("b")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
    max_leaves=12,
)
FIELDS = ("eventType", "eventTime", "producer", "schemaURL", "run", "job", "inputs", "outputs", "dataset")
ROW = st.dictionaries(st.sampled_from(["id", "page"]), VALUES)
PLAIN = ("id", "kind", "occurred", "product", "run", "job", "outcome", "body", "events")
GOOD_PLAIN = {"id": "x", "kind": "test", "occurred": "2030-01-31T09:00:00Z", "body": {"name": "n"}}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.one_of(
        st.binary(max_size=200),
        VALUES,
        ROW | st.lists(ROW, max_size=3),
        st.dictionaries(st.sampled_from(FIELDS), VALUES).map(lambda change: {**a_run(), **change}),
        st.dictionaries(st.sampled_from(PLAIN), VALUES).map(lambda change: {**GOOD_PLAIN, **change}),
    )
)
def test_no_body_brings_it_down(client: Client, body: Any) -> None:
    for path in ("/api/v1/lineage", "/api/v1/events"):
        code, told = client.post(path, body)
        assert code == 201 or (400 <= code < 500 and told["error"])
    code, told = client.post("/api/v1/sources/shop/click", body, token=TILL)
    assert code == 201 or (400 <= code < 500 and told["error"])


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"eventTime": NaN}',
        b"9" * 10_000,
        json.dumps(a_run(eventTime="0001-01-01T00:00:00+14:00")).encode(),
        json.dumps(a_run(job={"namespace": "n", "name": "\x00"})).encode(),
        json.dumps(a_run(job={"namespace": "n", "name": "\ud800"})).encode(),
        json.dumps(a_run(producer="x" * 500_000)).encode(),
        b"\xff\xfe",
        b"",
    ],
    ids=["brackets", "braces", "nan", "digits", "first-year", "nul", "surrogate", "long", "utf-16", "empty"],
)
def test_hostile_bodies_are_refused_in_words(client: Client, body: bytes) -> None:
    code, told = client.post("/api/v1/lineage", body)

    assert 400 <= code < 500
    assert len(told["error"]) < 4_000


def test_it_does_not_start_without_a_token(tmp_path: Path) -> None:
    with pytest.raises(NoToken):
        read_senders({})
    empty = tmp_path / "tokens"
    empty.write_text("# none\n")
    with pytest.raises(NoToken):
        read_senders({"MESH_EVENTS_TOKEN_FILE": str(empty)})
    with pytest.raises(SettingMalformed, match="16 letters"):
        read_senders({"MESH_EVENTS_TOKEN": "short"})


@pytest.mark.parametrize(
    "line", ["airflow nothing airflow-token-000000", "Air lineage a-token-of-some-length", "a lineage short"]
)
def test_a_wrong_line_of_tokens_is_told_without_the_token(tmp_path: Path, line: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"\n{line}\n", encoding="utf-8")

    with pytest.raises(TokensMalformed, match=":2:") as error:
        read_senders({"MESH_EVENTS_TOKEN_FILE": str(path)})

    assert line.split()[-1] not in str(error.value)


def test_tokens_are_not_kept_and_not_shown() -> None:
    senders = read_senders({"MESH_EVENTS_TOKEN": "a-secret-of-some-length"})

    assert "secret" not in repr(senders)
    assert sender_of(senders, "Bearer a-secret-of-some-length") == senders[0]
    assert sender_of(senders, "Basic a-secret-of-some-length") is None


def test_it_answers_over_a_real_connection(client: Client) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(client.app, access_log=False, log_level="error"))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                thread.join(0.01)
            base = f"http://127.0.0.1:{listener.getsockname()[1]}"
            assert json.load(urllib.request.urlopen(f"{base}/health")) == {"status": "ok"}
            with pytest.raises(urllib.error.HTTPError, match="401") as error:
                urllib.request.urlopen(urllib.request.Request(f"{base}/api/v1/events", b"{}"))
            error.value.close()
        finally:
            server.should_exit = True
            thread.join()
