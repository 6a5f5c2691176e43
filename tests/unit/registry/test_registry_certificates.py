"""Certificates survive being written down."""

from __future__ import annotations

import json
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from mesh_assets.capabilities.registry import as_json, certificate_from_json
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import Certificate, InputVersion, SourceVersion
from tests.unit.registry.conftest import certificate

WORDS = st.from_regex(r"_?[a-z][a-z0-9_]{0,10}", fullmatch=True)
PRODUCTS = st.builds(ProductName, WORDS, WORDS)
COUNTS = st.integers(0, 2**62)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
FACTS = st.dictionaries(st.text(), PLAIN | st.lists(PLAIN), max_size=3)
MOMENTS = st.datetimes(timezones=st.just(UTC))
TEXTS = st.dictionaries(st.text(), st.text(), max_size=3)

CERTIFICATES = st.builds(
    Certificate,
    product=PRODUCTS,
    number=st.none() | COUNTS,
    rows=COUNTS,
    fingerprint=st.text(),
    partitions=st.dictionaries(st.text(), FACTS, max_size=3),
    contract_version=st.text(),
    contract_text=st.text(),
    rule_results=st.lists(FACTS, max_size=3).map(tuple),
    snapshot=COUNTS,
    files=st.lists(st.text(), max_size=3).map(tuple),
    started=MOMENTS,
    finished=MOMENTS,
    inputs=st.lists(st.builds(InputVersion, PRODUCTS, COUNTS, COUNTS, st.text()), max_size=3).map(tuple),
    sources=st.lists(
        st.builds(SourceVersion, name=st.text(), path=st.text(), bytes=COUNTS, sha256=st.text()), max_size=3
    ).map(tuple),
    packages=TEXTS,
    recipe=st.text(),
    recipe_hash=st.text(),
    git_commit=st.none() | st.text(),
    git_dirty=st.booleans(),
    run_id=st.text(),
    who=st.text(),
    input_keys=TEXTS,
)


@given(CERTIFICATES)
def test_a_certificate_comes_back_from_json_as_it_was(given_one):
    written = json.dumps(as_json(given_one))

    assert certificate_from_json(json.loads(written)) == given_one


def test_facts_that_only_a_newer_mesh_knows_are_left_out():
    assert certificate_from_json({**as_json(certificate()), "mood": "fine"}) == certificate()


def test_facts_that_an_older_mesh_did_not_write_have_their_defaults():
    document = as_json(certificate())
    del document["input_keys"]

    assert certificate_from_json(document) == certificate()
