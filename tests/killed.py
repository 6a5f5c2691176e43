"""Builds in processes of their own, which die when a test says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mesh_assets.words.settings import PROJECT
from tests.shop import Shop

#: Builds shop.orders in a process of its own, which may die at the call that is named.
BUILDER = """
import os, signal, sys
from pathlib import Path
from mesh_assets.capabilities.publishing import build as steps
from mesh_assets.words.names import product_name
from tests.shop import Shop

root, run_id, dies_at = sys.argv[1:]
workshop = Shop(Path(root)).workshop("shop", run_id=run_id)
if dies_at:
    owner = workshop.registry if dies_at in ("release", "record_build") else steps
    setattr(owner, dies_at, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
print("ready", flush=True)
steps.build(workshop, product_name("shop.orders"))
"""


@contextmanager
def started(shop: Shop, command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """The command in a process group of its own; whatever is left of it is killed."""
    with subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, **shop.environment},
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # As in a terminal: what a script starts with & ignores Ctrl-C, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
