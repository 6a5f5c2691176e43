"""The order of operations in Dagster: the only room that speaks it.

Here: a domain's folder as Dagster definitions, one step per product, runs of them, foreign tools through
dagster-dbt and Pipes. Not here: what a build does (publishing), what a rule means (checks).
"""
