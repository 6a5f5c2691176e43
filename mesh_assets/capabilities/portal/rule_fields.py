"""From what somebody sent to an entry of a contract, and from an entry to the fields of its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from mesh_assets.capabilities.contracts.explain import OPERATORS
from mesh_assets.capabilities.portal.rule_kinds import KINDS, Field, FieldMalformed, Kind

Fields = Mapping[str, Sequence[str]]

#: What every rule has beside its kind's own fields; the name comes first in a contract.
ABOUT = ("name", "severity", "dimension", "description")
_TRUTH = {"true": True, "false": False}


def entry_of(kind: Kind, fields: Fields) -> dict[str, Any]:
    """What the form says, as an entry of a contract; raises FieldMalformed."""
    given = {field.name: _value(field, _one(fields, field.name)) for field in kind.fields}
    made = kind.make(given)
    if kind.level:
        return made
    about = {name: _one(fields, name) for name in ABOUT[1:]}
    named = {"name": _one(fields, "name")} if _one(fields, "name") else {}
    return {**named, **made, **{name: text for name, text in about.items() if text}}


def fields_of(kind: Kind, entry: Mapping[str, Any]) -> dict[str, list[str]]:
    """The form that makes this entry; what the form has no field for is not in it (`covers` says whether)."""
    told = {**entry, **(entry.get("arguments") or {}), **_implementation(entry)}
    operator = next((name for name in OPERATORS if name in told), "")
    told |= {"operator": operator, **({"value": told[operator]} if operator else {})}
    shapes = {field.name: field.shape for field in kind.fields} | dict.fromkeys(ABOUT, "text")
    return {name: [_text(told[name], shape)] for name, shape in shapes.items() if told.get(name) is not None}


def kind_of_entry(entry: Mapping[str, Any], *, level: bool = False) -> Kind | None:
    """The form for an entry of a contract; None if a form would lose some of what it says."""
    if level:
        word = "service_level"
    elif entry.get("type") == "sql":
        word = "sql"
    elif entry.get("type", "library") == "library":
        word = str(entry.get("metric", ""))
    else:
        word = str(_implementation(entry).get("kind", "")) if entry.get("engine") == "mesh" else ""
    kind = KINDS.get(word)
    if kind is None:
        return None
    try:
        again = entry_of(kind, fields_of(kind, entry))
    except FieldMalformed:
        return None
    return (
        kind
        if _plain(again) == _plain({"type": "library", **entry} if "metric" in entry else entry)
        else None
    )


def _implementation(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = entry.get("implementation")
    return inner if isinstance(inner, Mapping) else {}


def _plain(value: Any) -> Any:
    """Without order, and with units that go without saying."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items() if (key, each) != ("unit", "rows")}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _one(fields: Fields, name: str) -> str:
    return (fields.get(name) or [""])[0].replace("\r\n", "\n").strip()


def _value(field: Field, text: str) -> Any:
    if field.shape == "choice":
        if text and text not in field.choices:
            raise FieldMalformed(f"{field.label}: {text[:60]!r} is none of {', '.join(field.choices)}")
        return text
    if field.shape == "numbers":
        return [_number(field, part) for part in text.replace(",", " ").split()]
    if field.shape == "list":
        parts = text.split("\n") if "\n" in text else text.split(",")
        return [_scalar(part.strip()) for part in parts if part.strip()]
    return text


def _number(field: Field, text: str) -> int | float | Decimal:
    try:
        exact = Decimal(text)
    except InvalidOperation:
        raise FieldMalformed(f"{field.label}: {text[:60]!r} is no number") from None
    if not exact.is_finite() or abs(exact.adjusted()) > 300:
        raise FieldMalformed(f"{field.label}: {text[:60]!r} is beyond what is stored")
    if exact == exact.to_integral_value() and "." not in text:
        return int(exact)
    near = float(exact)
    return near if Decimal(repr(near)) == exact else exact


def _scalar(text: str) -> Any:
    """A value of a list: a number or a truth value where it is written as one, a text in quotes."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text in _TRUTH:
        return _TRUTH[text]
    plain = text.removeprefix("-")
    return int(text) if plain.isdecimal() and plain.isascii() and str(int(plain)) == plain else text


def _text(value: Any, shape: str) -> str:
    if shape == "list":
        return "\n".join(map(_quoted, value if isinstance(value, list) else [value]))
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _quoted(value: Any) -> str:
    """As a person would write it: a text that reads as something else stands in quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) and not isinstance(_scalar(value), str) else str(value)
