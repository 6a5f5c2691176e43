"""Whether a year went as its script says: what was told, what was made, the lake against a clean rebuild."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.year.mesh import PRODUCTS, made
from benchmarks.year.script import Told, Week, fills_expected
from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.publishing.arrivals import look_for_arrivals
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from mesh_assets.words.settings import Settings
from tests.shop import Shop


@dataclass(frozen=True)
class Report:
    """All is as it should be if every list is empty."""

    #: Told and not in the script, or in the script and not told, by subject.
    told_wrongly: list[str] = field(default_factory=list)
    #: (product, partition) made twice of the same rows.
    made_twice: list[str] = field(default_factory=list)
    #: Weeks of fills that were made more or less often than their drops changed.
    miscounted: list[str] = field(default_factory=list)
    #: Partitions that differ from those of a clean rebuild.
    differs: list[str] = field(default_factory=list)
    figures: Mapping[str, int] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return not (self.told_wrongly or self.made_twice or self.miscounted or self.differs)


def hold(mesh: Shop, script: Sequence[Week], bodies: Sequence[Mapping[str, Any]]) -> Report:
    """Compare; the clean rebuild takes place in a home beside."""
    told, expected = told_of(bodies), expected_of(script)
    log = made(mesh)
    differs, compared = against_rebuild(mesh)
    return Report(
        told_wrongly=told_differs(told, expected),
        made_twice=[" ".join(each) for each, count in Counter(log).items() if count > 1],
        miscounted=miscounted(log, script),
        differs=differs,
        figures={"messages": len(bodies), "told": len(told), "made": len(log), "compared": compared},
    )


def told_of(bodies: Sequence[Mapping[str, Any]]) -> list[Told]:
    """What came to the receiver, in the order in which it was found."""
    found = [
        (item["subject"], "" if item["recovered"] else ",".join(item["states"]))
        for body in sorted(bodies, key=lambda each: str(each["at"]))
        for item in body["items"]
    ]
    return [(str(subject), states) for subject, states in found]


def expected_of(script: Sequence[Week]) -> list[Told]:
    return [each for week in script for each in week.told]


def told_differs(told: Sequence[Told], expected: Sequence[Told]) -> list[str]:
    """Subject by subject, in order: what stands in one list and not in the other."""
    wrong = []
    for subject in sorted({name for name, _ in (*told, *expected)}):
        came = [states or "over" for name, states in told if name == subject]
        due = [states or "over" for name, states in expected if name == subject]
        if came != due:
            same = next(
                (n for n in range(max(len(came), len(due))) if came[n : n + 1] != due[n : n + 1]), len(due)
            )
            more, less = Counter(came) - Counter(due), Counter(due) - Counter(came)
            wrong.append(
                f"{subject}: from number {same}: came {came[same : same + 4]}, due {due[same : same + 4]}; "
                f"too much {dict(more)}, missing {dict(less)}"
            )
    return wrong


def miscounted(log: Sequence[tuple[str, str, str]], script: Sequence[Week]) -> list[str]:
    came = Counter(key for product, key, _ in log if product == "till.fill")
    due = {str(week): count for week, count in fills_expected(list(script)).items()}
    return [
        f"{key}: made {came[key]} times, due {due.get(key, 0)}"
        for key in sorted({*came, *due})
        if came[key] != due.get(key, 0)
    ]


def against_rebuild(mesh: Shop) -> tuple[list[str], int]:
    """Everything made once, in order, in a fresh home, of the files as they are now."""
    clean = Shop(mesh.root, {"MESH_HOME": str(mesh.root / "clean")})
    with open_registry(clean.settings) as registry:
        look_for_arrivals(clean.settings, registry, read_domain_assets(clean.settings, "till").domain)
    for number, product in enumerate(PRODUCTS):
        clean.build(product, run_id=f"clean-{number}")
    ours, theirs = _partitions(mesh.settings), _partitions(clean.settings)
    wrong = [
        f"{key}: {ours.get(key)} here, {theirs.get(key)} clean"
        for key in sorted({*ours, *theirs})
        if ours.get(key) != theirs.get(key)
    ]
    return wrong, len(theirs)


def _partitions(settings: Settings) -> dict[str, str]:
    found = {}
    with open_registry(settings) as registry:
        for product in PRODUCTS:
            head = registry.head(product_name(product))
            for key, facts in head.certificate.partitions.items() if head else ():
                found[f"{product} {key}"] = str(facts["fingerprint"])
    return found
