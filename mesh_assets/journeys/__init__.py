"""What people get of the mesh as a whole, each with when it has to be there: the location beside the domains.

Here: a YAML file per journey, and two lines for Dagster. Not here: products (domains), how a journey is read
and judged (capabilities/lineage, capabilities/observability).
"""

import os

if os.environ.get("MESH_KITCHEN"):
    from mesh_assets import mesh

    __path__ = mesh.code_of_kitchen(__path__, "journeys")
