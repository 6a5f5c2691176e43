"""Four domains, each a location of its own: weekly fills, weekly sales, months of sales, a report of both.

Recipes write into `made.txt` what they were asked for and a digest of the rows that it was made of: that is
how it is known that nothing was made of the same twice.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.shop import AMOUNT_RULE, Shop, add_domain, write_product

FIRST = date(2024, 12, 2)
LATE = 3
PRODUCTS = ("till.fill", "facts.sale", "brand.performance", "report.scorecard")
JOURNEY = "weekly_scorecard"
_SOURCES = f"""value:
      - name: fills
        path: till/fills/{{week}}.csv
        format: csv
        columns: [fill_id, fill_date, amount]
        description: Fills as they came.
        late: {LATE}
"""
_RECIPE = '''"""{product}"""

from pathlib import Path

from mesh_assets import mesh

SEEN = """{seen}"""


@mesh.recipe(inputs={inputs}, sources={sources})
def {name}(run: mesh.Run) -> str:
    root = Path(__file__).parents[3]
    if (root / "fail_{name}").is_file():
        raise RuntimeError("the disk is full")
    for key in run.partitions or ("2000-01-01",):
        (digest,) = run.con.sql(SEEN.replace("KEY", "date '" + key + "'")).fetchone()
        with (root / "made.txt").open("a") as file:
            file.write("{product} " + key + " " + str(digest) + "\\n")
    return """{sql}"""
'''
_FILL = """select cast(fill_id as bigint) as fill_id, cast(fill_date as date) as fill_date,
        date_trunc('week', cast(fill_date as date))::date as week, cast(amount as bigint) as amount
    from source.fills
    where date_trunc('week', cast(fill_date as date)) in (select week from run.weeks)
        and drop_week <= date_trunc('week', cast(fill_date as date)) + interval 21 day"""
_FILL_SEEN = """select md5(string_agg(concat_ws(' ', drop_week, fill_id, fill_date, amount), ','
        order by fill_id, drop_week)) from source.fills where drop_week between KEY and KEY + 21"""
_SALE = """select fill_date as day, week, sum(amount)::bigint as amount from till.fill
    where week in (select week from run.weeks) group by all"""
_SALE_SEEN = """select md5(string_agg(concat_ws(' ', fill_id, fill_date, amount), ',' order by fill_id))
    from till.fill where week = KEY"""
_MONTH = """select date_trunc('month', day)::date as month, sum(amount)::bigint as amount
    from facts.sale where date_trunc('month', day) in (select month from run.months) group by all"""
_MONTH_SEEN = """select md5(string_agg(concat_ws(' ', day, amount), ',' order by day))
    from facts.sale where week between KEY - 6 and last_day(KEY)"""
_CARD = """select (select count(*) from brand.performance) as months,
    (select sum(amount) from brand.performance)::bigint as in_months, sum(amount)::bigint as amount
    from facts.sale"""
_CARD_SEEN = """select md5((select string_agg(concat_ws(' ', month, amount), ',' order by month)
    from brand.performance) || (select string_agg(concat_ws(' ', day, amount), ',' order by day)
    from facts.sale)) where KEY is not null"""
_JOURNEY = f"""name: {JOURNEY}
description: The week's sales beside those of the months, on Tuesday at noon.
targets: [report.scorecard]
schedule: {{cron: "0 0 * * 1", timezone: UTC}}
steps:
  - {{name: fills, products: [till.fill]}}
  - {{name: sales, products: [facts.sale]}}
  - {{name: scorecard, products: [report.scorecard]}}
expectations:
  ready_by: {{time: "12:00", timezone: UTC, days: 1}}
  at_most_old: 8d
  rows: {{report.scorecard: {{minimum: 1, maximum: 1}}}}
  steps_in_order: true
owners: [report-owner@example.com]
told: [desk]
"""
HOOK = "YEAR_HOOK"
_ALERTS = f"""receivers:
  - {{name: desk, kind: webhook, url_from: {HOOK}}}
rules:
  - {{name: trouble, all: [{{state: [refused, failed]}}], to: [desk], group: 1s}}
  - {{name: stopped, all: [{{state: [paused]}}], to: [desk], group: 1s}}
"""


def make_mesh(root: Path) -> Shop:
    """Write the domains, the journey and the alerts; nothing is delivered or built."""
    mesh = Shop(root)
    add_domain(mesh, "till", ("fill",), sources=_SOURCES)
    add_domain(mesh, "facts", ("sale",), inputs=("till.fill",))
    add_domain(mesh, "brand", ("performance",), inputs=("facts.sale",))
    add_domain(mesh, "report", ("scorecard",), inputs=("brand.performance", "facts.sale"))
    weekly = f"{{column: week, every: week, first: {FIRST}}}"
    monthly = f"{{column: month, every: month, first: {FIRST.replace(day=1)}}}"
    days = (("week", "DATE"), ("amount", "BIGINT"))
    fill = (("fill_id", "BIGINT"), ("fill_date", "DATE"), *days)
    _product(mesh, "till.fill", fill, (_FILL, _FILL_SEEN), weekly)
    _product(mesh, "facts.sale", (("day", "DATE"), *days), (_SALE, _SALE_SEEN), weekly)
    _product(mesh, "brand.performance", (("month", "DATE"), days[1]), (_MONTH, _MONTH_SEEN), monthly)
    card = (("months", "BIGINT"), ("in_months", "BIGINT"), ("amount", "BIGINT"))
    _product(mesh, "report.scorecard", card, (_CARD, _CARD_SEEN), "")
    (root / "journeys").mkdir()
    (root / "journeys" / f"{JOURNEY}.yaml").write_text(_JOURNEY, encoding="utf-8")
    (root / "alerts.yaml").write_text(_ALERTS, encoding="utf-8")
    return mesh


_INPUTS = {
    "facts.sale": ["till.fill"],
    "brand.performance": ["facts.sale"],
    "report.scorecard": ["brand.performance", "facts.sale"],
}


def _product(
    mesh: Shop, product: str, columns: tuple[tuple[str, str], ...], sql: tuple[str, str], cut: str
) -> None:
    rules = AMOUNT_RULE if product == "till.fill" else ""
    folder = write_product(mesh, product, columns=columns, recipe="", rules=rules)
    (folder / "recipe.sql").unlink()
    if cut:
        with (folder / "contract.yaml").open("a", encoding="utf-8") as file:
            file.write(f"customProperties:\n  - property: partitions\n    value: {cut}\n")
    text = _RECIPE.format(
        product=product,
        name=folder.name,
        inputs=_INPUTS.get(product, []),
        sources=["fills"] if product == "till.fill" else [],
        sql=sql[0],
        seen=sql[1],
    )
    (folder / "recipe.py").write_text(text, encoding="utf-8")


def made(mesh: Shop) -> list[tuple[str, str, str]]:
    """(product, partition, digest of what it was made of), in order."""
    path = mesh.root / "made.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [(product, key, digest) for product, key, digest in map(str.split, lines)]
