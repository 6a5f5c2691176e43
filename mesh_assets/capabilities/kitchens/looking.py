"""What there is to know of kitchens: how old, how far from their base, what they have made, what it costs.

Cheap by design: numbers of heads are compared, no row and no contract is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.kitchens.dropping import commits_of_its_own
from mesh_assets.capabilities.kitchens.processes import server_of
from mesh_assets.capabilities.kitchens.raw import moved_since_pin
from mesh_assets.capabilities.lake.stores import is_object, store_at
from mesh_assets.capabilities.publishing.code import git
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.kitchens import RECORD, Kitchen, KitchenState, MovedFile, UnknownKitchen
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings, in_kitchen
from mesh_assets.words.versions import BuildOutcome

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry

#: How the last builds of its own products ended.
TESTS = {
    BuildOutcome.PUBLISHED: "passed",
    BuildOutcome.UNCHANGED: "passed",
    BuildOutcome.REFUSED: "refused",
    BuildOutcome.FAILED: "failed",
    BuildOutcome.SKIPPED: "skipped",
}


@dataclass(frozen=True)
class Look:
    """One kitchen as it is now."""

    kitchen: Kitchen
    age: timedelta
    #: Products of its own making, with their versions.
    made: Mapping[ProductName, int] = field(default_factory=dict)
    #: Product -> (version that it has, version of the base now), of what has moved in the base.
    moved: Mapping[ProductName, tuple[int | None, int | None]] = field(default_factory=dict)
    #: Those of them that what it made was made from.
    moved_inputs: tuple[ProductName, ...] = ()
    #: What it made -> files that it was made from, and that the version of the pin was not.
    sources_moved: Mapping[ProductName, tuple[MovedFile, ...]] = field(default_factory=dict)
    #: Releases of the base since it was opened.
    releases: int = 0
    bytes: int = 0
    #: `passed`, `refused`, `failed`, `skipped` -> products.
    tests: Mapping[str, int] = field(default_factory=dict)
    #: Commits of its own, and files that are in none.
    commits: int = 0
    uncommitted: int = 0
    server: int | None = None
    #: Why it cannot be used, "" if it can.
    problem: str = ""


def look_at_all(settings: Settings) -> list[Look]:
    """Every kitchen, by name."""
    with open_registry(settings.root) as registry:
        return [_look(settings.root, registry, each) for each in registry.kitchens()]


def look_at(settings: Settings, name: str) -> Look:
    """One kitchen; raises UnknownKitchen."""
    with open_registry(settings.root) as registry:
        return _look(settings.root, registry, registry.kitchen(name))


def _look(root: Settings, registry: Registry, kitchen: Kitchen) -> Look:
    age = datetime.now(UTC) - kitchen.opened
    if kitchen.state is not KitchenState.OPEN or not (kitchen.home / RECORD).is_file():
        state = kitchen.state.value if kitchen.state is not KitchenState.OPEN else "without its folder"
        return Look(kitchen, age, problem=f"{state}: it was interrupted. Drop it")
    try:
        base = root if kitchen.base == root.environment else in_kitchen(root, kitchen.base)
    except UnknownKitchen as error:
        return Look(kitchen, age, problem=str(error))
    with open_registry(in_kitchen(root, kitchen.name)) as own:
        stored = own.stored_heads()
        made = {name: number for name, (number, there) in stored.items() if not there}
        opened = own.instant_opened()
        moved, releases = _moved(base, registry, kitchen, opened)
        tests = _tests(own, made)
        inputs = own.inputs_of(made)
        files = {name: moved_since_pin(own, name, own.version(name, number)) for name, number in made.items()}
    return Look(
        kitchen,
        age,
        made=made,
        moved=moved,
        moved_inputs=tuple(sorted(name for name in moved if name in inputs)),
        sources_moved={name: each for name, each in sorted(files.items()) if each},
        releases=releases,
        bytes=own_bytes(kitchen),
        tests=tests,
        commits=_commits(kitchen),
        uncommitted=_uncommitted(kitchen),
        server=server_of(kitchen.home),
        problem="its time is over: what it reads may go. Extend or drop it" if _over(kitchen) else "",
    )


def _over(kitchen: Kitchen) -> bool:
    return kitchen.expired(datetime.now(UTC))


def _moved(
    base: Settings, root: Registry, kitchen: Kitchen, opened: Mapping[ProductName, int]
) -> tuple[dict[ProductName, tuple[int | None, int | None]], int]:
    """What the base shows now and did not show at the opening, and how many releases that were."""
    if base.base is None:
        now = root.instant()
    else:
        with open_registry(base) as registry:
            now = registry.instant()
    names = sorted({*opened, *now.numbers})
    pairs = {name: (opened.get(name), now.numbers.get(name)) for name in names}
    return {
        name: pair for name, pair in pairs.items() if pair[0] != pair[1]
    }, now.release - kitchen.base_release


def _tests(registry: Registry, made: Mapping[ProductName, int]) -> dict[str, int]:
    """How the last builds in the kitchen ended: of what it made, and of what it could not make."""
    found: dict[str, int] = {}
    for record in registry.builds_here():
        word = TESTS[record.outcome]
        found[word] = found.get(word, 0) + 1
    return found


def own_bytes(kitchen: Kitchen) -> int:
    """Bytes that only the kitchen has: files with no other name, and its objects; its code aside."""
    code = kitchen.home / "code"
    files = (path for path in kitchen.home.rglob("*") if code not in path.parents and path.is_file())
    stats = (path.lstat() for path in files)
    return sum(each.st_size for each in stats if each.st_nlink == 1) + _objects(kitchen)


def _objects(kitchen: Kitchen) -> int:
    total = 0
    for record in kitchen.home.glob("lakes/*/place"):
        place = (record.read_text(encoding="utf-8").splitlines() or [""])[0]
        if is_object(place):
            total += sum(each.bytes for each in store_at(place).below(place))
    return total


def _commits(kitchen: Kitchen) -> int:
    return commits_of_its_own(Path(kitchen.repository), kitchen) if kitchen.repository else 0


def _uncommitted(kitchen: Kitchen) -> int:
    if not kitchen.repository:
        return 0
    return len((git(kitchen.code, "status", "--porcelain") or "").splitlines())


def plain_kitchen(kitchen: Kitchen) -> dict[str, Any]:
    """For scripts."""
    return {
        **vars(kitchen),
        "home": str(kitchen.home),
        "code": str(kitchen.code),
        "state": kitchen.state.value,
        "domains": list(kitchen.domains),
    }


def plain_look(look: Look) -> dict[str, Any]:
    """For scripts."""
    kitchen = look.kitchen
    return {
        **plain_kitchen(kitchen),
        "age_seconds": round(look.age.total_seconds()),
        "expired": _over(kitchen),
        "made": {str(name): number for name, number in sorted(look.made.items())},
        "moved": {str(name): list(pair) for name, pair in look.moved.items()},
        "moved_inputs": [str(name) for name in look.moved_inputs],
        "sources_moved": {
            str(name): [vars(each) for each in files] for name, files in look.sources_moved.items()
        },
        "releases_since": look.releases,
        "bytes": look.bytes,
        "tests": dict(look.tests),
        "commits": look.commits,
        "uncommitted": look.uncommitted,
        "server": look.server,
        "problem": look.problem,
    }


def leftovers(settings: Settings) -> Iterator[str]:
    """What is half there, or has outlived its time, in a sentence each."""
    root = settings.root
    with open_registry(root) as registry:
        rows = {each.name: each for each in registry.kitchens()}
        holders = registry.pin_holders("kitchen:")
    folders = {path.name for path in root.kitchen_home("x").parent.glob("*") if path.is_dir()}
    for name, kitchen in rows.items():
        if kitchen.state is not KitchenState.OPEN:
            yield f"kitchen {name} is half {_half(kitchen)}: `mesh kitchen drop {name}`"
        elif name not in folders:
            yield f"kitchen {name} has lost its folder {kitchen.home}: `mesh kitchen drop {name}`"
        elif _over(kitchen):
            told = f"{kitchen.expires:%Y-%m-%d %H:%M}"
            yield f"the time of kitchen {name} ended on {told}: `mesh kitchen extend {name}`, or drop it"
    for name in sorted(folders - set(rows)):
        yield f"{root.kitchen_home(name)} is a folder of no kitchen: `mesh kitchen drop {name}`"
    for name in sorted({holder.removeprefix("kitchen:") for holder in holders} - set(rows) - folders):
        yield f"pins are held for kitchen {name}, which is gone: `mesh kitchen drop {name}`"


def _half(kitchen: Kitchen) -> str:
    return "opened" if kitchen.state is KitchenState.OPENING else "dropped"
