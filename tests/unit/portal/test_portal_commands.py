"""Promises of the commands: one line says where it is, and a mistake is told before anything starts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from typer.testing import CliRunner

from mesh_assets.cli.app import app
from mesh_assets.words.portal import PortalOpen, PortTaken
from tests.shop import Shop

START_SECONDS = 60


@pytest.fixture
def environment(past: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in past.environment.items():
        monkeypatch.setenv(name, value)


def test_it_does_not_open_to_others_without_a_login(environment: None) -> None:
    result = CliRunner().invoke(app, ["portal", "--host", "0.0.0.0"])

    assert isinstance(result.exception, PortalOpen)


@pytest.mark.parametrize("command", [["portal", "--port"], ["up", "--dagster-port"], ["up", "--port"]])
def test_a_port_that_is_taken_is_told_before_anything_starts(environment: None, command: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = CliRunner().invoke(app, [*command, str(taken.getsockname()[1])])

    assert isinstance(result.exception, PortTaken)


def test_an_export_says_what_it_wrote(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path_factory.mktemp("export") / "site"

    result = CliRunner().invoke(app, ["portal", "export", str(folder), "--no-samples", "--json"])

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["pages"] == len(list(folder.rglob("index.html"))) > 20


def test_the_server_answers_and_ends_at_ctrl_c(past: Shop) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "mesh_assets.cli", "portal", "--port", str(port)],
        env={**os.environ, **past.environment},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline().strip() == f"the mesh's portal: http://127.0.0.1:{port}"
        until = time.monotonic() + START_SECONDS
        answer = b""
        while not answer and time.monotonic() < until:
            try:
                answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/shop.json", timeout=30).read()
            except OSError:
                time.sleep(0.05)
        assert json.loads(answer)["domain"] == "shop"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in (0, -signal.SIGINT, 130)
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
