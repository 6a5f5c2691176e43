"""The mesh that faults happen to: two domains, four products, every build of new content.

`till.sale` is replaced whole. `desk.total` is made of it in another domain, and only ever released together
with it. `till.week` has four weeks, and rows that are set aside. `desk.visit` is there to be the first
product that comes into its lake beside another one's.
"""

from __future__ import annotations

from pathlib import Path

from mesh_assets.capabilities.contracts.scaffold import new_contract_text
from mesh_assets.words.names import ProductName
from tests.shop import Shop, add_domain, write_product

SALE, WEEK = ProductName("till", "sale"), ProductName("till", "week")
TOTAL, VISIT = ProductName("desk", "total"), ProductName("desk", "visit")
PRODUCTS = (SALE, WEEK, TOTAL, VISIT)
DOMAINS = ("till", "desk")

WEEKS = ("2024-01-01", "2024-01-08", "2024-01-15", "2024-01-22")
#: Rows of till.sale and desk.visit, and of a week.
ROWS = 5
#: Versions that expiry leaves, beside those that somebody holds.
KEPT = 2

_TILL = """value:
      - name: sales
        path: till/sale.csv
        format: csv
        columns: [id, batch]
        description: What the till wrote.
      - name: weeks
        path: till/week/{week}.csv
        format: csv
        columns: [id, batch, week]
        description: A file for each week.
"""
_DESK = """value:
      - name: visits
        path: desk/visit.csv
        format: csv
        columns: [id, batch]
        description: Who came.
"""
_KEEP = f"""customProperties:
  - property: retention
    value: {{versions: {KEPT}, days: 1}}
"""
_CUT = """  - property: partitions
    value: {column: week, every: week, first: 2024-01-01, until: 2024-01-29}
  - property: onFailure
    value: quarantine
  - property: quarantineLimit
    value: 50
"""
_COLUMNS = (("id", "BIGINT"), ("batch", "BIGINT"))
_PLAIN = "select id::bigint as id, batch::bigint as batch from source.{source}\n"
_WEEKLY = """-- source: weeks
select id::bigint as id, batch::bigint as batch, week::date as week from source.weeks
where week::date in (select week from run.weeks)
"""
_TOTAL = """-- input: till.sale
select count(*) as sales, max(batch) as batch from till.sale
"""
_POSITIVE = "        logicalTypeOptions: {exclusiveMinimum: 0}\n"


def make_world(root: Path, **more: str) -> Shop:
    """Write the two domains; nothing is delivered or built."""
    world = Shop(root, more)
    add_domain(world, "till", ("sale", "week"), sources=_TILL)
    add_domain(world, "desk", ("total", "visit"), sources=_DESK, inputs=("till.sale",))
    _product(world, SALE, _COLUMNS, f"-- source: sales\n{_PLAIN.format(source='sales')}")
    _product(world, VISIT, _COLUMNS, f"-- source: visits\n{_PLAIN.format(source='visits')}")
    _product(world, TOTAL, (("sales", "BIGINT"), ("batch", "BIGINT")), _TOTAL)
    _product(world, WEEK, (*_COLUMNS, ("week", "DATE")), _WEEKLY, more=_CUT)
    path = world.folder("till.week") / "contract.yaml"
    text = path.read_text(encoding="utf-8")
    before, _, after = text.partition("      - name: batch\n")
    head, _, tail = after.partition("      - name: week\n")
    path.write_text(f"{before}      - name: batch\n{head}{_POSITIVE}      - name: week\n{tail}")
    return world


def _product(
    world: Shop, name: ProductName, columns: tuple[tuple[str, str], ...], recipe: str, *, more: str = ""
) -> None:
    folder = write_product(world, str(name), columns=columns, recipe=recipe)
    text = new_contract_text(name, columns)
    (folder / "contract.yaml").write_text(f"{text}{_KEEP}{more}", encoding="utf-8")


def deliver_sale(world: Shop, batch: int) -> None:
    _write(world, "till/sale.csv", "id,batch", [f"{number},{batch}" for number in range(ROWS)])


def deliver_visit(world: Shop, batch: int) -> None:
    _write(world, "desk/visit.csv", "id,batch", [f"{number},{batch}" for number in range(ROWS)])


def deliver_week(world: Shop, week: str, batch: int) -> None:
    """Every third batch has a row that is set aside: no batch is below one."""
    first = (WEEKS.index(week) + 1) * 100
    rows = [f"{first + number},{batch},{week}" for number in range(ROWS)]
    bad = [f"{first + 99},-1,{week}"] if batch % 3 == 0 else []
    _write(world, f"till/week/{week}.csv", "id,batch,week", rows + bad)


def _write(world: Shop, path: str, head: str, rows: list[str]) -> None:
    target = world.root / "sources" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
