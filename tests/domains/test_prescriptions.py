"""Fills in the week in which they were dispensed: late, reversed, sent again, corrected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from mesh_assets import mesh
from mesh_assets.operational.defects import read_ledger
from mesh_assets.words.settings import read_settings
from tests.conftest import BuiltMesh
from tests.domains.dbt_by_hand import frame, run_models

MONDAY = date(2023, 3, 6)
NPI, NDC, OTHER_NDC = "2000028771", "00003089321", "00003089421"
FILL = """fill_id claim_type reversed_fill_id fill_date::date npi ndc11 plan_id patient_id days_supply
    quantity::double refill_number paid_amount::decimal(12,2) copay_amount::decimal(12,2)
    received_at::timestamp drop_week::date"""
Rx = duckdb.DuckDBPyConnection


def sent(
    fill_id: int,
    *,
    weeks_later: int = 0,
    paid: float = 100.0,
    ndc: str = NDC,
    reverses: int | None = None,
) -> tuple[object, ...]:
    """A fill of Tuesday, 7 March 2023 (or a reversal) as the feed sends it, so many drops after its week."""
    drop = str(MONDAY + timedelta(weeks=weeks_later))
    kind = "fill" if reverses is None else "reversal"
    dispensed = (kind, reverses, "2023-03-07", NPI, ndc, "PL001", "P000000001", 30, 60.0, 0, paid, 10.0)
    return (fill_id, *dispensed, f"{drop} 12:00:00", drop)


FEED = [
    sent(1),
    sent(2, weeks_later=4),
    sent(3, weeks_later=5),
    sent(4),
    sent(4, weeks_later=2, paid=120.0),
    sent(5),
    sent(1005, weeks_later=4, reverses=5),
    sent(6),
    sent(1006, weeks_later=5, reverses=6),
    sent(7),
    sent(7),
    sent(8, ndc="99999999999"),
    sent(1009, reverses=9),
]  # fmt: skip


@pytest.fixture(scope="module")
def rx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    views = {
        "prescriptions_sources.fills": frame(FILL, FEED),
        "mesh_drug.package": frame("ndc11 brand_id", [(NDC, "eliquis"), (OTHER_NDC, "eliquis")]),
    }
    folder = tmp_path_factory.mktemp("prescriptions")
    with run_models(folder, ["rx_fill", "rx_weekly"], views, weeks=[str(MONDAY)]) as con:
        yield con


def one(con: duckdb.DuckDBPyConnection, columns: str, fill_id: int) -> list[tuple[object, ...]]:
    return con.sql(f"select {columns} from prescriptions.rx_fill where fill_id = {fill_id}").fetchall()


def test_a_fill_that_arrives_four_weeks_later_is_in_the_week_of_its_date(
    rx: duckdb.DuckDBPyConnection,
) -> None:
    assert one(rx, "week_start, received_week, late_weeks", 2) == [(MONDAY, date(2023, 4, 3), 4)]


def test_a_fill_that_arrives_later_than_that_is_not_taken(rx: Rx) -> None:
    assert one(rx, "fill_id", 3) == []


def test_a_fill_that_is_sent_again_keeps_its_arrival_and_takes_the_correction(
    rx: duckdb.DuckDBPyConnection,
) -> None:
    assert [tuple(map(str, row)) for row in one(rx, "received_week, late_weeks, paid_amount", 4)] == [
        ("2023-03-06", "0", "120.00")
    ]


def test_a_reversal_marks_its_fill_and_adds_no_row(rx: Rx) -> None:
    assert one(rx, "is_reversed, reversed_week", 5) == [(True, date(2023, 4, 3))]
    assert one(rx, "fill_id", 1005) == []


def test_a_reversal_after_four_weeks_comes_too_late(rx: Rx) -> None:
    assert one(rx, "is_reversed", 6) == [(False,)]


def test_a_fill_twice_in_one_drop_stays_twice_for_the_contract_to_refuse(
    rx: duckdb.DuckDBPyConnection,
) -> None:
    assert one(rx, "fill_id", 7) == [(7,), (7,)]


def test_an_unknown_package_is_a_fill_without_brand_and_not_a_lost_fill(
    rx: duckdb.DuckDBPyConnection,
) -> None:
    assert one(rx, "ndc11, brand_id", 8) == [("99999999999", None)]


def test_reversed_fills_do_not_count(rx: Rx) -> None:
    found = rx.sql("select sum(fills), sum(new_fills) from prescriptions.rx_weekly").fetchall()

    assert found == [(7, 7)]  # eight rows of rx_fill, one of them reversed


def test_every_key_of_the_link_is_in_its_hub(rx: Rx) -> None:
    for hub in ("hcp", "package", "plan", "patient"):
        stray = f"from prescriptions._link_fill anti join prescriptions._hub_{hub} using ({hub}_hk)"
        assert rx.sql(f"select count(*) {stray}").fetchall() == [(0,)], hub


@pytest.fixture
def published(built_mesh: BuiltMesh) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published products as tables `rx_fill` and `rx_weekly`, the feed as `feed`."""
    con = duckdb.connect()
    for product in ("rx_fill", "rx_weekly"):
        con.register(product, mesh.read(f"prescriptions.{product}").arrow())
    drops = read_settings().sources / "prescriptions" / "fills" / "*.parquet"
    con.execute(f"create view feed as select * from read_parquet('{drops}')")
    yield con
    con.close()


def planted(kind: str) -> tuple[int, set[int]]:
    """How many rows the generator made so, and the keys of the first of them."""
    entry = next(entry for entry in read_ledger(read_settings().sources) if entry.kind == kind)
    return entry.count, {int(key) for key in entry.rows}


@pytest.mark.mesh
def test_every_fill_of_the_feed_is_published_once(published: Rx) -> None:
    feed = published.sql(
        "select count(*), count(distinct fill_id), sum(paid_amount) from feed where claim_type = 'fill'"
    ).fetchall()

    assert (
        published.sql("select count(*), count(distinct fill_id), sum(paid_amount) from rx_fill").fetchall()
        == feed
    )


@pytest.mark.mesh
def test_late_fills_are_those_that_the_generator_delayed(published: Rx) -> None:
    count, keys = planted("late_fill")
    found = {row[0] for row in published.sql("select fill_id from rx_fill where late_weeks > 0").fetchall()}

    assert len(found) == count
    assert keys <= found


@pytest.mark.mesh
def test_reversed_fills_are_those_that_the_generator_reversed(published: Rx) -> None:
    count, keys = planted("reversed_fill")
    found = {row[0] for row in published.sql("select fill_id from rx_fill where is_reversed").fetchall()}

    assert len(found) == count
    assert keys <= found


@pytest.mark.mesh
def test_the_vault_returns_the_business_keys_that_were_sent(published: Rx) -> None:
    changed = published.sql(
        """select count(*) from rx_fill join feed using (fill_id) where feed.claim_type = 'fill'
        and (rx_fill.npi, rx_fill.ndc11, rx_fill.plan_id, rx_fill.patient_id)
            <> (feed.npi, feed.ndc11, feed.plan_id, feed.patient_id)"""
    ).fetchall()

    assert changed == [(0,)]


@pytest.mark.mesh
def test_weeks_add_up_to_the_fills_that_stood(published: Rx) -> None:
    difference = published.sql(
        """select week_start, brand_id, count(*) as fills, sum(paid_amount) as paid, sum(days_supply) as days
        from rx_fill where not is_reversed group by all
        except
        select week_start, brand_id, sum(fills), sum(paid_amount), sum(days_supply)
        from rx_weekly group by all"""
    ).fetchall()

    assert difference == []


@pytest.mark.mesh
def test_medicare_rows_keep_the_names_of_cms_and_get_our_brand(built_mesh: BuiltMesh) -> None:
    rows = mesh.read("prescriptions.prescriber_drug_year").polars()

    assert rows.height > 0
    assert not rows.select("npi", "generic_name", "brand_name").is_duplicated().any()
    assert rows.filter(pl.col("brand_name") == "Eliquis")["brand_id"].unique().to_list() == ["eliquis"]


@pytest.mark.mesh
def test_a_week_built_alone_equals_the_week_built_with_all_others(
    published: Rx, built_mesh: BuiltMesh, tmp_path: Path
) -> None:
    folder = read_settings().sources / "prescriptions" / "fills"
    drops = [str(folder / f"{MONDAY + timedelta(weeks=later)}.parquet") for later in range(5)]
    week = "regexp_extract(filename, '([0-9-]{10})[^/]*$', 1)::date as drop_week"
    packages = list(mesh.read("drug.package").files)
    views = {
        "prescriptions_sources.fills": f"select *, {week} from read_parquet({drops}, filename = true)",
        "mesh_drug.package": f"select * from read_parquet({packages})",
    }
    whole = published.sql(f"from rx_fill where week_start = '{MONDAY}' order by fill_id").fetchall()

    with run_models(tmp_path, ["rx_fill"], views, weeks=[str(MONDAY)]) as con:
        assert con.sql("from prescriptions.rx_fill order by fill_id").fetchall() == whole != []


@pytest.mark.mesh
@pytest.mark.real
def test_two_in_three_rows_of_the_real_part_d_have_a_brand(
    built_mesh: BuiltMesh, real_data: Path, tmp_path: Path
) -> None:
    drop, brands = real_data / "cms_partd_2023" / "prescriber_drug.csv", list(mesh.read("drug.brand").files)
    views = {
        "prescriptions_sources.part_d": f"select * from read_csv('{drop}', all_varchar = true)",
        "mesh_drug.brand": f"select * from read_parquet({brands})",
    }

    with run_models(tmp_path, ["prescriber_drug_year"], views) as con:
        rows, keys, matched = con.sql(
            """select count(*), count(distinct (npi, generic_name, brand_name)), count(brand_id)
            from prescriptions.prescriber_drug_year"""
        ).fetchone() or (0, 0, 0)

    assert rows == keys == 115_914
    assert 0.6 < matched / rows < 0.7
