"""What can be wrong in a question about lineage, or about an earlier state of the code."""

from __future__ import annotations

from mesh_assets.words.errors import YourCode


class UnknownColumn(YourCode):
    template = "{product} has no column {column!r}. Did you mean {near}? See `mesh show {product}`"


class NoSuchRevision(YourCode):
    template = (
        "{revision!r} is no revision of the repository around {folder}{told}. "
        "Write a commit, a branch or a tag"
    )
