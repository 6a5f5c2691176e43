"""Where a product's columns come from, as far as anybody can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lineage.columns import How, column_lineage
from mesh_assets.capabilities.publishing.lineage_told import lineage_known
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName

if TYPE_CHECKING:
    from mesh_assets.capabilities.portal.view import View

TOLD = {
    How.PARSED: "read from the recipe's SQL",
    How.DECLARED: "declared by the recipe, which is given no other columns",
    How.OBSERVED: "observed: what the recipe asked for when the version was made",
    How.ALL: "not known: each column may come from every column that is read",
}


@dataclass(frozen=True)
class Origins:
    """Column -> where it comes from; nothing where that is not known."""

    columns: Mapping[str, tuple[tuple[ProductName, str], ...]] = field(default_factory=dict)
    how: str = TOLD[How.ALL]
    unsafe: tuple[str, ...] = ()


def column_origins(view: View) -> Origins:
    """Asked once for each state of the documents: a recipe's SQL takes its time to read."""
    if view.asset is None:
        return Origins()
    head = view.catalog.heads.get(view.name)
    key = ("columns", view.name, view.catalog.documents.stamp, head.number if head else None)
    return view.setting.reading.once(key, lambda: _asked(view))


def _asked(view: View) -> Origins:
    try:
        static = column_lineage(view.settings, view.catalog.mesh, view.name)
        domain = view.catalog.mesh.domains[view.name.domain]
        found = lineage_known(domain, static, view.catalog.heads.get(view.name))
    except (MeshError, OSError):
        return Origins()
    columns = {
        column: tuple((each.product, each.column) for each in origins)
        for column, origins in found.columns.items()
    }
    return Origins(columns, TOLD.get(found.how, str(found.how)), tuple(found.unsafe))
