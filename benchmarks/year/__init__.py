"""A year of a small mesh in minutes: weekly drops with everything that goes wrong, from a seeded script.

Here: the clock, the mesh, the script with its own ledger of what has to follow, the drive. Not here: any rule
of the mesh; what is driven is the real thing.
"""
