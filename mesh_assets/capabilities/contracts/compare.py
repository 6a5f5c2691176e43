"""Two versions of a contract held against each other: every change, and whom it can break.

Here: what changed, its class for consumers and for producers, the version that it asks for.
Not here: the classes themselves (compared), what is affected by a change (lineage), telling it (cli).

A consumer is broken by what it can no longer rely on: a column gone, a narrower promise, values that it has
never seen. A producer is broken by what its recipe may not keep: a promise more, a narrower type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mesh_assets.capabilities.contracts.compared import CLASSES, Effect, widens
from mesh_assets.capabilities.contracts.model import Column, Contract
from mesh_assets.words.rules import Rule


class Bump(StrEnum):
    """The part of a semantic version that a change asks to be raised."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    NONE = "none"


@dataclass(frozen=True)
class Change:
    #: One word of the table in docs/contract-changes.md, e.g. `column_removed`.
    kind: str
    #: Where: `npi`, `lines[].sku`, `rules.npi_unique`, `slaProperties.latency`.
    path: str
    before: Any
    after: Any
    #: For those who read the product.
    consumers: Effect
    #: For those who make it.
    producers: Effect
    #: One sentence.
    told: str


#: Parts of a contract that are told, and promise nothing that a machine could check.
_WORDS = ("title", "purpose", "limitations", "usage", "description", "tags")
#: Rules that repeat what a column says, and is compared there.
_TOLD_ELSEWHERE = ("physical_types", "primary_key", "required", "unique")
_TEXTS = ("description", "tags", "called")


def compare(old: Contract, new: Contract) -> tuple[Change, ...]:
    """Every difference, in the order of the document. Nothing for two texts that say the same."""
    found = [
        *_columns(old, new),
        *_key(old, new),
        *_rules(old, new),
        *_services(old, new),
        *_whole(old, new),
    ]
    if not found and old.raw != new.raw and _without_version(old.raw) != _without_version(new.raw):
        found = [change("words", "", None, None, "something that promises nothing was changed")]
    return tuple(found)


def bump(changes: Iterable[Change]) -> Bump:
    """The part of the version that these changes ask to be raised."""
    found = list(changes)
    if any(each.consumers is Effect.BREAKING for each in found):
        return Bump.MAJOR
    if any(each.consumers is Effect.COMPATIBLE or each.producers is Effect.BREAKING for each in found):
        return Bump.MINOR
    return Bump.PATCH if found else Bump.NONE


def bumped(old: str, new: str) -> Bump:
    """What a change of version raises; NONE for the same, a lower one, or one that is no semantic version."""
    try:
        one, two = (tuple(int(part) for part in text.split("-")[0].split(".")) for text in (old, new))
    except ValueError:
        return Bump.NONE
    one, two = ((*each, 0, 0, 0)[:3] for each in (one, two))
    if two <= one:
        return Bump.NONE
    places = (Bump.MAJOR, Bump.MINOR, Bump.PATCH)
    return next(place for place, was, is_now in zip(places, one, two, strict=True) if was != is_now)


def enough(asked: Bump, given: Bump) -> bool:
    """True if the version was raised as far as the changes ask. Only a breaking change is held to it."""
    return asked is not Bump.MAJOR or given is Bump.MAJOR


def change(kind: str, path: str, before: Any, after: Any, told: str) -> Change:
    rule = CLASSES[kind]
    return Change(kind, path, before, after, rule.consumers, rule.producers, told)


def _without_version(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key != "version"}


def _columns(old: Contract, new: Contract) -> Iterator[Change]:
    was, is_now = ({each.name: each for each in contract.columns} for contract in (old, new))
    renamed = _renamed(was, is_now)
    for name, column in was.items():
        if name in renamed:
            after = renamed[name]
            told = f"{name} is gone, and {after} is like it: renamed, by the look of it"
            yield change("column_renamed", name, name, after, told)
            yield from _column(column, is_now[after])
        elif name not in is_now:
            yield change(
                "column_removed", column.shown, column.physical_type, None, f"{column.shown} is gone"
            )
        else:
            yield from _column(column, is_now[name])
    for name, column in is_now.items():
        if name not in was and name not in renamed.values():
            kind = "column_added"
            yield change(kind, column.shown, None, column.physical_type, f"{column.shown} is new")
    kept = [name for name in was if name in is_now]
    if kept != [name for name in is_now if name in was]:
        told = "the columns stand in another order"
        yield change("order", "columns", kept, [name for name in is_now if name in was], told)


def _renamed(was: Mapping[str, Column], is_now: Mapping[str, Column]) -> dict[str, str]:
    """A guess: one column gone, one new, of one type, and either the same description or the same place."""
    gone = [name for name in was if name not in is_now]
    come = [name for name in is_now if name not in was]
    found: dict[str, str] = {}
    for name in gone:
        like = [
            other
            for other in come
            if other not in found.values()
            and is_now[other].physical_type == was[name].physical_type
            and (
                (is_now[other].description and is_now[other].description == was[name].description)
                or list(was).index(name) == list(is_now).index(other)
            )
        ]
        if len(like) == 1:
            found[name] = like[0]
    return found


def _column(old: Column, new: Column) -> Iterator[Change]:
    where = new.shown
    if old.physical_type != new.physical_type:
        wider, narrower = (widens(*pair) for pair in ((old, new), (new, old)))
        kind = "type_widened" if wider else "type_narrowed" if narrower else "type_changed"
        told = f"{where}: {old.physical_type} -> {new.physical_type}"
        yield change(kind, where, old.physical_type, new.physical_type, told)
    elif old.longest != new.longest:
        longer = new.longest is None or (old.longest is not None and new.longest > old.longest)
        kind = "type_widened" if longer else "type_narrowed"
        yield change(
            kind, where, old.longest, new.longest, f"{where}: at most {new.longest or 'any'} characters"
        )
    for word in ("required", "unique"):
        before, after = getattr(old, word), getattr(new, word)
        if before != after:
            kind = f"{word}_{'added' if after else 'dropped'}"
            yield change(kind, where, before, after, f"{where} is {word if after else f'no longer {word}'}")
    if old.classification != new.classification:
        told = (
            f"{where}: classified {old.classification or 'as nothing'} -> {new.classification or 'nothing'}"
        )
        yield change("classification", where, old.classification, new.classification, told)
    if any(getattr(old, word) != getattr(new, word) for word in _TEXTS):
        yield change("words", where, old.description, new.description, f"{where} is described in other words")


def _key(old: Contract, new: Contract) -> Iterator[Change]:
    if old.key != new.key:
        told = f"the key was ({', '.join(old.key)}), and is ({', '.join(new.key)})"
        yield change("key", "primaryKey", list(old.key), list(new.key), told)


def _rules(old: Contract, new: Contract) -> Iterator[Change]:
    was, is_now = (
        {each.id: each for each in contract.rules if each.kind not in _TOLD_ELSEWHERE}
        for contract in (old, new)
    )
    gone = {each.name for each in old.columns} - {each.name for each in new.columns}
    for name, rule in was.items():
        if name not in is_now:
            # With its column: the column's own line says enough.
            if not (rule.columns and set(rule.columns) <= gone):
                kind = "rule_dropped" if rule.blocking else "warning_dropped"
                yield change(kind, f"rules.{name}", rule.description, None, f"{name} is promised no longer")
        else:
            yield from _rule(rule, is_now[name])
    for name, rule in is_now.items():
        if name not in was:
            kind = "rule_added" if rule.blocking else "warning_added"
            yield change(
                kind, f"rules.{name}", None, rule.description, f"{name} is promised: {rule.description}"
            )


def _rule(old: Rule, new: Rule) -> Iterator[Change]:
    from mesh_assets.capabilities.contracts.compared import bounds_moved

    where = f"rules.{new.id}"
    if old.blocking != new.blocking:
        kind = "rule_stricter" if new.blocking else "rule_looser"
        told = f"{new.id}: severity {old.severity} -> {new.severity}"
        yield change(kind, where, str(old.severity), str(new.severity), told)
    before, after = (dict(each.arguments) for each in (old, new))
    if (old.kind, old.columns, old.path, before) != (new.kind, new.columns, new.path, after):
        same = (old.kind, old.columns, old.path) == (new.kind, new.columns, new.path)
        kind = bounds_moved(new.kind, before, after) if same else "rule_changed"
        told = f"{new.id}: {_differing(before, after) or new.description}"
        yield change(
            kind if new.blocking or kind != "rule_changed" else "warning_changed", where, before, after, told
        )
    elif old.description != new.description or old.dimension != new.dimension:
        yield change(
            "words", where, old.description, new.description, f"{new.id} is described in other words"
        )


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return ", ".join(f"{key} {before.get(key)} -> {after.get(key)}" for key in keys)[:200]


def _services(old: Contract, new: Contract) -> Iterator[Change]:
    """Service levels, by property and element; which way is better only its own words know."""
    was, is_now = (
        {(str(each.get("property")), str(each.get("element", ""))): dict(each) for each in contract.sla}
        for contract in (old, new)
    )
    for key in {**was, **is_now}:
        before, after = was.get(key), is_now.get(key)
        where = f"slaProperties.{key[0]}"
        if before is None:
            yield change(
                "sla_added", where, None, after, f"{key[0]} is promised: {after and after.get('value')}"
            )
        elif after is None:
            yield change("sla_dropped", where, before, None, f"{key[0]} is promised no longer")
        elif before != after:
            told = f"{key[0]}: {_differing(before, after)}"
            yield change("sla_changed", where, before, after, told)


def _whole(old: Contract, new: Contract) -> Iterator[Change]:
    if old.product != new.product:
        told = f"{old.product} -> {new.product}: readers ask for it by its name"
        yield change("product_renamed", "id", str(old.product), str(new.product), told)
    if _cut(old) != _cut(new):
        yield change("partitions", "partitions", _cut(old), _cut(new), "it is cut in another way")
    if old.quarantine != new.quarantine:
        told = "rows that fail are treated in another way"
        yield change("quarantine", "quarantine", str(old.quarantine), str(new.quarantine), told)
    if old.retention != new.retention:
        shorter = (new.retention.versions, new.retention.days) < (old.retention.versions, old.retention.days)
        kind = "retention_shorter" if shorter else "retention_longer"
        told = "versions stay readable " + ("less long" if shorter else "longer")
        yield change(kind, "retention", str(old.retention), str(new.retention), told)
    yield from _around(old, new)


def _around(old: Contract, new: Contract) -> Iterator[Change]:
    """What stands around the promise."""

    def server(contract: Contract) -> Any:
        return contract.raw.get("servers")

    if server(old) != server(new):
        yield change("server", "servers", server(old), server(new), "it is served from another place")
    if old.status != new.status:
        kind = "retired" if new.status in ("deprecated", "retired") else "status"
        yield change(kind, "status", old.status, new.status, f"status {old.status} -> {new.status}")
    for word, kind in (("owners", "owners"), ("automation", "automation")):
        if getattr(old, word) != getattr(new, word):
            yield change(kind, word, str(getattr(old, word)), str(getattr(new, word)), f"other {word}")
    if any(getattr(old, word) != getattr(new, word) for word in _WORDS):
        yield change("words", "description", None, None, "the product is described in other words")


def _cut(contract: Contract) -> str:
    cut = contract.partitioning
    return "" if cut is None else f"{cut.column} by {cut.every} from {cut.first}"
