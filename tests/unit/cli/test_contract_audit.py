"""`mesh contract audit`: anybody's files held to anybody's contract."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from .conftest import Command

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
status: active
schema:
  - name: Orders
    properties:
      - {name: Order ID, physicalName: id, logicalType: string, physicalType: VARCHAR(5), primaryKey: true}
      - {name: customer, logicalType: integer, relationships: [{to: Customers.id}]}
      - name: total
        logicalType: number
        physicalType: NUMBER(10,2)
        logicalTypeOptions: {minimum: 0}
        quality: [{metric: nullValues, mustBe: 0, severity: warning, name: total known}]
      - {name: mail, logicalType: string, classification: personal, logicalTypeOptions: {format: email}}
  - name: Customers
    properties:
      - {name: id, logicalType: integer, physicalType: NUMBER(9), primaryKey: true}
"""
ROWS = "('A1', 1, 10.50, 'a@b.org'), ('A2', 9, -1.00, 'no'), ('ABCDEF', 1, NULL, 'c@d.org')"
TYPED = (
    "SELECT id, customer, total::DECIMAL(10,2) AS total, mail "
    f"FROM (VALUES {ROWS}) AS t(id, customer, total, mail)"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.odcs.yaml").write_text(CONTRACT, encoding="utf-8")
    (tmp_path / "customers.csv").write_text("id\n1\n", encoding="utf-8")
    with duckdb.connect() as con:
        con.execute(f"COPY ({TYPED}) TO '{tmp_path}/Orders.parquet'")
        con.execute(f"COPY ({TYPED}) TO '{tmp_path}/Orders.csv'")
        con.execute(f"COPY ({TYPED}) TO '{tmp_path}/Orders.json'")
        con.execute(f"ATTACH '{tmp_path}/Orders.duckdb' AS made")
        con.execute(f"CREATE SCHEMA made.sales; CREATE TABLE made.sales.orders AS {TYPED}")
    return tmp_path


def audited(mesh: Command, folder: Path, *arguments: str) -> tuple[int, dict[str, object]]:
    said = mesh("contract", "audit", str(folder / "shop.odcs.yaml"), *arguments, "--json")
    return said.code, json.loads(said.out)


@pytest.mark.parametrize("ending", ["parquet", "csv", "json", "duckdb"])
def test_every_format_of_the_same_rows_has_the_same_verdict(mesh: Command, folder: Path, ending: str) -> None:
    customers = f"Customers={folder / 'customers.csv'}"

    code, told = audited(mesh, folder, str(folder / f"Orders.{ending}"), "--reference", customers)

    failed = {rule["rule"]: rule["failed_rows"] for rule in told["rules"] if rule["outcome"] != "passed"}
    assert (code, told["table"], told["rows"]) == (1, "Orders", 3)
    assert failed == {
        "id_length": 1,
        "customer_is_customers": 1,
        "total_minimum": 1,
        "total_known": 1,
        "mail_format": 1,
    }


def test_a_rule_that_points_at_data_that_is_not_given_is_an_error_of_itself_alone(
    mesh: Command, folder: Path
) -> None:
    said = mesh("contract", "audit", str(folder / "shop.odcs.yaml"), str(folder / "Orders.parquet"))

    assert said.code == 1
    assert said.out.count("could not run") == 1
    assert "--reference customers=FILE" in said.out


def test_only_warnings_pass_and_only_chosen_rules_run(mesh: Command, folder: Path) -> None:
    data = str(folder / "Orders.parquet")

    code, told = audited(mesh, folder, data, "--rule", "total_known", "--rule", "primary_key")

    assert (code, [rule["rule"] for rule in told["rules"]]) == (0, ["primary_key", "total_known"])


def test_failing_rows_are_written_by_rule_and_personal_values_are_masked(mesh: Command, folder: Path) -> None:
    said = mesh(
        *("contract", "audit", str(folder / "shop.odcs.yaml"), str(folder / "Orders.parquet")),
        *("--rows", str(folder / "failing")),
    )

    rows = duckdb.sql(f"SELECT * FROM '{folder}/failing/mail_format.parquet'").fetchall()
    assert rows == [("A2", "***")]
    assert "'no'" not in said.out


def test_a_text_that_is_no_value_of_its_type_leaves_the_column_text_and_is_told(
    mesh: Command, folder: Path
) -> None:
    (folder / "Orders.csv").write_text("id,customer,total,mail\nA1,x1,1.005,\nA2,2,2.00,\n", encoding="utf-8")

    _, told = audited(mesh, folder, str(folder / "Orders.csv"))

    first = told["rules"][0]
    assert first["outcome"] == "failed"
    assert "customer is stored as VARCHAR" in first["summary"]
    assert "1 row holds no DECIMAL(10,2), such as '1.005'" in first["summary"]


def test_a_text_in_json_is_no_number(mesh: Command, folder: Path) -> None:
    (folder / "Orders.json").write_text('[{"id": "A1", "customer": "1", "total": 1, "mail": null}]', "utf-8")

    _, told = audited(mesh, folder, str(folder / "Orders.json"))

    assert "customer is stored as JSON" in told["rules"][0]["summary"]


def test_a_refused_form_is_told_and_the_audit_has_not_passed(mesh: Command, folder: Path) -> None:
    rule = (
        "    quality: [{type: custom, engine: soda, implementation: x}]\n    properties:\n      - {name: id"
    )
    text = CONTRACT.replace("    properties:\n      - {name: id", rule)
    (folder / "shop.odcs.yaml").write_text(text, encoding="utf-8")
    asked = ("contract", "audit", str(folder / "shop.odcs.yaml"), str(folder / "customers.csv"))

    said = mesh(*asked, "--table", "Customers")

    assert (said.code, "'soda'" in said.err) == (2, True)
    assert mesh(*asked, "--table", "Customers", "--allow-refused").code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere.parquet",), "nowhere.parquet was not audited: there is no such file"),
        (("shop.odcs.yaml",), "its ending tells no format"),
        (("broken.parquet", "--table", "Orders"), "it cannot be read"),
        (("customers.csv",), "has no table 'other'"),
        (("Orders.parquet", "--table", "Custmers"), "Did you mean Customers?"),
        (("Orders.parquet", "--rule", "primary_kee"), "Did you mean primary_key?"),
        (("Orders.parquet", "--reference", "x"), "--reference is name=file"),
        (("Orders.parquet", "--reference", "x=customers.csv"), "It refers to: contract.customers"),
        (("Orders.parquet", "customers.csv"), "files of 2 kinds"),
        (("Orders.duckdb", "--table", "Customers"), "Tables: sales.orders"),
    ],
)
def test_a_mistake_in_the_command_is_one_clear_error(
    mesh: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(folder)
    (folder / "broken.parquet").write_text("id\n1\n", encoding="utf-8")
    (folder / "customers.csv").rename(folder / "other.csv") if "other" in told else None
    arguments = tuple(
        each.replace("customers.csv", "other.csv") if "other" in told else each for each in arguments
    )

    said = mesh("contract", "audit", "shop.odcs.yaml", *arguments)

    assert said.code == 2
    assert told in " ".join(said.err.split())


def test_parquet_files_of_different_columns_are_not_cast_to_the_first(mesh: Command, folder: Path) -> None:
    duckdb.sql("SELECT 1 AS id").write_parquet(str(folder / "more.parquet"))

    asked = (str(folder / "shop.odcs.yaml"), str(folder / "Orders.parquet"), str(folder / "more.parquet"))
    said = mesh("contract", "audit", *asked)

    assert (said.code, "its columns are not those of Orders.parquet" in said.err) == (2, True)


def test_an_audit_of_files_loads_no_orchestrator(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from mesh_assets.capabilities.checks.borrowed import Order, audit_files; "
        f"audit_files(Order(Path(r'{folder}/shop.odcs.yaml'), (Path(r'{folder}/Orders.parquet'),))); "
        "print(*(name for name in ('dagster', 'dbt', 'pandas', 'polars', 'pandera') if name in sys.modules))"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == ""
