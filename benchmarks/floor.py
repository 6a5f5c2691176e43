"""What a governed build cannot do without, piece by piece: `python -m benchmarks.floor [--runs 3]`.

The pieces are the same numbers of things as in the whole example (whole_mesh.py), done as barely as they can:
Dagster runs over the same assets, checks and weeks whose steps do nothing; DuckLake commits of the same
files; the same rows written as the mesh writes them (zstd, a file per week), as bare does, and read once. No
audit, no registry, no coordinator. Added to bare they are the ratio of a build that does only this.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.measured import check, measure
from benchmarks.tables import machine, median, table
from benchmarks.whole_mesh import arguments, bare_build, fresh, mesh_build, prepare
from mesh_assets.words.settings import Settings, read_settings


def main() -> None:
    asked = arguments(__doc__).parse_args()
    work = asked.work or Path(tempfile.mkdtemp(prefix="mesh-bench-"))
    check()
    print(machine())
    plan, sources = prepare(work, asked.scale)
    mesh_build(fresh(work / "home"), sources)
    found: dict[str, list[float]] = {name: [] for name in ("bare", *PIECES)}
    for _ in range(asked.runs):
        found["bare"].append(bare_build(plan, fresh(work / "bare")).cpu)
        for name in PIECES:
            env = {"MESH_HOME": str(work / "home"), "MESH_SOURCES": str(sources)}
            command = [sys.executable, "-m", "benchmarks.floor", name, str(fresh(work / "piece"))]
            found[name].append(measure(command, env).cpu)
    costs = {name: median(each) for name, each in found.items()}
    print(f"\nscale {asked.scale:g}, median of {asked.runs} interleaved runs\n")
    print(table(["", "CPU s"], [(name, f"{cost:.1f}") for name, cost in costs.items()]))
    more = costs[DAGSTER] + costs[COMMIT] + costs[WRITE] - costs[WRITE_BARE] + costs[READ]
    print(f"\nfloor: {costs['bare']:.1f} bare + {more:.1f} = {1 + more / costs['bare']:.2f} x bare")
    if asked.work is None:
        shutil.rmtree(work)


def dagster_runs(settings: Settings, folder: Path) -> None:
    """A run per domain, forked from a process that has imported Dagster, with the home's own event log."""
    from mesh_assets.capabilities.lineage.read import domain_names
    from mesh_assets.capabilities.orchestration.instance import prepare_dagster_home
    from mesh_assets.capabilities.orchestration.launch_here import PRELOAD

    os.environ["MESH_HOME"] = str(folder)
    prepare_dagster_home(read_settings())
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOAD])
    for name in domain_names(settings):
        process = context.Process(target=idle_run, args=(name, str(folder)))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(f"the idle run of {name} ended with {process.exitcode}; see {folder}/log")


def idle_run(domain: str, folder: str) -> None:
    """The real run of a domain, whose steps say that all is well and do nothing."""
    from mesh_assets.capabilities.lineage.read import read_domain_assets
    from mesh_assets.capabilities.orchestration import steps
    from mesh_assets.capabilities.orchestration.batch import Batch, run_batch
    from mesh_assets.capabilities.publishing import dbt, record
    from mesh_assets.capabilities.publishing.keys import all_partitions

    idle: tuple[tuple[Any, str, Any], ...] = (
        (steps, "_build", _nothing),
        (steps, "_workshop", lambda *_: SimpleNamespace(weeks=())),
        (dbt, "make_models", lambda *_: None),
        (dbt, "rows_of", lambda *_: 0),
        (record, "on_record", lambda *_: nullcontext()),
    )
    for module, name, stub in idle:
        setattr(module, name, stub)
    assets = read_domain_assets(read_settings(), domain).assets
    weekly = next((each.partitioning for each in assets if each.partitioning), None)
    names = tuple("/".join(each.name.asset_key) for each in assets)
    weeks = all_partitions(weekly) if weekly else ()
    run_batch(Batch(domain, names, str(uuid.uuid4()), tuple(weeks), False, "floor", f"{folder}/log"))


def _nothing(context: Any, _: Any, asset: Any) -> Iterator[Any]:
    import dagster as dg

    for key in context.selected_asset_check_keys:
        yield dg.AssetCheckResult(asset_key=key.asset_key, check_name=key.name, passed=True)
    yield dg.MaterializeResult(asset_key=dg.AssetKey(list(asset.name.asset_key)))


def lake_commits(settings: Settings, folder: Path) -> None:
    """Each product's files into a catalog per domain: one table and one transaction each, nothing more."""
    from mesh_assets.capabilities.lake import CATALOG_THREADS, connect
    from mesh_assets.capabilities.lake.extensions import load

    with connect(settings, threads=CATALOG_THREADS) as con:
        load(con, "sqlite_scanner")
        load(con, "ducklake")
        for domain, products in _files(settings).items():
            (folder / domain).mkdir(parents=True)
            path = f"ducklake:sqlite:{folder / domain}/catalog.sqlite"
            con.execute(f"ATTACH '{path}' AS lake (DATA_PATH '{folder / domain}/data/')")
            for product, (files, _) in products.items():
                con.execute("BEGIN")
                rows = f"read_parquet('{files[0]}', hive_partitioning = false)"
                con.execute(f'CREATE TABLE lake."{product}" AS FROM {rows} LIMIT 0')
                for file in files:
                    con.execute(f"CALL ducklake_add_data_files('lake', '{product}', '{file}')")
                con.execute("COMMIT")
            con.execute("DETACH lake")


def written_as_the_mesh_does(settings: Settings, folder: Path) -> None:
    _write(settings, folder, "COMPRESSION zstd, RETURN_STATS", weekly=True)


def written_as_bare_does(settings: Settings, folder: Path) -> None:
    _write(settings, folder, "COMPRESSION snappy", weekly=False)


def _write(settings: Settings, folder: Path, options: str, *, weekly: bool) -> None:
    import duckdb

    for domain, products in _files(settings).items():
        for product, (files, column) in products.items():
            target = folder / domain / product
            target.parent.mkdir(parents=True, exist_ok=True)
            parts = ""
            with duckdb.connect() as con:
                if weekly and column:
                    parts = f', PARTITION_BY ("{column}"), WRITE_PARTITION_COLUMNS true'
                    con.execute("SET partitioned_write_max_open_files = 1000")
                rows = f"read_parquet({list(files)}, hive_partitioning = false)"
                con.execute(f"COPY (FROM {rows}) TO '{target}' (FORMAT parquet, {options}{parts})")


def read_once(settings: Settings, folder: Path) -> None:
    """Every value of every product, as an audit has to see it."""
    import duckdb

    for products in _files(settings).values():
        for files, _ in products.values():
            with duckdb.connect() as con:
                rows = f"read_parquet({list(files)}, hive_partitioning = false)"
                con.execute(f"SELECT sum(hash(each)) FROM {rows} AS each").fetchall()


def _files(settings: Settings) -> dict[str, dict[str, tuple[tuple[str, ...], str | None]]]:
    """Domain -> product -> its files and the column that it is partitioned by, as some build left them."""
    found: dict[str, Any] = json.loads((settings.home / "files.json").read_text(encoding="utf-8"))
    return found


def list_files(settings: Settings, _: Path) -> None:
    """Look the files up, so that looking is no part of any other piece."""
    from mesh_assets.capabilities.lake import files
    from mesh_assets.capabilities.lineage.read import read_mesh
    from mesh_assets.capabilities.registry import open_registry

    assets = read_mesh(settings).assets
    found: dict[str, dict[str, Any]] = {}
    with open_registry(settings) as registry:
        for name, number in registry.heads().items():
            weekly = assets[name].partitioning
            listed = files(settings, name, registry.version(name, number).snapshot)
            if listed:  # a product may have no row
                found.setdefault(name.domain, {})[name.product] = (listed, weekly.column if weekly else None)
    (settings.home / "files.json").write_text(json.dumps(found), encoding="utf-8")


LIST = "the build's files looked up (no part of the floor)"
DAGSTER = "Dagster: the same runs, assets, checks, weeks; steps that do nothing"
COMMIT = "DuckLake: the same files committed, a transaction per product"
WRITE = "Parquet: written as the mesh does"
WRITE_BARE = "Parquet: written as bare does (in bare already)"
READ = "Parquet: every value read once"
PIECES: dict[str, Callable[[Settings, Path], None]] = {
    LIST: list_files,
    DAGSTER: dagster_runs,
    COMMIT: lake_commits,
    WRITE: written_as_the_mesh_does,
    WRITE_BARE: written_as_bare_does,
    READ: read_once,
}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in PIECES:
        Path(sys.argv[2]).mkdir(parents=True)
        PIECES[sys.argv[1]](read_settings(), Path(sys.argv[2]))
    else:
        main()
