"""A page that names a test as its proof names one that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mesh_assets.words.settings import PROJECT

#: `test_file.py::test_name`, or `…::test_name` for another one of the file that was named before.
NAMED = re.compile(r"`(…|[\w/]+\.py)::(\w+)`")
PAGES = [
    path
    for path in sorted([*(PROJECT / "docs").rglob("*.md"), PROJECT / "README.md"])
    if NAMED.search(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    file, lost = "", []
    for named, test in NAMED.findall(page.read_text(encoding="utf-8")):
        file = file if named == "…" else named
        found = [each.read_text(encoding="utf-8") for each in (PROJECT / "tests").rglob(Path(file).name)]
        if not any(f"def {test}(" in text for text in found):
            lost.append(f"{file}::{test}")
    assert not lost, (
        f"{page.name} names tests that are not there: {', '.join(lost)}. Write their names as they are"
    )


def test_some_page_names_tests() -> None:
    assert "reliability" in {page.stem for page in PAGES}
