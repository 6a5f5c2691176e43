"""How a source comes, as domain.yaml says it: as files, as new rows of a table, or as events.

Here: `kind`, `settle` and what each kind needs beside the path. Not here: the rest of a source (domain),
taking deliveries in (publishing).
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

from mesh_assets.capabilities.contracts.document import Document, Steps, allowed_words, kind_of
from mesh_assets.capabilities.contracts.model import Delivery

KINDS = ("file", "rows", "events")
#: What each kind needs in domain.yaml, and what it may have.
NEEDED = {"file": (), "rows": ("connection", "table", "watermark"), "events": ("key",)}
ALLOWED = {"file": (), "rows": ("key",), "events": ("bundle",)}
KEYS = ("kind", "settle", "connection", "table", "watermark", "key", "bundle")
#: The format in which each kind is landed.
LANDED = {"rows": "parquet", "events": "ndjson"}

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_TABLE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,2}")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|)")


def read_delivery(document: Document, path: Steps, form: str) -> Delivery:
    """How the source at `path` comes; raises DocumentMalformed."""
    written = document.at(path)
    kind = written.get("kind", "file")
    if kind not in KINDS:
        raise document.malformed(
            (*path, "kind"), f"the kind is {kind_of(kind)}", allowed_words(str(kind), KINDS)
        )
    _refuse_strange_keys(document, path, kind)
    _refuse_path(document, path, kind, form)
    return Delivery(
        kind=kind,
        settle=_settle(document, (*path, "settle")),
        connection=_matching(
            document, (*path, "connection"), _VARIABLE, "the name of an environment variable"
        ),
        table=_matching(document, (*path, "table"), _TABLE, "the name of a table, e.g. public.orders"),
        watermark=_word(document, (*path, "watermark")),
        key=_word(document, (*path, "key")),
        bundle=_bundle(document, (*path, "bundle")),
    )


def _refuse_strange_keys(document: Document, path: Steps, kind: str) -> None:
    written = document.at(path)
    lacking = [key for key in NEEDED[kind] if key not in written]
    if lacking:
        raise document.malformed(
            path, f"a source of the kind {kind} needs {', '.join(lacking)}", "See docs/sources.md"
        )
    for key in KEYS[2:]:
        if key in written and key not in (*NEEDED[kind], *ALLOWED[kind]):
            raise document.malformed((*path, key), f"a source of the kind {kind} has no `{key}`", key=True)


def _refuse_path(document: Document, path: Steps, kind: str, form: str) -> None:
    if kind == "file":
        return
    where = document.at((*path, "path"))
    if where.count("{batch}") != 1:
        raise document.malformed(
            (*path, "path"),
            f"{kind} are landed as one file per batch, and the path {where!r} has no {{batch}}",
            f"Write e.g. {where.rsplit('.', 1)[0]}/{{batch}}.{LANDED[kind]}",
        )
    if form != LANDED[kind]:
        raise document.malformed(
            (*path, "path"), f"{kind} are landed as {LANDED[kind]}, and the path says {form}"
        )


def _settle(document: Document, path: Steps) -> timedelta:
    written = document.at(path)
    if written is None:
        return Delivery().settle
    found = (
        _DURATION.fullmatch(str(written).strip())
        if isinstance(written, str | int | float | Decimal)
        else None
    )
    if found is None or isinstance(written, bool):
        raise document.malformed(path, f"`settle` is {kind_of(written)}; write a duration such as 10s or 5m")
    return timedelta(seconds=float(found[1]) * _UNITS[found[2]])


def _bundle(document: Document, path: Steps) -> int:
    written = document.at(path)
    if written is None:
        return Delivery().bundle
    if not isinstance(written, int) or isinstance(written, bool) or written < 1:
        raise document.malformed(path, f"`bundle` is {kind_of(written)}; it must be a number of events")
    return written


def _matching(document: Document, path: Steps, pattern: re.Pattern[str], what: str) -> str:
    written: Any = document.at(path)
    if written is None:
        return ""
    if not isinstance(written, str) or not pattern.fullmatch(written):
        # Not repeated: who writes a connection string here has written a password.
        raise document.malformed(path, f"`{path[-1]}` must be {what}")
    return written


def _word(document: Document, path: Steps) -> str:
    written = document.at(path)
    if written is not None and (not isinstance(written, str) or not written.strip()):
        raise document.malformed(path, f"`{path[-1]}` is {kind_of(written)}; it must be the name of a column")
    return written or ""
