"""Is what lineage skips ever wrong: seeded edits of the example's models, against making everything again."""
