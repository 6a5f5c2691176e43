"""Pictures for the docs, taken by the tests: `MESH_PICTURES=1 pytest tests/ui --basetemp=/srv/mesh`.

Pages show where files lie: under a folder that says nothing of whose machine it is (pytest empties it first).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.conftest import PROJECT

if TYPE_CHECKING:
    from playwright.sync_api import Page

#: Read when the tests are collected: no test sees MESH_… of whoever runs it.
WANTED = os.environ.get("MESH_PICTURES") == "1"
FOLDER = PROJECT / "docs" / "pictures"


def picture(page: Page, name: str) -> None:
    """Save what the window shows as docs/pictures/<name>.png, if pictures are wanted."""
    if not WANTED:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.mouse.move(0, 0)  # no tooltip
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")
