"""The time of day as the whole mesh sees it: every module of ours that asks `datetime.now` is told this one.

Dagster's own records keep the real time; nothing of ours decides by them.
"""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import mesh_assets.capabilities
import mesh_assets.words

#: A module that asks what time it is.
USES = re.compile(r"^from datetime import .*\bdatetime\b", re.MULTILINE)


class Clock:
    """Goes on as time does, so that a build's duration fits its begin and its end; jumps when it is told."""

    def __init__(self, now: datetime) -> None:
        self._base, self._since = now, time.monotonic()

    @property
    def now(self) -> datetime:
        return self._base + timedelta(seconds=time.monotonic() - self._since)

    def at(self, moment: datetime) -> None:
        """Jump to a moment; time never goes back."""
        self._base, self._since = max(self.now, moment), time.monotonic()

    def on(self, **much: float) -> None:
        self.at(self.now + timedelta(**much))


@contextmanager
def told_by(clock: Clock) -> Iterator[None]:
    """Every module of the mesh asks this clock."""
    simulated = _simulated(clock)
    modules = _modules()
    for module in modules:
        module.datetime = simulated
    try:
        yield
    finally:
        for module in modules:
            module.datetime = datetime


def _modules() -> list[Any]:
    """Those that use the class; imported first, so that none comes later with the real one. Others are left
    alone: some are programs of their own.
    """
    found = []
    for package in (mesh_assets.words, mesh_assets.capabilities):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*.py")):
            if USES.search(path.read_text(encoding="utf-8")):
                parts = path.relative_to(root).with_suffix("").parts
                found.append(importlib.import_module(".".join([package.__name__, *parts])))
    return [module for module in found if vars(module).get("datetime") is datetime]


def _simulated(clock: Clock) -> type[datetime]:
    class Meta(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, datetime)

    class Simulated(datetime, metaclass=Meta):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return clock.now.astimezone(tz or UTC)

    return Simulated
