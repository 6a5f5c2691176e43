"""What a recipe may ask of a run, the bare run of the benchmarks answers too: else they compare nothing."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields

import pytest

from benchmarks.bare import BareRun, Table
from mesh_assets.capabilities.lake.read import Handle
from mesh_assets.words.settings import PROJECT


@pytest.mark.parametrize("asked", ["polars", "arrow", "pandas", "lazy"])
def test_an_input_is_read_bare_as_it_is_read_pinned(asked: str) -> None:
    pinned, bare = (inspect.signature(getattr(each, asked)).parameters for each in (Handle, Table))

    assert [*bare] == [*pinned]


def test_every_recipe_of_the_example_asks_only_for_what_a_bare_run_has() -> None:
    given = {each.name for each in fields(BareRun)} | {name for name in vars(BareRun) if name[0] != "_"}
    recipes = (PROJECT / "mesh_assets" / "domains").glob("*/*/recipe.py")
    asked = {word for each in recipes for word in re.findall(r"\brun\.([a-z_]+)", each.read_text("utf-8"))}

    assert {"read", "source"} <= asked <= given
