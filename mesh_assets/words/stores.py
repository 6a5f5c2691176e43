"""Errors of what holds a lake: its catalog's server, its bucket, and who may do what there."""

from __future__ import annotations

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
