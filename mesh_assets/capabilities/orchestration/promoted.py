"""Promotions as Dagster hears of them: materializations with data versions, checks, and a reload.

A promotion starts no run, so its events are reported when all of it is there. Who dies before that finds the
promotion landed in the ledger, and tells Dagster with the next `--resume` or promotion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mesh_assets.capabilities.kitchens import promote as kitchens
from mesh_assets.capabilities.kitchens.crossing import crossing
from mesh_assets.capabilities.kitchens.plan import Plan
from mesh_assets.capabilities.kitchens.promote import Outcome, Wanted
from mesh_assets.capabilities.kitchens.undo import Undoing, Undone, undo
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.orders import ServerRefused
from mesh_assets.words.promotions import Promotion, PromotionState
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE, Version

if TYPE_CHECKING:
    import dagster as dg

RELOAD = "mutation { reloadWorkspace { __typename ... on PythonError { message } } }"


@dataclass(frozen=True)
class Reload:
    """What a running server said."""

    #: Its address, "" if none runs.
    server: str = ""
    problem: str = ""


def promote(settings: Settings, name: str, wanted: Wanted | None = None) -> tuple[Outcome, Reload]:
    """Promote a kitchen, tell Dagster, and let a running server read the code anew."""
    outcome = kitchens.promote(settings, name, wanted)
    if outcome.promotion is None:
        return outcome, Reload()
    with crossing(settings, name) as sides:
        _tell_what_was_left(sides.there, but=outcome.promotion.id)
        over, reload = _told(sides.there, outcome.promotion)
    return replace(outcome, promotion=over), reload


def resume(settings: Settings, name: str) -> tuple[Promotion, Reload]:
    """Finish a promotion that was interrupted, whatever was missing."""
    found = kitchens.resume(settings, name)
    if found.state is not PromotionState.LANDED:
        return found, Reload()
    with crossing(settings, name) as sides:
        return _told(sides.there, found)


def take_back(settings: Settings, number: int, *, reason: str = "", who: str = "") -> tuple[Undone, Reload]:
    """Undo a promotion, tell Dagster, and reload."""
    done = undo(settings, number, Undoing(reason, who))
    _tell_what_was_left(settings, but=done.promotion.id)
    over, reload = _told(settings, done.promotion)
    return replace(done, promotion=over), reload


def _tell_what_was_left(settings: Settings, *, but: int) -> None:
    """Earlier promotions that are there, and of which nobody has told Dagster; in their order."""
    with open_registry(settings) as registry:
        found = [each for each in registry.unfinished_promotions() if each.id != but]
    for each in found:
        if each.state is PromotionState.LANDED:
            _told(settings, each)


def _told(settings: Settings, promotion: Promotion) -> tuple[Promotion, Reload]:
    tell(settings, promotion)
    over = replace(promotion, state=PromotionState.DONE)
    with open_registry(settings) as registry:
        registry.keep_promotion(kitchens.ended(over))
    return kitchens.ended(over), reload_server(settings) if promotion.after else Reload()


def tell(settings: Settings, promotion: Promotion) -> None:
    """Events of all that it moved; telling twice does no harm."""
    from mesh_assets.capabilities.orchestration.instance import open_instance

    with open_registry(settings) as registry:
        versions = [registry.version(each.product, each.after) for each in promotion.moved]
        before = {
            each.product: registry.version(each.product, each.before)
            for each in promotion.moved
            if each.before is not None
        }
    if not versions:
        return
    with open_instance(settings) as instance:
        for version in versions:
            for event in _events(version, before.get(version.product), promotion):
                instance.report_runless_asset_event(event)


def reload_server(settings: Settings) -> Reload:
    """Let the server of this home, if one runs, load its code locations again."""
    from mesh_assets.capabilities.orchestration.server import running_server

    server = running_server(settings)
    if server is None:
        return Reload()
    try:
        found = server.ask(RELOAD)["reloadWorkspace"]
    except (OSError, ServerRefused) as error:
        return Reload(server.url, str(error))
    return Reload(server.url, str(found.get("message", "")))


def _events(
    version: Version, before: Version | None, promotion: Promotion
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    import dagster as dg
    from dagster._core.definitions.data_version import DATA_VERSION_TAG

    from mesh_assets.capabilities.orchestration.steps import version_metadata

    key = dg.AssetKey(list(version.product.asset_key))
    word = f"{promotion.mode} promotion {promotion.id} of kitchen {promotion.kitchen}, by {promotion.who}"
    for partition in _changed(version, before):
        week = None if partition == WHOLE else partition
        yield dg.AssetMaterialization(
            asset_key=key,
            partition=week,
            description=f"Came with {word}.",
            metadata={**version_metadata(version, "published", week), "promotion": promotion.id},
            tags={DATA_VERSION_TAG: version.fingerprint or "empty"},
        )
    for said in version.certificate.rule_results:
        blocking = said["severity"] == "error" and not said.get("quarantined_rows")
        yield dg.AssetCheckEvaluation(
            asset_key=key,
            check_name=str(said["id"]),
            passed=said["outcome"] == "passed",
            severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
            description=f"{said['summary']} (certificate of version {version.number})",
            metadata={},
        )


def _changed(version: Version, before: Version | None) -> list[str]:
    """Partitions that differ from what was shown."""
    own = version.certificate.partitions
    there = before.certificate.partitions if before else {}
    return [key for key, facts in own.items() if there.get(key) != facts] or list(own)[:1]


def told(plan: Plan) -> dict[str, object]:
    """A plan for scripts."""
    return {
        "products": {
            str(name): {
                "before": piece.before.number if piece.before else None,
                "fingerprint": piece.version.fingerprint,
                "rows": piece.version.rows,
                "audited again": piece.verdict is not None,
            }
            for name, piece in plan.pieces.items()
        },
        "stays the same": [str(name) for name in plan.equal],
        "code": [str(name) for name in sorted(plan.code)],
        "reads": {str(name): number for name, number in plan.reads.items()},
    }
