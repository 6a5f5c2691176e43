"""Which weeks a recipe is to build, as SQL.

Here: the list of weeks as a literal that a query can filter by.
Not here: which weeks are built (the core decides that from the request).
"""

from __future__ import annotations

from collections.abc import Sequence


def in_weeks(column: str, weeks: Sequence[str]) -> str:
    """A condition that keeps rows of these weeks: `week_start IN (DATE '2023-01-02', …)`."""
    literals = ", ".join(f"DATE '{week}'" for week in weeks)
    return f"{column} IN ({literals})" if weeks else "false"
