"""Every code location is loaded before a reload would find out: real processes, a workspace of files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mesh_assets.capabilities.orchestration.validate import Loaded, duplicates, validate
from mesh_assets.words.settings import Settings
from tests.shop import Shop

GOOD = "import dagster as dg\n\n@dg.asset\ndef {name}(): ...\n\ndefs = dg.Definitions(assets=[{name}])\n"


def workspace(root: Path, **modules: str) -> Settings:
    """A workspace of files, a location each."""
    for name, text in modules.items():
        (root / f"{name}.py").write_text(text, encoding="utf-8")
    entries = [{"python_file": {"relative_path": f"{name}.py", "location_name": name}} for name in modules]
    shop = Shop(root)
    (root / "workspace.yaml").write_text(yaml.safe_dump({"load_from": entries}), encoding="utf-8")
    from dataclasses import replace

    return replace(shop.settings, workspace=root / "workspace.yaml")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Loaded]:
    settings = workspace(
        tmp_path_factory.mktemp("mesh"),
        sound=GOOD.format(name="till"),
        same=GOOD.format(name="till"),
        missing="import dagster\nimport no_such_library\n",
        unfinished="def broken(:\n",
        circle="import dagster as dg\n\n1 / 0\n",
        empty="x = 1\n",
        stuck="import time\ntime.sleep(600)\n",
    )
    return {each.location: each for each in validate(settings, limit=15)}


def test_a_location_that_loads_says_what_it_makes(found: dict[str, Loaded]) -> None:
    assert found["sound"] == Loaded("sound", "", ("till",), ())


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("missing", ("missing.py:2", "No module named 'no_such_library'")),
        ("unfinished", ("unfinished.py:1", "invalid syntax")),
        ("circle", ("circle.py:3", "ZeroDivisionError")),
        ("empty", ("no Dagster definitions",)),
        ("stuck", ("did not load within 15 seconds",)),
    ],
)
def test_one_that_does_not_says_where_and_why_in_a_line(
    found: dict[str, Loaded], location: str, words: tuple[str, ...]
) -> None:
    assert all(word in found[location].problem for word in words)
    assert "\n" not in found[location].problem


def test_an_asset_in_two_locations_is_told(found: dict[str, Loaded]) -> None:
    (told,) = duplicates(list(found.values()))
    assert "till is in sound and in same" in told
