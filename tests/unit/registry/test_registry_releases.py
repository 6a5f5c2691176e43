"""What a release promises."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mesh_assets.capabilities.registry import engines, open_registry
from mesh_assets.capabilities.registry import open as opening
from mesh_assets.words.errors import NoVersion, RegistryBusy, ReleaseConflict
from mesh_assets.words.versions import InputVersion
from tests.unit.registry.conftest import FIELDS, ORDERS, STOCK, certificate, release

ROOT = Path(__file__).parents[3]


def test_a_registry_begins_without_versions(registry):
    assert (registry.heads(), registry.head(ORDERS), registry.versions(ORDERS)) == ({}, None, [])
    with pytest.raises(NoVersion, match="has no version 3 yet"):
        registry.version(ORDERS, 3)


def test_versions_are_numbered_from_one_and_the_head_is_the_last(registry):
    release(registry, "run1", ORDERS)
    release(registry, "run2", ORDERS)

    assert registry.heads() == {ORDERS: 2}
    assert [version.number for version in registry.versions(ORDERS)] == [2, 1]
    assert registry.head(ORDERS) == registry.version(ORDERS, 2)


def test_a_version_keeps_its_whole_certificate_and_knows_its_number(registry):
    made = certificate(rows=12, snapshot=99)
    before = datetime.now(UTC)
    (version,) = registry.release([made], expected={}, reads={}, who="ann", run_id="run1")

    assert version.certificate == certificate(rows=12, snapshot=99, number=1)
    assert (version.rows, version.snapshot, version.run_id) == (12, 99, "run1")
    assert before <= version.published <= datetime.now(UTC)


def test_products_of_several_domains_are_released_together(registry):
    assert release(registry, "run1", ORDERS, FIELDS) == [1, 1]
    assert [set(released.moved) for released in registry.releases()] == [{ORDERS, FIELDS}]


def test_a_release_on_a_head_that_moved_is_refused_and_names_who_moved_it(registry):
    release(registry, "run1", ORDERS)
    release(registry, "run2", ORDERS, who="bob")

    with pytest.raises(ReleaseConflict, match=r"version 1 of shop.orders.*at version 2 now.*bob, run run2"):
        release(registry, "run3", ORDERS, expected={ORDERS: 1})

    assert registry.heads() == {ORDERS: 2}


def test_a_release_that_read_what_has_moved_is_refused(registry):
    release(registry, "run1", FIELDS)
    release(registry, "run2", FIELDS, who="bob")

    with pytest.raises(ReleaseConflict) as refused:
        release(registry, "run3", ORDERS, reads={FIELDS: 1})

    facts = refused.value.facts
    assert (facts["product"], facts["moved"]) == (ORDERS, FIELDS)
    assert (facts["expected"], facts["actual"], facts["winner"]) == (1, 2, "bob, run run2")


def test_of_several_products_all_are_released_or_none(registry):
    release(registry, "run1", STOCK)

    with pytest.raises(ReleaseConflict):
        release(registry, "run2", ORDERS, STOCK, expected={ORDERS: None, STOCK: None})

    assert registry.heads() == {STOCK: 1}
    assert registry.versions(ORDERS) == []


def test_two_builds_that_read_what_the_other_writes_do_not_both_pass(registry):
    release(registry, "run1", ORDERS, STOCK)

    release(registry, "run2", ORDERS, expected={ORDERS: 1}, reads={STOCK: 1})
    with pytest.raises(ReleaseConflict):
        release(registry, "run3", STOCK, expected={STOCK: 1}, reads={ORDERS: 1})


def test_a_run_that_asks_again_gets_what_it_released_before(registry):
    first = release(registry, "run1", ORDERS, STOCK)
    release(registry, "run2", ORDERS)
    again = release(registry, "run1", ORDERS, STOCK, expected={ORDERS: None, STOCK: None})

    assert again == first
    assert registry.heads() == {ORDERS: 2, STOCK: 1}


def test_environments_have_heads_of_their_own_and_one_row_of_numbers(registry):
    release(registry, "run1", ORDERS)
    release(registry, "run2", ORDERS, environment="kitchen")

    assert (registry.heads(), registry.heads("kitchen")) == ({ORDERS: 1}, {ORDERS: 2})


def test_history_tells_from_where_to_where_each_head_moved(registry):
    release(registry, "run1", ORDERS)
    release(registry, "run2", ORDERS, who="bob")

    newest = registry.releases(limit=1)[0]
    assert (newest.who, newest.run_id, newest.moved) == ("bob", "run2", {ORDERS: (1, 2)})


RELEASER = """
import sys
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import ReleaseConflict
from mesh_assets.words.settings import read_settings
from tests.unit.registry.conftest import ORDERS, STOCK, certificate
who = sys.argv[1]
done = 0
with open_registry(read_settings()) as registry:
    while done < 6:
        heads, run = registry.heads(), f"{who}-{done}"
        made = [certificate(product, run_id=run) for product in (ORDERS, STOCK)]
        expected = {product: heads.get(product) for product in (ORDERS, STOCK)}
        try:
            registry.release(made, expected=expected, reads={}, who=who, run_id=run)
            done += 1
        except ReleaseConflict:
            pass
"""


def test_four_processes_release_and_each_head_moves_one_step_at_a_time(settings):
    environ = {**os.environ, "MESH_HOME": str(settings.home), "MESH_REGISTRY": settings.registry}
    command = [sys.executable, "-c", RELEASER]
    workers = [
        subprocess.Popen([*command, f"w{number}"], cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    for worker in workers:
        _, errors = worker.communicate()
        assert worker.returncode == 0, errors

    with open_registry(settings) as registry:
        moves = [released.moved for released in reversed(registry.releases())]
        assert registry.heads() == {ORDERS: 24, STOCK: 24}
    steps = [(number or None, number + 1) for number in range(24)]
    assert moves == [{ORDERS: step, STOCK: step} for step in steps]


def test_inputs_of_the_same_release_get_the_numbers_that_it_gives(registry):
    """They were read before they had one."""
    release(registry, "run1", ORDERS)
    read = (InputVersion(ORDERS, 99, 7, "d1:1"), InputVersion(STOCK, 5, 3, "d1:2"))
    made = [certificate(ORDERS, run_id="run2"), certificate(FIELDS, run_id="run2", inputs=read)]

    registry.release(made, expected={ORDERS: 1, FIELDS: None}, reads={}, who="ann", run_id="run2")

    assert [each.number for each in registry.head(FIELDS).certificate.inputs] == [2, 5]


def test_a_look_before_the_commit_says_what_the_release_would_say(registry):
    release(registry, "run1", ORDERS)
    registry.refuse_if_moved({ORDERS: 1, FIELDS: None}, {})

    with pytest.raises(ReleaseConflict, match="ann, run run1"):
        registry.refuse_if_moved({FIELDS: None}, {ORDERS: 2})


def test_who_waits_too_long_for_the_registry_is_told_so(settings, monkeypatch):
    for module in (opening, engines):
        monkeypatch.setattr(module, "PATIENCE", 0.2)
    with open_registry(settings) as registry, open_registry(settings) as other, other.writing():
        with pytest.raises(RegistryBusy, match="not free for 0 seconds"), registry.writing():
            pass
        assert registry.heads() == {}  # a look waits for nobody
