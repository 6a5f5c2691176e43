"""Expressions of a contract: one value per row, over the product's columns, and nothing else of SQL.

Here: the functions that an expression may call; refusing, with its place, whatever else a text says.
Not here: SQL's grammar. That is DuckDB's (checks/expressions parses the text again and judges the tree);
reading a contract loads no engine, so this file knows words and signs only.

An allow-list, because what is left out does no harm: functions that read files, settings, the clock or
chance, those that make a long text of a short one, and those that take the square of a text's length
(levenshtein) are not on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mesh_assets.capabilities.contracts.document import Document, Steps, allowed_words, kind_of
from mesh_assets.capabilities.contracts.model import Column


def words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


FUNCTIONS = words(
    # numbers
    "abs acos asin atan atan2 cbrt ceil ceiling cos degrees exp floor fmod gcd greatest isfinite isinf isnan "
    "lcm least ln log log10 log2 mod pi pow power radians round sign sin sqrt tan trunc "
    # texts
    "ascii chr concat concat_ws contains ends_with instr left length lower ltrim position prefix "
    "regexp_extract regexp_full_match regexp_matches regexp_replace replace reverse right rtrim split_part "
    "starts_with strip_accents strlen strpos substr substring suffix translate trim upper "
    # dates and times
    "date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname "
    "dayofmonth dayofweek dayofyear epoch epoch_ms epoch_us hour isodow isoyear last_day make_date "
    "make_timestamp minute month monthname quarter second strftime strptime timezone to_days to_hours "
    "to_minutes to_months to_seconds to_weeks to_years try_strptime week weekday weekofyear year yearweek "
    # lists and objects
    "array_length cardinality len list_contains list_distinct list_has_all list_has_any list_max list_min "
    "list_position list_sum list_unique list_value map_contains map_extract map_keys map_values "
    "struct_extract "
    # whichever there is
    "coalesce if ifnull nullif"
)
TYPES = words(
    "bigint boolean bool date decimal double float hugeint int integer interval numeric real smallint text "
    "time timestamp timestamptz tinyint ubigint uinteger usmallint utinyint varchar"
)
_WORDS = words(
    "all and as at between both by case cast distinct else end escape extract false for from ilike in is "
    "isnull leading like not notnull null or similar symmetric then to trailing true try_cast when zone "
    "year years month months week weeks day days hour hours minute minutes second seconds quarter quarters"
)
#: Words after which a bracket opens no call.
_BEFORE_BRACKETS = words(
    "and as between by case else extract from ilike in interval like not or similar then to when "
    "cast try_cast decimal numeric varchar"
)
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<comment>--|/\*)"
    r"|(?P<text>'(?:[^']|'')*')"
    r'|(?P<quoted>"(?:[^"]|"")+")'
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign><=|>=|<>|!=|==|\|\||::|//|\*\*|[-+*/%^<>=(),.\[\]])"
)
LONGEST = 10_000


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str

    @property
    def lower(self) -> str:
        return self.text.lower()


def named_columns(
    document: Document, path: Steps, written: object, columns: Sequence[Column] | None
) -> tuple[str, ...]:
    """The columns that an expression names, in order; None for `columns` if they are not known yet.

    Refused by what it says: a word that is no column, a function that is not on the list, a statement, a
    comment, a sign that no scalar expression has.
    """
    if not isinstance(written, str) or not written.strip():
        raise document.malformed(path, f"an expression is a text, and this is {kind_of(written)}")
    if len(written) > LONGEST:
        raise document.malformed(path, f"the expression has {len(written):,} characters; at most {LONGEST:,}")
    tokens = [*_tokens(document, path, written)]
    names: dict[str, None] = {}
    for number, token in enumerate(tokens):
        before = tokens[number - 1] if number else _Token("", "")
        after = tokens[number + 1] if number + 1 < len(tokens) else _Token("", "")
        if token.kind == "quoted" or (token.kind == "word" and before.text != "."):
            found = _column(document, path, token, after, columns)
            if found is not None:
                names[found] = None
    return tuple(names)


def _tokens(document: Document, path: Steps, written: str) -> Iterator[_Token]:
    at = 0
    while at < len(written):
        found = _TOKEN.match(written, at)
        if found is None:
            what = "a text that does not end" if written[at] in "'\"" else f"the character {written[at]!r}"
            raise document.refused(
                path,
                f"the expression has {what}: {_near(written, at)}",
                "An expression is one value per row: columns, numbers, 'texts', operators and functions",
                key=False,
            )
        if found.lastgroup == "comment":
            raise document.refused(
                path,
                f"the expression has a comment: {_near(written, at)}",
                "Say it in `description`",
                key=False,
            )
        if found.lastgroup != "space":
            yield _Token(str(found.lastgroup), found.group())
        at = found.end()


def _column(
    document: Document, path: Steps, token: _Token, after: _Token, columns: Sequence[Column] | None
) -> str | None:
    """The column that a word is; None for a word of the language."""
    if token.kind == "word" and after.text == "(" and token.lower not in _BEFORE_BRACKETS:
        if token.lower not in FUNCTIONS:
            raise document.refused(
                path,
                f"the expression calls {token.text}(), which rules may not call",
                allowed_words(token.text, sorted(FUNCTIONS)),
                key=False,
            )
        return None
    name = token.text[1:-1].replace('""', '"') if token.kind == "quoted" else token.text
    if columns is None:
        return None if token.kind == "word" and token.lower in _WORDS | TYPES else name
    by_lower = {column.name.lower(): column.name for column in columns}
    if name.lower() in by_lower and not (token.kind == "word" and after.kind == "text"):
        return by_lower[name.lower()]
    if token.kind == "word" and token.lower in _WORDS | TYPES:
        return None
    raise document.malformed(
        path,
        f"the expression names {name!r}, which is no column of the product",
        allowed_words(name, by_lower.values()),
    )


def _near(written: str, at: int) -> str:
    return repr(" ".join(written[max(at - 10, 0) : at + 20].split()))
