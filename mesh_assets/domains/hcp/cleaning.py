"""How this domain reads what other systems typed: names, ZIP codes, NPIs, dates.

Here: polars expressions without side effects, one per kind of field.
Not here: deciding between two sources (hcp_master) or matching them (hcp_xref).
"""

from __future__ import annotations

import polars as pl

#: Health industry numbers are checked as card numbers are, with the prefix 80840 in front; its digits add 24.
#: Source: CMS, "Requirements for National Provider Identifier (NPI) and NPI check digit", 2004.
NPI_PREFIX_SUM = 24


def tidy(column: str) -> pl.Expr:
    """Text without blanks around it and with single blanks inside; null for nothing."""
    text = pl.col(column).str.strip_chars().str.replace_all(r"\s+", " ")
    return pl.when(text != "").then(text).otherwise(None).alias(column)


def name_key(column: str) -> pl.Expr:
    """A name as it is compared: plain capitals alone, so that O'Brien, OBRIEN and Ó Brien are one."""
    # NFKD parts a letter from its accent, and what is no plain letter goes.
    return pl.col(column).str.normalize("NFKD").str.to_uppercase().str.replace_all(r"[^A-Z]", "")


def zip5(column: str) -> pl.Expr:
    """ZIP code as five digits: lost leading zeros come back, the last four of ZIP+4 go; null if hopeless."""
    digits = pl.col(column).str.replace_all(r"\D", "")
    length = digits.str.len_chars()
    padded = pl.when(length > 5).then(digits.str.zfill(9)).otherwise(digits.str.zfill(5))
    return pl.when(length.is_between(3, 9)).then(padded.str.slice(0, 5)).otherwise(None)


def npi_is_valid(column: str) -> pl.Expr:
    """True for ten digits that begin with 1 or 2 and end in the right check digit; False for null."""
    total = pl.lit(NPI_PREFIX_SUM)
    for position in range(10):
        digit = pl.col(column).str.slice(position, 1).cast(pl.Int32, strict=False)
        doubled = digit * 2
        total = total + (doubled // 10 + doubled % 10 if position % 2 == 0 else digit)
    formed = pl.col(column).str.contains(r"^[12][0-9]{9}$")
    return (formed & (total % 10 == 0)).fill_null(False)


def iso_date(column: str) -> pl.Expr:
    """Dates as the sources write them: 2024-05-31, or 05/31/2024; null for anything else."""
    text = pl.col(column).str.strip_chars()
    return pl.coalesce(
        text.str.to_date("%Y-%m-%d", strict=False), text.str.to_date("%m/%d/%Y", strict=False)
    ).alias(column)
