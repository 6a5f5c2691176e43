"""A kitchen and what it was opened from, both open: what a comparison or a promotion looks at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from mesh_assets.capabilities.kitchens.repository import commit_of, head_of, repository_of
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.words.kitchens import Kitchen, branch_of
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import NoRepository
from mesh_assets.words.settings import Settings, in_kitchen
from mesh_assets.words.versions import Version


@dataclass(frozen=True)
class Crossing:
    """The two sides. Not to be kept: it says how things are now."""

    kitchen: Kitchen
    #: The kitchen's side.
    here: Settings
    own: Registry
    #: What it was opened from: production, or another kitchen.
    there: Settings
    theirs: Registry

    @property
    def name(self) -> str:
        return self.kitchen.name

    @cached_property
    def top(self) -> Path | None:
        """The working tree of the other side."""
        return repository_of(self.there)

    @property
    def repository(self) -> Path:
        if self.top is None or not self.has_code:
            raise NoRepository(folder=self.there.domains, kitchen=self.name)
        return self.top

    @property
    def has_code(self) -> bool:
        """Whether the kitchen has a branch of its own."""
        return bool(self.kitchen.branch) and self.top is not None

    @property
    def branch(self) -> str:
        """The commit that the kitchen's branch is at."""
        return commit_of(self.repository, branch_of(self.name))

    @property
    def head(self) -> str:
        """The commit that the other side runs now."""
        return head_of(self.repository)

    @cached_property
    def made(self) -> dict[ProductName, Version]:
        """The versions that the kitchen made and shows."""
        return {name: version for name, version in self.own.head_versions().items() if not version.stored}

    def taken(self, name: ProductName) -> Version | None:
        """What the kitchen last took over of a product from the other side, with the other side's number."""
        found = next((each for each in self.own.versions(name) if each.stored), None)
        return None if found is None else _as_numbered_there(found)


def _as_numbered_there(version: Version) -> Version:
    """A kitchen may have given the number to a version of its own by the time that it took this one over."""
    return replace(version, number=version.certificate.number or version.number)


@contextmanager
def crossing(settings: Settings, name: str) -> Iterator[Crossing]:
    """Both sides of a kitchen, by its name; raises UnknownKitchen."""
    root = settings.root
    here = in_kitchen(root, name)
    assert here.base is not None
    with open_registry(root) as ledger:
        kitchen = ledger.kitchen(name)
    with open_registry(here) as own, open_registry(here.base) as theirs:
        yield Crossing(kitchen, here, own, here.base, theirs)
