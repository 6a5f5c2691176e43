"""Moving what a kitchen made into the lakes of the other side: one snapshot a lake, no byte copied.

Here: drafts, commits and certificates. Nobody is shown anything by it. Not here: the release (promote).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.kitchens.merged import Together
from mesh_assets.capabilities.kitchens.plan import Piece, Plan
from mesh_assets.capabilities.lake import CATALOG_THREADS, connect, lake_of, write_manifest
from mesh_assets.capabilities.lake.arrivals import second_name
from mesh_assets.capabilities.lake.commit import Committed, Share, commit_all
from mesh_assets.capabilities.lake.places import literal, staging_of
from mesh_assets.capabilities.lake.stores import is_object, store_at, sync
from mesh_assets.capabilities.publishing.certify import told_result
from mesh_assets.capabilities.publishing.keep import artifact_folder
from mesh_assets.capabilities.publishing.lake_words import comments_of
from mesh_assets.capabilities.publishing.quarantine import nothing_aside
from mesh_assets.capabilities.registry import as_json
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import Promotion, PromotionMode
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE, Certificate, Draft, InputVersion, StagedFile, Version

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Landing:
    """A promotion on its way: everything that its steps need."""

    promotion: Promotion
    state: Together
    plan: Plan

    @property
    def there(self) -> Settings:
        return self.state.crossing.there


def bring(landing: Landing) -> list[Certificate]:
    """Commit all pieces, a lake at a time; their certificates, ready to be released."""
    committed: dict[ProductName, tuple[Piece, Committed]] = {}
    by_domain: dict[str, list[ProductName]] = {}
    for name in landing.plan.pieces:
        by_domain.setdefault(name.domain, []).append(name)
    try:
        with closing(connect(landing.there, threads=CATALOG_THREADS)) as con:
            shares = {
                domain: [_share(landing, con, name) for name in names] for domain, names in by_domain.items()
            }
        for domain, names in by_domain.items():
            done = commit_all(
                landing.there, shares[domain], who=landing.promotion.who, extra=_extra(landing, names)
            )
            committed |= {
                name: (landing.plan.pieces[name], one) for name, one in zip(names, done, strict=True)
            }
    finally:
        shutil.rmtree(landing.there.staging / landing.promotion.run_id, ignore_errors=True)
    return [_certified(landing, name, committed) for name in committed]


def _extra(landing: Landing, names: list[ProductName]) -> dict[str, Any]:
    """Another content is another commit, also of the same promotion."""
    content = {str(name): landing.plan.pieces[name].version.fingerprint for name in names}
    heads = {str(name): before.number for name in names if (before := landing.plan.pieces[name].before)}
    return {"kitchen": landing.promotion.kitchen, "content": content, "heads": heads}


def _share(landing: Landing, con: DuckDBPyConnection, name: ProductName) -> Share:
    piece = landing.plan.pieces[name]
    asset = landing.state.mesh.assets[name]
    column = asset.partitioning.column if asset.partitioning else None
    partitions = changed_partitions(piece) if column else (WHOLE,)
    certificate = piece.version.certificate
    draft = _draft(landing, con, (name, certificate.files), partitions, column)
    aside = None
    held = certificate.quarantine
    if held.get("table"):
        aside = _draft(landing, con, (name.quarantine, tuple(held["files"])), partitions, column)
        aside = aside if aside.columns else nothing_aside(draft)
    base = piece.before.snapshot if piece.before else 0
    return Share(draft, aside, base, comments_of(asset))


def changed_partitions(piece: Piece) -> tuple[str, ...]:
    """Those that differ; all of them where the columns do."""
    own = piece.version.certificate
    if piece.before is None:
        return tuple(own.partitions)
    there = piece.before.certificate
    keys = sorted({*own.partitions, *there.partitions})
    if _shapes(own) != _shapes(there):
        return tuple(keys)
    aside = own.quarantine.get("partitions", {}), there.quarantine.get("partitions", {})
    return tuple(
        key
        for key in keys
        if own.partitions.get(key) != there.partitions.get(key) or aside[0].get(key) != aside[1].get(key)
    )


def _shapes(certificate: Certificate) -> set[str]:
    """Fingerprints begin with a digest of the columns."""
    found = (str(each["fingerprint"]) for each in certificate.partitions.values() if each["fingerprint"])
    return {each.split(":")[1] for each in found}


def _draft(
    landing: Landing,
    con: DuckDBPyConnection,
    held: tuple[ProductName, tuple[str, ...]],
    partitions: tuple[str, ...],
    column: str | None,
) -> Draft:
    """The kitchen's files under second names, where the other side stages its drafts."""
    product, files = held
    root = lake_of(landing.state.crossing.here, product.domain).root
    paths = [f"{root}/{file}" for file in files]
    wanted = [(path, key) for path in paths if (key := _key(path, column)) in partitions]
    folder = staging_of(landing.there, product, landing.promotion.run_id)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    facts = _footers(con, [path for path, _ in wanted])
    staged = tuple(
        StagedFile(
            path if is_object(path) else second_name(path, str(folder / f"{at}.parquet")), key, *facts[path]
        )
        for at, (path, key) in enumerate(wanted)
    )
    sync(folder)
    columns = _columns(landing, con, product, paths)
    return Draft(product, landing.promotion.run_id, staged, columns, partitions, column)


def _key(path: str, column: str | None) -> str:
    from urllib.parse import unquote

    return WHOLE if column is None else unquote(Path(path).parent.name.partition("=")[2])


def _footers(con: DuckDBPyConnection, paths: list[str]) -> dict[str, tuple[int, int]]:
    if not paths:
        return {}
    listed = ", ".join(literal(path) for path in paths)
    query = f"SELECT file_name, num_rows, file_size_bytes FROM parquet_file_metadata([{listed}])"
    return {str(path): (int(rows), int(size)) for path, rows, size in con.execute(query).fetchall()}


def _columns(
    landing: Landing, con: DuckDBPyConnection, product: ProductName, paths: list[str]
) -> tuple[tuple[str, str], ...]:
    """As the files have them, in the order of the contract; without a file as the contract has them."""
    asset = landing.state.mesh.assets.get(product)
    promised = (
        [(each.name, each.physical_type) for each in asset.contract.columns]
        if asset and asset.contract
        else []
    )
    if not paths:
        return tuple(promised)
    listed = ", ".join(literal(path) for path in paths)
    query = f"DESCRIBE FROM read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
    found = {str(name): str(kind) for name, kind, *_ in con.execute(query).fetchall()}
    order = [name for name, _ in promised if name in found]
    return tuple((name, found[name]) for name in (*order, *(name for name in found if name not in order)))


def _certified(
    landing: Landing, name: ProductName, committed: Mapping[ProductName, tuple[Piece, Committed]]
) -> Certificate:
    """The kitchen's certificate, with where it is now, beside what, and who brought it."""
    piece, done = committed[name]
    own, place = piece.version.certificate, lake_of(landing.there, name.domain)
    promotion, contract = landing.promotion, landing.state.mesh.assets[name].contract
    quarantine = dict(own.quarantine)
    if quarantine.get("table"):
        quarantine["files"] = [place.relative(file) for file in done.files_beside]
    results = (
        tuple(told_result(each) for each in piece.verdict.results) if piece.verdict else own.rule_results
    )
    certificate = replace(
        own,
        number=None,
        contract_version=contract.version if contract else "",
        contract_text=contract.text if contract else "",
        rule_results=results,
        snapshot=done.snapshot,
        files=tuple(place.relative(file) for file in done.files),
        finished=datetime.now(UTC),
        inputs=tuple(_input(landing, each, committed) for each in own.inputs),
        git_commit=landing.state.commit or own.git_commit,
        git_dirty=own.git_dirty and not landing.state.commit,
        run_id=promotion.run_id,
        who=promotion.who,
        input_keys=dict(own.input_keys if promotion.mode is PromotionMode.DATA else piece.keys),
        quarantine=quarantine,
        rolled_back={},
        hold=_hold(landing, piece),
        promoted={
            "kitchen": promotion.kitchen,
            "promotion": promotion.id,
            "version": piece.version.number,
            "run": own.run_id,
            "who": own.who,
        },
    )
    _bring_artifacts(landing, piece.version)
    write_manifest(landing.there, name, promotion.run_id, as_json(certificate))
    return certificate


def _input(
    landing: Landing, read: InputVersion, committed: Mapping[ProductName, tuple[Piece, Committed]]
) -> InputVersion:
    """What it was made from, as the other side calls it; the release numbers what comes with it."""
    if read.product in committed:
        piece, done = committed[read.product]
        return InputVersion(read.product, read.number, done.snapshot, piece.version.fingerprint)
    head = landing.state.view.standing[read.product]
    return InputVersion(read.product, head.number, head.snapshot, head.fingerprint)


def _hold(landing: Landing, piece: Piece) -> dict[str, Any]:
    """Data that the code of now would not make stays until code, contract or inputs change."""
    if landing.promotion.mode is not PromotionMode.DATA or piece.before is None:
        return {}
    promotion, number = landing.promotion, piece.before.number
    since = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {"from": number, "to": piece.version.number, "who": promotion.who, "run": promotion.run_id}
    return {
        **facts,
        "since": since,
        "kitchen": promotion.kitchen,
        "keys": dict(piece.keys),
    }


def _bring_artifacts(landing: Landing, version: Version) -> None:
    """Reports that the recipe left beside the table."""
    if not version.certificate.artifacts:
        return
    source = artifact_folder(landing.state.crossing.here, version.product, version.run_id)
    into = artifact_folder(landing.there, version.product, landing.promotion.run_id)
    store = store_at(source)
    for each in store.below(source):
        store.copy(each.path, f"{into}{each.path.removeprefix(source)}")
