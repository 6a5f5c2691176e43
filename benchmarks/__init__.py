"""Measurements against a named peer in the same run. They never fail a test; docs/performance.md has results.

Here: what the mesh costs beside the same work bare, and how that is measured. Not here: tests.
"""
