"""Formats, nested values and the mesh's own kinds: a schema says of them what the audit says, everywhere."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.checks.schema import pandera_schema, verdict_of
from mesh_assets.capabilities.contracts import Contract, read_contract
from mesh_assets.words.rules import Outcome
from tests.unit.checks.notebooks import BACKENDS, in_backend
from tests.unit.checks.test_schema import bad_positions, found_by_pandera, told

pytestmark = pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: shop.orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: row, logicalType: integer}
      - {name: mail, logicalType: string, logicalTypeOptions: {format: email, pattern: '^\\\\w+@'}}
      - {name: npi, logicalType: string, physicalType: VARCHAR}
      - {name: paid, logicalType: number, physicalType: "DECIMAL(9,2)", logicalTypeOptions: {minimum: 0.05}}
      - {name: list, logicalType: number}
      - {name: at, logicalType: timestamp, physicalType: TIMESTAMP}
      - name: tags
        logicalType: array
        physicalType: VARCHAR[]
        logicalTypeOptions: {minItems: 1, uniqueItems: true}
        items: {logicalType: string, logicalTypeOptions: {minLength: 2}}
      - name: address
        logicalType: object
        physicalType: STRUCT(zip VARCHAR, city VARCHAR)
        properties:
          - {name: zip, logicalType: string, required: true, logicalTypeOptions: {pattern: '^[0-9]{5}$'}}
          - {name: city, logicalType: string}
    quality:
      - name: npi_digit
        type: custom
        engine: mesh
        implementation: {kind: check_digit, column: npi, algorithm: npi}
      - name: in_list
        type: custom
        engine: mesh
        implementation: {kind: expression, expression: paid <= list}
      - name: paid_then_mailed
        type: custom
        engine: mesh
        implementation: {kind: when, when: paid > 1, then: mail IS NOT NULL}
      - name: mostly_in_list
        type: custom
        engine: mesh
        implementation: {kind: expression, expression: paid < 2, unit: percent, mustBeLessThan: 50}
      - name: starts
        type: custom
        engine: pandera
        implementation: {check: str_contains, columns: [mail], arguments: {pattern: '^a'}}
"""

VALUES = {
    "mail": (pl.String, ["a@example.com", "a", "b@example.com", ""]),
    "npi": (pl.String, ["1234567893", "1234567890", "1", ""]),
    "paid": (pl.Decimal(9, 2), ["0.00", "0.05", "1.01", "2.00"]),
    "list": (pl.Float64, [0.0, 1.5, float("nan"), float("inf")]),
    "at": (pl.Datetime("us"), []),
    "tags": (pl.List(pl.String), [[], ["ab"], ["ab", "ab"], ["a", None]]),
    "address": (
        pl.Struct({"zip": pl.String, "city": pl.String}),
        [{"zip": "12345", "city": None}, {"zip": None, "city": "x"}, {"zip": "1", "city": "x"}],
    ),
}


@pytest.fixture(scope="module")
def contract(tmp_path_factory) -> Contract:
    folder = tmp_path_factory.mktemp("domains") / "shop" / "orders"
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(CONTRACT)
    return read_contract(folder / "contract.yaml")


@pytest.fixture(scope="module")
def shared_con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        yield con


@st.composite
def frames(draw) -> pl.DataFrame:
    rows = draw(st.integers(0, 5))
    columns = {"row": pl.Series(range(rows), dtype=pl.Int64)}
    for name, (dtype, values) in VALUES.items():
        cell = st.none() | st.sampled_from(values) if values else st.none()
        drawn = pl.Series(draw(st.lists(cell, min_size=rows, max_size=rows)), dtype=None if values else dtype)
        columns[name] = drawn.cast(dtype)
    return pl.DataFrame(columns)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(frame=frames())
def test_every_kind_of_rule_says_the_same_of_a_notebooks_data(shared_con, contract, backend, frame):
    shared_con.register("frame", frame.to_arrow())
    data, schema = in_backend(backend, frame), pandera_schema(contract, backend)

    verdict = audit(shared_con, "frame", contract)
    found = found_by_pandera(schema, data)

    assert schema.metadata["elsewhere"] == {}
    assert [told(result) for result in verdict_of(schema, data).results] == [
        told(result) for result in verdict.results
    ]
    assert set(found) == {each.rule.id for each in verdict.results if each.outcome is not Outcome.PASSED}
    for result in verdict.results:
        error = found.get(result.rule.id)
        if result.failed_rows and hasattr(error.failure_cases, "columns"):  # it names rows
            assert len(bad_positions(error, frame.height)) == result.failed_rows, result
