"""What everybody else publishes: ZIP codes, hospitals, FDA's NDC directory, from the seeds of the package.

Here: writing the seeds as the drops that their publishers would send, defects and encodings included.
Not here: choosing what the seeds hold (seeds/make_seeds.py), mending them (the domains).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.operational.drops import arriving, write_bytes

if TYPE_CHECKING:
    import duckdb

SEEDS = Path(__file__).resolve().parent / "seeds"


def seed(name: str) -> Path:
    return SEEDS / f"{name}.parquet"


def write_reference(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """The four public drops. They are the same at every scale."""
    for name, path in (("us_zip", "geography/us_zip.parquet"), ("hospital", "hcp/hospital.parquet")):
        with arriving(folder / path) as beside:
            shutil.copyfile(seed(name), beside)
    for name in ("ndc_product", "ndc_package"):
        write_bytes(folder / "drug" / f"{name}.tsv", _windows_1252(con, seed(name)))


def _windows_1252(con: duckdb.DuckDBPyConnection, path: Path) -> bytes:
    """A seed as FDA publishes it: tab-separated, CRLF, Windows-1252, no quoting, header in capitals."""
    relation = con.read_parquet(str(path))
    lines = ["\t".join(relation.columns), *("\t".join(row) for row in relation.fetchall())]
    return ("\r\n".join(lines) + "\r\n").encode("windows-1252")
