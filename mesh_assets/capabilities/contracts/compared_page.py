"""docs/contract-changes.md, written from the classes themselves."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_assets.capabilities.contracts.compared import CLASSES

_HEAD = """# Changes of a contract

What a change of `contract.yaml` does to those who read the product, and to those who make it. This page is
written by `mesh contract changes`; a test holds it against the code.

```bash
mesh contract diff old.yaml new.yaml                 # two files
mesh contract diff hcp.hcp_master@3 hcp.hcp_master   # a published version and the working tree
mesh contract diff main:drug.brand drug.brand        # a git revision and the working tree
mesh contract diff main --ci --format junit          # every contract, for CI
```

Formats: `text`, `json`, `markdown`, `junit`. A consumer is broken by what it can no longer rely on: a column
gone, a promise less, values that it has never seen. A producer is broken by what its recipe may not keep: a
promise more.

## The version

| changes | ask for |
| --- | --- |
| any that breaks consumers | a major version, `2.0.0` |
| else any that consumers can use, or that asks more of the recipe | a minor version, `1.3.0` |
| else any | a patch, `1.2.4` |

Exit code 1 for a change that breaks consumers while the first number stays; with `--ci` for any change whose
version was raised less than it asks for. Below 1.0.0 the same rules hold.

A rename is a guess: one column gone and one new, of the same type, and of the same description or in the same
place. It is told as a guess, and counts as a column gone and a column new.

## The classes

| kind | consumers | producers | why |
| --- | --- | --- | --- |
"""

_TAIL = """
Rules that repeat what a column says (its type, `required`, `unique`, the primary key) are compared with the
column, and once. A rule that goes with its column is told with the column. Of `sql`, `expression` and
`pattern` rules no order is known: any change of one counts as breaking for both. Bounds have an order where
one number moved.
"""


def changes_page() -> str:
    return _HEAD + "\n".join(_rows()) + "\n" + _TAIL


def _rows() -> Iterator[str]:
    for kind, each in CLASSES.items():
        yield f"| `{kind}` | {each.consumers} | {each.producers} | {each.why} |"
