"""Real CMS files in the place of generated ones: Open Payments of Iowa, Part D of 2023.

Here: which file of a folder of real files (MESH_REAL) stands for which drop, and the header-only files that
stand there without one, so that recipes are one and the same.
Not here: any row of the real files; they are linked or copied at run time and never committed.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from mesh_assets.operational.drops import bring, write_bytes
from mesh_assets.words.errors import SettingMalformed

OPEN_PAYMENTS = ("general_payments", "research_2013", "research_2014", "research_2015")
PART_D = "cms_partd_2023/prescriber_drug.csv"

_HEADERS = Path(__file__).resolve().parent / "open_payments_headers.csv"


def write_open_payments(folder: Path, real: Path | None) -> None:
    """Four files under engagement/open_payments: real ones, or their headers alone."""
    for name in OPEN_PAYMENTS:
        path = folder / "engagement/open_payments" / f"{name}.csv"
        if real is not None:
            bring(_required(real / "open_payments_iowa" / f"{name}.csv", real), path)
        else:
            write_bytes(path, _header(name))


def bring_part_d(folder: Path, real: Path) -> None:
    bring(_required(real / PART_D, real), folder / "prescriptions/part_d.csv")


def _required(path: Path, real: Path) -> Path:
    if not path.is_file():
        raise SettingMalformed(
            setting="MESH_REAL", value=str(real), problem=f"it has no {path.relative_to(real)}"
        )
    return path


def _header(name: str) -> bytes:
    with _HEADERS.open(encoding="utf-8", newline="") as lines:
        columns = {row[0]: row[1:] for row in csv.reader(lines)}[name]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(columns)
    return text.getvalue().encode()
