"""The example's operational systems: they write the source drops that the domains receive.

Here: a CRM, a claims feed, payers' filings, a sales force and what public agencies publish, all made from the
seeds and from chance that can be looked up (streams.py); the defects of such drops, and a ledger of them.
Not here: anything that reads a drop (the domains), rules (the contracts). Persons, plans, fills and payments
are invented; ZIP codes, hospitals and drugs are real and public (seeds/PROVENANCE.md).
"""

from mesh_assets.operational.write import write_sources

__all__ = ["write_sources"]
