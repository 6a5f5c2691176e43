"""What a version costs: to publish, to read, and when there are thousands of them.

`python -m benchmarks.lake.publish`, `python -m benchmarks.lake.reading` and `python -m benchmarks.lake.many`.
"""
