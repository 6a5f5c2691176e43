"""A kitchen's changes as one HTML page: it loads nothing, runs nothing, and every value in it is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from mesh_assets.capabilities.kitchens.changes import CodeChanges, DataChange, KitchenDiff, owners_of
from mesh_assets.capabilities.kitchens.picture import picture
from mesh_assets.capabilities.kitchens.raw import SINCE_THE_PIN, told_moved
from mesh_assets.capabilities.kitchens.touched import ChangedContract
from mesh_assets.words.names import ProductName

#: Longer values are cut in the page; the JSON has them whole.
LONGEST = 300

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}
body{color:#1c1c1e;background:#fff}table{border-collapse:collapse;margin:.6rem 0}
h1{font-size:1.5rem}h2{margin-top:2.2rem;border-bottom:1px solid #ccc}
td,th{padding:.2rem .7rem .2rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #eee}
td.n{text-align:right;font-variant-numeric:tabular-nums}code{background:#f2f2f4;padding:0 .25rem}
.breaking{color:#a3150c;font-weight:600}.wide{overflow-x:auto}svg path{fill:none;stroke:#888}
svg rect{fill:#f2f2f4;stroke:#888}svg text{font:12px system-ui,sans-serif;fill:#1c1c1e}
svg .changed rect{fill:#dcebff;stroke:#0b57b0}svg .broken rect{fill:#ffe1de;stroke:#a3150c}
svg .code rect{fill:#fff3cd;stroke:#8a6100}
@media (prefers-color-scheme:dark){body{background:#17171a;color:#e6e6e9}code{background:#2a2a2f}
td,th{border-color:#333}svg text{fill:#1c1c1e}.breaking{color:#ff8a80}}
"""


def html_page(found: KitchenDiff) -> str:
    """The whole page."""
    title = f"Kitchen {found.kitchen}: what it changes"
    parts = [
        _summary(found),
        picture(found.mesh, found.changed, _classes(found)),
        _section("Code", _code(found.code)),
        _section("Contracts", [part for each in found.contracts for part in _contract(found, each)]),
        _section("Data", [part for each in found.data for part in _data(each)]),
        _section("Operations", _operations(found)),
        _section("Agreement", _agreement(found)),
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><h1>{_text(title)}</h1>{''.join(parts)}</body></html>\n"
    )


def _classes(found: KitchenDiff) -> dict[ProductName, str]:
    """How a product is drawn."""
    classes = dict.fromkeys(found.touched, "code")
    classes |= {each.product: "changed" for each in found.data}
    return classes | {name: "broken" for each in found.contracts for name in each.broken}


def _summary(found: KitchenDiff) -> str:
    files = sum(len(each) for each in found.code.files.values()) if found.code else 0
    breaking = sum(each.breaking for each in found.contracts)
    line = (
        f"Against {found.base}: {files} files, {len(found.touched)} products by code, {len(found.contracts)} "
        f"contracts ({breaking} breaking), {len(found.data)} products by data, "
        f"{len(found.operations)} changes of operation."
    )
    return f"<p>{_text(line)}</p>"


def _section(title: str, parts: Iterable[str]) -> str:
    return f"<h2>{_text(title)}</h2>{''.join(parts) or '<p>No change.</p>'}"


def _code(code: CodeChanges | None) -> list[str]:
    if code is None:
        return ["<p>The kitchen has no code of its own.</p>"]
    files = [
        (domain or "(everybody's)", each.how, f"{each.was} -> {each.path}" if each.was else each.path)
        for domain, changed in code.files.items()
        for each in changed
    ]
    commits = [
        (each["commit"][:12], each["who"], each["when"][:10], each["subject"]) for each in code.commits
    ]
    parts = [_table(("domain", "", "file"), files), _table(("commit", "who", "when", "what"), commits)]
    if code.uncommitted:
        parts.append(f"<p>In no commit: {_text(', '.join(code.uncommitted))}</p>")
    return [part for part in parts if part]


def _contract(found: KitchenDiff, each: ChangedContract) -> list[str]:
    versions = f"{each.old.version if each.old else 'new'} → {each.new.version if each.new else 'gone'}"
    word = ' <span class="breaking">breaking</span>' if each.breaking else ""
    rows = [
        (
            change.path,
            change.kind,
            _short(change.before),
            _short(change.after),
            str(change.consumers),
            change.told,
        )
        for change in each.changes
    ]
    broken = [
        (str(name), ", ".join(each.columns[name]) or "cannot be told", ", ".join(owners_of(found, name)))
        for name in each.broken
    ]
    return [
        f"<h3>{_text(str(each.product))} {_text(versions)}{word}</h3>",
        _table(("where", "kind", "before", "after", "for consumers", ""), rows),
        _table(("breaks", "by its columns", "owners"), broken),
    ]


def _data(each: DataChange) -> list[str]:
    before = f"version {each.before.number}, {each.before.rows:,} rows" if each.before else "nothing"
    head = f"<h3>{_text(str(each.product))}: {_text(f'{before} → {each.after.rows:,} rows')}</h3>"
    if each.files:
        head += f"<p>{_text(SINCE_THE_PIN + told_moved(each.files))}</p>"
    if each.compared is None:
        same = each.before is not None and each.before.fingerprint == each.after.fingerprint
        return [head, f"<p>{'The same content.' if same else 'Not compared row by row.'}</p>"]
    one = each.compared.difference
    counts = f"{one.added:,} added, {one.removed:,} removed, {one.changed:,} changed"
    columns = [(name, f"{count:,}") for name, count in sorted(one.changed_columns.items())]
    columns += [(name, f"new ({kind})") for name, kind in one.added_columns]
    columns += [(name, f"gone ({kind})") for name, kind in one.removed_columns]
    columns += [(name, f"{old} → {new}") for name, old, new in one.retyped_columns]
    return [head, f"<p>{_text(counts)}</p>", _table(("column", "changed rows"), columns), _sample(each)]


def _sample(each: DataChange) -> str:
    assert each.compared is not None
    rows = [dict(row) for row in each.compared.sample]
    if not rows:
        return ""
    names = list(dict.fromkeys(name for row in rows for name in row))
    shown = [[_short(row.get(name)) for name in names] for row in rows]
    return f'<div class="wide">{_table(names, shown)}</div>'


def _operations(found: KitchenDiff) -> list[str]:
    rows = [(each.kind, each.subject, _short(each.before), _short(each.after)) for each in found.operations]
    return [_table(("kind", "of", "before", "after"), rows)] if rows else []


def _agreement(found: KitchenDiff) -> list[str]:
    standing = found.agreement
    if standing.owners.file is None:
        return ["<p>There is no file of owners: nobody is asked.</p>"]
    rows = [
        (" ".join(group), ", ".join(things), "no" if " ".join(group) in standing.missing else "yes")
        for group, things in standing.asked.items()
    ]
    return [_table(("owners, one will do", "asked about", "agreed"), rows)]


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{_text(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{_text(value)}</td>' for value in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _text(value: object) -> str:
    return escape(str(value), quote=True)
