"""The same command over PostgreSQL: registry and lakes by two settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import mesh_in
from tests.postgres import Postgres


@pytest.mark.postgres
def test_a_domain_is_built_and_read_with_everything_in_postgresql(postgres: Postgres, tmp_path: Path) -> None:
    database = postgres.database()
    mesh = mesh_in(
        tmp_path / ".mesh", MESH_REGISTRY=postgres.url(database), MESH_CATALOG=f"postgres:{database}"
    )

    built = mesh.run("build", "geography", "--json")
    again = mesh.run("build", "geography", "--json")
    read = mesh.run("read", "geography.territory", "--format", "json", "--limit", "1")

    assert built.returncode == 0, built.stderr
    assert {each["outcome"] for each in json.loads(built.stdout)} == {"published"}
    assert {each["outcome"] for each in json.loads(again.stdout)} == {"unchanged"}
    assert json.loads(read.stdout)["territory_id"].startswith("T")
    assert not list((tmp_path / ".mesh").rglob("*.sqlite"))
