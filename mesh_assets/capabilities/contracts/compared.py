"""The classes of changes of a contract, and what orders two promises.

Here: the table of docs/contract-changes.md, types and bounds. Not here: finding changes (compare).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesh_assets.capabilities.contracts.model import Column


class Effect(StrEnum):
    """What a change does to somebody who goes on as before."""

    BREAKING = "breaking"
    COMPATIBLE = "compatible"
    #: Nobody notices.
    NONE = "none"


_B, _C, _N = Effect.BREAKING, Effect.COMPATIBLE, Effect.NONE


@dataclass(frozen=True)
class Class:
    consumers: Effect
    producers: Effect
    #: Why, in one sentence.
    why: str


CLASSES: Mapping[str, Class] = {
    "column_removed": Class(_B, _C, "Queries that name it fail; making one column less is easy"),
    "column_renamed": Class(_B, _B, "A guess from type, description and place; treated as gone and new"),
    "column_added": Class(_C, _B, "Who names columns does not see it; the recipe has to make it"),
    "type_widened": Class(_B, _C, "Values come that did not fit before; what was made still fits"),
    "type_narrowed": Class(_B, _B, "Stored under another type; what was made may not fit"),
    "type_changed": Class(_B, _B, "Neither type holds the other's values"),
    "order": Class(_B, _C, "SELECT *, UNION ALL and positional readers see other columns"),
    "required_added": Class(_C, _B, "Readers lose a case; the recipe may have made nulls"),
    "required_dropped": Class(_B, _C, "Nulls come that readers were promised not to see"),
    "unique_added": Class(_C, _B, "Readers lose a case; the recipe may have made duplicates"),
    "unique_dropped": Class(_B, _C, "Joins on it may double rows"),
    "key": Class(_B, _B, "Joins and counts per key mean something else"),
    "enum_wider": Class(_B, _C, "Values come that readers have never seen"),
    "enum_narrower": Class(_C, _B, "Readers lose cases; the recipe may have made them"),
    "bounds_wider": Class(_B, _C, "Values come beyond what readers were promised"),
    "bounds_narrower": Class(_C, _B, "Readers lose cases; the recipe may have made them"),
    "rule_added": Class(_C, _B, "One promise more, which can stop publication"),
    "rule_dropped": Class(_B, _C, "One promise less"),
    "rule_changed": Class(_B, _B, "Neither promise is known to imply the other"),
    "rule_stricter": Class(_C, _B, "A warning now stops publication"),
    "rule_looser": Class(_B, _C, "What stopped publication is now told only"),
    "warning_added": Class(_N, _C, "Told, never in the way"),
    "warning_dropped": Class(_C, _C, "Told no longer"),
    "warning_changed": Class(_C, _C, "Told of something else"),
    "sla_added": Class(_C, _B, "One promise more about time or service"),
    "sla_dropped": Class(_B, _C, "One promise less about time or service"),
    "sla_changed": Class(_B, _B, "Which way is better depends on the property: both sides look at it"),
    "classification": Class(_B, _C, "Who may see the values, and how they are masked, changes"),
    "product_renamed": Class(_B, _B, "Its name is its address"),
    "partitions": Class(_B, _B, "Readers by partition, and every build, see other parts"),
    "quarantine": Class(_B, _C, "Rows that used to stop a version are left out, or the other way round"),
    "retention_shorter": Class(_B, _C, "A version that somebody pinned by number may be gone"),
    "retention_longer": Class(_C, _C, "Versions can be read for longer"),
    "server": Class(_B, _C, "Readers by address have to look elsewhere"),
    "retired": Class(_C, _N, "Readers are asked to leave; nothing is gone yet"),
    "status": Class(_N, _N, "A word about its life"),
    "owners": Class(_N, _C, "Other people answer for it"),
    "automation": Class(_C, _C, "It is made at other moments; what it promises of time stands in its SLAs"),
    "words": Class(_N, _N, "Descriptions, tags, and what no rule checks"),
}

_INTEGERS = {
    name: place for place, name in enumerate(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"))
}
_UNSIGNED = {
    name: place for place, name in enumerate(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"))
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
#: Digits before the point that every value of an integer type has room in.
_DIGITS = {
    "TINYINT": 3,
    "SMALLINT": 5,
    "INTEGER": 10,
    "BIGINT": 19,
    "UTINYINT": 3,
    "USMALLINT": 5,
    "UINTEGER": 10,
}

#: Kinds of rules with one bound, `value`, whose growth lets more values in, and those with fewer.
_MORE = ("maximum", "exclusive_maximum", "max_length", "max_items", "max_properties")
_FEWER = ("minimum", "exclusive_minimum", "min_length", "min_items", "min_properties")
#: Operators of counted rules whose threshold works so; `mustBe` and the like have no order.
_LESS = ("mustBeLessThan", "mustBeLessOrEqualTo")
_GREATER = ("mustBeGreaterThan", "mustBeGreaterOrEqualTo")


def widens(old: Column, new: Column) -> bool:
    """True if the new type holds every value of the old one, exactly."""
    one, two = (each.physical_type.upper().replace(", ", ",") for each in (old, new))
    if one in _INTEGERS and two in _INTEGERS:
        return _INTEGERS[two] > _INTEGERS[one]
    if one in _UNSIGNED and two in _UNSIGNED:
        return _UNSIGNED[two] > _UNSIGNED[one]
    if one in _UNSIGNED and two in _INTEGERS:
        return _INTEGERS[two] > _UNSIGNED[one]
    if (one, two) in (
        ("FLOAT", "DOUBLE"),
        ("DATE", "TIMESTAMP"),
        ("SMALLINT", "FLOAT"),
        ("INTEGER", "DOUBLE"),
    ):
        return True
    before, after = _DECIMAL.fullmatch(one), _DECIMAL.fullmatch(two)
    if after is None or not (before or one in _DIGITS):
        return False
    whole, parts = (int(before[1]) - int(before[2]), int(before[2])) if before else (_DIGITS[one], 0)
    return int(after[1]) - int(after[2]) >= whole and int(after[2]) >= parts and one != two


def bounds_moved(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The kind of a change of a rule's arguments: an order where one is known, else `rule_changed`."""
    keys = {key for key in {**before, **after} if before.get(key) != after.get(key)}
    if len(keys) != 1 or not keys <= {*before} & {*after}:
        return "rule_changed"
    (key,) = keys
    old, new = before[key], after[key]
    operator = before.get("operator")
    if keys == {"validValues"}:
        return _enum(old, new)
    if keys != {"value"}:
        return "rule_changed"
    if kind in _MORE or operator in _LESS:
        return _way(old, new)
    if kind in _FEWER or operator in _GREATER:
        return _way(new, old)
    return _span(old, new) if operator == "mustBeBetween" else "rule_changed"


def _enum(old: Any, new: Any) -> str:
    one, two = ({repr(each) for each in values} for values in (old, new))
    return "enum_wider" if one < two else "enum_narrower" if two < one else "rule_changed"


def _span(old: Any, new: Any) -> str:
    try:
        (low, high), (after_low, after_high) = old, new
        if after_low <= low and high <= after_high:
            return "bounds_wider"
        return "bounds_narrower" if low <= after_low and after_high <= high else "rule_changed"
    except (TypeError, ValueError):
        return "rule_changed"


def _way(before: Any, after: Any) -> str:
    """Wider where a bound that lets in what is below has grown."""
    try:
        return "bounds_wider" if after > before else "bounds_narrower"
    except TypeError:
        return "rule_changed"
