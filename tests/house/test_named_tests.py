"""A page that names a test as its proof names one that is there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from mesh_assets.words.settings import PROJECT

#: `test_file.py::test_name`, or `…::test_name` for another one of the file that was named before.
NAMED = re.compile(r"`(…|[\w/]+\.py)::(\w+)`")
#: In a table the name stands alone; a file's is not given.
ALONE = re.compile(r"`(test_\w+)`")
PAGES = [
    path
    for path in sorted([*(PROJECT / "docs").rglob("*.md"), PROJECT / "README.md"])
    if any(form.search(path.read_text(encoding="utf-8")) for form in (NAMED, ALONE))
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    file, lost = "", []
    for named, test in NAMED.findall(page.read_text(encoding="utf-8")):
        file = file if named == "…" else named
        found = [each.read_text(encoding="utf-8") for each in (PROJECT / "tests").rglob(Path(file).name)]
        if not any(f"def {test}(" in text for text in found):
            lost.append(f"{file}::{test}")
    every = _tests()
    lost.extend(test for test in ALONE.findall(page.read_text(encoding="utf-8")) if test not in every)
    assert not lost, (
        f"{page.name} names tests that are not there: {', '.join(lost)}. Write their names as they are"
    )


@cache
def _tests() -> frozenset[str]:
    texts = (path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("*.py"))
    return frozenset(name for text in texts for name in re.findall(r"def (test_\w+)\(", text))


def test_some_page_names_tests() -> None:
    assert {"reliability", "orchestration"} <= {page.stem for page in PAGES}
