"""What the fork server imports besides when dbt will run: dagster-dbt, two seconds of imports, once."""

import dagster_dbt

__all__ = ["dagster_dbt"]
