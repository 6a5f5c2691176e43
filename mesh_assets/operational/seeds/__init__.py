"""Real public data in the package, about 2 MB: drugs, ZIP codes, hospitals, names as words.

Here: the Parquet files, where they come from (PROVENANCE.md) and how to make them again (make_seeds.py).
Not here: any person; reading them (reference.py, people.py, market.py).
"""
