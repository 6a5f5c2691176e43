"""Versions as SQL for any engine: the Parquet files of one snapshot, with no lake in sight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake import Handle, known
from mesh_assets.words.errors import NoVersion
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry


def input_sql(settings: Settings, product: ProductName, snapshot: int) -> str:
    """A SELECT over the files of a snapshot."""
    return known(settings, product, snapshot).sql


def rows_of_version(settings: Settings, version: Version) -> str:
    """A SELECT over a version's rows, wherever they are; a preview gets its share of what it reads."""
    found = input_sql(settings.of(version.stored), version.product, version.snapshot)
    if not (settings.sample and version.stored):
        return found
    from mesh_assets.capabilities.publishing.sampled import thinned

    return thinned(found, settings, version)


def narrowed(sql: str, columns: Sequence[str]) -> str:
    """The SELECT with these columns only; all for none."""
    named = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    return f"select {named} from ({sql})" if named else sql


def handle_of(settings: Settings, version: Version, columns: Sequence[str] = ()) -> Handle:
    """A version for a recipe that reads it by itself; with `columns`, no others."""
    return Handle(
        settings.of(version.stored),
        version.product,
        number=version.number,
        snapshot=version.snapshot,
        query=narrowed(rows_of_version(settings, version), columns)
        if columns or (settings.sample and version.stored)
        else "",
    )


def inputs_as_read(settings: Settings, registry: Registry, version: Version) -> dict[ProductName, str]:
    """The inputs that a version was made from, each as a SELECT."""
    return {
        each.product: input_sql(
            settings.of(_stored(registry, each.product, each.number, version)), each.product, each.snapshot
        )
        for each in version.certificate.inputs
    }


def _stored(registry: Registry, product: ProductName, number: int, reader: Version) -> str:
    """A kitchen does not know all that versions of its base were made from: that is where they are."""
    try:
        return registry.version(product, number).stored
    except NoVersion:
        return reader.stored
