"""Type expressions: `numeric(12, 2)[]`, `STRUCT(a VARCHAR)`, `map<string, long>`, read into DuckDB's types.

Here: the grammar, brackets and what stands in them.
Not here: which words there are (dialects), which logicalType a type fits (types).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

from mesh_assets.capabilities.contracts.dialects import REFUSED, WORDS, server_words

#: A STRUCT of a thousand fields is some 20 kB; a table's columns are nested less than half as deep.
LONGEST_TYPE = 100_000
DEEPEST_TYPE = 40


class TypeRefused(ValueError):
    """A physical type that cannot be used; the text says why and what to write instead."""


@dataclass(frozen=True)
class DuckType:
    """A parsed DuckDB type. `name` is the outermost word; `inner` its element, field or key types."""

    name: str
    inner: tuple[DuckType, ...] = ()
    fields: tuple[str, ...] = ()
    precision: tuple[int, int] | None = None
    #: The n of VARCHAR(n). DuckDB reads it and holds nothing to it: it is no part of the type, but a rule.
    longest: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """As DuckDB itself prints the type."""
        if self.name == "LIST":
            return f"{self.inner[0]}[]"
        if self.name == "STRUCT":
            parts = (
                f"{_quoted(field)} {inner}" for field, inner in zip(self.fields, self.inner, strict=True)
            )
            return f"STRUCT({', '.join(parts)})"
        if self.name == "MAP":
            return f"MAP({self.inner[0]}, {self.inner[1]})"
        if self.precision is not None:
            return f"DECIMAL({self.precision[0]},{self.precision[1]})"
        return self.name

    @property
    def bounded(self) -> DuckType | None:
        """The first text in here that has a length, None if none has."""
        if self.longest is not None:
            return self
        return next((found for each in self.inner if (found := each.bounded)), None)


def parsed(text: str, servers: tuple[str, ...] = ()) -> DuckType:
    """A type's parts, as these engines read it. Raises TypeRefused with the reason."""
    found = {server: _read(text, server) for server in servers or ("",)}
    if len(set(map(str, found.values()))) > 1:
        told = ", ".join(f"{duck} on {server}" for server, duck in found.items())
        raise TypeRefused(f"{text} means {told}; write a type that means the same on all of them")
    return next(iter(found.values()))


@lru_cache(maxsize=4096)
def _read(text: str, server: str) -> DuckType:
    if len(text) > LONGEST_TYPE or _depth(text) > DEEPEST_TYPE:
        raise TypeRefused(f"{text[:40]}… is longer, or nested deeper, than a type that anybody stores")
    reader = _Reader(text, server)
    duck = reader.type()
    reader.end()
    return duck


def _depth(text: str) -> int:
    """How many brackets are open at once, and how many lists of lists follow each other, at most."""
    opened = accumulate((char in "([<") - (char in ")]>") for char in text)
    lists = max((len(found[0]) // 2 for found in _LISTS.finditer(text)), default=0)
    return max(opened, default=0) + lists


#: `[]`, or `[3]`, one behind the other.
_LISTS = re.compile(r"(?:\[[0-9]*\])+")
#: Quoted names, words (a field's name may have hyphens only in quotes), numbers, brackets.
_TOKEN = re.compile(r'\s*("(?:[^"]|"")*"|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|\S)')
#: Types with types in brackets: DuckDB's round ones, and the pointed ones of ODCS's own examples.
_NESTED = {"STRUCT": "(<", "ROW": "(<", "RECORD": "(<", "MAP": "(<", "ARRAY": "(<", "LIST": "<"}
_KINDS = {"MAP": "MAP", "ARRAY": "LIST", "LIST": "LIST"}
_PARTS = {"MAP": 2, "ARRAY": 1, "LIST": 1}
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z", re.IGNORECASE)
#: Words that go on with the type before them, before or after its brackets.
_MORE = frozenset(
    ("WITH", "WITHOUT", "LOCAL", "TIME", "ZONE", "PRECISION", "VARYING", "LARGE", "OBJECT", "UNSIGNED")
)
#: MySQL's `INT(11) UNSIGNED`.
_UNSIGNED = {
    **dict.fromkeys(("INT", "INTEGER"), "UINTEGER"),
    "BIGINT": "UBIGINT",
    "SMALLINT": "USMALLINT",
    "TINYINT": "UTINYINT",
}
_FRACTIONS = {"TIMESTAMP": {6: "TIMESTAMP", 9: "TIMESTAMP_NS"}, "TIME": {6: "TIME"}}


def _quoted(field: str) -> str:
    return field if _PLAIN.match(field) else '"' + field.replace('"', '""') + '"'


class _Reader:
    """Reads one type expression from left to right."""

    def __init__(self, text: str, server: str) -> None:
        self.text = text.strip()
        self.words = server_words(server)
        self.tokens = [match.group(1) for match in _TOKEN.finditer(self.text)]
        self.at = 0

    def type(self) -> DuckType:
        word = self.word()
        opened = self.peek()
        duck = self.nested(word) if opened and opened in _NESTED.get(word, "") else self.scalar(word)
        while self.peek() == "[":
            self.take("[")
            if self.peek() != "]":
                raise TypeRefused(
                    f"{self.text} has a fixed length, which a lake does not store; write {duck}[]"
                )
            self.take("]")
            duck = DuckType("LIST", (duck,))
        return duck

    def scalar(self, word: str) -> DuckType:
        words = [word, *self.more()]
        given = self.in_brackets()
        name = " ".join((*words, *self.more()))
        if name in ("DATETIME2", "DATETIME") and given:
            name = "TIMESTAMP_NTZ"
        if name.endswith(" UNSIGNED"):
            name, given = _UNSIGNED.get(name.removesuffix(" UNSIGNED"), name), []
        meant = self.words.get(name) or WORDS.get(name)
        if WORDS.get(name) == "DECIMAL" and given:
            return self.decimal(given)
        if meant is None and name in REFUSED:
            raise TypeRefused(f"{self.text} cannot be used: {REFUSED[name]}")
        if meant is None:
            raise TypeRefused(f"{self.text} is not a DuckDB type, nor another engine's that has an equal")
        if meant.startswith("!"):
            raise TypeRefused(f"{self.text} cannot be used: {meant[1:].format(name)}")
        duck = _own(meant)
        return self.with_arguments(duck, name, given) if given else duck

    def with_arguments(self, duck: DuckType, name: str, given: list[str]) -> DuckType:
        """The n of a text, the precision of a moment or of a float; any other number is refused."""
        if given == ["MAX"] and duck.name in ("VARCHAR", "BLOB"):
            return duck
        if given[1:] in ([], ["CHAR"]) and given[0].isdigit():
            number = int(given[0])
            if duck.name == "VARCHAR" and 0 < number < 10**9:
                return DuckType("VARCHAR", longest=number)
            if number in _FRACTIONS.get(duck.name, {}):
                return DuckType(_FRACTIONS[duck.name][number])
            if duck.name == "TIMESTAMP WITH TIME ZONE" and number == 6:
                return duck
            if name == "FLOAT" and 0 < number <= 53 and not self.words.get("FLOAT", "").startswith("!"):
                return DuckType("FLOAT" if number < 25 else "DOUBLE")
        raise self.wrong_arguments(duck, name, given)

    def wrong_arguments(self, duck: DuckType, name: str, given: list[str]) -> TypeRefused:
        if duck.name in _FRACTIONS or duck.name.startswith("TIMESTAMP"):
            return TypeRefused(
                f"{self.text} has {given[0]} digits of a second, and {duck.name} has 6; write {duck.name}"
            )
        if duck.name == "BLOB":
            return TypeRefused(f"{self.text}: DuckDB does not hold a BLOB to a length; write {name}")
        if duck.name == "VARCHAR":
            return TypeRefused(f"{self.text}: a text's length is a number of characters above zero")
        return TypeRefused(f"{self.text}: {duck} takes nothing in brackets")

    def decimal(self, given: list[str]) -> DuckType:
        if not all(number.isdigit() for number in given) or len(given) > 2:
            raise TypeRefused(f"{self.text} is not a DuckDB type: a number is missing")
        width, scale = int(given[0]), int(given[1]) if len(given) == 2 else 0
        if not 1 <= width <= 38 or scale > width:
            raise TypeRefused(f"{self.text}: DECIMAL takes 1 to 38 digits, of which at most all are decimals")
        return DuckType("DECIMAL", precision=(width, scale))

    def nested(self, word: str) -> DuckType:
        opened = self.peek()
        self.take(opened)
        names: list[str] = []
        inner: list[DuckType] = []
        while True:
            if word not in _KINDS:
                names.append(self.field())
            inner.append(self.type())
            if self.peek() != ",":
                break
            self.take(",")
        self.take(")" if opened == "(" else ">")
        if word in _PARTS and len(inner) != _PARTS[word]:
            told = "a key type and a value type" if word == "MAP" else "one type"
            raise TypeRefused(f"{self.text}: a {word} has {told}")
        return DuckType(_KINDS.get(word, "STRUCT"), tuple(inner), tuple(names))

    def more(self) -> list[str]:
        found = []
        while self.peek().upper() in _MORE:
            found.append(self.word())
        return found

    def in_brackets(self) -> list[str]:
        """The numbers and words in round brackets, [] if none stand here."""
        if self.peek() != "(":
            return []
        self.take("(")
        found: list[str] = []
        while self.peek() not in ("", ")"):
            if self.peek() != ",":
                found.append(self.peek().upper())
            self.at += 1
        self.take(")")
        return found or ["nothing"]

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str) -> None:
        if self.peek() != wanted:
            raise TypeRefused(f"{self.text} is not a DuckDB type: {wanted!r} is missing")
        self.at += 1

    def word(self) -> str:
        token = self.peek()
        if not _PLAIN.match(token):
            raise TypeRefused(f"{self.text or 'nothing'} is not a DuckDB type")
        self.at += 1
        return token.upper()

    def field(self) -> str:
        token = self.peek()
        self.at += 2 if self.tokens[self.at + 1 : self.at + 2] == [":"] else 1
        return token[1:-1].replace('""', '"') if token.startswith('"') else token

    def end(self) -> None:
        if self.at < len(self.tokens):
            raise TypeRefused(f"{self.text} is not a DuckDB type: {self.peek()!r} is left over")


_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)\Z")


def _own(meant: str) -> DuckType:
    found = _DECIMAL.match(meant)
    if found is None:
        return DuckType(meant)
    return DuckType("DECIMAL", precision=(int(found.group(1)), int(found.group(2))))
