"""The star adds up to what it was made from, keeps what it does not know, and shares make one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from mesh_assets import mesh
from tests.conftest import BuiltMesh
from tests.domains.dbt_by_hand import frame, run_models

KNOWN, STRANGER = "2000028771", "2999999999"
RX = """npi brand_id plan_id week_start::date fills new_fills units::double days_supply
    paid_amount::decimal(18,2) copay_amount::decimal(18,2) patients"""
Star = duckdb.DuckDBPyConnection
DIMENSIONS = ("dim_hcp", "dim_drug", "dim_plan", "dim_territory")


def prescribed(npi: str, brand: str, week: str, fills: int, *, plan: str = "PL001") -> tuple[object, ...]:
    return (npi, brand, plan, week, fills, 1, fills * 30.0, fills * 30, fills * 10.01, fills * 1.0, 1)


WEEKS = [
    prescribed(KNOWN, "eliquis", "2023-01-30", 3),
    prescribed(KNOWN, "xarelto", "2023-01-30", 1),
    prescribed(KNOWN, "eliquis", "2023-02-06", 2),
    prescribed(STRANGER, "eliquis", "2023-01-30", 5),
    prescribed(STRANGER, "xarelto", "2023-01-30", 5, plan="never filed"),
    prescribed(KNOWN, "new_launch", "2023-01-30", 4),
    prescribed(KNOWN, "zostavax", "2023-01-30", 7),
]
BRANDS = [(name, name.upper(), "g", "l", "2010-01-01") for name in ("eliquis", "xarelto", "zostavax")]
BASKETS = [(name, "Factor Xa Inhibitor", "Antithrombotics", True) for name in ("eliquis", "xarelto")]
PERSON = (KNOWN, "ANNA", "OBRIEN", "MD", None, "AMES", "IA", "50010", "active")
TERRITORY = ("T001", "North", "Midwest", "IA", 1, 9)
PLAN = ("PL001", "p", "q", "cash", 100, "2023-01-01")
PAYMENTS = [(KNOWN, "eliquis", "2023-02-03", 50.0, None), (KNOWN, "eliquis", "2023-02-03", 50.0, "1")]
CALLS = [
    ("C1", KNOWN, "2023-01-30", "eliquis", "xarelto"),
    ("C2", KNOWN, "2023-02-06", "eliquis", None),
    ("C3", None, "2023-02-27", "eliquis", None),
]


def views() -> dict[str, str]:
    """What the models read, as the mesh would offer it."""
    return {
        "mesh_geography.territory": frame(
            "territory_id territory_name region states zip_count population", [TERRITORY]
        ),
        "mesh_geography.zip_territory": frame("zip5 territory_id", [("50010", "T001")]),
        "mesh_hcp.hcp_master": frame(
            "npi first_name last_name credentials specialty city state zip5 status", [PERSON]
        ),
        "mesh_drug.brand": frame("brand_id brand_name generic_name labeler first_marketed::date", BRANDS),
        "mesh_drug.package": frame("ndc11 brand_id", [("1", "eliquis")]),
        "mesh_drug.market_basket": frame("brand_id pharm_class basket_name is_primary", BASKETS),
        "mesh_payer.plan": frame(
            "plan_id plan_name payer_name line_of_business enrollment effective_from::date", [PLAN]
        ),
        "mesh_payer.plan_area": frame("plan_id state", [("PL001", "IA")]),
        "mesh_prescriptions.rx_weekly": frame(RX, WEEKS),
        "mesh_engagement.call": frame("call_id npi week_start::date brand_id second_brand_id", CALLS),
        "mesh_engagement.sample_drop": frame(
            "npi week_start::date brand_id quantity", [(KNOWN, "2023-01-30", "eliquis", 6)]
        ),
        "mesh_engagement.payment": frame(
            "npi brand_id payment_date::date amount_usd::decimal(18,2) likely_double_of", PAYMENTS
        ),
    }


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with run_models(tmp_path_factory.mktemp("star"), ["brand_performance"], views()) as con:
        yield con


def performance(con: Star, columns: str, where: str) -> list[tuple[object, ...]]:
    return con.sql(
        f"select {columns} from brand_analytics.brand_performance where {where} order by all"
    ).fetchall()


def test_a_prescriber_whom_the_master_lacks_is_the_unknown_member_and_still_counts(
    star: duckdb.DuckDBPyConnection,
) -> None:
    found = star.sql("select sum(fills) from brand_analytics.fct_rx_weekly where hcp_key = -1").fetchall()

    assert found == [(10,)]


def test_a_brand_that_the_directory_lacks_is_the_unknown_brand(star: Star) -> None:
    assert performance(star, "brand_id, fills", "brand_id = 'UNKNOWN'") == [("UNKNOWN", 4)]


def test_a_share_is_of_the_market_in_the_territory_and_month(star: Star) -> None:
    found = performance(
        star,
        "brand_id, basket_share",
        "month = '2023-01-01' and territory_id = 'T001' and basket_name = 'Antithrombotics'",
    )

    assert found == [("eliquis", 0.75), ("xarelto", 0.25)]


def test_a_brand_without_class_is_a_market_of_its_own(star: Star) -> None:
    assert performance(star, "basket_name, basket_share", "brand_id = 'zostavax'") == [("ZOSTAVAX", 1.0)]


def test_a_week_belongs_to_the_month_of_its_monday_for_fills_and_effort(
    star: duckdb.DuckDBPyConnection,
) -> None:
    found = performance(
        star,
        "month::varchar, fills, calls, samples, payments_usd::varchar",
        "brand_id = 'eliquis' and territory_id = 'T001'",
    )

    assert found == [("2023-01-01", 3, 1, 6, "50.00"), ("2023-02-01", 2, 1, 0, "0.00")]


def test_a_month_that_is_built_alone_is_as_it_is_among_all(star: Star, tmp_path: Path) -> None:
    with run_models(tmp_path, ["brand_performance"], views(), months=["2023-02-01"]) as alone:
        found = performance(alone, "*", "true")

    assert found
    assert found == performance(star, "*", "month = '2023-02-01'")


def test_effort_without_a_fill_is_a_row_without_a_share(star: Star) -> None:
    found = performance(
        star, "fills, calls, basket_share", "territory_id = 'UNKNOWN' and month = '2023-02-01'"
    )

    assert found == [(0, 1, None)]


def test_a_prescriber_keeps_the_key_in_every_build(star: Star) -> None:
    found = star.sql(f"select hcp_key from brand_analytics.dim_hcp where npi = '{KNOWN}'").fetchall()

    assert found == star.sql(f"select (md5_number_lower('hcp|{KNOWN}') >> 1)::bigint").fetchall()


@pytest.fixture
def published(built_mesh: BuiltMesh) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published star and what it was made from, as tables named after the products."""
    names = (*DIMENSIONS, "fct_rx_weekly", "fct_engagement", "fct_access", "brand_performance")
    with duckdb.connect() as con:
        for name in names:
            con.register(name, mesh.read(f"brand_analytics.{name}").arrow())
        con.register("rx_weekly", mesh.read("prescriptions.rx_weekly").arrow())
        con.register("hcp_engagement_weekly", mesh.read("engagement.hcp_engagement_weekly").arrow())
        yield con


@pytest.mark.mesh
def test_shares_of_a_market_make_one(published: Star) -> None:
    found = published.sql(
        """select count(*), count(*) filter (abs(share - 1) > 1e-9) from (
            select sum(basket_share) as share from brand_performance where basket_fills > 0
            group by basket_name, territory_id, month)"""
    ).fetchone() or (0, 1)

    assert found[0] > 100
    assert found[1] == 0


@pytest.mark.mesh
def test_fills_and_money_are_the_same_from_weeks_to_star_to_months(
    published: Star,
) -> None:
    totals = [
        published.sql(f"select sum(fills), sum(new_fills), sum(paid_amount) from {table}").fetchall()
        for table in ("rx_weekly", "fct_rx_weekly", "brand_performance")
    ]

    assert totals[0] == totals[1] == totals[2]


@pytest.mark.mesh
def test_effort_is_the_same_in_engagement_and_on_the_star(published: Star) -> None:
    totals = [
        published.sql(f"select sum(calls), sum(samples), sum(payments_usd) from {table}").fetchall()
        for table in ("hcp_engagement_weekly", "fct_engagement")
    ]

    assert totals[0] == totals[1]


@pytest.mark.mesh
@pytest.mark.parametrize(
    ("fact", "dimension", "key"),
    [
        ("fct_rx_weekly", "dim_hcp", "hcp_key"),
        ("fct_rx_weekly", "dim_drug", "drug_key"),
        ("fct_rx_weekly", "dim_plan", "plan_key"),
        ("fct_rx_weekly", "dim_territory", "territory_key"),
        ("fct_engagement", "dim_hcp", "hcp_key"),
        ("fct_access", "dim_plan", "plan_key"),
    ],
)
def test_every_fact_finds_its_dimension(published: Star, fact: str, dimension: str, key: str) -> None:
    assert published.sql(f"select count(*) from {fact} anti join {dimension} using ({key})").fetchall() == [
        (0,)
    ]


@pytest.mark.mesh
def test_nearly_all_fills_are_on_known_members(published: Star) -> None:
    found = published.sql(
        "select avg((-1 in (hcp_key, drug_key, plan_key))::integer) from fct_rx_weekly"
    ).fetchone()

    assert found is not None
    assert found[0] < 0.01


@pytest.mark.mesh
def test_access_is_a_whole_grid_of_brands_and_plans(published: Star) -> None:
    found = published.sql(
        "select count(*) = count(distinct brand_id) * count(distinct plan_id), bool_or(not is_covered) "
        "from fct_access"
    ).fetchall()

    assert found == [(True, True)]
