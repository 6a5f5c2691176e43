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
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.publishing.code import digest_of_file
from mesh_assets.capabilities.publishing.corrected_files import (
    Corrections,
    corrections_folder,
    corrections_sql,
    current_corrections,
    identity,
    keep_corrections,
)
from mesh_assets.capabilities.publishing.rows import OF_QUARANTINE
from mesh_assets.words.errors import CorrectionRefused
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from mesh_assets.capabilities.registry import Registry

#: The rows that a person brings, and those that were in quarantine, on one connection.
BROUGHT, HELD = "brought", "held"


def release_corrected(settings: Settings, registry: Registry, asset: Asset, file: Path, who: str) -> int:
    """Keep corrected rows for the next build; those of earlier releases stay, unless a key comes again."""
    refusal = _Refusal(asset.name, file)
    contract = _mendable(asset, refusal)
    head = registry.head(asset.name)
    if head is None or not (
        head.certificate.quarantine.get("rows") or current_corrections(settings, asset.name)
    ):
        raise refusal("nothing is in quarantine", "See `mesh quarantine`")
    with closing(connect(settings)) as con:
        columns = _hold(con, settings, asset.name, head.snapshot)
        _bring(con, file, columns, refusal)
        _check_rows(con, contract, refusal)
        _check_known(con, settings, contract, columns, refusal)
        kept = _keep(con, settings, contract, columns, who)
        rows = con.execute(f"SELECT count(*) FROM {BROUGHT}").fetchone()
    keep_corrections(settings, asset.name, {**current_corrections(settings, asset.name), **kept})
    return int(rows[0]) if rows else 0


def discard_corrected(settings: Settings, name: ProductName) -> int:
    """No corrected row of the product counts any more; how many did."""
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


def _hold(
    con: DuckDBPyConnection, settings: Settings, name: ProductName, snapshot: int
) -> tuple[tuple[str, str], ...]:
    """The rows in quarantine as a view; the product's own columns."""
    files, columns = version_files(con, settings, name.quarantine, snapshot)
    con.execute(f"CREATE TEMP VIEW {HELD} AS {files_sql(files, columns)}")
    return tuple((column, kind) for column, kind in columns if column not in ADDED_COLUMNS)


def _bring(
    con: DuckDBPyConnection, file: Path, columns: tuple[tuple[str, str], ...], refusal: _Refusal
) -> None:
    import duckdb

    if not file.is_file():
        raise refusal("there is no such file", "Name the Parquet or CSV file with the corrected rows")
    try:
        found = con.execute(f"DESCRIBE SELECT * FROM {_reader(file, None)}").fetchall()
        kinds = {name: kind for name, kind, *_ in found if name not in OF_QUARANTINE}
        _check_columns(kinds, dict(columns), refusal, typed=file.suffix != ".csv")
        names = ", ".join(f'"{name}"' for name, _ in columns)
        con.execute(f"CREATE TEMP TABLE {BROUGHT} AS SELECT {names} FROM {_reader(file, dict(columns))}")
    except duckdb.Error as error:
        raise refusal(" ".join(str(error).split("\n\n")[0].split())[:300], "Write it again") from None


def _reader(file: Path, types: dict[str, str] | None) -> str:
    path = str(file).replace("'", "''")
    if file.suffix != ".csv":
        return f"read_parquet('{path}')"
    if types is None:
        return f"read_csv('{path}', header = true, all_varchar = true)"
    told = ", ".join(f"'{name.replace(chr(39), chr(39) * 2)}': '{kind}'" for name, kind in types.items())
    return f"read_csv('{path}', header = true, types = {{{told}}})"


def _check_columns(found: dict[str, str], wanted: dict[str, str], refusal: _Refusal, *, typed: bool) -> None:
    missing = [name for name in wanted if name not in found]
    more = [name for name in found if name not in wanted]
    other = [
        f"{name} is {found[name]}, not {kind}"
        for name, kind in wanted.items()
        if typed and name in found and found[name] != kind
    ]
    told = [f"missing {', '.join(missing)}"] if missing else []
    told += [f"unknown {', '.join(more)}"] if more else []
    if told or other:
        raise refusal(
            f"its columns are not the product's ({'; '.join([*told, *other])})",
            "Begin with what `mesh quarantine PRODUCT --rows FILE` writes",
        )


def _check_rows(con: DuckDBPyConnection, contract: Contract, refusal: _Refusal) -> None:
    keys = ", ".join(f'"{name}"' for name in contract.key)
    empty = " OR ".join(f'"{name}" IS NULL' for name in contract.key)
    masked = [f"\"{name}\"::VARCHAR = '{MASK}'" for name in contract.personal if contract.column(name)]
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
    columns: tuple[tuple[str, str], ...],
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


def _earlier(settings: Settings, contract: Contract, columns: tuple[tuple[str, str], ...]) -> str | None:
    partitions = tuple(current_corrections(settings, contract.product))
    return corrections_sql(settings, contract.product, partitions, columns)


def _keep(
    con: DuckDBPyConnection,
    settings: Settings,
    contract: Contract,
    columns: tuple[tuple[str, str], ...],
    who: str,
) -> dict[str, Corrections]:
    """Earlier and new corrections together, a file per partition that has new ones."""
    keys = identity(contract)
    before = _earlier(settings, contract, columns)
    merged = f"SELECT * FROM {BROUGHT}"
    merged += f" UNION ALL SELECT * FROM ({before}) ANTI JOIN {BROUGHT} USING ({keys})" if before else ""
    part = f'"{contract.partitioning.column}"::VARCHAR' if contract.partitioning else f"'{WHOLE}'"
    touched = con.execute(f"SELECT DISTINCT {part} FROM {BROUGHT} ORDER BY 1").fetchall()
    folder = corrections_folder(settings, contract.product)
    folder.mkdir(parents=True, exist_ok=True)
    kept = {}
    for (partition,) in touched:
        half = folder / ".half.parquet"
        query = f"SELECT * FROM ({merged}) WHERE {part} = '{partition}' ORDER BY {keys}"
        (rows,) = con.execute(
            f"COPY ({query}) TO '{str(half).replace(chr(39), chr(39) * 2)}'"
        ).fetchone() or (0,)
        digest = digest_of_file(half)
        target = half.replace(folder / f"{digest[:32]}.parquet")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        kept[partition] = Corrections(target.name, digest, target.stat().st_size, int(rows), who, now)
    return kept
