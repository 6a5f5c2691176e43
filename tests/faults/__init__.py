"""Faults: processes that publish, roll back and expire, and what goes wrong while they do, at a seeded call.

Here: the faults (calls.c, calls), a small mesh and what is done to it (world, acts), the process whose forks
do it (server), what readers see afterwards (look), and the model that says what they should (truth).
Not here: how often, and what comes of it (tests beside this, benchmarks/faults).
"""
