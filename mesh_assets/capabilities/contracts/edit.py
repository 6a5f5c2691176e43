"""Changing a contract's text where one thing changes: comments, order and quotes of all the rest stay.

Here: adding, replacing and removing an entry of a list (rules of a column or of the table, service levels).
Not here: what an entry may say (the reader says so of the edited text), where the file is.

The edit is made in the text, at the places that the parser knows, and then read back: unless the value is the
old one with that one change, nothing is given out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import yaml

from mesh_assets.capabilities.contracts.document import Document, Steps, parse
from mesh_assets.words.errors import YourCode

#: A word that every reader of YAML takes for the same text without quotes.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*( [A-Za-z0-9_./(-][A-Za-z0-9_./()%,-]*)*\Z")
_WIDTH = 100


class CannotEdit(YourCode):
    template = (
        "{file}:{line}: this list is written in a way that cannot be changed from here without touching more "
        "than it ({problem}). Change it by hand"
    )


@dataclass(frozen=True)
class Entry:
    """A list in a contract and a position in it; `at` is where the list is, or is to be."""

    at: Steps
    number: int = 0


def rules_at(document: Document, column: str = "") -> Steps:
    """Where the rules of a column are written, or of the table for ""; the list may not be there yet."""
    table: Steps = ("schema", 0)
    if not column:
        return (*table, "quality")
    names = [each.get("name") for each in document.at((*table, "properties")) or ()]
    return (*table, "properties", names.index(column), "quality")


def added(document: Document, at: Steps, entry: Mapping[str, Any]) -> str:
    """The text with one more entry at the end of the list, which is begun if there is none."""
    wanted = deepcopy(document.value)
    holder = _inside(wanted, at[:-1])
    holder[at[-1]] = [*(holder.get(at[-1]) or []), dict(entry)]
    node = _node(document, at)
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        text = _begun(document, at, entry)
    elif node.flow_style:
        text = _within(document, node, [*_slices(document, node), _flow(entry)])
    else:
        last = _last_line(document, node)
        text = _with_lines(document, last + 1, last + 1, _dashed(entry, node.start_mark.column))
    return _checked(document, at, text, wanted)


def replaced(document: Document, entry: Entry, by: Mapping[str, Any]) -> str:
    """The text with another entry in the place of one."""
    node, wanted = _list(document, entry), deepcopy(document.value)
    _inside(wanted, entry.at)[entry.number] = dict(by)
    if node.flow_style:
        parts = _slices(document, node)
        parts[entry.number] = _flow(by)
        text = _within(document, node, parts)
    else:
        first, last = _lines_of(document, node, entry.number)
        text = _with_lines(document, first, last + 1, _dashed(by, node.start_mark.column))
    return _checked(document, entry.at, text, wanted)


def removed(document: Document, entry: Entry) -> str:
    """The text without an entry; a list that would be empty goes with its key."""
    node, wanted = _list(document, entry), deepcopy(document.value)
    rest = _inside(wanted, entry.at)
    del rest[entry.number]
    if not rest:
        del _inside(wanted, entry.at[:-1])[entry.at[-1]]
        text = _without_key(document, entry.at, node)
    elif node.flow_style:
        parts = _slices(document, node)
        del parts[entry.number]
        text = _within(document, node, parts)
    else:
        first, last = _lines_of(document, node, entry.number)
        text = _with_lines(document, first, last + 1, "")
    return _checked(document, entry.at, text, wanted)


def _checked(document: Document, at: Steps, text: str, wanted: Any) -> str:
    """Numbers are compared as they are written: 1 and 1.0 are not the same text."""
    if repr(parse(document.file, text).value) != repr(wanted):
        place = document.place(at)
        raise CannotEdit(
            file=place.file, line=place.line, problem="what comes out would not be what is meant"
        )
    return text


def _inside(value: Any, at: Steps) -> Any:
    for step in at:
        value = value[step]
    return value


def _node(document: Document, at: Steps) -> Any:
    node = document.root
    for step in at:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        else:
            return None
    return node


def _list(document: Document, entry: Entry) -> Any:
    node = _node(document, entry.at)
    if not isinstance(node, yaml.SequenceNode) or not 0 <= entry.number < len(node.value):
        place = document.place(entry.at)
        raise CannotEdit(file=place.file, line=place.line, problem="there is no such entry any more")
    return node


def _begun(document: Document, at: Steps, entry: Mapping[str, Any]) -> str:
    """The list begins: after the last line of its mapping, or in the place of an empty value."""
    holder, key = _node(document, at[:-1]), str(at[-1])
    there = next((each for each, _ in holder.value if each.value == key), None)
    if holder.flow_style:
        if there is not None:
            place = document.place(at)
            raise CannotEdit(file=place.file, line=place.line, problem=f"`{key}` is there without a value")
        end = holder.end_mark.index - 1
        body = document.text[:end].rstrip().removesuffix(",")
        return f"{body}{', ' if holder.value else ''}{key}: [{_flow(entry)}]{document.text[end:]}"
    indent = holder.start_mark.column
    lines = f"{' ' * indent}{key}:\n{_dashed(entry, indent + 2)}"
    if there is not None:
        line = there.start_mark.line
        return _with_lines(document, line, line + 1, lines)
    last = _last_line(document, holder)
    return _with_lines(document, last + 1, last + 1, lines)


def _without_key(document: Document, at: Steps, node: Any) -> str:
    holder = _node(document, at[:-1])
    number = next(place for place, (key, _) in enumerate(holder.value) if key.value == at[-1])
    if holder.flow_style:
        pairs = [document.text[key.start_mark.index : value.end_mark.index] for key, value in holder.value]
        del pairs[number]
        return _within(document, holder, pairs)
    first = holder.value[number][0].start_mark.line
    return _with_lines(document, first, _last_line(document, node) + 1, "")


def _lines_of(document: Document, node: Any, number: int) -> tuple[int, int]:
    """The first and last line of an entry of a block list."""
    entry = node.value[number]
    return entry.start_mark.line, _last_line(document, entry)


def _last_line(document: Document, node: Any) -> int:
    """A block ends where the next thing begins: blank lines and comments in between are not its own."""
    scalar, line = node, node.end_mark.line
    while not isinstance(scalar, yaml.ScalarNode) and scalar.value and not scalar.flow_style:
        scalar = scalar.value[-1] if isinstance(scalar, yaml.SequenceNode) else scalar.value[-1][1]
    if not isinstance(scalar, yaml.ScalarNode) or scalar.style not in ("|", ">"):
        return int(scalar.end_mark.line)
    lines = document.text.split("\n")
    line = min(scalar.end_mark.line, len(lines) - 1)
    if line == scalar.end_mark.line and scalar.end_mark.column <= node.start_mark.column:
        line -= 1
    while line > scalar.start_mark.line and not lines[line].strip():
        line -= 1
    return int(line)


def _with_lines(document: Document, first: int, end: int, lines: str) -> str:
    """The text with lines `first` to before `end` (0-based) replaced."""
    text = document.text if document.text.endswith("\n") else document.text + "\n"
    every = text.splitlines(keepends=True)
    return "".join((*every[:first], lines, *every[end:]))


def _slices(document: Document, node: Any) -> list[str]:
    return [document.text[each.start_mark.index : each.end_mark.index] for each in node.value]


def _within(document: Document, node: Any, parts: list[str]) -> str:
    """A flow collection with these parts between its brackets."""
    start, end = node.start_mark.index, node.end_mark.index
    text = document.text
    return f"{text[:start]}{text[start]}{', '.join(parts)}{text[end - 1]}{text[end:]}"


def _flow(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False, default=str)


def _dashed(entry: Mapping[str, Any], indent: int) -> str:
    dumped = yaml.dump(dict(entry), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    lines = dumped.splitlines()
    first, rest = lines[0], lines[1:]
    pad = " " * indent
    return "".join(f"{line}\n" for line in (f"{pad}- {first}", *(f"{pad}  {each}".rstrip() for each in rest)))


class _Dumper(yaml.SafeDumper):
    """Texts in quotes unless they are plain words; lists of plain values on one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> Any:
    if "\n" in value:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"')
    # PyYAML itself quotes a plain word that would be read as something else (yes, null, …).
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if _PLAIN.match(value) else "'")


def _values(dumper: yaml.SafeDumper, value: list[Any]) -> Any:
    flow = not any(isinstance(each, dict | list) for each in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=flow)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _values)
