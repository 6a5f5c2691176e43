"""Errors of backups, restores and moves."""

from __future__ import annotations

from mesh_assets.words.errors import YourCode, YourData


class LakeMoved(YourData):
    template = "The lake of {domain} moved to {here} in this moment. Nothing was changed; run it again"


class NoLake(YourData):
    template = "{domain} has no lake yet: nothing was ever published in it. Build it: `mesh build {domain}`"


class PlaceTaken(YourData):
    template = "{place} is not empty, and no move of {domain} has filled it. Name another place, or empty it"


class MoveUnderWay(YourData):
    template = (
        "The lake of {domain} is being moved to {place}, and that did not end. Finish it first: {command}"
    )


class StillRead(YourData):
    template = (
        "{place}, where the catalog of {domain} was, is still read: for {seconds} seconds nobody let go "
        "of it. It stays, and readers are not held up. End their sessions, or run it again later"
    )


class FilesLost(YourData):
    """What was to be copied is not there; a copy would be less than it says."""

    template = "{count} files of the lake of {domain} cannot be copied: {file} {problem}. {remedy}"


class BackupMissing(YourData):
    template = "There is no backup{wanted} in {place}; it has {known}. Make one: `mesh lake backup PLACE`"


class WouldGoBack(YourData):
    template = (
        "Here {domain} is newer than the backup of {made}: {newer}. To go back to the backup and lose that, "
        "say --yes"
    )


class RegistryMoved(YourData):
    template = "This registry was moved: set MESH_REGISTRY={there}"


class RegistryTaken(YourData):
    template = "The registry at {place} is not empty. Name an empty database"


class CannotMove(YourCode):
    template = "{what} cannot be moved: {problem}"
