"""Reports as products: they show what the mesh holds, stand alone, and are the same every time."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import altair as alt
import duckdb
import openpyxl
import polars as pl
import pytest

from mesh_assets import mesh
from mesh_assets.domains.field_reports.brand_scorecard import page as scorecard
from mesh_assets.domains.field_reports.brand_scorecard.figures import Territory, gather
from mesh_assets.domains.field_reports.brand_scorecard.svg import draw
from mesh_assets.domains.field_reports.brand_scorecard.territories import fitted
from mesh_assets.domains.field_reports.call_plan.ranking import ranked
from mesh_assets.domains.field_reports.call_plan.workbook import COLUMNS, workbook
from mesh_assets.domains.field_reports.spend_transparency.recipe import TOTALS, as_csv
from tests.conftest import BuiltMesh

FULL, NEVER, OFTEN = "2000028771", "2000516692", "2000999991"
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What a report is made of: tags, attributes, text; and whether every tag is closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)

    def all(self, *names: str) -> Iterator[dict[str, str | None]]:
        return (attributes for tag, attributes in self.tags if tag in names)


def artifact(built: BuiltMesh, name: str) -> Path:
    """That file of the version that readers see, found by the digest in the version's table."""
    rows = mesh.read(f"field_reports.{name.partition('.')[0]}").polars()
    digest = rows.get_column("artifact_sha256")[0]
    kept = (built.home / "lakes" / "field_reports" / "artifacts").rglob(name)
    return next(path for path in kept if hashlib.sha256(path.read_bytes()).hexdigest() == digest)


@pytest.fixture
def star(built_mesh: BuiltMesh) -> duckdb.DuckDBPyConnection:
    """What the reports' recipes see: the products that they declare, under their names."""
    con = duckdb.connect()
    for name in (
        "brand_analytics.brand_performance",
        "brand_analytics.dim_drug",
        "brand_analytics.dim_hcp",
        "brand_analytics.dim_plan",
        "brand_analytics.dim_territory",
        "brand_analytics.fct_access",
        "brand_analytics.fct_engagement",
        "brand_analytics.fct_rx_weekly",
        "engagement.payment",
        "geography.zip_area",
        "geography.zip_territory",
        "hcp.hcp_master",
    ):
        domain, product = name.split(".")
        rows = mesh.read(name).arrow()
        con.register("rows_of_product", rows)
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {domain}")
        con.execute(f"CREATE TABLE {domain}.{product} AS FROM rows_of_product")
    return con


# The scorecard


@pytest.mark.mesh
def test_the_scorecard_asks_for_nothing_from_anywhere(built_mesh: BuiltMesh) -> None:
    text = artifact(built_mesh, "brand_scorecard.html").read_text(encoding="utf-8")
    page = Page(text)

    assert not list(page.all("script", "link", "img", "iframe", "object", "embed"))
    assert not [one for one in page.all("a") if not (one["href"] or "").startswith("#")]
    outside = set(re.findall(r"(?:https?:)?//[a-z][^\s\"'<)]*", text))
    assert outside == {"http://www.w3.org/2000/svg"}, (
        "an SVG's namespace is a name and nothing is fetched from it"
    )
    assert "@import" not in text
    assert re.findall(r"url\((?!#)", text) == []


@pytest.mark.mesh
def test_the_scorecard_can_be_read_without_seeing_it(built_mesh: BuiltMesh) -> None:
    page = Page(artifact(built_mesh, "brand_scorecard.html").read_text(encoding="utf-8"))

    assert page.open == []
    assert [one["lang"] for one in page.all("html")] == ["en"]
    assert len(list(page.all("title", "h1"))) >= 2
    assert all(one.get("role") == "img" and one.get("aria-label") for one in page.all("svg"))
    assert all(one.get("scope") in ("col", "row", "rowgroup") for one in page.all("th"))
    ids = [one["id"] for _, one in page.tags if "id" in one]
    assert len(ids) == len(set(ids))
    named = {one["aria-labelledby"] for _, one in page.tags if "aria-labelledby" in one}
    assert named <= set(ids)


@pytest.mark.mesh
def test_the_scorecard_shows_the_figures_of_its_table(built_mesh: BuiltMesh) -> None:
    text = " ".join(Page(artifact(built_mesh, "brand_scorecard.html").read_text(encoding="utf-8")).text)
    table = mesh.read("field_reports.brand_scorecard").polars()

    for row in table.iter_rows(named=True):
        name = row["brand_id"].split("_")[0].title()
        assert name in text
        assert f"{row['fills_last_13w']:,}" in text
        assert f"{row['share']:.1%}" in text


@pytest.mark.mesh
def test_the_scorecards_figures_are_those_of_the_star_schema(star: duckdb.DuckDBPyConnection) -> None:
    table = mesh.read("field_reports.brand_scorecard").polars()
    counted = star.execute(
        """SELECT sum(fills) FROM brand_analytics.fct_rx_weekly
        WHERE week_start > (SELECT max(week_start) FROM brand_analytics.fct_rx_weekly) - 91"""
    ).fetchall()[0][0]

    assert table.get_column("fills_last_13w").sum() == counted
    shares = table.group_by("basket").agg(pl.col("share").sum(), fills=pl.col("fills_last_13w").sum())
    assert shares.filter(pl.col("fills") > 0).get_column("share").is_between(0.99, 1.01).all()


@pytest.mark.mesh
def test_the_same_data_gives_the_same_scorecard_to_the_byte(
    built_mesh: BuiltMesh, star: duckdb.DuckDBPyConnection
) -> None:
    drawn_elsewhere = artifact(built_mesh, "brand_scorecard.html").read_text(encoding="utf-8")

    figures = gather(star)

    assert scorecard.page(figures) == drawn_elsewhere
    assert scorecard.page(figures) == drawn_elsewhere


def test_a_chart_drawn_twice_is_the_same_and_shares_no_ids_with_others() -> None:
    rows = alt.InlineData(values=[{"x": 1, "y": 2}, {"x": 2, "y": 1}])
    chart = alt.Chart(rows).mark_line(clip=True).encode(x="x:Q", y="y:Q")

    first, again, other = (draw(chart, name=name, alternative="A line") for name in ("one", "one", "two"))

    assert first == again
    assert 'id="one-1"' in first and 'id="two-1"' in other


def test_dots_of_one_colour_and_title_become_one_path() -> None:
    rows = alt.InlineData(values=[{"x": x, "y": x % 7, "said": f"T{x % 2}"} for x in range(100)])
    chart = alt.Chart(rows).mark_circle(opacity=1).encode(x="x:Q", y="y:Q", description="said:N")

    drawn = draw(chart, name="dots", alternative="Dots")

    assert drawn.count("<title>") == 2
    assert drawn.count("h0") == 100


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "\N{EN DASH}"), (-1.25, "\N{MINUS SIGN}1.2"), (0.0, "+0.0"), (1234.5, "+1,234.5")],
)
def test_a_change_is_written_with_its_sign(value: float | None, said: str) -> None:
    assert scorecard.signed(value) == said


def test_a_large_territory_weighs_more_than_a_small_one() -> None:
    def territory(calls: int, growth: float, fills: int) -> Territory:
        return Territory("T001", "One", fills, None, {}, calls, fills, growth)

    steady = [territory(0, 0.0, 1000), territory(10, 10.0, 1000)]

    assert fitted(steady).correlation == pytest.approx(1)
    assert fitted([*steady, territory(10, -90.0, 1)]).slope == pytest.approx(1, abs=0.1)
    assert fitted([]).correlation == 0


# The call plan


@pytest.fixture
def small_star() -> duckdb.DuckDBPyConnection:
    """One market, three prescribers: the first writes our brand more than is usual, the others never do."""
    con = duckdb.connect()
    con.execute("CREATE SCHEMA brand_analytics")
    con.execute("CREATE SCHEMA hcp")
    market = {"basket_name": "Market"}
    place = {"territory_key": 7, "territory_id": "T007"}
    doctor = {**place, "specialty": "Family Medicine", "city": "Ames", "state": "IA", "zip5": "50010"}
    week, month = {"week_start": date(2024, 12, 23)}, {"territory_id": "T007", "month": date(2024, 12, 1)}
    tables: dict[str, list[dict[str, Any]]] = {
        "brand_analytics.dim_drug": [
            {"drug_key": 1, "brand_id": "ours", "brand_name": "OURS", **market},
            {"drug_key": 2, "brand_id": "theirs", "brand_name": "THEIRS", **market},
        ],
        "brand_analytics.dim_territory": [{**place, "territory_name": "Seventh"}],
        "brand_analytics.dim_hcp": [
            {"hcp_key": key, "npi": npi, "full_name": name, "status": "active", **doctor}
            for key, npi, name in (
                (1, FULL, "Full Share"),
                (2, NEVER, "Never Called"),
                (3, OFTEN, "Called Twice"),
            )
        ],
        "brand_analytics.fct_rx_weekly": [
            {"hcp_key": hcp, "drug_key": drug, "fills": fills, **week}
            for hcp, drug, fills in ((1, 1, 60), (1, 2, 20), (2, 2, 20), (3, 2, 20))
        ],
        "brand_analytics.fct_engagement": [
            {"hcp_key": 3, "week_start": date(2024, 12, 16), "calls": 2},
            {"hcp_key": 3, "week_start": date(2023, 12, 18), "calls": 9},
        ],
        "brand_analytics.brand_performance": [
            {"brand_id": "ours", "calls": 2, **month},
            {"brand_id": "theirs", "calls": 0, **month},
        ],
        "hcp.hcp_master": [{"npi": npi, "address": "1 Elm St"} for npi in (FULL, NEVER, OFTEN)],
    }
    for table, rows in tables.items():
        con.register("given", pl.DataFrame(rows).to_arrow())
        con.execute(f"CREATE TABLE {table} AS FROM given")
    return con


def test_the_plan_has_those_who_write_less_than_usual_and_the_uncalled_first(
    small_star: duckdb.DuckDBPyConnection,
) -> None:
    plan = ranked(small_star)

    assert plan.get_column("full_name").to_list() == ["Never Called", "Called Twice"]
    assert plan.get_column("rank").to_list() == [1, 2]
    assert plan.get_column("opportunity_fills").to_list() == [10.0, 10.0]
    assert plan.get_column("score").to_list() == [10.0, 6.0]
    assert plan.get_column("last_call_week").to_list() == [None, date(2024, 12, 16)]


def test_a_reason_can_be_said_aloud(small_star: duckdb.DuckDBPyConnection) -> None:
    assert ranked(small_star).get_column("reason").to_list() == [
        "Wrote 20 fills in Market in 26 weeks; Ours has 0% of them where 50% is usual; no call in 13 weeks",
        "Wrote 20 fills in Market in 26 weeks; Ours has 0% of them where 50% is usual; 2 calls in 13 weeks",
    ]


@pytest.mark.mesh
# The reader knows no data bars: they are an extension of the format.
@pytest.mark.filterwarnings("ignore:.* extension is not supported")
def test_the_workbook_has_the_rows_of_the_plan(built_mesh: BuiltMesh) -> None:
    plan = mesh.read("field_reports.call_plan").polars().sort("territory_id", "rank")

    book = openpyxl.load_workbook(artifact(built_mesh, "call_plan.xlsx"))
    sheet = book["Call plan"]
    heading, *lines = sheet.iter_rows(values_only=True)

    assert heading == tuple(title for _, title, _, _ in COLUMNS)
    assert len(lines) == plan.height > 0
    for place, (column, _, _, kind) in enumerate(COLUMNS):
        shown = [line[place].date() if kind == "day" and line[place] else line[place] for line in lines]
        assert shown == plan.get_column(column).to_list(), column
    assert sheet.freeze_panes == "E2"
    assert sheet.auto_filter.ref == sheet.dimensions


@pytest.mark.mesh
def test_the_same_plan_gives_the_same_workbook_to_the_byte(
    built_mesh: BuiltMesh, star: duckdb.DuckDBPyConnection
) -> None:
    assert workbook(ranked(star)) == artifact(built_mesh, "call_plan.xlsx").read_bytes()


# Spend transparency


@pytest.mark.mesh
def test_no_dollar_is_lost_between_payments_and_totals(star: duckdb.DuckDBPyConnection) -> None:
    totals = mesh.read("field_reports.spend_transparency").polars()
    paid, payments, doubles = star.execute(
        "SELECT sum(amount_usd), count(*), count(likely_double_of) FROM engagement.payment"
    ).fetchall()[0]

    assert totals.get_column("total_usd").sum() == paid
    assert totals.get_column("payments").sum() == payments
    assert totals.get_column("likely_doubles").sum() == doubles > 0
    assert totals.select("npi", "manufacturer_id", "year").is_unique().all()


@pytest.mark.mesh
def test_the_published_csv_is_the_table(built_mesh: BuiltMesh, star: duckdb.DuckDBPyConnection) -> None:
    published = artifact(built_mesh, "spend_transparency.csv").read_bytes()

    assert published == as_csv(star.execute(TOTALS).pl())
    assert (
        pl.read_csv(io.BytesIO(published), infer_schema=False).height
        == mesh.read("field_reports.spend_transparency").polars().height
    )
