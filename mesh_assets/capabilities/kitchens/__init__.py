"""Kitchens: copies of the whole mesh to change things in, and the way back into production.

Here: opening, looking at, running, comparing, promoting and undoing. Not here: how a product is made and
audited (publishing), where versions are kept (lake, registry), anything that knows Dagster (orchestration).
"""
