"""A mesh of one domain whose only product is a Parquet file, as it is: what publishing costs, with no recipe
and no rules.
"""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.audit.data import COLUMNS
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings, read_settings

NAME = ProductName("bench", "rows")
SOURCES = """customProperties:
  - property: sources
    value:
      - name: rows
        path: bench/rows.parquet
        format: parquet
        description: Rows that others write as well.
"""


def write_shelf(root: Path, source: Path) -> Settings:
    """Contract, recipe and drop, unless they are there; nothing is built."""
    drop = root / "sources" / "bench" / "rows.parquet"
    drop.parent.mkdir(parents=True, exist_ok=True)
    drop.unlink(missing_ok=True)
    drop.symlink_to(source)
    if (root / "domains").exists():
        return settings_of(root)
    from mesh_assets.capabilities.contracts.scaffold import new_contract_text, new_domain_text

    folder = root / "domains" / NAME.domain
    (folder / NAME.product).mkdir(parents=True)
    text = new_domain_text(NAME.domain, products=(NAME.product,))
    text = text.replace("customProperties:\n  - property: sources\n    value: []\n", SOURCES)
    (folder / "domain.yaml").write_text(text, encoding="utf-8")
    columns = [(name, kind) for name, (kind, _) in COLUMNS.items()]
    contract = new_contract_text(NAME, columns, key=())
    # Nobody asked for the warning of a new contract.
    contract = re.sub(r"    quality:\n.*?(?=^slaProperties)", "", contract, flags=re.DOTALL | re.MULTILINE)
    (folder / NAME.product / "contract.yaml").write_text(contract, encoding="utf-8")
    recipe = "-- source: rows\nselect * from source.rows\n"
    (folder / NAME.product / "recipe.sql").write_text(recipe, encoding="utf-8")
    return settings_of(root)


def settings_of(root: Path) -> Settings:
    return read_settings(
        {
            "MESH_HOME": str(root / ".mesh"),
            "MESH_DOMAINS": str(root / "domains"),
            "MESH_SOURCES": str(root / "sources"),
        }
    )


def publish(settings: Settings, run_id: str) -> None:
    """Build the product by the path that every product takes, in this process."""
    from benchmarks.contention_mesh import Maker
    from mesh_assets.capabilities.publishing.build import build
    from mesh_assets.capabilities.registry import open_registry

    maker = Maker(settings)
    with open_registry(settings) as registry:
        built = build(maker.workshop(NAME.domain, registry, run_id), NAME)
    assert built.version is not None and built.version.certificate.fingerprint
