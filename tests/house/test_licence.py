"""What the package may be used for is said in full, and the same in each place that says it."""

from __future__ import annotations

import hashlib
import tomllib

from mesh_assets.words.settings import PROJECT

#: The text of https://www.apache.org/licenses/LICENSE-2.0.txt without white space around lines and words.
APACHE_2 = "0ffddef9e48f8a09aed5caf2d44f7ba1c1be2d9b8e0a6f693b1635b2d5566645"


def test_the_licence_is_the_whole_text_of_the_one_that_the_package_names() -> None:
    text = (PROJECT / "LICENSE").read_text(encoding="utf-8")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert hashlib.sha256(" ".join(text.split()).encode()).hexdigest() == APACHE_2
    assert project["license"] == "Apache-2.0"
    assert "LICENSE" in project["license-files"]
    assert "Apache License 2.0" in (PROJECT / "README.md").read_text(encoding="utf-8")
