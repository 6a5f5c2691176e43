"""The mesh of the contention run: two domains, every build of a product has new content.

`till.batch` and `desk.batch` are only ever released together, and every row of both carries the batch: so a
reader that sees two batches has seen half of a release.
"""

from __future__ import annotations

from pathlib import Path

from mesh_assets.capabilities.contracts.scaffold import new_contract_text, new_domain_text
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.settings import Settings

#: Rows of every product, and of every week of the weekly one.
ROWS = 100
TILL, DESK = ProductName("till", "batch"), ProductName("desk", "batch")
SHARED, WEEKLY = ProductName("till", "shared"), ProductName("desk", "weekly")
OWN = tuple(ProductName(domain, f"own_{number}") for number, domain in enumerate(("till", "desk") * 2))

COLUMNS = (("id", "BIGINT"), ("batch", "VARCHAR"))
NEW_BATCH = "from (select gen_random_uuid()::varchar as batch), "
FRESH = f"select id, batch {NEW_BATCH}(select range as id from range({ROWS}))\n"
OF_TILL = "-- input: till.batch\nselect id, batch from till.batch\n"
PARTITIONS = """customProperties:
  - property: partitions
    value: {column: week, every: week, first: 2024-01-01, until: 2024-03-11}
"""
OF_WEEKS = f'''"""Rows of some weeks, each with the batch of this run."""

from mesh_assets import mesh


@mesh.recipe(inputs=[])
def weekly(run: mesh.Run) -> str:
    weeks = ", ".join(f"(date '{{week}}')" for week in run.weeks)
    ids = "(epoch_days(week)::bigint * {ROWS} + range)"
    rows = f"(values {{weeks}}) as weeks(week), range({ROWS})"
    return f"select {{ids}} as id, batch, week {NEW_BATCH}{{rows}}"
'''.replace("epoch_days(week)", "(week - date '2024-01-01')")


def write_mesh(root: Path) -> None:
    """Contracts and recipes; nothing is built."""
    for domain, products in (("till", ("batch", "shared")), ("desk", ("batch", "weekly"))):
        own = tuple(name.product for name in OWN if name.domain == domain)
        folder = root / "domains" / domain
        folder.mkdir(parents=True)
        text = new_domain_text(domain, products=(*products, *own))
        if domain == "desk":
            port = "\n  - name: till_batch\n    version: 1.0.0\n    contractId: till.batch"
            text = text.replace("inputPorts: []", f"inputPorts:{port}")
        (folder / "domain.yaml").write_text(text, encoding="utf-8")
    for name in (TILL, SHARED, *OWN):
        _write(root, name, FRESH)
    _write(root, DESK, OF_TILL)
    _write(root, WEEKLY, OF_WEEKS)


def _write(root: Path, name: ProductName, recipe: str) -> None:
    folder = root / "domains" / name.domain / name.product
    folder.mkdir()
    columns = (*COLUMNS, ("week", "DATE")) if name == WEEKLY else COLUMNS
    text = new_contract_text(name, columns) + (PARTITIONS if name == WEEKLY else "")
    (folder / "contract.yaml").write_text(text, encoding="utf-8")
    file = "recipe.py" if name == WEEKLY else "recipe.sql"
    (folder / file).write_text(recipe, encoding="utf-8")


class Maker:
    """Workshops over the mesh, as one process needs them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.mesh: Mesh = read_mesh(settings)

    def workshop(
        self, domain: str, registry: Registry, run_id: str, weeks: tuple[str, ...] | None = None
    ) -> Workshop:
        assets = self.mesh.domains[domain]
        return Workshop(
            settings=self.settings,
            registry=registry,
            domain=assets,
            run_id=run_id,
            who="contention",
            tools=Tools(dbt=run_dbt, program=run_program),
            selected=frozenset(asset.name for asset in assets.assets),
            weeks=weeks,
            force=True,
        )


def weeks_of(mesh: Mesh) -> tuple[str, ...]:
    from mesh_assets.capabilities.publishing.keys import all_partitions

    return all_partitions(mesh.assets[product_name("desk.weekly")].partitioning)
