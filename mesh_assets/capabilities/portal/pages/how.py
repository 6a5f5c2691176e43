"""How: the recipe at its commit, its SQL, where columns come from, who starts it, making it again."""

from __future__ import annotations

from typing import Any

from mesh_assets.capabilities.contracts.automation import described
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.portal.columns import column_origins
from mesh_assets.capabilities.portal.git_source import Source
from mesh_assets.capabilities.portal.graphs import column_graph
from mesh_assets.capabilities.portal.rendered import rendered
from mesh_assets.capabilities.portal.view import View
from mesh_assets.words.versions import Version


def product(view: View) -> dict[str, Any]:
    version, asset = view.version, view.asset
    source = view.setting.reading.source(version, version.certificate.recipe) if version else None
    origins = column_origins(view)
    facts = {
        "product": str(view.name),
        "version": version.number if version else None,
        "recipe": _recipe(asset),
        "file": version.certificate.recipe if version else (asset.recipe.path.name if asset else ""),
        "commit": version.certificate.git_commit if version else None,
        "uncommitted": version.certificate.git_dirty if version else None,
        "recipe_hash": version.certificate.recipe_hash if version else None,
        "toolchain": dict(version.certificate.packages) if version else {},
        "columns": [
            {
                "column": column,
                "from": [f"{product}.{name}" for product, name in found],
            }
            for column, found in origins.columns.items()
        ],
        "columns_known": origins.how,
        "compiled": _compiled(view, source),
        "started_by": described(asset.contract.automation) if asset and asset.contract else "",
        "run": version.run_id if version else None,
        "who": version.certificate.who if version else None,
        "reproduce": _reproduce(view, version),
        "contract_file": str(asset.contract.place) if asset and asset.contract else "",
    }
    return {
        "facts": facts,
        "source": source or Source("", None, "Nothing was published yet."),
        "origins": origins,
        "picture": column_graph(view.catalog, view.name, origins.columns, view.link),
        "run_url": view.dagster.run(version.run_id) if version else "",
        "language": _language(asset),
        "rolled_back": dict(version.certificate.rolled_back) if version else {},
    }


def _recipe(asset: Asset | None) -> dict[str, Any]:
    if asset is None:
        return {}
    return {
        "kind": str(asset.recipe.kind),
        "tools": list(asset.recipe.tools),
        "inputs": [str(name) for name in asset.inputs],
        "sources": list(asset.recipe.sources),
    }


def _compiled(view: View, source: Source | None) -> str:
    if source is None or source.text is None or not source.path.endswith(".sql"):
        return ""
    return rendered(source.text, view.address.domain, view.settings.dbt_project)


def _language(asset: Asset | None) -> str:
    endings = {".py": "Python", ".sql": "SQL", ".yaml": "YAML"}
    return endings.get(asset.recipe.path.suffix, "") if asset else ""


def _reproduce(view: View, version: Version | None) -> str:
    return f"mesh reproduce {view.name}@{version.number}" if version else f"mesh build {view.name}"


def domain(view: View) -> dict[str, Any]:
    assets = view.domain.assets if view.domain else ()
    facts = {
        "domain": view.address.domain,
        "code_location": view.address.domain,
        "assets": [
            {
                "product": str(asset.name),
                "private": asset.name.private,
                "recipe": str(asset.recipe.kind),
                "tools": list(asset.recipe.tools),
                "file": asset.recipe.path.name,
                "started_by": described(asset.contract.automation) if asset.contract else "",
                "inputs": [str(name) for name in asset.inputs],
            }
            for asset in assets
        ],
        "build": f"mesh build {view.address.domain}",
    }
    return {"facts": facts}
