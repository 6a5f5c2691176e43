"""Rows of a quarantine that people mended in a kitchen: they are promoted with the version made of them.

A kitchen begins with the other side's corrections and remembers them as it took them over. What was corrected
in the kitchen alone becomes the other side's behind the release, what was corrected there alone is taken over
with the product, and what was corrected on both sides is for people. Not here: what a correction is
(publishing.corrected_files).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.kitchens.crossing import Crossing
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.publishing.corrected_files import (
    SOURCE,
    Corrections,
    corrections_folder,
    current_corrections,
    keep_corrections,
    one_at_a_time,
)
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.promotions import Promotion
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version

#: The other side's list as it was when the kitchen took it over.
TAKEN = "taken.json"

Listed = dict[str, Corrections]


def begin_with(base: Settings, home: Path) -> None:
    """Link what counts into a kitchen that is being opened: the files are never edited."""
    here = replace(base, home=home)
    for folder in sorted(each.parent for each in (base.home / "corrections").glob("*/*/current.json")):
        name = ProductName(folder.parent.name, folder.name)
        _take(here, name, current_corrections(base, name), folder)


def corrected_since(here: Settings, head: Version) -> bool:
    """Whether rows were corrected in the kitchen that are not in what it shows."""
    now = current_corrections(here, head.product)
    if now == current_corrections(here, head.product, TAKEN):
        return False
    used = {
        each.sha256 for each in head.certificate.sources if each.name == f"{head.product.product}{SOURCE}"
    }
    return {each.sha256 for each in now.values()} != used


def both_corrected(crossing: Crossing, name: ProductName) -> str:
    """In words, if people corrected rows of a product on both sides, and not the same; else ""."""
    here, there, taken = _three(crossing, name)
    if there in (here, taken) or here == taken:
        return ""
    who = sorted({each.who for part, each in there.items() if each != taken.get(part)})
    told = f"rows of {name} were corrected on the other side too{' by ' if who else ''}{', '.join(who)}"
    return f"{told}: build it there, or take back those of the kitchen (`mesh quarantine release --discard`)"


def take_corrections(crossing: Crossing, names: Collection[ProductName]) -> None:
    """What only the other side corrected counts in the kitchen too."""
    for name in names:
        here, there, taken = _three(crossing, name)
        if there != taken and here in (taken, there):
            _take(crossing.here, name, there, corrections_folder(crossing.there, name))


def corrected_here(crossing: Crossing, names: Collection[ProductName]) -> dict[str, Any]:
    """For the ledger: before and after of each product whose rows were corrected in the kitchen alone; their
    files are laid beside the other side's, where they do not count yet.
    """
    found = {}
    for name in names:
        here, there, taken = _three(crossing, name)
        if here in (taken, there):
            continue
        _link(corrections_folder(crossing.here, name), corrections_folder(crossing.there, name), here)
        found[str(name)] = {"before": _plain(there), "after": _plain(here)}
    return {"corrected": found} if found else {}


def back_again(promotion: Promotion) -> dict[str, Any]:
    """The same for the promotion that undoes this one."""
    found = {
        name: {"before": facts["after"], "after": facts["before"]}
        for name, facts in promotion.plan.get("corrected", {}).items()
    }
    return {"corrected": found} if found else {}


def let_count(settings: Settings, promotion: Promotion) -> None:
    """What is shown is made of these rows: let them count. May be done again; later corrections stay."""
    for name, facts in promotion.plan.get("corrected", {}).items():
        product = product_name(name)
        with one_at_a_time(settings, product):
            if _plain(current_corrections(settings, product)) == facts["before"]:
                after = {part: Corrections(**each) for part, each in facts["after"].items()}
                keep_corrections(settings, product, after)


def _three(crossing: Crossing, name: ProductName) -> tuple[Listed, Listed, Listed]:
    """The kitchen's, the other side's, and what the kitchen took over."""
    here = current_corrections(crossing.here, name)
    return here, current_corrections(crossing.there, name), current_corrections(crossing.here, name, TAKEN)


def _take(here: Settings, name: ProductName, listed: Listed, source: Path) -> None:
    with one_at_a_time(here, name):
        _link(source, corrections_folder(here, name), listed)
        keep_corrections(here, name, listed)
        keep_corrections(here, name, listed, TAKEN)


def _link(source: Path, into: Path, listed: Listed) -> None:
    place = store_at(str(into))
    for each in listed.values():
        place.copy(str(source / each.file), str(into / each.file))


def _plain(listed: Listed) -> dict[str, Any]:
    return {part: asdict(each) for part, each in sorted(listed.items())}
