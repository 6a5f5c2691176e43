"""Writing all drops of the example into a folder, once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.operational.defects import forget_planted, write_ledger
from mesh_assets.operational.drops import write_bytes
from mesh_assets.operational.reference import SEEDS
from mesh_assets.operational.weeks import COUNT, key_of, week_number

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str, int, int], None]

STAMP = "_sources.json"
#: Steps that progress counts: six files or groups of them, calls and fills by week, the ledger of defects.
STEPS = 6 + 2 * COUNT + 1


def write_sources(
    folder: Path,
    *,
    scale: float,
    real: Path | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
) -> None:
    """Write every source drop into `folder`; do nothing if the same drops are there already.

    The same scale and the same version of this room give the same bytes, whatever the number of threads. With
    `real`, Open Payments and Part D are the real files of that folder. `progress` is told (what, done, of).
    """
    wanted = _stamp(scale, real)
    if _is_current(folder, wanted):
        return
    (folder / STAMP).unlink(missing_ok=True)
    forget_planted(folder)
    for done, what in enumerate(_write(folder, scale, real, threads), start=1):
        if progress is not None:
            progress(what, done, STEPS)
    write_bytes(folder / STAMP, json.dumps(wanted, indent=2).encode())


def write_week(folder: Path, number: int, *, scale: float) -> tuple[str, ...]:
    """Write what arrives in one week, and nothing else; returns the files, relative to `folder`.

    The same bytes as `write_sources` has for it; the weeks after the last one can be had only so.
    """
    from mesh_assets.operational.claims import write_fills
    from mesh_assets.operational.field_force import write_field_force

    con = open_generator(scale)
    try:
        for _ in (
            *write_field_force(con, folder, only=[number]),
            *write_fills(con, folder, scale=scale, only=[number]),
        ):
            pass
    finally:
        con.close()
    key = key_of(number)
    return (
        f"prescriptions/fills/{key}.parquet",
        f"engagement/calls/{key}.csv",
        f"engagement/samples/{key}.csv",
    )


def next_week(folder: Path) -> int:
    """The number of the first week after all that are there."""
    newest = max((path.stem for path in (folder / "prescriptions/fills").glob("*.parquet")), default="")
    return 1 + (week_number(date.fromisoformat(newest)) or 0) if newest else 0


def written(folder: Path) -> tuple[float | None, Path | None]:
    """(scale, folder of real files) of the drops that are there; (None, None) if there are none."""
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None, None
    return stamp["scale"], Path(stamp["real"]) if stamp["real"] else None


def _write(folder: Path, scale: float, real: Path | None, threads: int | None) -> Iterator[str]:
    """The drops in order, each told by name when it is there."""
    from mesh_assets.operational.benign import find_benign
    from mesh_assets.operational.claims import write_fills
    from mesh_assets.operational.field_force import write_field_force
    from mesh_assets.operational.payers import write_payers
    from mesh_assets.operational.real import bring_part_d, write_open_payments
    from mesh_assets.operational.reference import write_reference
    from mesh_assets.operational.registers import write_registers
    from mesh_assets.operational.spending import write_part_d, write_payments

    con = open_generator(scale, threads=threads)
    try:
        write_reference(con, folder)
        yield "reference"
        write_registers(con, folder)
        yield "people"
        write_payers(con, folder)
        yield "payers"
        write_payments(con, folder, scale=scale)
        yield "payments"
        write_open_payments(folder, real)
        yield "open payments"
        if real is not None:
            bring_part_d(folder, real)
        else:
            write_part_d(con, folder, scale=scale)
        yield "part D"
        yield from (f"calls {week}" for week in write_field_force(con, folder))
        yield from (f"fills {week}" for week in write_fills(con, folder, scale=scale))
        write_ledger(folder, find_benign(con, folder, scale=scale))
        yield "ledger of defects"
    finally:
        con.close()


def open_generator(scale: float, *, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with the tables that all drops are made from: people, market, payers, field force."""
    import duckdb

    from mesh_assets.operational.field_force import make_field_force
    from mesh_assets.operational.market import make_market
    from mesh_assets.operational.payers import make_payers
    from mesh_assets.operational.people import make_people
    from mesh_assets.operational.streams import define_streams

    con = duckdb.connect(config={"threads": threads or min(os.cpu_count() or 1, 8)})
    define_streams(con)
    make_people(con, scale)
    make_market(con)
    make_payers(con)
    make_field_force(con)
    return con


def _stamp(scale: float, real: Path | None) -> dict[str, Any]:
    return {"scale": scale, "real": str(real) if real else None, "code": _code_digest()}


def _code_digest() -> str:
    """One hash over this room's code and seeds, so that a changed generator writes again."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in sorted([*here.glob("*.py"), *here.glob("*.csv"), *SEEDS.glob("*.parquet")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _is_current(folder: Path, wanted: dict[str, Any]) -> bool:
    try:
        return bool(json.loads((folder / STAMP).read_text()) == wanted)
    except (OSError, ValueError):
        return False
