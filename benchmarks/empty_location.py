"""A code location with nothing in it: what Dagster costs by itself."""

import dagster as dg

defs = dg.Definitions()
