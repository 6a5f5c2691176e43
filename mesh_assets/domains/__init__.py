"""The example mesh: pharmaceutical commercial analytics, a folder and a code location per domain.

Here: what domains own (domain.yaml, contracts, recipes, expectations). Not here: how any of it is run; a
domain comes in by the front door (`mesh_assets.mesh`) and never imports another domain.
"""

import os

if os.environ.get("MESH_KITCHEN"):  # a kitchen's recipes import each other, and not those beside this file
    from mesh_assets import mesh

    __path__ = mesh.code_of_kitchen(__path__, "domains")
