"""Reading the mesh from its folders: domain.yaml, contracts, recipes, dbt models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from mesh_assets.capabilities.contracts.document import close_to
from mesh_assets.capabilities.contracts.domain import read_domain
from mesh_assets.capabilities.contracts.model import Contract, Domain
from mesh_assets.capabilities.contracts.read import read_contract
from mesh_assets.capabilities.lineage.commit import commit_now
from mesh_assets.capabilities.lineage.dbt_models import dbt_calls
from mesh_assets.capabilities.lineage.declarations import (
    program_recipe,
    python_recipe,
    sql_recipe,
)
from mesh_assets.capabilities.lineage.expected import with_expected
from mesh_assets.capabilities.lineage.model import Asset, DomainAssets, Mesh, Recipe, RecipeKind
from mesh_assets.words.errors import DocumentMalformed, RecipeMalformed, SettingMalformed
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.partitions import FILE
from mesh_assets.words.rules import Place, Rule
from mesh_assets.words.settings import Settings

#: What a product's folder holds one of, unless a dbt model is its recipe.
RECIPES = ("recipe.py", "recipe.sql", "program.yaml")


def domain_names(settings: Settings) -> list[str]:
    """Every folder that has a domain.yaml, by name."""
    return sorted(path.parent.name for path in settings.domains.glob("*/domain.yaml"))


def read_mesh(settings: Settings) -> Mesh:
    """All domains, checked against each other: unknown inputs and private ones of others are errors."""
    if not settings.domains.is_dir():
        problem = "there is no such folder; make it, or a first domain: `mesh new-domain NAME`"
        raise SettingMalformed(setting="MESH_DOMAINS", value=str(settings.domains), problem=problem)
    domains = {name: read_domain_assets(settings, name) for name in domain_names(settings)}
    mesh = Mesh(
        domains=domains,
        assets={asset.name: asset for each in domains.values() for asset in each.assets},
    )
    for asset in mesh.assets.values():
        _refuse_lost_targets(mesh, asset)
        _refuse_stray_inputs(mesh, asset)
        _refuse_stray_columns(mesh, asset)
    return mesh


def read_domain_assets(settings: Settings, name: str) -> DomainAssets:
    """One domain's folder, and the files in which consumers expect something of it: what a location needs."""
    folder = settings.domains / name
    # Before any file: code that changes meanwhile counts as read before.
    commit = commit_now(folder)
    domain = read_domain(folder)
    models = _dbt_models(settings, name)
    assets = [_asset(settings, domain, path, models) for path in _asset_folders(folder)]
    named = {asset.name.product for asset in assets}
    private = [
        Asset(ProductName(name, model), None, _dbt_recipe(settings, name, model, models))
        for model in sorted(models)
        if model.startswith("_") and model not in named
    ]
    known = {source.name for source in domain.sources}
    for asset in (*assets, *private):
        _refuse_unknown_sources(domain, asset, known)
    return with_expected(settings, DomainAssets(domain=domain, assets=(*assets, *private), commit=commit))


def _asset_folders(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if (path / "contract.yaml").is_file() or any((path / recipe).is_file() for recipe in RECIPES):
            yield path


def _asset(settings: Settings, domain: Domain, folder: Path, models: dict[str, Path]) -> Asset:
    name = ProductName(domain.name, folder.name)
    contract: Contract | None = None
    if not name.private:
        if not (folder / "contract.yaml").is_file():
            raise DocumentMalformed(
                file=folder / "contract.yaml",
                line=1,
                problem=f"{name} has a recipe and no contract",
                remedy=f"Write one, or name the folder _{folder.name} to keep it private",
            )
        contract = with_files(settings, domain, read_contract(folder / "contract.yaml"))
    return Asset(
        name=name,
        contract=contract,
        recipe=_recipe(settings, name, folder, models),
        expectations=_expectations(folder, contract),
    )


def with_files(settings: Settings, domain: Domain, contract: Contract) -> Contract:
    """A contract that cuts by the files of a source, with where they are: domain.yaml says so."""
    cut = contract.partitioning
    if cut is None or cut.every != FILE:
        return contract
    source = domain.source(cut.source)
    if source is None or "{batch}" not in source.path.rpartition("/")[2]:
        fitting = [each.name for each in domain.sources if "{batch}" in each.path.rpartition("/")[2]]
        raise DocumentMalformed(
            file=contract.place.file,
            line=contract.place.line,
            problem=f"its partitions are the files of {cut.source!r}, "
            + ("whose name has no {batch}" if source else f"which is no source of {domain.name}"),
            remedy=f"Sources with {{batch}} in the file's name: {', '.join(fitting) or 'none'}",
        )
    folder = settings.sources if source.delivery.kind == "file" else settings.landed
    return replace(contract, partitioning=replace(cut, files=folder / source.path))


def _expectations(folder: Path, contract: Contract | None) -> tuple[Rule, ...]:
    path = folder / "expectations.py"
    if not path.is_file():
        return ()
    from mesh_assets.capabilities.checks.expectations import declared_expectations

    rules = declared_expectations(path)
    named = {rule.id for rule in (contract.rules if contract else ())}
    for rule in rules:
        if rule.id in named:
            raise RecipeMalformed(
                file=str(path),
                line=rule.place.line if rule.place else 1,
                problem=f"the contract has a rule {rule.id!r} already; a check has one name",
            )
    return rules


def _recipe(settings: Settings, name: ProductName, folder: Path, models: dict[str, Path]) -> Recipe:
    _refuse_several(name, folder, models)
    if (folder / "recipe.py").is_file():
        return python_recipe(folder / "recipe.py", name, _shared_code(folder))
    if (folder / "recipe.sql").is_file():
        return sql_recipe(folder / "recipe.sql")
    if (folder / "program.yaml").is_file():
        return program_recipe(folder / "program.yaml")
    if name.product in models:
        return _dbt_recipe(settings, name.domain, name.product, models)
    wanted = settings.dbt_project / "models" / name.domain / f"{name.product}.sql"
    raise RecipeMalformed(
        file=str(folder / "contract.yaml"),
        line=1,
        problem=(
            f"{name} has no recipe: write {folder.name}/recipe.py, recipe.sql or program.yaml, "
            f"or the dbt model {wanted.name}"
        ),
    )


def _refuse_several(name: ProductName, folder: Path, models: Mapping[str, Path]) -> None:
    """One of them would be the recipe, and an edit of the other would change nothing."""
    there = [folder / recipe for recipe in RECIPES if (folder / recipe).is_file()]
    there += [models[name.product]] if name.product in models else []
    if len(there) > 1:
        listed = " and ".join(path.name for path in there)
        problem = f"{name} has {len(there)} recipes, {listed}: keep one"
        raise RecipeMalformed(file=str(there[-1]), line=1, problem=problem)


def _shared_code(folder: Path) -> tuple[Path, ...]:
    """What the recipe may import or read beside itself: the product's other files, the domain's modules."""
    aside = {"contract.yaml", "definitions.py", "__init__.py", "expectations.py", "recipe.py"}
    nearby = [*folder.rglob("*"), *folder.parent.glob("*.py")]
    return tuple(
        sorted(
            path
            for path in nearby
            if path.is_file() and path.name not in aside and "__pycache__" not in path.parts
        )
    )


def _dbt_models(settings: Settings, domain: str) -> dict[str, Path]:
    folder = settings.dbt_project / "models" / domain
    return {path.stem: path for path in sorted(folder.rglob("*.sql"))} if folder.is_dir() else {}


def _dbt_recipe(settings: Settings, domain: str, model: str, models: dict[str, Path]) -> Recipe:
    path = models[model]
    refs, sources = dbt_calls(path)
    for ref in refs:
        if ref not in models:
            raise RecipeMalformed(
                file=str(path),
                line=1,
                problem=(
                    f"ref('{ref}') is not a model of {domain}; "
                    "read another domain's product with source('domain', 'product')"
                ),
            )
    own = f"{domain}_sources"
    foreign = tuple(ProductName(*source) for source in sources if source[0] != own)
    return Recipe(
        kind=RecipeKind.DBT,
        path=path,
        inputs=(*(ProductName(domain, ref) for ref in refs), *foreign),
        sources=tuple(table for group, table in sources if group == own),
        place=Place(str(path), 1),
        code=(path, *_dbt_shared_code(settings.dbt_project)),
        tools=("duckdb",),
    )


def _dbt_shared_code(project: Path) -> tuple[Path, ...]:
    return tuple(sorted([*project.glob("macros/**/*.sql"), *project.glob("dbt_project.yml")]))


def _refuse_unknown_sources(domain: Domain, asset: Asset, known: set[str]) -> None:
    for source in asset.recipe.sources:
        if source not in known:
            raise RecipeMalformed(
                file=asset.recipe.place.file,
                line=asset.recipe.place.line,
                problem=(
                    f"{source!r} is not a source of {domain.name}; "
                    f"domain.yaml has {', '.join(sorted(known)) or 'none'}"
                ),
            )


def _refuse_lost_targets(mesh: Mesh, asset: Asset) -> None:
    """A foreign key, balance or match rate names columns that are there; the error stands at the rule."""
    for rule in asset.own_rules:
        if "to_product" not in rule.arguments or rule.place is None:
            continue
        wanted = product_name(str(rule.arguments["to_product"]))
        target = mesh.assets.get(wanted)
        contract = target.contract if target else None
        if target is not None and contract is None:
            continue  # private: its columns are known when it is built
        named = _named_elsewhere(rule)
        lost = [name for name in named if not contract or not contract.column(name)]
        if lost or contract is None:
            known = [each.name for each in contract.columns] if contract else list(map(str, mesh.assets))
            near = close_to(lost[0] if contract else str(wanted), known)
            what = f"{wanted} has no column {lost[0]!r}" if contract else f"no domain makes {wanted}"
            raise DocumentMalformed(
                file=rule.place.file,
                line=rule.place.line,
                column=rule.place.column,
                problem=f"the rule {rule.id} of {asset.name} points at nothing: {what}",
                remedy=f"Did you mean {near}?" if near else "",
            )


def _named_elsewhere(rule: Rule) -> list[str]:
    """The other product's columns that a rule names."""
    one = [rule.arguments[key] for key in ("to_column",) if rule.arguments.get(key)]
    several = [name for key in ("to_columns", "to_by") for name in rule.arguments.get(key) or ()]
    return [*map(str, one), *map(str, several)]


def _refuse_stray_columns(mesh: Mesh, asset: Asset) -> None:
    """Columns that a recipe asks for are promised by their products; a private one's are known when built."""
    for name, columns in asset.recipe.columns.items():
        contract = mesh.assets[name].contract
        known = [column.name for column in contract.columns] if contract else list(columns)
        lost = next((column for column in columns if column not in known), None)
        if lost is not None:
            near = close_to(lost, known)
            hint = f"; did you mean {near}?" if near else ""
            place = asset.recipe.place
            problem = f"columns asks for {lost!r}, which {name} has not{hint}"
            raise RecipeMalformed(file=place.file, line=place.line, problem=problem)


def _refuse_stray_inputs(mesh: Mesh, asset: Asset) -> None:
    for need in asset.needs:
        place = asset.recipe.place
        if need.domain != asset.name.domain and need.private:
            raise RecipeMalformed(
                file=place.file,
                line=place.line,
                problem=f"{need} is private to {need.domain}; ask its owner for a product",
            )
        if need not in mesh.assets:
            near = close_to(str(need), [str(known.name) for known in mesh.products])
            hint = f"; did you mean {near}?" if near else ""
            problem = f"{asset.name} needs {need}, which no domain makes{hint}"
            raise RecipeMalformed(file=place.file, line=place.line, problem=problem)


def stray_ports(mesh: Mesh) -> list[str]:
    """Where domain.yaml's ports and the truth differ: one sentence each."""
    told = []
    for name, each in mesh.domains.items():
        own = {asset.name for asset in each.assets if not asset.name.private}
        read = {need for asset in each.assets for need in asset.needs if need.domain != name}
        ports = (
            ("outputPorts", own, set(each.domain.output_ports)),
            ("inputPorts", read, set(each.domain.input_ports)),
        )
        for port, truth, written in ports:
            missing, stray = sorted(truth - written), sorted(written - truth)
            if missing:
                told.append(f"{each.domain.place.file}: {port} lacks {', '.join(map(str, missing))}")
            if stray:
                told.append(
                    f"{each.domain.place.file}: {port} names {', '.join(map(str, stray))}, which it has not"
                )
    return told
