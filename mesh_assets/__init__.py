"""mesh_assets: a data mesh you can run, as a Dagster software-defined-assets project.

Start at `mesh_assets.mesh`, the front door; see docs/ for a page per room.
"""
