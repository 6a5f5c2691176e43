"""What a custom rule's `implementation` says: a mapping, or a YAML text that holds one.

Here: reading it as a mapping whose values know their lines, as the rest of the contract does.
Not here: what an engine makes of it (kinds, pandera_rules).
"""

from __future__ import annotations

from typing import Any

from mesh_assets.capabilities.contracts.document import Document, Steps, kind_of, parse
from mesh_assets.capabilities.contracts.site import Site


def implementation_of(site: Site) -> Site:
    """The rule's implementation as a site of its own: `written` is the mapping, `path` leads to it."""
    path = (*site.path, "implementation")
    document, steps, written = site.document, path, site.written.get("implementation")
    if isinstance(written, str) and written.strip():
        document, steps = _parsed(site.document, path, written), ()
        written = document.value
    if not isinstance(written, dict):
        raise site.document.malformed(
            path, f"the implementation of {site.label} is {kind_of(written)}", "Write `key: value` lines"
        )
    return Site(document, steps, dict(written), site.column, site.columns)


def _parsed(document: Document, path: Steps, written: str) -> Document:
    """The text as a document whose lines are those of the file: blank lines stand for what is above it."""
    place = document.place(path)
    lines = document.text.split("\n")
    block = lines[place.line - 1][place.column - 1 : place.column] in ("|", ">")
    above = place.line if block else place.line - 1
    first = lines[above] if block and above < len(lines) else ""
    indent = " " * (len(first) - len(first.lstrip(" ")))
    body = "\n".join(indent + line if line else line for line in written.split("\n"))
    return parse(document.file, "\n" * above + body)


def text_at(site: Site, key: str) -> str:
    """An argument that must be a text."""
    value: Any = site.written.get(key)
    if not isinstance(value, str) or not value.strip():
        at = (*site.path, key) if key in site.written else site.path
        raise site.document.malformed(at, f"`{key}` is {kind_of(value)}; it must be a text")
    return value
