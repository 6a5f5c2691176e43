"""What Dagster shows of an asset, from its contract: description, owners, kinds, columns, code references."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Mapping
from typing import Any

import dagster as dg

from mesh_assets.capabilities.contracts.automation import EAGER, described
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.contracts.quarantine import sets_aside
from mesh_assets.capabilities.lineage.model import Asset, DomainAssets, RecipeKind
from mesh_assets.capabilities.orchestration.freshness import freshness_policy, service_level_table
from mesh_assets.capabilities.orchestration.neighbours import cut_of_parent, owners_of
from mesh_assets.capabilities.orchestration.partitions import mapping, partitions
from mesh_assets.capabilities.publishing.keys import recipe_hash
from mesh_assets.words.names import ProductName
from mesh_assets.words.portal import read_portal_settings
from mesh_assets.words.rules import Rule

TAG = re.compile(r"[^A-Za-z0-9_.-]")


def asset_key(name: ProductName) -> dg.AssetKey:
    return dg.AssetKey(list(name.asset_key))


def asset_spec(domain: DomainAssets, asset: Asset) -> dg.AssetSpec:
    """Everything about an asset that is known before it is built."""
    contract = asset.contract
    return dg.AssetSpec(
        key=asset_key(asset.name),
        deps=[_dependency(domain, asset, need) for need in asset.needs],
        description=_description(contract) if contract else _private_description(asset),
        group_name=asset.name.domain,
        owners=owners_of(domain.domain),
        kinds=_kinds(asset),
        tags=_tags(asset),
        code_version=recipe_hash(domain, asset)[:16],
        partitions_def=partitions(asset.name, asset.partitioning),
        freshness_policy=freshness_policy(asset),
        metadata={**_metadata(asset), **_expectations(domain, asset)},
    )


def check_spec(asset: Asset, rule: Rule) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name=rule.id,
        asset=asset_key(asset.name),
        description=rule.description
        if rule.expected_by is None
        else f"{rule.description} (expected by {rule.expected_by})",
        # Rows that break such a rule are set aside and never published: what is published may be read. A
        # draft that is refused all the same fails its step, which blocks without this flag.
        blocking=rule.blocking and not (asset.contract and sets_aside(asset.contract, rule)),
        metadata={
            "rule": rule.kind,
            "columns": ", ".join(rule.columns),
            "severity": str(rule.severity),
            "dimension": rule.dimension or "",
            "expected by": rule.expected_by or "",
            "written at": str(rule.place) if rule.place else "",
        },
    )


def _dependency(domain: DomainAssets, asset: Asset, need: ProductName) -> dg.AssetDep:
    """What it needs, and for partitioned ones which partitions of it."""
    if asset.partitioning is None or need == asset.name:
        return dg.AssetDep(asset_key(need))
    parent = cut_of_parent(domain, need)
    return dg.AssetDep(asset_key(need), partition_mapping=mapping(asset.partitioning, parent))


def _description(contract: Contract) -> str:
    parts = [contract.description or contract.title, contract.purpose]
    if contract.limitations:
        parts.append(f"**Limitations**: {contract.limitations}")
    if contract.usage:
        parts.append(f"**Usage**: {contract.usage}")
    parts += [f"**Said, not checked**: {said}" for said in contract.said]
    return "\n\n".join(part.strip() for part in parts if part and part.strip())


def _private_description(asset: Asset) -> str:
    return f"Private to {asset.name.domain}: other domains may not depend on it."


def _kinds(asset: Asset) -> set[str]:
    first = {"program": "python"}.get(str(asset.recipe.kind), str(asset.recipe.kind))
    tools = [tool for tool in asset.recipe.tools if tool in ("duckdb", "polars", "altair", "pandas")]
    return {first, *(tools or (["pipes"] if asset.recipe.kind is RecipeKind.PROGRAM else []))}


def _tags(asset: Asset) -> dict[str, str]:
    words = asset.contract.tags if asset.contract else ()
    kind = "private" if asset.name.private else "product"
    rule = asset.contract.automation.kind if asset.contract else EAGER
    return {"mesh/asset": kind, "mesh/automation": rule, **{TAG.sub("-", word)[:60]: "" for word in words}}


def _metadata(asset: Asset) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if asset.contract:
        contract = asset.contract
        found["dagster/column_schema"] = column_schema(contract)
        found["dagster/table_name"] = str(asset.name)
        found["automation"] = described(contract.automation)
        found["contract"] = f"{contract.version} ({contract.status}), ODCS {contract.api_version}"
        if (levels := service_level_table(contract)) is not None:
            found["service levels"] = levels
        found["portal"] = _portal(asset.name)
    found["dagster/code_references"] = _code_references(asset)
    return found


def _portal(name: ProductName) -> dg.MetadataValue[Any]:
    """The product's pages, for people who look at it here and want to know more than its runs."""
    here = f"{read_portal_settings().url}/{name.domain}/{name.product}"
    pages = " · ".join(f"[{word}]({here}/{word})" for word in ("what", "where", "when", "with", "how"))
    return dg.MetadataValue.md(f"[{name}]({here}): {pages}")


def _expectations(domain: DomainAssets, asset: Asset) -> dict[str, Any]:
    """Who would be hurt, and whose expectations do not run and why."""
    found: dict[str, Any] = {}
    if asset.expected:
        counts = Counter(str(rule.expected_by) for rule in asset.expected)
        found["expected by"] = ", ".join(
            f"{name} ({count} rule{'s' if count > 1 else ''})" for name, count in counts.items()
        )
    left_out = [each for each in domain.left_out if each.product == asset.name]
    if left_out:
        found["expectations left out"] = dg.MetadataValue.md(
            "\n".join(f"- {each.consumer}: {each.problem}" for each in left_out)
        )
    return found


def _code_references(asset: Asset) -> dg.CodeReferencesMetadataValue:
    """Where the recipe and the contract are written, for the UI's "open in editor"."""
    written = {"recipe": asset.recipe.place}
    if asset.contract:
        written["contract"] = asset.contract.place
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Class `.*Code.*Reference")  # beta, and the only way there
        return dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(file_path=place.file, line_number=place.line, label=label)
                for label, place in written.items()
            ]
        )


def column_schema(contract: Contract) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.physical_type,
                description=column.description or None,
                constraints=dg.TableColumnConstraints(
                    nullable=not (column.required or column.key_position),
                    unique=column.unique or contract.key == (column.name,),
                ),
                tags=_column_tags(column.classification, column.key_position),
            )
            for column in contract.columns
        ]
    )


def _column_tags(classification: str | None, key_position: int | None) -> Mapping[str, str]:
    tags = {"classification": classification} if classification else {}
    return {**tags, **({"key": str(key_position)} if key_position else {})}
