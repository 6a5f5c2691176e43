"""What a contract cannot say of an NPI: that its last digit is the right one."""

import polars as pl

from mesh_assets import mesh
from mesh_assets.domains.hcp.cleaning import npi_is_valid


@mesh.expectation(columns=["npi"], severity="error")
def npi_check_digit(frame: pl.DataFrame) -> pl.Series:
    """The last digit of the NPI is its check digit (Luhn's formula with the prefix 80840)."""
    return frame.select(npi_is_valid("npi")).to_series()
