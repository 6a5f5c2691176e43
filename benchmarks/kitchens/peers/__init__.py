"""The same generated SQL project in mesh_assets, SQLMesh and dbt: a place beside production, and back."""
