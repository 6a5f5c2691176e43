"""`mesh run` that is stopped, or killed, and taken up again: what is done is kept, and nothing runs twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.orders import OrderState
from mesh_assets.words.settings import PROJECT
from tests.killed import started
from tests.shop import Shop, write_product

#: The second of three products waits until it is let go.
SLOW = '''"""Waits until it is let go."""
import time
from pathlib import Path

from mesh_assets import mesh


@mesh.recipe(inputs=["shop.orders"])
def revenue(run: mesh.Run) -> str:
    root = Path({root!r})
    (root / "recipe-runs").touch()
    for _ in range(3000):
        if (root / "let-go").exists():
            break
        time.sleep(0.1)
    return "select count(*) as order_count, sum(amount)::decimal(38,0) as revenue from shop.orders"
'''
RUN = ["-m", "mesh_assets.cli", "run"]


@pytest.fixture
def slow(shop: Shop) -> Shop:
    folder = shop.folder("books.revenue")
    (folder / "recipe.sql").unlink()
    (folder / "recipe.py").write_text(SLOW.format(root=str(shop.root)), encoding="utf-8")
    write_product(
        shop,
        "shop.totals",
        columns=(("revenue", "DECIMAL(38,0)"),),
        recipe="-- input: books.revenue\nselect revenue from books.revenue\n",
    )
    domain = shop.root / "domains" / "shop" / "domain.yaml"
    text = domain.read_text(encoding="utf-8")
    text = text.replace("outputPorts:\n", f"outputPorts:\n{_port('shop.totals')}", 1)
    domain.write_text(text.replace("inputPorts: []", f"inputPorts:\n{_port('books.revenue')}".rstrip()))
    return shop


def _port(name: str) -> str:
    return f"  - name: {name.replace('.', '_')}\n    version: 1.0.0\n    contractId: {name}\n"


def until(path: Path) -> None:
    deadline = time.monotonic() + 240
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.05)


def events(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines() if line.startswith("{")]


def resumed(shop: Shop) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, *RUN, "--resume", "--local", "--json"],
        env={**os.environ, **shop.environment},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return events(done.stdout)


def test_ctrl_c_stops_cleanly_and_resume_keeps_what_is_done(slow: Shop) -> None:
    with started(slow, [*RUN, "*", "--local"]) as process:
        until(slow.root / "recipe-runs")
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=300)

    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert (slow.head("shop.orders"), slow.head("books.revenue")) == (1, None)
    with open_registry(slow.settings) as registry:
        (order,) = registry.orders()
    assert order.state is OrderState.INTERRUPTED

    (slow.root / "let-go").touch()
    told = resumed(slow)

    assert told[0]["order"] == order.id
    assert told[0]["kept"] == {"shop.orders": "published"}
    outcomes = {each["product"]: each["outcome"] for each in told[-1]["products"]}
    assert outcomes == {"shop.orders": "published", "books.revenue": "published", "shop.totals": "published"}
    assert slow.head("shop.orders") == 1


def test_a_killed_coordinators_run_is_waited_for_and_not_started_twice(slow: Shop) -> None:
    """kill -9 of the coordinator alone: the run that it has started lives on."""
    with started(slow, [*RUN, "*", "--local"]) as process:
        until(slow.root / "recipe-runs")
        process.kill()
        process.wait()

        with started(slow, [*RUN, "--resume", "--local", "--json"]) as second:
            assert second.stdout is not None
            heard = ""
            while "run_taken_up" not in heard:
                line = second.stdout.readline()
                assert line, heard
                heard += line
            (slow.root / "let-go").touch()
            rest, _ = second.communicate(timeout=300)

    assert second.returncode == 0, heard + rest
    told = events(heard + rest)
    assert {each["outcome"] for each in told[-1]["products"]} == {"published"}
    with open_instance(slow.settings) as instance:
        domains = [run.tags["mesh/domain"] for run in instance.get_runs()]
    assert sorted(domains) == ["books", "shop", "shop"]
