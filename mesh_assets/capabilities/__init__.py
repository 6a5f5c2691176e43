"""What the mesh does for every domain, a room per capability.

Here: contracts, registry, lake, checks, lineage, publishing, observability, orchestration.
Not here: anything about pharmaceuticals (domains), argument parsing (cli).
"""
