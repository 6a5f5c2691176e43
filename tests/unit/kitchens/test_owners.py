"""Files of owners mean what CODEOWNERS means."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_assets.capabilities.kitchens.owners import Owners, asked_of, parse, unanswered
from mesh_assets.words.promotions import OwnersMalformed

TEXT = """
# everybody's
*                      @platform
/domains/hcp/          @hcp-team ann@example.com   # one of them will do
*.md
domains/**/contract.yaml @contracts
/domains/drug/*        @drug
recipe.sql             @sql
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("setup.py", ("@platform",)),
        ("domains/hcp/hcp_master/notes.txt", ("@hcp-team", "ann@example.com")),
        ("old/domains/hcp/notes.txt", ("@platform",)),
        ("docs/index.md", ()),
        ("domains/payer/plan/contract.yaml", ("@contracts",)),
        ("domains/drug/domain.yaml", ("@drug",)),
        ("domains/drug/brand/recipe.py", ("@platform",)),
        ("domains/drug/brand/recipe.sql", ("@sql",)),
        ("domains/hcp", ("@platform",)),
    ],
)
def test_the_last_line_that_matches_says_who_is_asked(
    tmp_path: Path, path: str, owners: tuple[str, ...]
) -> None:
    file = tmp_path / "OWNERS"
    file.write_text(TEXT, encoding="utf-8")

    assert Owners(file, parse(file)).of(path) == owners


def test_one_of_a_group_will_do_whatever_the_case_and_the_at_sign(tmp_path: Path) -> None:
    file = tmp_path / "OWNERS"
    file.write_text("a/ @Ann bob\nb/ carol\n", encoding="utf-8")
    asked = asked_of(Owners(file, parse(file)), {"a/x": "a.x", "b/y": "b.y"})

    assert unanswered(asked, ["ann"]) == {"carol": ("b.y",)}


@pytest.mark.parametrize("text", ["!docs/ ann\n", "docs/ an,n\n"])
def test_a_line_that_means_nothing_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "OWNERS"
    file.write_text(f"a/ ann\n{text}", encoding="utf-8")

    with pytest.raises(OwnersMalformed, match="OWNERS:2:1"):
        parse(file)
