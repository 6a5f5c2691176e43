"""Keeping what was published: that it is there and whole, and that nothing is kept for nobody.

Here: checks of lakes against the registry, repairs, the way back to a lost registry, retention, compaction.
Not here: making a version (publishing), when any of this runs (orchestration), printing (cli).
"""
