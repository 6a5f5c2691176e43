"""What a preview reads of a version: rows since a day, a share of them, or both.

The share is taken by the key of the product's contract, so that the same rows are read each time.
"""

from __future__ import annotations

from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.contracts.read import contract_from_text
from mesh_assets.capabilities.lake.places import literal, quoted
from mesh_assets.words.errors import MeshError
from mesh_assets.words.partitions import DATED
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version

#: A table of no more rows is read whole: what others name by key should be there.
SMALL = 100_000

#: A share is so many ten-thousandths of a percent.
PARTS = 1_000_000


def thinned(query: str, settings: Settings, version: Version) -> str:
    """A SELECT over the part of the version's rows that the kitchen reads."""
    contract, conditions = _contract(settings, version), []
    for part in settings.sample.split(", "):
        if part.startswith("since "):
            conditions += _since(contract, part.removeprefix("since "))
        elif version.rows > SMALL:
            conditions.append(_share(contract, float(part.removesuffix("%"))))
    return f"SELECT * FROM ({query}) WHERE {' AND '.join(conditions)}" if conditions else query


def _contract(settings: Settings, version: Version) -> Contract | None:
    text, name = version.certificate.contract_text, version.product
    file = settings.domains / name.domain / name.product / "contract.yaml"
    try:
        return contract_from_text(str(file), name, text) if text else None
    except MeshError:  # a form that this mesh reads no longer
        return None


def _since(contract: Contract | None, day: str) -> list[str]:
    cut = contract.partitioning if contract else None
    return [f"{quoted(cut.column)} >= DATE {literal(day)}"] if cut and cut.every in DATED else []


def _share(contract: Contract | None, percent: float) -> str:
    key = ", ".join(quoted(name) for name in contract.key) if contract and contract.key else ""
    hashed = f"hash({key})" if key else "hash(COLUMNS(*))"
    return f"{hashed} % {PARTS} < {int(percent * PARTS / 100)}"
