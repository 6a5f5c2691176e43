"""Does a draft keep its product's promises?

Here: contract rules as one DuckDB scan, the passes that one scan cannot do, failing rows, pandera schemas,
and a domain's own expectations.
Not here: reading contracts (contracts), deciding what a broken promise means (publishing), Dagster's asset
checks (orchestration).
"""
