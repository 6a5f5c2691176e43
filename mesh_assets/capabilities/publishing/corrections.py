"""Corrected rows take the place of rows that would go to quarantine, before the audit that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.format import one_line
from mesh_assets.capabilities.contracts.quarantine import sets_aside
from mesh_assets.capabilities.lake import stage
from mesh_assets.capabilities.publishing.auditor import Auditor
from mesh_assets.capabilities.publishing.corrected_files import corrections_sql, identity
from mesh_assets.capabilities.publishing.quarantine import breaking_rows, staging_folder
from mesh_assets.words.errors import CorrectionRefused
from mesh_assets.words.versions import Draft

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def corrected(auditor: Auditor, draft: Draft) -> Draft:
    """The draft with corrected rows in the place of those that break a rule and have been corrected."""
    bench, work, contract = auditor.bench, auditor.work, auditor.work.asset.contract
    if contract is None or contract.quarantine is None:
        return draft
    mended = corrections_sql(bench.workshop.settings, draft.product, draft.partitions, draft.columns)
    if mended is None:
        return draft
    rules = [rule for rule in work.asset.rules if sets_aside(contract, rule)]
    bad = breaking_rows(work, auditor.audit(draft, [rule.id for rule in rules]))
    parts = auditor.split(draft, [result.rule for result in bad]) if bad else None
    if parts is None:
        return draft
    _refuse_other_columns(bench.con, draft, mended)
    keys = identity(contract)
    columns = ", ".join(f'"{name}"' for name, _ in draft.columns)
    query = (
        f"{parts.kept} UNION ALL SELECT {columns} FROM ({parts.aside}) ANTI JOIN ({mended}) USING ({keys}) "
        f"UNION ALL SELECT {columns} FROM ({mended}) SEMI JOIN ({parts.aside}) USING ({keys})"
    )
    return stage(
        bench.con,
        query,
        product=draft.product,
        run_id=draft.run_id,
        settings=bench.workshop.settings,
        partition_column=draft.partition_column,
        partitions=draft.partitions,
        columns=draft.columns,
        folder=staging_folder(bench, "corrected"),
    )


def _refuse_other_columns(con: DuckDBPyConnection, draft: Draft, mended: str) -> None:
    """Rows that were corrected when the product had other columns are no rows of it now."""
    import duckdb

    try:
        found = tuple((name, kind) for name, kind, *_ in con.execute(f"DESCRIBE {mended}").fetchall())
        other = [f"{name} is {kind}" for name, kind in found if (name, kind) not in draft.columns]
    except duckdb.Error as error:
        other = [one_line(error)]
    if other:
        raise CorrectionRefused(
            product=draft.product,
            file="corrections",
            problem=f"they were released for other columns, or are gone ({'; '.join(other)})",
            remedy=f"Take them back: `mesh quarantine release {draft.product} --discard`",
        )
