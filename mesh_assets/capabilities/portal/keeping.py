"""Where a changed contract is kept: in a kitchen, or in the working tree if the mesh is set so.

Here: which file that is, writing it whole, the commit in a kitchen. Not here: what is written (rules).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from mesh_assets.capabilities.contracts.document import read_text
from mesh_assets.capabilities.kitchens.opening import Wish, open_kitchen
from mesh_assets.capabilities.publishing.code import git
from mesh_assets.words.kitchens import RECORD, Kitchen, KitchenState
from mesh_assets.words.names import ProductName
from mesh_assets.words.portal import ContractMoved, NothingKept, Saves
from mesh_assets.words.settings import Settings, in_kitchen


@dataclass(frozen=True)
class Desk:
    """A contract as it lies where changes go; `kitchen` is "" for the working tree."""

    file: Path
    text: str
    kitchen: str
    settings: Settings

    @property
    def mark(self) -> str:
        """Differs when the text does."""
        return sha256(self.text.encode()).hexdigest()


def desk_of(settings: Settings, name: ProductName, kitchen: str = "") -> Desk:
    """The contract in that kitchen, or in the tree that the portal shows. Raises UnknownKitchen."""
    where = in_kitchen(settings.root, kitchen) if kitchen else settings
    file = where.domains / name.domain / name.product / "contract.yaml"
    return Desk(file, read_text(file), kitchen or where.kitchen, where)


def keep(settings: Settings, saves: Saves, desk: Desk, text: str, *, who: str, mail: str, told: str) -> Desk:
    """Write the contract; raises ContractMoved if somebody else changed it since the page was made.

    In a kitchen it is a commit on the kitchen's branch; the kitchen is opened if there is none yet.
    """
    name = ProductName(desk.file.parent.parent.name, desk.file.parent.name)
    if saves is Saves.OFF:
        raise NothingKept()
    if saves is Saves.KITCHEN and not settings.kitchen:
        word = desk.kitchen or kitchen_for(name)
        there = desk_of(settings, name, _opened(settings, word, name, who))
        if there.text != desk.text:
            raise ContractMoved(file=there.file)
        _write(there.file, text)
        _commit(there, who, mail, told)
        return replace(there, text=text)
    if read_text(desk.file) != desk.text:
        raise ContractMoved(file=desk.file)
    _write(desk.file, text)
    return replace(desk, text=text)


def kitchen_for(name: ProductName) -> str:
    """The kitchen that changes of a product's rules go to unless another one is named."""
    return f"rules-{name.product.strip('_').replace('__', '_')}"[:40].rstrip("-_")


def usual_kitchen(settings: Settings, name: ProductName) -> str:
    """The kitchen of this product's rules if it is there already, else ""."""
    word = kitchen_for(name)
    return word if (settings.root.kitchen_home(word) / RECORD).is_file() else ""


def kitchens_open(kitchens: Sequence[Kitchen]) -> list[str]:
    """Kitchens that have code of their own to change."""
    return [each.name for each in kitchens if each.state is KitchenState.OPEN and each.branch]


def _opened(settings: Settings, word: str, name: ProductName, who: str) -> str:
    if (settings.root.kitchen_home(word) / RECORD).is_file():
        return word
    opened = open_kitchen(settings, word, Wish(domains=(name.domain,), owner=who))
    if not opened.kitchen.branch:
        raise NothingKept(why="the code is in no git repository, so a kitchen has none of its own")
    return word


def _commit(desk: Desk, who: str, mail: str, told: str) -> None:
    about = ("-c", f"user.name={who}", "-c", f"user.email={mail}")
    done = git(desk.file.parent, *about, "commit", "--quiet", "-m", told, "--", str(desk.file))
    if done is None:
        raise NothingKept(why=f"git could not commit {desk.file.name} in kitchen {desk.kitchen}")


def _write(file: Path, text: str) -> None:
    """Whole or not at all, whoever reads it meanwhile."""
    mode = file.stat().st_mode
    handle, half = tempfile.mkstemp(dir=file.parent, prefix=".contract-")
    with os.fdopen(handle, "w", encoding="utf-8") as written:
        written.write(text)
    half_path = Path(half)
    half_path.chmod(mode)
    half_path.replace(file)
