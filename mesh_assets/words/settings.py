"""Where this mesh keeps its things, read from the environment once and passed on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mesh_assets.words.errors import SettingMalformed
from mesh_assets.words.names import WORD

PACKAGE = Path(__file__).resolve().parent.parent
PROJECT = PACKAGE.parent


@dataclass(frozen=True)
class Settings:
    """Everything that a deployment decides. Secrets stay in the environment: this holds no password."""

    #: MESH_HOME: registry, lakes, staging and Dagster's home live under it. Default `.mesh` in the project.
    home: Path
    #: MESH_DOMAINS: the folder of domains. Default the package's own.
    domains: Path
    #: MESH_DBT_PROJECT: the dbt project. Default `dbt_project` beside the package.
    dbt_project: Path
    #: MESH_SOURCES: what operational systems deliver. Default `<home>/sources`.
    sources: Path
    #: MESH_REGISTRY: SQLAlchemy URL of the registry. Default SQLite under home.
    registry: str
    #: MESH_CATALOG: `sqlite` (a file per lake) or `postgres:<libpq connection string>` (a schema per lake).
    catalog: str
    #: MESH_WORKSPACE: Dagster's list of code locations. Default `workspace.yaml` beside the package.
    workspace: Path
    #: MESH_SCALE: size of the generated example; 1 is one million fills. None: as it is there, else 1.
    scale: float | None
    #: MESH_REAL: a folder with real CMS files that replaces generated sources, or None.
    real: Path | None
    #: MESH_MAY_SEE: products and domains whose personal columns this reader may ask for unmasked.
    may_see: tuple[str, ...] = ()

    @property
    def lakes(self) -> Path:
        return self.home / "lakes"

    @property
    def staging(self) -> Path:
        return self.home / "staging"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def scratch(self) -> Path:
        return self.home / "scratch"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment (`MESH_…`), with defaults that need none of it."""
    env = os.environ if environ is None else environ
    home = _path(env, "MESH_HOME", PROJECT / ".mesh")
    return Settings(
        home=home,
        domains=_path(env, "MESH_DOMAINS", PACKAGE / "domains"),
        dbt_project=_path(env, "MESH_DBT_PROJECT", PROJECT / "dbt_project"),
        sources=_path(env, "MESH_SOURCES", home / "sources"),
        registry=env.get("MESH_REGISTRY") or f"sqlite:///{home / 'registry.sqlite'}",
        catalog=_catalog(env.get("MESH_CATALOG") or "sqlite"),
        workspace=_path(env, "MESH_WORKSPACE", PROJECT / "workspace.yaml"),
        scale=_scale(env["MESH_SCALE"]) if env.get("MESH_SCALE") else None,
        real=Path(env["MESH_REAL"]).expanduser().resolve() if env.get("MESH_REAL") else None,
        may_see=_may_see(env.get("MESH_MAY_SEE") or ""),
    )


def _path(env: Mapping[str, str], name: str, default: Path) -> Path:
    return Path(env[name]).expanduser().resolve() if env.get(name) else default


def _catalog(value: str) -> str:
    if value == "sqlite" or value.startswith("postgres:"):
        return value
    raise SettingMalformed(
        setting="MESH_CATALOG", value=value, problem="write sqlite, or postgres:<libpq connection string>"
    )


def _may_see(value: str) -> tuple[str, ...]:
    """Domains and products by name; there is no word for everything."""
    names = tuple(name for name in (part.strip() for part in value.split(",")) if name)
    for name in names:
        if not all(WORD.match(word) for word in name.split(".")) or name.count(".") > 1:
            raise SettingMalformed(
                setting="MESH_MAY_SEE",
                value=value,
                problem=f"{name!r} is no domain and no product; write e.g. hcp,drug.brand",
            )
    return names


def _scale(value: str) -> float:
    try:
        scale = float(value)
    except ValueError:
        scale = 0.0
    if not 0 < scale <= 1000:
        raise SettingMalformed(
            setting="MESH_SCALE", value=value, problem="write a number above 0 and up to 1000"
        )
    return scale
