"""Dagster's list of code locations: what Dagster reads is read, and a slip is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mesh_assets.capabilities.lineage.workspace import code_locations, with_location
from mesh_assets.words.errors import DocumentMalformed

KNOWN = """load_from:
  - python_module: shop.definitions
  - python_module: {module_name: shop.definitions, location_name: shop}
  - python_file: folder/books.py
  - python_file:
      relative_path: folder/books.py
      attribute: defs
  - python_package: {package_name: bakery}
  - grpc_server: {host: localhost, port: 4266}
"""


def workspace(folder: Path, text: str) -> Path:
    path = folder / "workspace.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_locations_have_the_names_that_dagster_gives_them(tmp_path: Path) -> None:
    from dagster._core.workspace.load import location_origins_from_config

    path = workspace(tmp_path, KNOWN)
    theirs = location_origins_from_config(yaml.safe_load(KNOWN), str(path))

    assert [location.name for location in code_locations(path)] == list(theirs)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "workspace.yaml:1:1: the file is empty"),
        ("load_from: [\n", "workspace.yaml:2:1: not YAML"),
        ("locations: []\n", "no `load_from`"),
        ("load_from: here\n", "workspace.yaml:1:12: here is 'here' (text)"),
        ("load_from:\n  - shop\n", "workspace.yaml:2:5: here is 'shop' (text)"),
        ("load_from:\n  - python_modul: shop\n", "Did you mean python_module?"),
        ("load_from:\n  - python_file: {module_name: shop}\n", "`relative_path` is missing here"),
        ("load_from:\n  - python_file: {relative_path: a.py, location_name: 1}\n", "write a text"),
    ],
)
def test_a_slip_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DocumentMalformed) as refused:
        code_locations(workspace(tmp_path, text))

    assert told in str(refused.value)


@pytest.mark.parametrize(
    "text", [KNOWN, "load_from: []\n", "load_from:\n", "load_from:\n- python_file: a.py\n"]
)
def test_a_location_is_added_after_the_others_and_only_once(tmp_path: Path, text: str) -> None:
    path = workspace(tmp_path, text)
    before = [location.name for location in code_locations(path)] if "- " in text else []

    for _ in range(2):
        path.write_text(with_location(path, "bakery2", "python_file", "bakery2/definitions.py"))

    assert [location.name for location in code_locations(path)] == [*before, "bakery2"]
