"""Who has to agree before a kitchen is promoted, who has, and to what exactly.

An owner agrees to one state: the changes of code against where the branch left the other side, and the
content of what the kitchen made. Another state has another digest, and nobody has agreed to it yet. A
promotion that makes data anew because production moved, by the code that was agreed to, needs no second word.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mesh_assets.capabilities.kitchens.crossing import Crossing
from mesh_assets.capabilities.kitchens.owners import (
    Owners,
    all_owners,
    asked_of,
    read_owners,
    same_owner,
    unanswered,
)
from mesh_assets.capabilities.kitchens.repository import ask, changed_between
from mesh_assets.capabilities.kitchens.touched import (
    ChangedContract,
    Side,
    changed_contracts,
    code_changed,
    folder_of,
)
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.code import who as whoever
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import Approval, NotAgreed, NotAnOwner


@dataclass(frozen=True)
class Agreement:
    """How it stands."""

    owners: Owners
    digest: str
    #: Group of owners, of whom one will do -> what they are asked about.
    asked: dict[tuple[str, ...], tuple[str, ...]]
    #: Approvals of this state, and of earlier ones.
    given: tuple[Approval, ...] = ()
    void: tuple[Approval, ...] = ()
    #: Of those that are asked, as one text -> what.
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)


def agreement(crossing: Crossing, who: str = "") -> Agreement:
    """Who is asked, and who has agreed. Whoever promotes agrees by doing it."""
    owners, digest = read_owners(crossing.there, crossing.top), digest_of(crossing)
    asked = asked_of(owners, _paths(crossing, owners))
    known = crossing.theirs.approvals(crossing.name)
    given = tuple(each for each in known if each.digest == digest)
    agreed = [*(each.owner for each in given), who or whoever()]
    return Agreement(
        owners=owners,
        digest=digest,
        asked=asked,
        given=given,
        void=tuple(each for each in known if each.digest != digest),
        missing=unanswered(asked, agreed),
    )


def refuse_without_agreement(crossing: Crossing, who: str = "") -> Agreement:
    found = agreement(crossing, who)
    if found.missing:
        voided = tuple(each.owner for each in found.void)
        raise NotAgreed(kitchen=crossing.name, missing=found.missing, voided=voided)
    return found


def approve(crossing: Crossing, owner: str, who: str = "") -> Approval:
    """Agree to the kitchen as it is now; raises NotAnOwner."""
    found = agreement(crossing, who)
    known = all_owners([*found.asked, *(line.owners for line in found.owners.lines)])
    name = next((each for each in known if same_owner(each, owner)), None)
    if name is None:
        asked = ", ".join(all_owners(found.asked)) or "nobody"
        raise NotAnOwner(owner=owner, kitchen=crossing.name, asked=asked)
    approval = Approval(crossing.name, name, who or whoever(), found.digest, datetime.now(UTC))
    crossing.theirs.approve(approval)
    return approval


def digest_of(crossing: Crossing) -> str:
    """One line for the state that is agreed to."""
    digest = hashlib.sha256()
    if crossing.has_code:
        start = ask(crossing.repository, "merge-base", crossing.head, crossing.branch)
        digest.update(ask(crossing.repository, "diff", "--full-index", start, crossing.branch).encode())
    for name, version in sorted(crossing.made.items()):
        digest.update(f"\n{name} {version.fingerprint} {version.contract_version}".encode())
    return digest.hexdigest()[:32]


def contracts_in(crossing: Crossing) -> list[ChangedContract]:
    """Contracts that the kitchen's code changes."""
    before = Side(crossing.there, read_mesh(crossing.there))
    after = Side(crossing.here, read_mesh(crossing.here))
    return list(changed_contracts(before, after, code_changed(before.mesh, after.mesh)))


def _paths(crossing: Crossing, owners: Owners) -> dict[str, str]:
    """What is changed or broken, as the file of owners names it."""
    if owners.file is None:
        return {}
    beside = owners.file.parent == crossing.there.domains.parent
    root = owners.file.parent if beside or crossing.top is None else crossing.top
    found: dict[str, str] = {}
    for name in crossing.made:
        _add(found, root, folder_of(crossing.there, name), str(name))
    if crossing.has_code:
        top = crossing.repository
        start = ask(top, "merge-base", crossing.head, crossing.branch)
        for each in changed_between(top, start, crossing.branch):
            for path in filter(None, (each.path, each.was)):
                _add(found, root, top / path, _called(crossing, top / path))
        for contract in contracts_in(crossing):
            for name in contract.broken:
                _add(found, root, folder_of(crossing.there, name), f"{name} (broken by {contract.product})")
    return found


def _add(found: dict[str, str], root: Path, path: Path, called: str) -> None:
    root, path = root.resolve(), path.resolve()
    if path.is_relative_to(root):
        found.setdefault(path.relative_to(root).as_posix(), called)


def _called(crossing: Crossing, path: Path) -> str:
    """The product that a file is of, else the file's own name."""
    domains = crossing.there.domains.resolve()
    if path.is_relative_to(domains) and len(parts := path.relative_to(domains).parts) > 2:
        return str(ProductName(parts[0], parts[1]))
    assert crossing.top is not None
    return path.relative_to(crossing.top).as_posix()
