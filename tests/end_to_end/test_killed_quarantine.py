"""A build killed at any moment leaves a product and its quarantine as one release made both."""

from __future__ import annotations

import os
import signal
import time

import duckdb
import pytest

from mesh_assets.capabilities.publishing.inputs import input_sql
from mesh_assets.capabilities.registry import open_registry
from tests.killed import BUILDER, started
from tests.shop import ORDERS, ORDERS_NAME, Shop, keep_quarantine

BEFORE = ([1, 2], [3])
#: What was good is bad now, and the other way round: no mixture of both could be taken for either.
AFTER = ([3], [1, 2])


@pytest.fixture
def delivered(shop: Shop) -> Shop:
    keep_quarantine(shop, limit=80)
    shop.deliver(ORDERS + "3,-30\n")
    shop.build("shop.orders")
    shop.deliver("order_id,amount\n1,-10\n2,-20\n3,30\n")
    return shop


def seen(shop: Shop) -> tuple[list[object], list[object]]:
    """Orders that are published, and orders in quarantine beside them."""
    with open_registry(shop.settings) as registry:
        head = registry.head(ORDERS_NAME)
    assert head is not None
    published = [row[0] for row in shop.rows("shop.orders")]
    sql = input_sql(shop.settings, ORDERS_NAME.quarantine, head.snapshot)
    aside = sorted(row[0] for row in duckdb.sql(f"select order_id from ({sql})").fetchall())
    assert (head.rows, head.certificate.quarantine["rows"]) == (len(published), len(aside))
    return published, aside


@pytest.mark.parametrize("moment", ["stage", "sift", "commit", "write_manifest", "release"])
def test_a_build_killed_before_its_release_changes_neither(delivered: Shop, moment: str) -> None:
    with started(delivered, ["-c", BUILDER, str(delivered.root), "dies", moment]) as process:
        assert process.wait() == -signal.SIGKILL

    assert seen(delivered) == BEFORE

    delivered.build("shop.orders", run_id="run-2")

    assert seen(delivered) == AFTER


def test_a_build_killed_after_its_release_has_changed_both(delivered: Shop) -> None:
    with started(delivered, ["-c", BUILDER, str(delivered.root), "dies", "record_build"]) as process:
        assert process.wait() == -signal.SIGKILL

    assert seen(delivered) == AFTER


def test_builds_killed_at_any_time_leave_both_of_one_release(delivered: Shop) -> None:
    for number in range(8):
        with started(delivered, ["-c", BUILDER, str(delivered.root), f"dies-{number}", ""]) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(number / 10)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

        assert seen(delivered) in (BEFORE, AFTER)

    delivered.build("shop.orders", run_id="run-2")

    assert seen(delivered) == AFTER
