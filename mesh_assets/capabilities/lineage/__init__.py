"""Who needs whom.

Here: reading what recipes declare (without running them), the mesh as a graph, its order, selections from it.
Not here: running a recipe (publishing), contracts themselves (contracts), anything that knows Dagster.
"""
