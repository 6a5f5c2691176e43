"""What consumers expect, and a promotion would break: that is theirs to agree to."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mesh_assets.capabilities.kitchens.agreement import Agreement
from mesh_assets.capabilities.kitchens.crossing import Crossing
from mesh_assets.capabilities.kitchens.merged import Together
from mesh_assets.capabilities.kitchens.owners import same_owner
from mesh_assets.capabilities.kitchens.plan import Piece, Plan
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import ExpectationBroken
from mesh_assets.words.rules import Outcome


def refuse_newly_broken(state: Together, plan: Plan, agreed: Agreement) -> None:
    """Raise ExpectationBroken for a rule that production kept, and the merged state does not, unless an owner
    of the consumer has agreed to this state; also for a file that fits the contract no longer.
    """
    crossing, owners = state.crossing, [each.owner for each in agreed.given]
    for name, consumer in _newly_left_out(state):
        if not _has_agreed(crossing, agreed, (name, consumer), owners):
            told = "its contract, as far as the file of expectations goes"
            raise ExpectationBroken(kitchen=crossing.name, product=name, rule=told, consumer=consumer)
    for name, piece in plan.pieces.items():
        for rule, consumer in _newly_broken(piece):
            if not _has_agreed(crossing, agreed, (name, consumer), owners):
                raise ExpectationBroken(kitchen=crossing.name, product=name, rule=rule, consumer=consumer)


def _newly_left_out(state: Together) -> set[tuple[ProductName, str]]:
    """Files of consumers that name what is not there any more: production would go on without them."""
    sides = (state.mesh, read_mesh(state.crossing.there))
    now, before = (
        {(each.product, each.consumer) for domain in mesh.domains.values() for each in domain.left_out}
        for mesh in sides
    )
    return now - before


def _newly_broken(piece: Piece) -> Iterator[tuple[str, str]]:
    before = piece.before.certificate.rule_results if piece.before else ()
    broken_already = {each["id"] for each in before if each["outcome"] != Outcome.PASSED}
    if piece.verdict is not None:
        found = [(r.rule.id, r.rule.expected_by, str(r.outcome)) for r in piece.verdict.results]
    else:
        said = piece.version.certificate.rule_results
        found = [(str(r["id"]), str(r.get("expected_by") or ""), str(r["outcome"])) for r in said]
    for rule, consumer, outcome in found:
        if consumer and outcome != Outcome.PASSED and rule not in broken_already:
            yield rule, consumer


def _has_agreed(
    crossing: Crossing, agreed: Agreement, whose: tuple[ProductName, str], given: Collection[str]
) -> bool:
    """By the file of owners: whoever owns what the consumer expects."""
    file = agreed.owners.file
    if file is None:
        return False
    folder = (crossing.there.domains / whose[1] / "expects" / f"{whose[0]}.yaml").resolve()
    root = file.parent.resolve()
    if not folder.is_relative_to(root):
        root = (crossing.top or root).resolve()
    group = agreed.owners.of(folder.relative_to(root).as_posix()) if folder.is_relative_to(root) else ()
    return any(same_owner(owner, each) for owner in group for each in given)
