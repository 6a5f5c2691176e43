"""Where: how to read a version with the tools that people have, where it lies, what a reader needs."""

from __future__ import annotations

from typing import Any

from mesh_assets.capabilities.lake.places import lake_of
from mesh_assets.capabilities.observability.where import KEYS, Engine, facts, snippet
from mesh_assets.capabilities.portal.address import of_product
from mesh_assets.capabilities.portal.view import View
from mesh_assets.words.errors import MeshError

CALLED = {
    Engine.DUCKDB: ("DuckDB", "Python"),
    Engine.SQL: ("SQL", "DuckDB's shell and tools that speak to it"),
    Engine.POLARS: ("polars", "Python"),
    Engine.PANDAS: ("pandas", "Python"),
    Engine.SPARK: ("Spark", "Python"),
}


def product(view: View) -> dict[str, Any]:
    version = view.version
    found: dict[str, Any] = {
        "product": str(view.name),
        "version": version.number if version else None,
        "needs": needs(view),
        "problem": "",
    }
    snippets: list[dict[str, str]] = []
    if version is None:
        found["problem"] = "Nothing was published yet, so there is nothing to read."
    else:
        try:
            place = view.setting.reading.whereabouts(version)
            found |= facts(place)
            snippets = [
                {
                    "engine": engine.value,
                    "called": called,
                    "language": language,
                    "code": snippet(place, engine),
                }
                for engine, (called, language) in CALLED.items()
            ]
        except MeshError as error:
            found["problem"] = str(error)
    found["snippets"] = {each["engine"]: each["code"] for each in snippets}
    pinned = f"{view.name}@{version.number}" if version else str(view.name)
    return {
        "facts": found,
        "snippets": snippets,
        "commands": [
            ("Look at the first rows", f"mesh read {pinned} --limit 20"),
            ("Keep this version readable", f"mesh pin {pinned} --holder NAME"),
            ("In Python, with the mesh installed", f'mesh.read("{pinned}").polars()'),
        ],
        "quarantine": dict(version.certificate.quarantine) if version else {},
        "artifacts": list(version.certificate.artifacts) if version else [],
    }


def needs(view: View) -> list[dict[str, str]]:
    """What somebody has to have who reads; names of roles and variables, never a secret."""
    domain = view.address.domain
    lake = lake_of(view.settings, domain)
    found = []
    if lake.postgres:
        told = f"The role mesh_reader in PostgreSQL; the schema {lake.metadata_schema} is read."
        found.append({"what": "Catalog", "needs": told, "how": f"mesh lake grant {domain}"})
        told = "The server asks for a password: PGPASSWORD or a password file has it."
        found.append({"what": "Password", "needs": told, "how": ""})
    else:
        told = "Read and write permission on the catalog's folder: SQLite keeps its log beside the file."
        found.append({"what": "Catalog", "needs": told, "how": ""})
    if lake.objects:
        told = f"Permission to read {lake.objects}; the key comes from {' and '.join(KEYS.values())}."
        found.append({"what": "Files", "needs": told, "how": f"mesh lake grant {domain} --dry-run"})
    else:
        told = "Read permission on the lake's folder of data."
        found.append({"what": "Files", "needs": told, "how": ""})
    contract = view.contract if view.address.product else None
    if contract is not None and contract.personal:
        names = ", ".join(sorted(contract.personal))
        told = f"These columns are personal, and are read as they are: {names}."
        found.append({"what": "Care", "needs": told, "how": ""})
    return found


def domain(view: View) -> dict[str, Any]:
    lake = lake_of(view.settings, view.address.domain)
    found = {
        "domain": view.address.domain,
        "catalog": "PostgreSQL" if lake.postgres else f"sqlite:{lake.catalog}",
        "metadata_schema": lake.metadata_schema if lake.postgres else None,
        "data_path": f"{lake.data}/",
        "needs": needs(view),
        "products": [
            {
                "product": str(name),
                "version": version.number,
                "rows": version.rows,
                "path": of_product(name, "where", version.number if view.address.wanted else None).path,
                "files": len(version.certificate.files),
                "expired": version.expired,
            }
            for name, version in view.released.items()
        ],
    }
    return {"facts": found}
