"""What recipes declare is read from their text; a mistake in it is told with its file and line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.lineage import dbt_models
from mesh_assets.capabilities.lineage.dbt_models import dbt_calls
from mesh_assets.capabilities.lineage.declarations import (
    program_recipe,
    python_recipe,
    sql_recipe,
)
from mesh_assets.capabilities.lineage.model import Recipe
from mesh_assets.words.errors import DocumentMalformed, MeshError, RecipeMalformed
from mesh_assets.words.names import ProductName

ORDERS = ProductName("shop", "orders")


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def python(folder: Path, text: str) -> Recipe:
    return python_recipe(written(folder, "recipe.py", text), ORDERS, ())


def names(recipe: Recipe) -> list[str]:
    return [str(name) for name in recipe.inputs]


def test_a_python_recipe_is_read_and_not_imported(tmp_path: Path) -> None:
    recipe = python(
        tmp_path,
        "import polars as pl\nimport not_installed_anywhere\nfrom mesh_assets import mesh\n\n"
        '@mesh.recipe(inputs=["hcp.hcp_master"], sources=["orders_log"])\n'
        "def orders(run): ...\n\nraise SystemExit\n",
    )

    assert names(recipe) == ["hcp.hcp_master"]
    assert recipe.sources == ("orders_log",)
    assert recipe.tools == ("polars",)
    assert "not_installed_anywhere" not in sys.modules


def test_a_recipe_may_declare_nothing(tmp_path: Path) -> None:
    recipe = python(tmp_path, "@mesh.recipe\ndef orders(run): ...\n")

    assert (recipe.inputs, recipe.sources) == ((), ())


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("INPUTS = ['a.b']\n\n@mesh.recipe(inputs=INPUTS)\ndef orders(run): ...\n", 3, "literal lists"),
        ("@mesh.recipe(sources=[f'{x}'])\ndef orders(run): ...\n", 1, "literal lists"),
        ("import os\n\ndef orders(run): ...\n", 3, r"write @mesh\.recipe"),
        ("@mesh.recipe()\ndef order(run): ...\n", 1, "there is no function 'orders'"),
        ("@mesh.recipe()\ndef orders(run)\n    ...\n", 2, "this is not Python"),
        ("\n@mesh.recipe(inputs=['Hcp.Master'])\ndef orders(run): ...\n", 3, "is not the name of a product"),
        ("@mesh.recipe(inputs=['hcp'])\ndef orders(run): ...\n", 2, "is not the name of a product"),
        ("@mesh.recipe(inputs='hcp.master')\ndef orders(run): ...\n", 1, "literal lists"),
        ("@mesh.recipe(input=['hcp.master'])\ndef orders(run): ...\n", 1, "'input' is not known"),
        ("@mesh.recipe(['hcp.master'])\ndef orders(run): ...\n", 1, "by name"),
    ],
)
def test_a_mistake_in_a_python_recipe_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, told: str
) -> None:
    with pytest.raises(RecipeMalformed, match=rf"recipe\.py:{line}: .*{told}"):
        python(tmp_path, text)


def test_the_head_of_a_sql_recipe_says_what_it_reads(tmp_path: Path) -> None:
    recipe = sql_recipe(
        written(
            tmp_path,
            "recipe.sql",
            "-- How it is made.\n-- input: hcp.hcp_master\n--source: orders_log\n"
            "select 1 -- input: not.this_one\n",
        )
    )

    assert names(recipe) == ["hcp.hcp_master"]
    assert recipe.sources == ("orders_log",)


def test_a_malformed_input_of_a_sql_recipe_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "recipe.sql", "-- What\n-- input: hcp.Master\nselect 1\n")

    with pytest.raises(RecipeMalformed, match=r"recipe\.sql:2: .*'hcp\.Master' is not the name"):
        sql_recipe(path)


def test_a_program_says_what_it_is_to_be_given(tmp_path: Path) -> None:
    written(tmp_path, "shop/program.py", "")
    path = written(
        tmp_path,
        "shop/orders/program.yaml",
        'command: ["{python}", "program.py"]\ninputs: [hcp.hcp_master]\nsources: [orders_log]\n',
    )

    recipe = program_recipe(path)

    assert (names(recipe), recipe.sources) == (["hcp.hcp_master"], ("orders_log",))
    assert recipe.command == ("{python}", "program.py")
    assert recipe.code == (path, tmp_path / "shop/program.py")


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("command: [x]\nsource: [a]\n", 2, "'source' is not known here"),
        ("inputs: []\n", 1, "`command` is missing"),
        ("command: python program.py\n", 1, "`command` is not a list"),
        ("", 1, "the file is empty"),
        ("command: [x\ninputs: []\n", 2, "not YAML"),
        ("- command\n", 1, "the file holds a list"),
        ("command: [x]\ninputs: hcp.hcp_master\n", 2, "`inputs` is not a list"),
    ],
)
def test_a_mistake_in_program_yaml_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, told: str
) -> None:
    path = written(tmp_path, "shop/orders/program.yaml", text)

    with pytest.raises(DocumentMalformed, match=rf"program\.yaml:{line}:\d+: .*{told}"):
        program_recipe(path)


def test_the_calls_of_a_dbt_model_are_read_from_its_syntax_tree(tmp_path: Path) -> None:
    model = written(
        tmp_path,
        "orders.sql",
        "{{ config(materialized='table') }}\n"
        "{# {{ ref('in_a_comment') }} #}\n"
        "{% for kind in ['a', 'b'] %}\n"
        "select * from {{ ref('_hub') }} join {{ source('hcp', 'hcp_master') }} using (npi)\n"
        "{% endfor %}\n"
        "{% if var('x', false) %}select * from {{ source('shop_sources', 'log') }}{% endif %}\n",
    )

    assert dbt_calls(model) == (("_hub",), (("hcp", "hcp_master"), ("shop_sources", "log")))


_PIECES = (
    "select 1 from {{ ref('a') }} ",
    "{{ source(\"hcp\", 'b') -}}\n",
    "{{- week_of('at') }}",
    "{{ in_late_window('x.y', week_of(\"ref('c')\")) }}",
    "{{ hash_key(ref('d')) }}",
    "{{ f(source('e', g('h'))) }}",
    "{{ ref('i', 'j') }}",
    "{{ ref('k' 'l') }}",
    "{{ ref(ref('m')) }}",
    "{{ \"it's {{ ref('n') }}\" }}",
    "{{ model.ref('o') }}",
    "{{ ref('p') ~ 'q' }}",
    "{{ ref('r'",
    "{{ ref('s') }}}",
    "{# {{ ref('t') }} #}",
    "{% do ref('u') %}",
    "{% raw %}",
    "{% endraw %}",
    "it's {{ ref() }}",
    "{{ ref('v',) }}",
    "{{ 'w' }}",
    "{{ ref('x\\'y') }}",
    "{{ {'ref': ref('z')} }}",
    "{{ref('A')}}",
    "{{ ref('B')('C') }}",
    "{{ var('D').ref('E') }}",
    "{{ @ }}",
    "{{ f('F'(#0)) }}",
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=4))
def test_a_model_read_without_jinja_is_read_as_jinja_reads_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = dbt_models._everyday_calls(text)

    if found is not None:
        told = dbt_models._calls_by_jinja(Path("orders.sql"), text)
        assert sorted(call[:2] for call in found) == sorted(call[:2] for call in told)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("select *\nfrom {{ ref(name) }}\n", 2, r"ref\(\) takes 1 literal string"),
        ("select * from {{ ref('shop', 'orders') }}\n", 1, r"ref\(\) takes 1 literal string"),
        ("\n\nselect * from {{ source('hcp') }}\n", 3, r"source\(\) takes 2 literal string"),
        ("select * from {{ source('hcp', which) }}\n", 1, r"source\(\) takes 2 literal string"),
        ("select 1\n{% if %}\n", 2, "this model is not Jinja"),
    ],
)
def test_a_mistake_in_a_dbt_model_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, told: str
) -> None:
    with pytest.raises(MeshError, match=rf"orders\.sql:{line}: .*{told}"):
        dbt_calls(written(tmp_path, "orders.sql", text))


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("recipe.py", lambda path: python_recipe(path, ORDERS, ())),
        ("recipe.sql", sql_recipe),
        ("model.sql", dbt_calls),
        ("program.yaml", program_recipe),
    ],
)
def test_a_recipe_that_is_not_utf_8_is_told_with_its_line(
    tmp_path: Path, name: str, read: Callable[[Path], object]
) -> None:
    path = tmp_path / name
    path.write_bytes(b"-- first\n-- caf\xe9\n")

    with pytest.raises(DocumentMalformed, match=f"{name}:2:7: byte 0xe9 is not UTF-8"):
        read(path)
