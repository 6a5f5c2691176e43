"""Dagster's list of code locations, as Dagster reads it.

Here: each entry of workspace.yaml with its name, and the text of one with an entry more.
Not here: loading one (orchestration/validate).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.document import Document, allowed_words, kind_of, parse, read_text
from mesh_assets.words.errors import DocumentMalformed

#: Kind of entry -> what says where it is; an entry may be that text alone, but for a server.
KINDS = {
    "python_module": "module_name",
    "python_package": "package_name",
    "python_file": "relative_path",
    "grpc_server": "host",
}


@dataclass(frozen=True)
class Location:
    """One code location."""

    name: str
    #: python_module, python_package, python_file or grpc_server.
    kind: str
    facts: Mapping[str, Any]


def code_locations(path: Path) -> list[Location]:
    """Every entry in its order. Raises DocumentMalformed with the line for what is no list of locations."""
    document = parse(str(path), read_text(path))
    entries = document.value.get("load_from")
    if not isinstance(entries, list):
        problem = f"here is {kind_of(entries)} for `load_from`" if entries is not None else "no `load_from`"
        remedy = "Write `load_from:` and a location in each line below it, as in the tutorial"
        raise document.malformed(("load_from",), problem, remedy)
    return [_location(document, number, entry) for number, entry in enumerate(entries)]


def with_location(path: Path, name: str, kind: str, where: str) -> str:
    """The text of the workspace with this location after the others; a new one if there is no file.

    Raises DocumentMalformed where the list is not written one below the other, at the file's end.
    """
    text = read_text(path) if path.exists() else "load_from:\n"
    document = parse(str(path), text)
    before = [] if document.value.get("load_from") in (None, []) else code_locations(path)
    if any(location.name == name for location in before):
        return text
    indent = "  "
    if before:
        indent = text.split("\n")[document.place(("load_from", 0)).line - 1].split("-")[0]
    else:
        text = re.sub(r"^load_from:\s*(\[\s*\]|null|~)?", "load_from:", text, count=1, flags=re.MULTILINE)
    entry = [f"- {kind}:", f"    {KINDS[kind]}: {where}", f"    location_name: {name}"]
    added = text.rstrip("\n") + "\n" + "".join(f"{indent}{line}\n" for line in entry)
    if not _adds_last(document, added, name):
        remedy = f"Add it by hand: {kind} with {KINDS[kind]} {where} and location_name {name}"
        raise document.malformed(("load_from",), "a location cannot be added to what is written here", remedy)
    return added


def _adds_last(document: Document, text: str, name: str) -> bool:
    try:
        found = parse(document.file, text).value["load_from"]
    except DocumentMalformed:
        return False
    entries = document.value.get("load_from") or []
    return bool(found[:-1] == entries and name in str(found[-1]))


def _location(document: Document, number: int, entry: object) -> Location:
    at = ("load_from", number)
    if not isinstance(entry, dict) or len(entry) != 1:
        remedy = "Write one kind and what is in it: `- python_file: {relative_path: …, location_name: …}`"
        raise document.malformed(at, f"here is {kind_of(entry)}, which is no code location", remedy)
    ((kind, facts),) = entry.items()
    if kind not in KINDS:
        raise document.malformed(
            (*at, kind), f"{kind!r} is no kind of code location", allowed_words(kind, KINDS), key=True
        )
    word = KINDS[kind]
    if isinstance(facts, str) and kind != "grpc_server":
        facts = {word: facts}
    if not isinstance(facts, dict) or not isinstance(facts.get(word), str):
        raise document.malformed((*at, kind), f"`{word}` is missing here", "Add it")
    name = facts.get("location_name") or _usual_name(kind, facts)
    if not isinstance(name, str):
        raise document.malformed((*at, kind, "location_name"), f"here is {kind_of(name)}; write a text")
    return Location(name=name, kind=kind, facts=facts)


def _usual_name(kind: str, facts: Mapping[str, Any]) -> str:
    """What Dagster calls a location that has no name of its own."""
    where = str(facts[KINDS[kind]])
    if kind == "grpc_server":
        return f"grpc:{where}:{facts.get('port') or facts.get('socket')}"
    name = Path(where).name if kind == "python_file" else where
    return f"{name}:{facts['attribute']}" if facts.get("attribute") else name
