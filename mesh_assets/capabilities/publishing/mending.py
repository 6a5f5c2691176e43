"""Taking in corrected rows: what is refused, and where the others are kept until the next build."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.subject import MASK
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.contracts.quarantine import ADDED_COLUMNS
from mesh_assets.capabilities.lake import connect, files_sql, version_files
from mesh_assets.capabilities.lake.places import literal, quoted
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.publishing.brought import BROUGHT, Wanted, bring
from mesh_assets.capabilities.publishing.code import digest_of_file
from mesh_assets.capabilities.publishing.corrected_files import (
    Corrections,
    corrections_folder,
    corrections_sql,
    current_corrections,
    identity,
    keep_corrections,
    names_of_identity,
    one_at_a_time,
)
from mesh_assets.words.errors import CorrectionRefused
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from mesh_assets.capabilities.registry import Registry

#: The rows that were in quarantine, as a view of the connection.
HELD = "held"

Columns = tuple[tuple[str, str], ...]


def release_corrected(settings: Settings, registry: Registry, asset: Asset, file: Path, who: str) -> int:
    """Keep corrected rows for the next build; those of earlier releases stay, unless a key comes again."""
    refusal = _Refusal(asset.name, file)
    contract = _mendable(asset, refusal)
    head = registry.head(asset.name)
    if head is None or not (
        head.certificate.quarantine.get("rows") or current_corrections(settings, asset.name)
    ):
        raise refusal("nothing is in quarantine", "See `mesh quarantine`")
    with one_at_a_time(settings, asset.name), closing(connect(settings)) as con:
        columns = _hold(con, settings.of(head.stored), asset.name, head.snapshot)
        _check_columns(contract, columns, refusal)
        bring(con, file, _wanted(con, settings, contract, columns), refusal)
        _check_rows(con, contract, columns, refusal)
        _check_known(con, settings, contract, columns, refusal)
        kept = _keep(con, settings, contract, columns, who)
        rows = con.execute(f"SELECT count(*) FROM {BROUGHT}").fetchone()
        keep_corrections(settings, asset.name, {**current_corrections(settings, asset.name), **kept})
    return int(rows[0]) if rows else 0


def discard_corrected(settings: Settings, name: ProductName) -> int:
    """No corrected row of the product counts any more; how many did."""
    with one_at_a_time(settings, name):
        rows = sum(each.rows for each in current_corrections(settings, name).values())
        if rows:
            keep_corrections(settings, name, {})
    return rows


class _Refusal:
    """Errors about one file of one product."""

    def __init__(self, name: ProductName, file: Path) -> None:
        self.name, self.file = name, file

    def __call__(self, problem: str, remedy: str) -> CorrectionRefused:
        return CorrectionRefused(product=self.name, file=self.file.name, problem=problem, remedy=remedy)


def _mendable(asset: Asset, refusal: _Refusal) -> Contract:
    contract = asset.contract
    if contract is None or contract.quarantine is None:
        raise refusal("the product keeps no quarantine", "Mend the rows at their source")
    if not contract.key:
        raise refusal("the product has no primary key to find rows by", "Add one to its contract")
    return contract


def _hold(con: DuckDBPyConnection, settings: Settings, name: ProductName, snapshot: int) -> Columns:
    """The rows in quarantine as a view; the product's own columns."""
    files, columns = version_files(con, settings, name.quarantine, snapshot)
    con.execute(f"CREATE TEMP VIEW {HELD} AS {files_sql(files, columns)}")
    return tuple((column, kind) for column, kind in columns if column not in ADDED_COLUMNS)


def _check_columns(contract: Contract, columns: Columns, refusal: _Refusal) -> None:
    """The contract may have changed since the rows were set aside, and its key with it."""
    there = dict(columns)
    gone = [name for name in names_of_identity(contract) if name not in there]
    if gone:
        raise refusal(
            f"the rows in quarantine have no {', '.join(gone)}, which the contract's key now has",
            f"Build the product first: `mesh build {contract.product}`",
        )


def _wanted(con: DuckDBPyConnection, settings: Settings, contract: Contract, columns: Columns) -> Wanted:
    before = _earlier(settings, contract, columns)
    known = f"SELECT count(*) FROM {HELD}" + (f" UNION ALL SELECT count(*) FROM ({before})" if before else "")
    rows = sum(row[0] for row in con.execute(known).fetchall())
    return Wanted(columns, rows, contract.personal)


def _check_rows(con: DuckDBPyConnection, contract: Contract, columns: Columns, refusal: _Refusal) -> None:
    keys = ", ".join(map(quoted, contract.key))
    empty = " OR ".join(f"{quoted(name)} IS NULL" for name in contract.key)
    masked = [f"{quoted(name)}::VARCHAR = '{MASK}'" for name in contract.personal if name in dict(columns)]
    looks = (
        (
            f"SELECT count(*) FROM {BROUGHT} WHERE {empty}",
            "have no key",
            "A wrong key is mended at its source",
        ),
        (
            "SELECT coalesce(sum(n), 0) FROM "
            f"(SELECT count(*) AS n FROM {BROUGHT} GROUP BY {keys} HAVING n > 1)",
            "share a key with another one",
            "Keep one row of each key",
        ),
        (
            f"SELECT count(*) FROM {BROUGHT} WHERE {' OR '.join(masked) or 'false'}",
            f"hold {MASK} in place of a personal value",
            "Export them with --unmasked, where that is allowed",
        ),
    )
    for query, problem, remedy in looks:
        _refuse_any(con, query, problem, remedy, refusal)
    (rows,) = con.execute(f"SELECT count(*) FROM {BROUGHT}").fetchone() or (0,)
    if not rows:
        raise refusal("it has no rows", "To take corrected rows back, use --discard")


def _check_known(
    con: DuckDBPyConnection,
    settings: Settings,
    contract: Contract,
    columns: Columns,
    refusal: _Refusal,
) -> None:
    """A correction is for a row in quarantine, or for a correction: what is published is mended at its
    source.
    """
    keys = identity(contract)
    before = _earlier(settings, contract, columns)
    known = f"SELECT {keys} FROM {HELD}" + (f" UNION ALL SELECT {keys} FROM ({before})" if before else "")
    _refuse_any(
        con,
        f"SELECT count(*) FROM {BROUGHT} ANTI JOIN ({known}) USING ({keys})",
        "have a key that no row in quarantine has" + (" in that partition" if contract.partitioning else ""),
        "A wrong key, and a row that is published, are mended at their source",
        refusal,
    )


def _refuse_any(con: DuckDBPyConnection, query: str, problem: str, remedy: str, refusal: _Refusal) -> None:
    (count,) = con.execute(query).fetchone() or (0,)
    if count:
        raise refusal(f"{count:,} of its rows {problem}", remedy)


def _earlier(settings: Settings, contract: Contract, columns: Columns) -> str | None:
    partitions = tuple(current_corrections(settings, contract.product))
    return corrections_sql(settings, contract.product, partitions, columns)


def _keep(
    con: DuckDBPyConnection,
    settings: Settings,
    contract: Contract,
    columns: Columns,
    who: str,
) -> dict[str, Corrections]:
    """Earlier and new corrections together, a file per partition that has new ones."""
    keys = identity(contract)
    before = _earlier(settings, contract, columns)
    merged = f"SELECT * FROM {BROUGHT}"
    merged += f" UNION ALL SELECT * FROM ({before}) ANTI JOIN {BROUGHT} USING ({keys})" if before else ""
    part = f"{quoted(contract.partitioning.column)}::VARCHAR" if contract.partitioning else f"'{WHOLE}'"
    touched = con.execute(f"SELECT DISTINCT {part} FROM {BROUGHT} ORDER BY 1").fetchall()
    folder = corrections_folder(settings, contract.product)
    folder.mkdir(parents=True, exist_ok=True)
    kept = {}
    for (partition,) in touched:
        half = folder / ".half.parquet"
        query = f"SELECT * FROM ({merged}) WHERE {part} = {literal(partition)} ORDER BY {keys}"
        (rows,) = con.execute(f"COPY ({query}) TO {literal(str(half))}").fetchone() or (0,)
        digest = digest_of_file(half)
        target = half.replace(folder / f"{digest[:32]}.parquet")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        kept[partition] = Corrections(target.name, digest, target.stat().st_size, int(rows), who, now)
    return kept
