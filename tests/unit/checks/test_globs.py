"""A pattern that runs as a glob says of every text what the regular expression says."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.checks.globs import glob_of
from mesh_assets.capabilities.contracts.patterns import plain_pattern
from tests.unit.checks.conftest import one_column, rule

SET = st.sampled_from(["[0-9]", "[A-Z]", "[a-z0-9]", "[12]", "[0-9A-Fa-f]", "[x]", r"\d", r"\w"])
ONE = st.sampled_from(["a", "Z", "0", "-", "_", " ", "/", ":", "#", ".", "é", *map(re.escape, ".*?[\\")])
TIMES = st.sampled_from(["", "", "{1}", "{2}", "{0}", "{3}", "{2,3}", "*", "?", "+"])
PATTERN = st.tuples(
    st.sampled_from(["^", "^", "^", ""]),
    st.lists(st.tuples(st.one_of(SET, ONE), TIMES).map("".join), max_size=4).map("".join),
    st.sampled_from(["$", "$", "$", "", "|b$"]),
).map("".join)
TEXT = st.one_of(
    st.text(alphabet="aAzZ019-_ /:.*?[]\\é#x\n", max_size=8),
    st.from_regex(r"\A[a-zA-Z0-9][0-9]{0,3}[A-Z]?\Z"),
)


@settings(max_examples=400, deadline=None)
@given(PATTERN, st.lists(TEXT, max_size=8), st.data())
@example(r"^ORD-[0-9]{3}$", ["ORD-123", "ORD-12", "ORD-1234", "ORD-12\n", "xORD-123", "ord-123", ""], None)
def test_a_glob_matches_what_its_pattern_matches(pattern, texts, data):
    plain = plain_pattern(pattern)
    glob = glob_of(plain)
    if glob is None:
        return
    if data is not None:
        for_python = re.sub(r"\\x\{(..)\}", r"\\x\1", plain)
        texts = [*texts, data.draw(st.from_regex(for_python))]

    for text in texts:
        said = duckdb.execute("SELECT ? GLOB ?, regexp_matches(?, ?)", [text, glob, text, plain]).fetchone()
        assert said[0] == said[1], (text, glob, plain)


@pytest.mark.parametrize(
    ("pattern", "glob"),
    [
        (r"^\d{3}$", "[0-9][0-9][0-9]"),
        (r"^A\.[A-Z0-9]{2}$", "A.[A-Z0-9][A-Z0-9]"),
        ("^T[12]-{2}$", "T[12]--"),
        ("[0-9]{3}", None),
        ("^[0-9]{3}", None),
        ("^[0-9]{2,3}$", None),
        ("^(A|B)$", None),
        ("^A|B$", None),
        ("^[^0-9]$", None),
        (r"^\*$", None),
        ("^é$", None),
        ("^$", None),
        ("^[0-9]{17}$", None),
    ],
)
def test_only_a_fixed_form_of_letters_and_digits_is_a_glob(pattern, glob):
    assert glob_of(plain_pattern(pattern)) == glob


def test_a_pattern_of_a_fixed_form_counts_every_other_text(verdict_on):
    wide = "chr(65297) || '2345'"
    values = ("'12345'", "'1234'", "'123456'", "'1234a'", "''", "NULL", wide, "'12345\n'")

    failed = verdict_on(one_column("VARCHAR", *values), rule("pattern", "x", value="^[0-9]{5}$")).results[0]

    assert failed.failed_rows == 6
