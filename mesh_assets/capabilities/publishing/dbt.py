"""dbt recipes: one invocation per run and domain, in a scratch DuckDB that is thrown away.

dbt never writes into a lake and never attaches one: foreign products are views over the Parquet files of the
pinned versions, drops are views over their files (docs/decisions/0004). The first product of a run that
needs a model builds every model that the run will need; the products after it find theirs there.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.model import Source
from mesh_assets.capabilities.lineage.model import Asset, RecipeKind
from mesh_assets.capabilities.lineage.through import lake_inputs, through_private_models
from mesh_assets.capabilities.publishing.drops import drops_of_months, files_for, is_keyed, key_column
from mesh_assets.capabilities.publishing.inputs import rows_of_version
from mesh_assets.capabilities.publishing.keys import all_partitions
from mesh_assets.capabilities.publishing.partitions import keys_sql
from mesh_assets.capabilities.publishing.sources import (
    expected_paths,
    folder_of,
    problem_of,
    readable_paths,
    source_sql,
)
from mesh_assets.capabilities.publishing.supply import source_files, without_held
from mesh_assets.capabilities.publishing.workshop import Bench, DbtCall, Workshop
from mesh_assets.words.errors import RecipeFailed, ReleaseConflict
from mesh_assets.words.names import ProductName
from mesh_assets.words.partitions import FILE, MONTH, WEEK, weeks_of
from mesh_assets.words.versions import WHOLE, Version


@dataclass(frozen=True)
class Scratch:
    """The scratch database of one run and domain, and what dbt has made in it."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "scratch.duckdb"

    @property
    def ledger(self) -> Path:
        return self.folder / "made.json"

    def made(self) -> dict[str, Any]:
        """{"models": {name: [partitions]}, "inputs": {product: version number}} of what is there."""
        if not self.ledger.is_file():
            return {"models": {}, "inputs": {}}
        found: dict[str, Any] = json.loads(self.ledger.read_text(encoding="utf-8"))
        return found


def scratch_of(workshop: Workshop) -> Scratch:
    return Scratch(workshop.scratch / "dbt" / workshop.domain.domain.name)


def make_with_dbt(bench: Bench) -> str:
    """Make the model, unless this run has made it already, and return a SELECT over it."""
    workshop, asset = bench.workshop, bench.asset
    make_models(workshop, [asset], bench.partitions)
    scratch = scratch_of(workshop)
    _refuse_moved_inputs(bench, scratch.made()["inputs"])
    bench.con.execute(f"attach if not exists '{scratch.database}' as scratch (read_only)")
    table = f'scratch."{asset.name.domain}"."{asset.name.product}"'
    if asset.partitioning is None:
        return f"select * from {table}"
    keys = keys_sql(asset.partitioning, bench.partitions)
    return f'select * from {table} where "{asset.partitioning.column}" in ({keys})'


def make_models(workshop: Workshop, assets: Sequence[Asset], partitions: Sequence[str]) -> None:
    """Have these models, and all others that the run will want, in the scratch database."""
    scratch = scratch_of(workshop)
    scratch.folder.mkdir(parents=True, exist_ok=True)
    with _alone(scratch.folder / "lock"):
        made = scratch.made()["models"]
        if all(_covered(made.get(asset.name.product), partitions, asset) for asset in assets):
            return
        wanted = _wanted_models(workshop, assets)
        keys = _wanted_keys(workshop, assets, partitions, wanted)
        if set(partitions) - {WHOLE} and not any(keys.values()):
            return  # none of the partitions has come: the products of the run find out
        heads = _heads(workshop, wanted)
        inputs = _write_inputs(workshop, scratch, wanted, keys=keys, heads=heads)
        _invoke(workshop, scratch, wanted, keys=keys, inputs=inputs)
        ledger = {
            "models": {asset.name.product: sorted(_keys_of(asset, keys)) for asset in wanted},
            "inputs": {str(name): version.number for name, version in heads.items()},
        }
        scratch.ledger.write_text(json.dumps(ledger), encoding="utf-8")


def forget_models(workshop: Workshop) -> None:
    """Have the next product make its models again: what they read has moved."""
    scratch = scratch_of(workshop)
    if scratch.folder.is_dir():
        with _alone(scratch.folder / "lock"):
            scratch.ledger.unlink(missing_ok=True)


def run_dbt(call: DbtCall) -> None:
    """dbt in a process of its own; silent unless it fails."""
    command = [sys.executable, "-m", "dbt.cli.main", *call.arguments]
    done = subprocess.run(
        command, cwd=call.project, env={**os.environ, **call.environment}, capture_output=True, text=True
    )
    if done.returncode:
        told = [line for line in done.stdout.splitlines() if line.strip()]
        raise DbtFailed("\n".join(told[-30:]) or done.stderr[-2000:])


class DbtFailed(Exception):
    """dbt ended with an error; its run results say which model, its log why."""


def _covered(made: Sequence[str] | None, partitions: Sequence[str], asset: Asset) -> bool:
    return made is not None and (asset.partitioning is None or set(partitions) <= set(made))


def _wanted_models(workshop: Workshop, assets: Sequence[Asset]) -> list[Asset]:
    """The assets, the dbt models that this run still has to build, and the private models under them."""
    from mesh_assets.capabilities.publishing.stale import stale_now

    selected: list[Asset] = []
    for asset in _dbt_order(workshop):
        remade = [each for each in selected if each.name in lake_inputs(workshop.domain, asset)]
        # Of what is cut in another way only the stale part is made here, and it would be taken for all: what
        # is made of it waits for an invocation of its own, when that is published.
        waits = any(each.partitioning and _every(each) != _every(asset) for each in remade)
        if asset.name in workshop.selected and not waits and (remade or stale_now(workshop, asset)):
            selected.append(asset)
    chains = [through_private_models(workshop.domain, asset) for asset in (*assets, *selected)]
    return list({asset.name: asset for chain in chains for asset in chain}.values())


def _dbt_order(workshop: Workshop) -> list[Asset]:
    """The domain's dbt products, each after those that it reads."""
    products = {
        asset.name: asset
        for asset in workshop.domain.assets
        if asset.recipe.kind is RecipeKind.DBT and asset.in_lake
    }
    needs = {
        name: {need for need in lake_inputs(workshop.domain, asset) if need in products}
        for name, asset in products.items()
    }
    return [products[name] for name in TopologicalSorter(needs).static_order()]


def _every(asset: Asset) -> str:
    return asset.partitioning.every if asset.partitioning else ""


def _keys_of(asset: Asset, keys: Mapping[str, set[str]]) -> set[str]:
    """The partitions of the asset that an invocation makes."""
    return keys.get(_every(asset), set())


def _wanted_keys(
    workshop: Workshop, assets: Sequence[Asset], partitions: Sequence[str], wanted: Sequence[Asset]
) -> dict[str, set[str]]:
    """Cut -> every partition that some product of the run may find stale; too many costs time, too few would
    be wrong. `partitions` are asked for, of whatever cut the assets, or the run's products, are.
    """
    from mesh_assets.capabilities.publishing.stale import stale_now

    products = [workshop.asset(name) for name in workshop.selected]
    every = next((_every(each) for each in (*assets, *products) if each.partitioning), WEEK)
    asked = {every: set(partitions) - {WHOLE} if any(asset.in_lake for asset in assets) else set()}
    more = {every: set(partitions) - {WHOLE}}
    for asset in wanted:
        if asset.partitioning is not None and asset.in_lake:
            more.setdefault(_every(asset), set()).update(stale_now(workshop, asset))
    return {
        cut: asked.get(cut, set())
        | without_held(
            workshop, [each for each in wanted if _every(each) == cut], keys - asked.get(cut, set())
        )
        for cut, keys in more.items()
    }


def _weeks(keys: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Weeks that are made, and those that overlap the months that are."""
    months = weeks_of(MONTH, tuple(keys.get(MONTH, ())))
    return tuple(sorted({*keys.get(WEEK, ()), *months}))


def _heads(workshop: Workshop, wanted: Sequence[Asset]) -> dict[ProductName, Version]:
    """The version of everything that the models read and that this invocation does not make."""
    here = {asset.name for asset in wanted}
    names = {name for asset in wanted for name in lake_inputs(workshop.domain, asset)} - here
    found = {name: workshop.registry.head(name) for name in sorted(names)}
    return {name: version for name, version in found.items() if version is not None}


def _write_inputs(
    workshop: Workshop,
    scratch: Scratch,
    wanted: Sequence[Asset],
    *,
    keys: Mapping[str, set[str]],
    heads: Mapping[ProductName, Version],
) -> Path:
    own = workshop.domain.domain.name
    views = [
        {
            "schema": own if name.domain == own else f"mesh_{name.domain}",
            "name": name.product,
            "sql": rows_of_version(workshop.settings, version),
        }
        for name, version in heads.items()
    ]
    for name in dict.fromkeys(source for asset in wanted for source in asset.recipe.sources):
        source = workshop.domain.domain.source(name)
        assert source is not None  # reading the domain has refused unknown sources
        users = [asset for asset in wanted if name in asset.recipe.sources]
        paths = _source_paths(workshop, source, users, keys)
        key = next((key for asset in wanted if (key := key_column(asset.partitioning, source))), "")
        sql = source_sql(source, readable_paths(source, paths, scratch.folder), key=key)
        views.append({"schema": f"{own}_sources", "name": name, "sql": sql})
    path = scratch.folder / "inputs.json"
    path.write_text(json.dumps({"views": views}), encoding="utf-8")
    return path


def _source_paths(
    workshop: Workshop, source: Source, users: Sequence[Asset], keys: Mapping[str, set[str]]
) -> list[Path]:
    """The files of a source that these models read: weeks' own and later ones, months' as they are there."""
    keyed = next((each for each in users if is_keyed(each.partitioning, source)), None)
    if keyed is not None:
        return files_for(workshop, keyed, source, sorted(keys.get(FILE, ())))
    months = drops_of_months(workshop, source, tuple(keys.get(MONTH, ())))
    weeks = sorted({*keys.get(WEEK, ()), *months})
    return source_files(workshop, users[0].name, source, weeks)


def _invoke(
    workshop: Workshop,
    scratch: Scratch,
    wanted: Sequence[Asset],
    *,
    keys: Mapping[str, set[str]],
    inputs: Path,
) -> None:
    scratch.database.unlink(missing_ok=True)
    target = scratch.folder / "target"
    call = DbtCall(
        arguments=(
            "run",
            "--select",
            " ".join(asset.name.product for asset in wanted),
            "--vars",
            json.dumps({"weeks": list(_weeks(keys)), "months": sorted(keys.get(MONTH, ()))}),
            "--threads",
            str(min(4, os.cpu_count() or 1)),
        ),
        environment={
            "MESH_DBT_INPUTS": str(inputs),
            "MESH_DBT_SCRATCH": str(scratch.database),
            "DBT_PROJECT_DIR": str(workshop.settings.dbt_project),
            "DBT_PROFILES_DIR": str(workshop.settings.dbt_project),
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(scratch.folder / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        project=workshop.settings.dbt_project,
        target=target,
    )
    try:
        workshop.tools.dbt(call)
    except DbtFailed as failure:
        raise _failed_model(workshop, wanted, target, str(failure)) from None


def _failed_model(workshop: Workshop, wanted: Iterable[Asset], target: Path, tail: str) -> RecipeFailed:
    """The first model that failed, in dbt's own words."""
    results = target / "run_results.json"
    by_model = {asset.name.product: asset for asset in wanted}
    outcomes = json.loads(results.read_text(encoding="utf-8"))["results"] if results.is_file() else []
    for result in outcomes:
        if result["status"] in ("error", "fail"):
            asset = by_model[result["unique_id"].split(".")[-1]]
            message = " ".join(str(result.get("message") or tail).split())
            return RecipeFailed(product=asset.name, error=message, file=str(asset.recipe.path), line=1)
    first = next(iter(by_model.values()))
    return RecipeFailed(product=first.name, error=f"dbt: {tail}", file=str(first.recipe.path), line=1)


def _refuse_moved_inputs(bench: Bench, used: Mapping[str, int]) -> None:
    """dbt read its inputs at one instant; a product of the run that sees others now must not claim them."""
    for name, version in bench.inputs.items():
        if used.get(str(name), version.number) != version.number:
            raise ReleaseConflict(
                product=bench.asset.name,
                expected=used[str(name)],
                moved=name,
                actual=version.number,
                winner=f"{version.certificate.who}, run {version.run_id}",
            )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time: steps of one run may be processes of their own."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def hand_inputs() -> dict[str, Any]:
    """For dbt by hand: every product of the mesh as readers see it now, every drop that is there."""
    from mesh_assets.capabilities.lineage.read import domain_names, read_domain_assets
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    registry = open_registry(settings)
    views = []
    for name, number in registry.heads().items():
        version = registry.version(name, number)
        sql = rows_of_version(settings, version)
        views.append({"schema": f"mesh_{name.domain}", "name": name.product, "sql": sql})
    for domain in domain_names(settings):
        described = read_domain_assets(settings, domain)
        cuts = (asset.partitioning for asset in described.assets)
        dated = [cut for cut in cuts if cut and cut.every == WEEK]
        weeks = all_partitions(dated[0]) if dated else ()
        for source in described.domain.sources:
            found = expected_paths(source, folder_of(settings, source), weeks)
            paths = [path for _, path in found if path.is_file() and not problem_of(source, path)]
            if paths:
                copies = readable_paths(source, paths, settings.scratch / "by-hand" / domain)
                views.append(
                    {"schema": f"{domain}_sources", "name": source.name, "sql": source_sql(source, copies)}
                )
    return {"views": views}


def rows_of(workshop: Workshop, model: Asset) -> int:
    """How many rows a private model has in the scratch database of this run."""
    import duckdb

    with duckdb.connect(str(scratch_of(workshop).database), read_only=True) as con:
        row = con.execute(f'select count(*) from "{model.name.domain}"."{model.name.product}"').fetchone()
    return int(row[0]) if row else 0
