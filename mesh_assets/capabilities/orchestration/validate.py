"""Would every code location load now? Each in a process of its own, before anybody reloads Dagster.

A reload that fails takes the good version away, and Dagster only warns of an asset that two locations claim
(the first by name wins). Here: loading, the error in a line that a person can act on, keys that come twice.
Not here: what is wrong with contracts and folders (observability/health).
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.lineage.workspace import code_locations
from mesh_assets.words.errors import MeshError
from mesh_assets.words.settings import Settings

#: Seconds that a location has to load; Dagster's own limit is 180.
LIMIT = 60.0
SIDE_BY_SIDE = 2
PRELOAD = ("mesh_assets.capabilities.orchestration.preload",)


@dataclass(frozen=True)
class Loaded:
    """How a code location loaded."""

    location: str
    #: File, line and message; "" if it loaded.
    problem: str = ""
    assets: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


def validate(settings: Settings, *, limit: float = LIMIT) -> list[Loaded]:
    """Every location of the workspace, in its order."""
    places = _places(settings)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOAD])
    waiting = list(places.items())
    running: dict[Connection, tuple[str, Any, float]] = {}
    found: dict[str, Loaded] = {}
    while waiting or running:
        while waiting and len(running) < SIDE_BY_SIDE:
            name, place = waiting.pop(0)
            ours, theirs = context.Pipe()
            process = context.Process(target=_child, args=(theirs, name, place, _environment()), daemon=True)
            process.start()
            theirs.close()
            running[ours] = (name, process, time.monotonic() + limit)
        for ended in [*wait(list(running), timeout=0.2)] or _over(running):
            assert isinstance(ended, Connection)
            name, process, deadline = running.pop(ended)
            found[name] = _answer(name, ended, limit if time.monotonic() > deadline else None)
            process.kill()
            process.join()
    return [found[name] for name in places]


def duplicates(found: Sequence[Loaded]) -> list[str]:
    """A sentence for each asset and check that several locations claim: Dagster would show only one."""
    claims: dict[tuple[str, str], list[str]] = {}
    for each in found:
        for what, keys in (("asset", each.assets), ("check", each.checks)):
            for key in keys:
                claims.setdefault((what, key), []).append(each.location)
    return [
        f"the {what} {key} is in {' and in '.join(places)}: Dagster shows the first of them and only warns"
        for (what, key), places in sorted(claims.items())
        if len(places) > 1
    ]


def _over(running: Mapping[Connection, tuple[str, Any, float]]) -> list[Connection]:
    return [pipe for pipe, (_, _, deadline) in running.items() if time.monotonic() > deadline]


def _answer(name: str, pipe: Connection, over: float | None) -> Loaded:
    if not pipe.poll() and over is not None:
        return Loaded(name, f"it did not load within {over:.0f} seconds")
    try:
        answer: Loaded = pipe.recv()
    except EOFError:
        return Loaded(name, "its process died while it loaded")
    finally:
        pipe.close()
    return answer


def _places(settings: Settings) -> dict[str, dict[str, str]]:
    """Location name -> {module_name}, {package_name} or {relative_path}, as workspace.yaml has it."""
    folder = str(settings.workspace.parent)
    return {
        location.name: {**location.facts, "folder": folder}
        for location in code_locations(settings.workspace)
        if location.kind != "grpc_server"  # loads in a process of somebody else's
    }


def _environment() -> dict[str, str]:
    """A fork server keeps the environment that it was started in."""
    return {name: value for name, value in os.environ.items() if name.startswith("MESH_")}


def _child(pipe: Connection, name: str, place: Mapping[str, str], environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    sys.path[:0] = [place.get("working_directory", place["folder"])]
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    try:
        pipe.send(Loaded(name, "", *_keys(place)))
    except BaseException as error:
        pipe.send(Loaded(name, trimmed(error)))


def _keys(place: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(assets, checks) that the location's definitions make."""
    import dagster as dg

    module = _module(place)
    found = [value for value in vars(module).values() if isinstance(value, dg.Definitions)]
    if not found:
        raise ImportError(f"{module.__name__} has no Dagster definitions in it")
    graph = found[0].get_repository_def().asset_graph
    assets = sorted(key.to_user_string() for key in graph.materializable_asset_keys)
    checks = sorted(f"{key.asset_key.to_user_string()} {key.name}" for key in graph.asset_check_keys)
    return tuple(assets), tuple(checks)


def _module(place: Mapping[str, str]) -> Any:
    if named := place.get("module_name") or place.get("package_name"):
        return importlib.import_module(named)
    from importlib.util import module_from_spec, spec_from_file_location

    path = Path(place["folder"]) / place["relative_path"]
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def trimmed(error: BaseException) -> str:
    """File, line and message: what a person needs of a traceback."""
    causes = list(_causes(error))
    known = next((each for each in causes if isinstance(each, MeshError)), None)
    if known is not None:
        return str(known)
    first = causes[-1]
    text = " ".join(str(first).split())[:300] or "without a word"
    if isinstance(first, SyntaxError) and first.filename:
        return f"{first.filename}:{first.lineno}: {first.msg}"
    frames = [
        frame
        for frame in traceback.extract_tb(first.__traceback__)
        if "site-packages" not in frame.filename and not frame.filename.startswith("<frozen")
    ]
    theirs = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    place = f"{theirs[-1].filename}:{theirs[-1].lineno}: " if theirs else ""
    return f"{place}{type(first).__name__}: {text}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, the first cause last."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__
