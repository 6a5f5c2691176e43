"""`mesh reproduce`: a version made again from its certificate, and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from mesh_assets.cli.look import JsonOption
from mesh_assets.cli.terminal import print_json, stdout
from mesh_assets.cli.versions import VersionArgument, registry_and_name

if TYPE_CHECKING:
    from mesh_assets.capabilities.publishing.reproduce import Reproduced


def reproduce(product: VersionArgument, as_json: JsonOption = False) -> None:
    """Make a version again: its recipe at the recorded commit, over the recorded inputs and sources.

    Nothing is published. Exit code 0 if the content is identical, 1 if it differs or cannot be made again.

    **Examples**: `mesh reproduce drug.brand@3` · `mesh reproduce hcp.hcp_master --json`
    """
    from mesh_assets.capabilities.publishing.reproduce import reproduce as made_again
    from mesh_assets.words.settings import read_settings

    registry, name, wanted = registry_and_name(product)
    found = made_again(read_settings(), registry, registry.find(name, wanted))
    if as_json:
        print_json(_plain(found))
    else:
        for line in _told(found):
            stdout().print(line, markup=False, soft_wrap=True)
    if not found.identical:
        raise typer.Exit(1)


def _told(found: Reproduced) -> list[str]:
    version, commit = found.version, str(found.version.certificate.git_commit)[:12]
    what = f"{version.product} version {version.number}, made again from commit {commit}"
    lines = [f"{what} in {found.seconds:.1f} s: {'identical' if found.identical else 'different'}"]
    one = found.difference
    if one is not None:
        parts = [key for key in found.partitions if key]
        lines += [f"partitions: {', '.join(parts)}"] if parts else []
        lines.append(f"{one.added:,} rows more, {one.removed:,} fewer, {one.changed:,} changed")
        lines += [f"  {name}: {count:,} rows" for name, count in one.changed_columns.items()]
        lines += [f"unchanged: {', '.join(one.unchanged_columns)}"] if one.unchanged_columns else []
    lines += [f"another artifact: {name}" for name in found.artifacts]
    lines += [f"{name} was {then}, and is {now} here" for name, (then, now) in found.packages.items()]
    return lines


def _plain(found: Reproduced) -> dict[str, Any]:
    one = found.difference
    return {
        "product": str(found.version.product),
        "version": found.version.number,
        "commit": found.version.certificate.git_commit,
        "identical": found.identical,
        "partitions": list(found.partitions),
        "changed_columns": dict(one.changed_columns) if one else {},
        "added": one.added if one else 0,
        "removed": one.removed if one else 0,
        "changed": one.changed if one else 0,
        "artifacts": list(found.artifacts),
        "packages": {name: list(each) for name, each in found.packages.items()},
        "seconds": found.seconds,
    }
