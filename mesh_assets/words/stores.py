"""Errors of what holds a lake: its catalog's server, its bucket, and who may do what there."""

from __future__ import annotations

import errno
from pathlib import Path

from mesh_assets.words.errors import YourCode, YourData


class CredentialsMissing(YourCode):
    template = (
        "{place} needs {missing}: set the variable, or one of its name with _FILE behind it that names a "
        "file with the value"
    )


class StoreRefused(YourData):
    """Object storage did not do what it was asked."""

    template = "{what} did not work: {problem}. {remedy}"


class CatalogLost(YourData):
    """The catalog's server went away. A COMMIT that was under way may have landed: the run's key tells."""

    template = (
        "The catalog of {domain} did not answer any more: {problem}. Nothing was released, and readers see "
        "what they saw. Run it again: what landed already is found by the run's name, and is not done twice"
    )


class DiskRefused(YourData):
    """A folder is full, can only be read, or its disk does not answer."""

    template = (
        "{what} cannot be used: {problem}. Nothing is half done, and readers see what they saw. Make room or "
        "mend the folder, then run it again"
    )


class CatalogDamaged(YourData):
    """The file of a catalog is none any more; the files of versions are not touched by that."""

    template = (
        "The catalog of {domain} cannot be read: {problem}. Put it back from a backup: "
        "`mesh lake restore PLACE {domain}`. Without one, {without}"
    )


class FileDamaged(YourData):
    """A file of a version is gone, or is not what was written."""

    template = (
        "{product} cannot be read: {file} is gone or damaged ({problem}). See what else is: `mesh lake check "
        "{domain} --deep`. Put it back from a backup (`mesh lake restore`), roll back (`mesh versions "
        "{product}`), or make it again: `mesh build {product} --force`"
    )


#: What the system says of a disk that is full, can only be read, or fails.
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


def disk_refused(error: OSError, where: Path | str = "A file") -> DiskRefused | None:
    """The error in words, None if it is not the disk's; `where` is told if the system names no file."""
    if error.errno not in DISK:
        return None
    return DiskRefused(what=error.filename or where, problem=error.strerror)


class RegistryLost(YourData):
    """The registry's server went away, or its file cannot be used. A COMMIT that was under way may have
    landed: whoever releases again under the same run gets what it released.
    """

    template = (
        "{where} does not answer: {problem}. Nothing is half done, and readers see what they saw. Look at "
        "MESH_REGISTRY, the server, and PGPASSWORD or the password file; then run it again: what landed "
        "already is not done twice"
    )


class RegistryFileRefused(RegistryLost):
    """A registry in a file whose disk is full, can only be read, or does not answer."""

    template = (
        "{where} cannot be used: {problem}. Nothing is half done, and readers see what they saw. Make room "
        "or mend the folder, then run it again: what landed already is not done twice"
    )


class RegistryDamaged(YourData):
    template = (
        "The registry at {where} cannot be read: {problem}. `mesh lake check` says what is wrong with it; "
        "`mesh lake check --repair --yes` puts it aside and makes it again from what lies beside the data"
    )


class RegistryRefused(YourCode):
    template = (
        "{where} does not let this database role do that: {problem}. A domain's writer writes rows of its "
        "own products; see who may do what: `mesh lake grants`"
    )


class NotAllowed(YourCode):
    template = (
        "This database role may not do that to the lake of {domain}: {problem}. A domain's writer writes its "
        "own lake; see `mesh lake grant`"
    )


class LakeElsewhere(YourCode):
    template = (
        "The lake of {domain} keeps its data in {there}, as its catalog says, and the settings here say "
        "{here}. Set MESH_DATA_{variable}={there}; a lake does not move by a change of settings"
    )


class CannotGrant(YourCode):
    template = "Roles cannot be made: {problem}. {remedy}"
