"""Who works at which hospital in which role, from when to when, as the hospitals' rosters say."""

import polars as pl

from mesh_assets import mesh
from mesh_assets.domains.hcp.cleaning import iso_date, tidy


@mesh.recipe(inputs=[], sources=["affiliation_roster"])
def hcp_affiliation(run: mesh.Run) -> pl.DataFrame:
    roster = run.source("affiliation_roster").polars()
    return (
        roster.with_row_index("place")
        .with_columns(
            tidy("npi"),
            tidy("ccn").str.to_uppercase(),
            tidy("role").str.to_lowercase(),
            iso_date("from_date"),
            iso_date("to_date"),
        )
        # A person whom a roster lists twice from one day on keeps the entry that was written later.
        .sort("npi", "ccn", "from_date", "place")
        .unique(["npi", "ccn", "from_date"], keep="last", maintain_order=True)
        .select("npi", "ccn", "role", "from_date", "to_date")
    )
