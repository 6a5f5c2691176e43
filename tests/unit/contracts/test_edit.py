"""Promises of editing a contract's text: one entry changes, and every other byte stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_assets.capabilities.contracts.document import Document, parse
from mesh_assets.capabilities.contracts.edit import CannotEdit, Entry, added, removed, replaced, rules_at
from mesh_assets.words.settings import PACKAGE

CONTRACTS = sorted((PACKAGE / "domains").glob("*/*/contract.yaml"))
RULE = {
    "name": "told",
    "type": "library",
    "metric": "invalidValues",
    "mustBe": 0,
    "arguments": {"validValues": ["a", "yes", "1e5", "on: x", "it's", "", " b"]},
    "description": "Line: with 'quotes' # and no comment\nand a second line",
}


def read(path: Path) -> Document:
    return parse(str(path), path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.parent.name)
def test_an_entry_that_is_added_and_removed_leaves_the_text_as_it_was(path: Path) -> None:
    document = read(path)
    columns = [each["name"] for each in document.at(("schema", 0, "properties"))]
    for column in ("", columns[0], columns[-1]):
        at = rules_at(document, column)
        count = len(document.at(at) or ())

        more = parse(str(path), added(document, at, RULE))

        assert more.at(at)[-1] == RULE
        assert len(more.at(at)) == count + 1
        lines = more.text.splitlines()
        kept = iter(lines)
        assert all(line in kept for line in document.text.splitlines())  # in this order
        assert removed(more, Entry(at, count)).rstrip("\n") == document.text.rstrip("\n")


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.parent.name)
def test_each_entry_can_be_replaced_and_removed_alone(path: Path) -> None:
    document = read(path)
    columns = [each["name"] for each in document.at(("schema", 0, "properties"))]
    for at in [rules_at(document, column) for column in ("", *columns)] + [("slaProperties",)]:
        entries = document.at(at) or ()
        for number in range(len(entries)):
            other = parse(str(path), replaced(document, Entry(at, number), RULE))
            rest = parse(str(path), removed(document, Entry(at, number)))
            assert other.at(at) == [*entries[:number], RULE, *entries[number + 1 :]]
            assert (rest.at(at) or []) == [*entries[:number], *entries[number + 1 :]]


COMMENTED = """\
# the head
schema:
  - name: t
    properties:   # columns
      - name: a   # the first
        quality: [{name: one, type: sql, query: 'select 1', mustBe: 1}]  # in a row
      - {name: b, description: "b, {odd}"}
    # before the rules
    quality:
      # about the first rule
      - name: first
        query: |
          select 1
          # no comment: a line of the query

      - name: second  # behind it
    # behind the rules

# the end
"""


def test_comments_in_every_place_stay_where_they_are() -> None:
    document = parse("c.yaml", COMMENTED)
    table = ("schema", 0, "quality")

    more = added(document, table, {"name": "third"})
    assert more == COMMENTED.replace("# behind it\n", "# behind it\n      - name: third\n")

    less = removed(document, Entry(table, 1))
    assert less == COMMENTED.replace("      - name: second  # behind it\n", "")

    other = replaced(document, Entry(table, 0), {"name": "new", "query": "select 2"})
    start, end = COMMENTED.index("      - name: first"), COMMENTED.index("\n      - name: second")
    assert other == COMMENTED[:start] + "      - name: new\n        query: select 2\n" + COMMENTED[end:]


def test_lists_on_one_line_stay_on_one_line() -> None:
    document = parse("c.yaml", COMMENTED)
    first = ("schema", 0, "properties", 0, "quality")

    assert 'mustBe: 1}, {"name": "two"}]  # in a row' in added(document, first, {"name": "two"})
    gone = removed(document, Entry(first, 0))
    assert parse("c.yaml", gone).at(first[:-1]) == {"name": "a"}
    begun = added(document, ("schema", 0, "properties", 1, "quality"), {"name": "two"})
    assert 'description: "b, {odd}", quality: [{"name": "two"}]}' in begun


def test_an_entry_that_is_gone_is_told() -> None:
    document = parse("c.yaml", COMMENTED)

    with pytest.raises(CannotEdit, match=r"c\.yaml:\d+: .*no such entry"):
        removed(document, Entry(("schema", 0, "quality"), 7))
