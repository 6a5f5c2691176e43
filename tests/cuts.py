"""A mesh of products that are cut in different ways, for tests: weekly drops become fills, then weekly facts
in a second domain, months in a third; plan filings come one file at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from tests.shop import Shop, add_domain, write_product

FIRST = date(2024, 11, 25)
#: Ten weeks over the end of a year, the 53rd ISO week of nothing and the first of 2025 among them.
WEEKS = tuple(str(FIRST + timedelta(weeks=n)) for n in range(10))
MONTHS = ("2024-11-01", "2024-12-01", "2025-01-01")
LATE = 3

_SOURCES = """value:
      - name: fills
        path: till/fills/{week}.csv
        format: csv
        columns: [fill_id, fill_date, amount]
        description: Fills as they came.
        late: 3
"""
_FILINGS = """value:
      - name: plan_filings
        path: plans/filings/{batch}.csv
        format: csv
        columns: [plan_id, members]
        description: A plan's filing, one file each.
"""
_WEEKLY = "{column: week, every: week, first: 2024-11-25, until: 2025-02-03}"
_MONTHLY = "{column: month, every: month, first: 2024-11-01, until: 2025-02-01}"
_BY_FILE = "{column: filing, every: file, source: plan_filings}"

#: Says in a file which partitions it made.
_HEAD = '''"""{product}"""

from pathlib import Path

from mesh_assets import mesh


@mesh.recipe(inputs={inputs}, sources={sources})
def {name}(run: mesh.Run) -> str:
    with (Path(__file__).parents[3] / "made.txt").open("a") as file:
        file.write("".join(f"{product} {{key}}\\n" for key in run.partitions))
    return """{sql}"""
'''
_FILL = """select cast(fill_id as bigint) as fill_id, cast(fill_date as date) as fill_date,
        date_trunc('week', cast(fill_date as date))::date as week, cast(amount as bigint) as amount
    from source.fills
    where date_trunc('week', cast(fill_date as date)) in (select week from run.weeks)
        and drop_week <= date_trunc('week', cast(fill_date as date)) + interval 21 day"""
_SALE = """select fill_date as day, week, sum(amount)::bigint as amount from till.fill
    where week in (select week from run.weeks) group by all"""
_PERFORMANCE = """select date_trunc('month', day)::date as month, sum(amount)::bigint as amount
    from facts.sale where date_trunc('month', day) in (select month from run.months) group by all"""
_PLAN = """select plan_id, cast(members as bigint) as members, drop_file as filing from source.plan_filings"""


def make_cuts(root: Path) -> Shop:
    """Write the domains; nothing is delivered or built."""
    mesh = Shop(root)
    add_domain(mesh, "till", ("fill",), sources=_SOURCES)
    add_domain(mesh, "facts", ("sale",), inputs=("till.fill",))
    add_domain(mesh, "brand", ("performance",), inputs=("facts.sale",))
    add_domain(mesh, "plans", ("plan",), sources=_FILINGS)
    fill = (("fill_id", "BIGINT"), ("fill_date", "DATE"), ("week", "DATE"), ("amount", "BIGINT"))
    _product(mesh, "till.fill", fill, _FILL, _WEEKLY, sources=["fills"])
    sale = (("day", "DATE"), ("week", "DATE"), ("amount", "BIGINT"))
    _product(mesh, "facts.sale", sale, _SALE, _WEEKLY, inputs=["till.fill"])
    performance = (("month", "DATE"), ("amount", "BIGINT"))
    _product(mesh, "brand.performance", performance, _PERFORMANCE, _MONTHLY, inputs=["facts.sale"])
    plan = (("plan_id", "VARCHAR"), ("members", "BIGINT"), ("filing", "VARCHAR"))
    _product(mesh, "plans.plan", plan, _PLAN, _BY_FILE, sources=["plan_filings"])
    return mesh


def drop(mesh: Shop, week: str, rows: Iterable[tuple[int, date, int]]) -> None:
    """The till's file of a week: (fill_id, day, amount)."""
    text = "fill_id,fill_date,amount\n" + "".join(f"{key},{day},{amount}\n" for key, day, amount in rows)
    _write(mesh.root / "sources" / "till" / "fills" / f"{week}.csv", text)


def file_plans(mesh: Shop, key: str, *rows: tuple[str, int]) -> Path:
    """A filing under this key."""
    text = "plan_id,members\n" + "".join(f"{plan},{members}\n" for plan, members in rows)
    path = mesh.root / "sources" / "plans" / "filings" / f"{key}.csv"
    _write(path, text)
    return path


def made(mesh: Shop) -> dict[str, list[str]]:
    """Product -> partitions that were made since the last look, in order."""
    path, found = mesh.root / "made.txt", {}
    for line in path.read_text().splitlines() if path.is_file() else ():
        product, _, key = line.partition(" ")
        found.setdefault(product, []).append(key)
    path.unlink(missing_ok=True)
    return found


def build_all(mesh: Shop, run_id: str) -> None:
    for product in ("till.fill", "facts.sale", "brand.performance"):
        mesh.build(product, run_id=f"{run_id}-{product}")


def _product(
    mesh: Shop,
    product: str,
    columns: tuple[tuple[str, str], ...],
    sql: str,
    cut: str,
    *,
    inputs: Iterable[str] = (),
    sources: Iterable[str] = (),
) -> None:
    folder = write_product(mesh, product, columns=columns, recipe="")
    (folder / "recipe.sql").unlink()
    contract = (folder / "contract.yaml").read_text(encoding="utf-8")
    more = f"customProperties:\n  - property: partitions\n    value: {cut}\n"
    (folder / "contract.yaml").write_text(contract + more, encoding="utf-8")
    text = _HEAD.format(
        product=product, name=folder.name, inputs=list(inputs), sources=list(sources), sql=sql
    )
    (folder / "recipe.py").write_text(text, encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
