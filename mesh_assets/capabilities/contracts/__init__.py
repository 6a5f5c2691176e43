"""What a product promises, and what a domain says of itself.

Here: reading contracts (ODCS) and domain descriptions (ODPS), the rules and types that they declare, and
texts made from them (dbt properties, new files).
Not here: running the rules (checks), storing data (lake), anything that knows Dagster (orchestration).
"""

from mesh_assets.capabilities.contracts.domain import read_domain
from mesh_assets.capabilities.contracts.model import Column, Contract, Domain, Partitioning, Person, Source
from mesh_assets.capabilities.contracts.read import odcs_model, read_contract

__all__ = [
    "Column",
    "Contract",
    "Domain",
    "Partitioning",
    "Person",
    "Source",
    "odcs_model",
    "read_contract",
    "read_domain",
]
