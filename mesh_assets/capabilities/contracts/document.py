"""A YAML file as plain values that remember where they were written.

Here: reading the text, YAML to JSON values, the line and column of every value, what YAML leaves ambiguous.
Not here: what the values mean.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from mesh_assets.words.errors import DocumentMalformed, RuleRefused
from mesh_assets.words.rules import Place

#: Far above any contract (a thousand columns are some 300 kB), far below what hurts.
LARGEST_FILE = 4_000_000
#: Values after aliases are written out: a "billion laughs" file stops here.
MOST_VALUES = 200_000
DEEPEST = 40
LONGEST_NUMBER = 300
#: What neither a database nor a file name can hold, whoever escapes it.
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")

_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)?\.[0-9]*([eE][-+]?[0-9]+)?\Z")
#: A number for YAML 1.2 readers, a text for YAML 1.1 readers such as PyYAML.
_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+\Z")
#: Beyond the least number that any type holds; its digits written out would fill the memory.
_SMALLER = re.compile(r"[eE]-[0-9]{4}")
_NESTED_DASHES = re.compile(r"(?:[-?] +){40}")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: Where a value is in its document: keys and positions, e.g. ("schema", 0, "properties", 3, "name").
Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A parsed file: plain JSON values, and the place of each of them by its path of keys and positions."""

    file: str
    text: str
    value: Any
    root: Any
    #: Where what only this mesh asks is noted, for a contract that is none of its products. None: it is an
    #: error there and then.
    notes: list[DocumentMalformed] | None = field(default=None, compare=False)

    @property
    def alone(self) -> bool:
        """True for a contract that is read by itself, and need not obey the conventions of a mesh."""
        return self.notes is not None

    def place(self, path: Steps = (), *, key: bool = False) -> Place:
        """Where the value at `path` begins (or its key, if there is one); an absent one is at its parent."""
        node = self.root
        mark = node.start_mark
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            at_key, node = found
            mark = at_key.start_mark if key else node.start_mark
        return Place(file=self.file, line=mark.line + 1, column=mark.column + 1)

    def malformed(
        self, path: Steps, problem: str, remedy: str = "", *, key: bool = False
    ) -> DocumentMalformed:
        """The error to raise for the value (or the key) at `path`."""
        place = self.place(path, key=key)
        return DocumentMalformed(
            file=place.file, line=place.line, column=place.column, problem=told(problem), remedy=remedy
        )

    def refused(self, path: Steps, problem: str, remedy: str = "", *, key: bool = True) -> RuleRefused:
        """The error to raise for a rule form that the mesh does not run."""
        place = self.place(path, key=key)
        return RuleRefused(
            file=place.file, line=place.line, column=place.column, problem=told(problem), remedy=remedy
        )

    def convention(self, error: DocumentMalformed) -> None:
        """What the mesh asks of its own contracts and the standard of none: of anybody else's, a note."""
        if self.notes is None:
            raise error
        if error.facts not in [noted.facts for noted in self.notes]:
            self.notes.append(error)

    def at(self, path: Steps) -> Any:
        """The value at `path`, None where there is none."""
        value = self.value
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def read_text(path: Path) -> str:
    """The file's text; it must be UTF-8 and of a sensible size."""
    try:
        if not path.exists():
            raise DocumentMalformed(file=path, line=1, problem="there is no such file")
        if not path.is_file():  # a pipe would never end, and neither would a device
            what = "a folder" if path.is_dir() else "no file to read"
            raise DocumentMalformed(file=path, line=1, problem=f"it is {what}")
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise DocumentMalformed(file=path, line=1, problem=problem) from None
    if len(data) > LARGEST_FILE:
        size = f"{path.stat().st_size:,} bytes; at most {LARGEST_FILE:,} are read"
        raise DocumentMalformed(file=path, line=1, problem=f"the file has {size}")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        raise DocumentMalformed(
            file=path,
            line=before.count(b"\n") + 1,
            column=len(before) - (before.rfind(b"\n") + 1) + 1,
            problem=f"byte 0x{data[error.start]:02x} is not UTF-8",
            remedy="Save the file as UTF-8",
        ) from None


def safe_yaml(path: Path) -> Any:
    """Values of a file that is another tool's, in every form that the tool reads."""
    try:
        return yaml.load(read_text(path), _Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(str(path), error) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DocumentMalformed(file=path, line=1, problem=f"not YAML: {error}") from None


def parse(file: str, text: str) -> Document:
    """Plain values with their places; whatever two YAML readers could read differently is refused."""
    try:
        root = _composed(file, text)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(file, error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        # libyaml tells the character's number, PyYAML's own reader the character.
        code = error.character if isinstance(error.character, int) else ord(error.character)
        raise DocumentMalformed(
            file=file, line=line, problem=f"the character U+{code:04X} is not allowed in YAML"
        ) from None
    if root is None:
        raise DocumentMalformed(file=file, line=1, problem="the file is empty")
    value = value_of(file, root)
    if not isinstance(value, dict):
        raise DocumentMalformed(
            file=file, line=1, problem=f"the file holds {kind_of(value)}; it must hold `key: value` lines"
        )
    return Document(file=file, text=text, value=value, root=root)


def value_of(file: str, root: Any) -> Any:
    """The plain value of a tree of YAML nodes."""
    return _Values(file).of(root, 0)


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"{str(value).lower()} (true or false)"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"{shortened(value)!r} (text)"
    return f"{value} (a number)"


def told(problem: str) -> str:
    """What is wrong, for a person: a value of a megabyte that stands in it is not told in full."""
    return shortened(problem, 1_000)


def shortened(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def close_to(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that was probably meant."""
    by_lower = {name.lower(): name for name in allowed}
    near = difflib.get_close_matches(str(word).lower(), list(by_lower), n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def allowed_words(word: Any, allowed: Iterable[str]) -> str:
    """The remedy for a word that is none of the allowed ones."""
    names = list(allowed)
    if len(names) == 1:
        return f"Write {names[0]}"
    near = close_to(str(word), names)
    told = f"Allowed: {', '.join(names)}"
    return f"Did you mean {near}? {told}" if near else told


def _child(node: Any, step: str | int) -> tuple[Any, Any] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _composed(file: str, text: str) -> Any:
    # The C composer recurses on the C stack: a file of a hundred thousand brackets would end the process.
    if text.count("[") + text.count("{") > 2_000 or _NESTED_DASHES.search(text):
        _refuse_deep_nesting(file, text)
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _refuse_deep_nesting(file: str, text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise _too_deep(file, event.start_mark)


def _too_deep(file: str, mark: Any) -> DocumentMalformed:
    return DocumentMalformed(
        file=file,
        line=mark.line + 1,
        column=mark.column + 1,
        problem=f"values are nested more than {DEEPEST} deep here (or an alias contains itself)",
    )


def _syntax_error(file: str, error: Any) -> DocumentMalformed:
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context)
    remedy = "Indent with spaces" if "tab character" in problem or "\\t" in problem else ""
    if "another document" in problem:
        problem, remedy = "a second YAML document begins here", "Keep one document per file"
    return DocumentMalformed(
        file=file,
        line=mark.line + 1 if mark else 1,
        column=mark.column + 1 if mark else 1,
        problem=f"not YAML: {problem}" + (f" {error.context}" if error.context and error.problem else ""),
        remedy=remedy,
    )


class _Values:
    """Turns nodes into JSON values; counts them, so that aliases cannot blow up."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.made = 0

    def of(self, node: Any, depth: int) -> Any:
        self.made += 1
        if depth > DEEPEST:
            raise _too_deep(self.file, node.start_mark)
        if self.made > MOST_VALUES:
            raise self._wrong(
                node, f"the file has more than {MOST_VALUES:,} values once its aliases are written out"
            )
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.of(item, depth + 1) for item in node.value]
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, depth)
        raise self._wrong(node, f"the YAML tag {node.tag} is not read here", "Write plain values")

    def _mapping(self, node: Any, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or not isinstance(key, str):
                raise self._wrong(key_node, "a key must be a word")
            if key == "<<" and not key_node.style:
                raise self._wrong(key_node, "merge keys (<<) are not read here", "Write the values out")
            if key in values:
                raise self._wrong(key_node, f"the key {key!r} is written twice", "Keep one of them")
            values[key] = self.of(value_node, depth + 1)
        return values

    def _scalar(self, node: Any) -> Any:
        tag, text = node.tag, node.value
        if found := _UNSTORABLE.search(text):
            raise self._wrong(node, f"the character U+{ord(found[0]):04X} cannot be stored", "Leave it out")
        if tag == _TAG + "str":
            if not node.style and _EXPONENT.match(text):
                raise self._ambiguous(node)
            return text
        if tag == _TAG + "null":
            return None
        if tag == _TAG + "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if tag == _TAG + "int" and _INTEGER.match(text):
            return int(self._held(node))
        if tag == _TAG + "float" and _DECIMAL.match(text):
            return _number(self._held(node))
        if tag in (_TAG + "timestamp", _TAG + "value"):
            return text
        if tag in (_TAG + "bool", _TAG + "int", _TAG + "float"):
            raise self._ambiguous(node)
        raise self._wrong(node, f"the YAML tag {tag} is not read here", "Write plain values")

    def _held(self, node: Any) -> str:
        """Digits of a number that a double can hold: beyond it are neither bounds nor counts."""
        text: str = node.value
        if len(text) > LONGEST_NUMBER or math.isinf(float(text)) or _SMALLER.search(text):
            raise self._wrong(node, f"the number {shortened(text, 20)} is beyond every value that is stored")
        return text

    def _ambiguous(self, node: Any) -> DocumentMalformed:
        return self._wrong(
            node,
            f"{node.value} is read differently by different YAML readers",
            f"Write '{node.value}' in quotes if it is a text; else the plain number, true or false",
        )

    def _wrong(self, node: Any, problem: str, remedy: str = "") -> DocumentMalformed:
        mark = node.start_mark
        return DocumentMalformed(
            file=self.file, line=mark.line + 1, column=mark.column + 1, problem=problem, remedy=remedy
        )


def _number(text: str) -> float | Decimal:
    """The number as written: a double where it says the same, else all of its digits."""
    near, exact = float(text), Decimal(text)
    return near if Decimal(repr(near)) == exact else exact


def check_keys(
    document: Document, path: Steps, *, required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    """Raise unless the value at `path` is a mapping with these keys and no others."""
    value = document.at(path)
    if not isinstance(value, dict):
        raise document.malformed(
            path, f"here is {kind_of(value)}; it must be a mapping", f"Keys: {', '.join(required)}"
        )
    for key in value:
        if key not in required and key not in optional:
            raise document.malformed(
                (*path, key),
                f"the key `{key}` is not known here",
                allowed_words(key, (*required, *optional)),
                key=True,
            )
    for key in required:
        if value.get(key) is None:
            raise document.malformed(path, f"`{key}` is missing here", "Add it")
