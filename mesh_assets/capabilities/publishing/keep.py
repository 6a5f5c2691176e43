"""What is kept beside versions: a refused draft with its failing rows, the artifacts of a version."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mesh_assets.capabilities.checks.failures import write_failures
from mesh_assets.capabilities.lake import draft_sql, lake_of
from mesh_assets.capabilities.lake.stores import is_object, store_at
from mesh_assets.capabilities.publishing.auditor import Auditor
from mesh_assets.capabilities.publishing.beside import what_stays
from mesh_assets.capabilities.publishing.certify import contract_of
from mesh_assets.capabilities.publishing.workshop import Bench, Workshop
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Verdict
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Draft


def draft_folder(settings: Settings, name: ProductName) -> Path:
    """Where the last refused draft of a product is kept."""
    return settings.home / "drafts" / name.domain / name.product


def keep_draft(auditor: Auditor, draft: Draft, verdict: Verdict) -> Path:
    """Keep the draft, what it was held against and, per broken rule, its failing rows as Parquet.

    The draft before it goes.
    """
    settings, contract = auditor.bench.workshop.settings, contract_of(auditor.work.asset, draft)
    folder = draft_folder(settings, draft.product)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "rows").mkdir(parents=True)
    compared, beside = auditor.compared_with(draft), what_stays(auditor, draft)
    asked = [each.rule.id for each in verdict.results if beside and beside.asked(each.rule, draft)]
    write_failures(
        auditor.bench.con,
        draft_sql(draft),
        contract,
        verdict,
        folder / "rows",
        references=compared["references"],
        whole_sql=compared["whole_sql"],
        beside=dict.fromkeys(asked, beside.relation) if beside else {},
    )
    for index, file in enumerate(draft.files):
        store_at(file.path).fetch(file.path, folder / f"draft-{index}.parquet")
    (folder / "contract.yaml").write_text(contract.text, encoding="utf-8")
    kept = KeptDraft(
        run_id=draft.run_id,
        columns=draft.columns,
        references={str(name): sql for name, sql in compared["references"].items()},
        others=compared["whole_sql"],
        beside=beside.relation if beside else None,
        asked=tuple(asked),
    )
    (folder / "draft.json").write_text(json.dumps(vars(kept)), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class KeptDraft:
    """What a refused draft was held against, so that its failing rows can be found again, all of them."""

    run_id: str
    columns: tuple[tuple[str, str], ...]
    #: Product -> SQL over the files of its pinned version.
    references: Mapping[str, str]
    #: The published partitions that the draft did not replace.
    others: str | None
    #: Their rows with all columns of the draft, and the rules that were asked of them by themselves.
    beside: str | None = None
    asked: tuple[str, ...] = ()


def kept_draft(settings: Settings, name: ProductName) -> KeptDraft | None:
    """The last refused draft of a product, None if none is kept."""
    path = draft_folder(settings, name) / "draft.json"
    return KeptDraft(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def keep_artifacts(workshop: Workshop, bench: Bench) -> str | None:
    """Put what the recipe left in `run.artifacts` beside the lake's data, under the run's id."""
    if not any(bench.artifacts.iterdir()):
        return None
    folder = artifact_folder(workshop.settings, bench.asset.name, workshop.run_id)
    store = store_at(folder)
    if not is_object(folder):
        shutil.rmtree(folder, ignore_errors=True)  # an earlier attempt of this very run
    for file in sorted(path for path in bench.artifacts.rglob("*") if path.is_file()):
        store.add(file, f"{folder}/{file.relative_to(bench.artifacts)}")
    return folder


def artifact_folder(settings: Settings, name: ProductName, run_id: str) -> str:
    """Where a version's artifacts are: `run_id` is in its certificate."""
    return f"{lake_of(settings, name.domain).root}/artifacts/{name.product}/{run_id}"
