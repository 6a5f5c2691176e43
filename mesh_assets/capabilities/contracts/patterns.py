"""Regular expressions of contracts: ECMA 262, as the standard says, made into what every engine reads alike.

Here: a pattern in a plain form that means the same to RE2 (DuckDB) and to Rust's regex (polars), or the
reason why there is none.
Not here: running it (checks).

Why: `\\d`, `\\s`, `.` and `[^]` are not the same sets in ECMA 262, RE2, Rust and Python. The plain form has
none of the shorthands, only sets of characters by their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

#: RE2 counts no repetition beyond this.
MOST_REPETITIONS = 1000

_LAST = 0x10FFFF
_DIGIT = ((0x30, 0x39),)
_WORD = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
#: ECMA 262: WhiteSpace and LineTerminator.
_SPACE = (
    (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
    (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
_LINE_ENDS = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0x00}

Ranges = tuple[tuple[int, int], ...]


class PatternRefused(ValueError):
    """A pattern that cannot run as it is written; the text is the reason."""


class PatternMalformed(ValueError):
    """A pattern that is no regular expression; the text is the reason."""


#: Far above any pattern that a person reads; to compile longer ones takes seconds.
LONGEST_PATTERN = 2_000


def plain_pattern(pattern: str) -> str:
    """The pattern without shorthands. Raises PatternRefused or PatternMalformed."""
    if len(pattern) > LONGEST_PATTERN:
        raise PatternRefused(f"has {len(pattern):,} characters; at most {LONGEST_PATTERN:,} are read")
    try:
        plain = "".join(_Reader(pattern).parts())
        re.compile(_for_python(plain))
    except RecursionError:
        raise PatternRefused("is nested too deep") from None
    except re.error as error:
        raise PatternMalformed(str(error)) from None
    return plain


def _complement(ranges: Ranges) -> Ranges:
    found, start = [], 0
    for low, high in ranges:
        if start < low:
            found.append((start, low - 1))
        start = high + 1
    return (*found, (start, _LAST))


_SETS: dict[str, Ranges] = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_SETS |= {name.upper(): _complement(ranges) for name, ranges in _SETS.items()}
_ANY: Ranges = ((0, _LAST),)


def _ranged(ranges: Ranges) -> str:
    return "".join(_code(low) if low == high else f"{_code(low)}-{_code(high)}" for low, high in ranges)


def _code(number: int) -> str:
    return chr(number) if chr(number).isascii() and chr(number).isalnum() else f"\\x{{{number:X}}}"


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.at = 0

    def parts(self) -> Iterator[str]:
        while self.at < len(self.text):
            yield self.part()

    def part(self) -> str:
        char = self.take()
        if char == "\\":
            return self.escape()
        if char == "[":
            return self.set()
        if char == "(":
            return self.group()
        if char == ".":
            return f"[{_ranged(_complement(_LINE_ENDS))}]"
        if char in "*+?{":
            return self.repetition(char)
        return char if char in ")|^$" else _literal(char)

    def take(self) -> str:
        char = self.text[self.at]
        self.at += 1
        return char

    def match(self, expression: str) -> re.Match[str] | None:
        found = re.compile(expression).match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def repetition(self, char: str) -> str:
        said = char
        if char == "{":
            counts = self.match(r"(\d+)(?:,(\d*))?\}")
            if counts is None:
                return _literal("{")  # ECMA 262, Annex B: a brace that counts nothing is a brace
            said += counts.group()
            most = max(int(count) for count in counts.groups() if count)
            if most > MOST_REPETITIONS:
                raise PatternRefused(f"repeats {most} times, and RE2 counts up to {MOST_REPETITIONS}")
        said += "?" if self.match(r"\?") else ""
        if self.match(r"[*+?]"):
            raise PatternMalformed("multiple repeat")  # Python would read a++ as possessive
        return said

    def group(self) -> str:
        if around := self.match(r"\?<?[=!]"):
            raise _without_look_around("(" + around.group())
        if self.match(r"\?P?<[A-Za-z_]\w*>|\?:"):
            return "(?:"
        if self.match(r"\?i\)"):
            return "(?i)"
        if self.match(r"\?i:"):
            return "(?i:"
        if flags := self.match(r"\?[^:)]*[:)]?"):
            raise PatternRefused(f"uses '({flags.group()}', which ECMA 262 does not have")
        return "("

    def escape(self) -> str:
        char = self.escaped()
        if char in _SETS:
            return f"[{_ranged(_SETS[char])}]"
        if char in "bB":
            return f"\\{char}"
        if char in "pP":
            return self.property(char)
        return _literal(self.character(char))

    def escaped(self) -> str:
        if self.at == len(self.text):
            raise PatternMalformed(r"it ends in a lone \ ")
        return self.take()

    def property(self, char: str) -> str:
        found = self.match(r"\{\^?\w+\}|\w")
        if found is None:
            raise PatternMalformed(f"\\{char} names no class of characters")
        return f"\\{char}{found.group()}"

    def character(self, char: str) -> str:
        """The one character that an escape stands for."""
        if char in "123456789" or (char == "k" and self.match("<")):
            raise _without_look_around(f"\\{char}")
        if char in _CONTROLS:
            return chr(_CONTROLS[char])
        number = {"x": r"([0-9A-Fa-f]{2})", "u": r"([0-9A-Fa-f]{4})", "c": r"([A-Za-z])"}.get(char)
        if char == "u" and (pair := self.match(r"([dD][89abAB]\w{2})\\u([dD][c-fC-F]\w{2})")):
            return bytes.fromhex("".join(pair.groups())).decode("utf-16-be")
        if number and (found := self.match(number)):
            code = found.group(1)
            return chr(ord(code) % 32) if char == "c" else _scalar(int(code, 16))
        if char == "x" and (found := self.match(r"\{([0-9A-Fa-f]{1,6})\}")):
            return _scalar(int(found.group(1), 16))
        if char.isalnum() and char.isascii():
            raise PatternRefused(f"uses '\\{char}', which regular expressions read differently")
        return char

    def set(self) -> str:
        negated = self.match(r"\^") is not None
        inner = []
        while True:
            if self.at == len(self.text):
                raise PatternMalformed("unterminated character set: a ] is missing")
            if self.match(r"\]"):
                break
            inner.append(self.member())
        if not inner:
            return f"[{_ranged(_ANY)}]" if negated else f"[^{_ranged(_ANY)}]"
        return f"[{'^' if negated else ''}{''.join(inner)}]"

    def member(self) -> str:
        low = self.of_set()
        if not isinstance(low, str) or len(low) != 1 or not self.match(r"-(?!\])"):
            return low if isinstance(low, str) and len(low) > 1 else _member(low)
        high = self.of_set()
        if not isinstance(high, str) or len(high) != 1:
            raise PatternRefused("has a range of characters that ends in a class")
        if ord(high) < ord(low):
            raise PatternMalformed(f"bad character range {low}-{high}")
        return f"{_code(ord(low))}-{_code(ord(high))}"

    def of_set(self) -> str | Ranges:
        """One character, the ranges of a class, or a longer text: a class by its Unicode property."""
        char = self.take()
        if char == "[" and self.match(r"[:.=]"):
            raise PatternRefused("has a POSIX class such as [:alpha:], which ECMA 262 does not have")
        if char != "\\":
            return char
        char = self.escaped()
        if char in _SETS:
            return _SETS[char]
        if char in "pP":
            return self.property(char)
        return "\b" if char == "b" else self.character(char)


def _member(found: str | Ranges) -> str:
    return _code(ord(found)) if isinstance(found, str) else _ranged(found)


def _scalar(number: int) -> str:
    if number > _LAST or 0xD800 <= number <= 0xDFFF:
        raise PatternRefused(f"names U+{number:04X}, and no text has such a character")
    return chr(number)


def _literal(char: str) -> str:
    return char if char.isalnum() or char in " _-,;:@/%&=<>!~#'\"" else _code(ord(char))


def _without_look_around(said: str) -> PatternRefused:
    return PatternRefused(
        f"uses {said!r}, and DuckDB's regular expressions (RE2) have no look-around and no back-references"
    )


def _for_python(plain: str) -> str:
    named = re.sub(r"\\[pP](?:\{\^?\w+\}|\w)", "x", plain)
    return re.sub(r"\\x\{([0-9A-F]+)\}", lambda found: f"\\U{int(found.group(1), 16):08x}", named)
