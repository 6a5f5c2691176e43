"""Where this mesh keeps its things, read from the environment once and passed on."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mesh_assets.words.errors import SettingMalformed
from mesh_assets.words.kitchens import KITCHENS, RECORD, UnknownKitchen, kitchen_name
from mesh_assets.words.names import WORD
from mesh_assets.words.versions import PROD

#: What settings take from a kitchen's record.
KEPT = ("base", "folders", "domains", "sample")

#: MESH_DATA_HCP and so on.
DATA_OF = "MESH_DATA_"

#: A bucket, and a prefix of plain characters: they go into SQL, URLs and policies as they are.
OBJECTS = re.compile(r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$")

PACKAGE = Path(__file__).resolve().parent.parent
PROJECT = PACKAGE.parent


@dataclass(frozen=True)
class Settings:
    """Everything that a deployment decides. Secrets stay in the environment: this holds no password."""

    #: MESH_HOME: registry, lakes, staging and Dagster's home live under it. Default `.mesh` in the project.
    home: Path
    #: MESH_DOMAINS: the folder of domains. Default the package's own.
    domains: Path
    #: MESH_JOURNEYS: the folder of journeys. Default `journeys` beside the domains.
    journeys: Path
    #: MESH_DBT_PROJECT: the dbt project. Default `dbt_project` beside the package.
    dbt_project: Path
    #: MESH_SOURCES: what operational systems deliver. Default `<home>/sources`.
    sources: Path
    #: MESH_REGISTRY: SQLAlchemy URL of the registry. Default SQLite under home.
    registry: str
    #: MESH_CATALOG: `sqlite` (a file per lake) or `postgres:<libpq connection string>` (a schema per lake).
    catalog: str
    #: MESH_DATA: where new lakes keep their files, `s3://bucket/prefix` or "" for `<home>/lakes`.
    #: MESH_DATA_<DOMAIN> says it for one domain. A lake that is there stays where it was made.
    #: MESH_WORKSPACE: Dagster's list of code locations. Default `workspace.yaml` beside the package.
    workspace: Path
    #: MESH_SCALE: size of the generated example; 1 is one million fills. None: as it is there, else 1.
    scale: float | None
    #: MESH_REAL: a folder with real CMS files that replaces generated sources, or None.
    real: Path | None
    #: MESH_MAY_SEE: products and domains whose personal columns this reader may ask for unmasked.
    may_see: tuple[str, ...] = ()
    #: MESH_RECORDS_DAYS: how many days what plain steps said stays in Dagster's records. Default 30.
    records_kept: int = 30
    #: MESH_ALERTS: the file of alert rules. Default `alerts.yaml` beside the domains.
    alerts: Path = PACKAGE / "alerts.yaml"
    #: MESH_EVENTS_DAYS: how many days events are kept. Default 400.
    events_kept: int = 400
    #: MESH_LOOK_SECONDS: sensors of the whole mesh look at least so often. None: each at its own pace.
    look_seconds: int | None = None
    data: str = ""
    #: (domain, place) of those that have one of their own.
    data_of: tuple[tuple[str, str], ...] = ()
    #: MESH_KITCHEN: the kitchen that this is, "" for the mesh itself.
    kitchen: str = ""
    #: What the kitchen was opened from.
    base: Settings | None = None
    #: Domains that a kitchen may write; () for all.
    writable: tuple[str, ...] = ()
    #: How a kitchen thins out what it reads, "" for not at all.
    sample: str = ""

    @property
    def environment(self) -> str:
        """`prod`, or the kitchen's name."""
        return self.kitchen or PROD

    @property
    def root(self) -> Settings:
        """The mesh itself, whatever kitchen this is."""
        return self if self.base is None else self.base.root

    def of(self, stored: str) -> Settings:
        """Settings of the environment whose lake has a version's rows: `settings.of(version.stored)`."""
        here: Settings | None = self
        while stored and here is not None and here.environment != stored:
            here = here.base
        if here is None:
            raise UnknownKitchen(name=stored, why=f"{self.environment} reads versions of it")
        return here

    def between_looks(self, usual: int) -> int:
        """Seconds between two looks of a sensor that usually looks this often."""
        return usual if self.look_seconds is None else min(usual, self.look_seconds)

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

    @property
    def landed(self) -> Path:
        """Rows and events that became files: a kitchen reads the mesh's own."""
        return self.root.home / "landed"

    def kitchen_home(self, name: str) -> Path:
        """All that is a kitchen's own, except objects in a bucket."""
        return self.root.home / KITCHENS / name


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment (`MESH_…`), with defaults that need none of it."""
    env = os.environ if environ is None else environ
    kitchen, settings = env.get("MESH_KITCHEN") or "", _read(env)
    return in_kitchen(settings, kitchen) if kitchen else settings


def in_kitchen(root: Settings, name: str) -> Settings:
    """A kitchen as its record in its folder says it; raises UnknownKitchen if it is not there whole."""
    home = root.kitchen_home(kitchen_name(name))
    try:
        record: dict[str, Any] = json.loads((home / RECORD).read_text(encoding="utf-8"))
        opened_from, folders, domains, sample = (record[each] for each in KEPT)
    except (FileNotFoundError, NotADirectoryError):
        known = tuple(sorted(path.parent.name for path in home.parent.glob(f"*/{RECORD}")))
        raise UnknownKitchen(name=name, known=known) from None
    except (ValueError, KeyError, TypeError, OSError) as error:
        why = f"{home / RECORD} cannot be read ({type(error).__name__}: {error})"
        raise UnknownKitchen(name=name, why=why) from None
    base = root if opened_from == PROD else in_kitchen(root, opened_from)
    code = home / "code"
    return replace(
        base,
        home=home,
        registry=f"sqlite:///{home / 'registry.sqlite'}",
        catalog="sqlite",
        data="",
        data_of=(),
        **{each: code / folder for each, folder in folders.items()},
        kitchen=name,
        base=base,
        writable=tuple(domains),
        sample=sample,
    )


def _read(env: Mapping[str, str]) -> Settings:
    home = _path(env, "MESH_HOME", PROJECT / ".mesh")
    return Settings(
        home=home,
        domains=_path(env, "MESH_DOMAINS", PACKAGE / "domains"),
        journeys=_journeys(env),
        dbt_project=_path(env, "MESH_DBT_PROJECT", PROJECT / "dbt_project"),
        sources=_path(env, "MESH_SOURCES", home / "sources"),
        registry=env.get("MESH_REGISTRY") or f"sqlite:///{home / 'registry.sqlite'}",
        catalog=_catalog(env.get("MESH_CATALOG") or "sqlite"),
        workspace=_path(env, "MESH_WORKSPACE", PROJECT / "workspace.yaml"),
        scale=_scale(env["MESH_SCALE"]) if env.get("MESH_SCALE") else None,
        real=Path(env["MESH_REAL"]).expanduser().resolve() if env.get("MESH_REAL") else None,
        may_see=_may_see(env.get("MESH_MAY_SEE") or ""),
        records_kept=_days("MESH_RECORDS_DAYS", env.get("MESH_RECORDS_DAYS") or "30"),
        alerts=_path(
            env, "MESH_ALERTS", _path(env, "MESH_DOMAINS", PACKAGE / "domains").parent / "alerts.yaml"
        ),
        events_kept=_days("MESH_EVENTS_DAYS", env.get("MESH_EVENTS_DAYS") or "400"),
        look_seconds=_seconds("MESH_LOOK_SECONDS", env["MESH_LOOK_SECONDS"])
        if env.get("MESH_LOOK_SECONDS")
        else None,
        data=_data("MESH_DATA", env.get("MESH_DATA") or ""),
        data_of=tuple(
            sorted(
                (name.removeprefix(DATA_OF).lower(), _data(name, value))
                for name, value in env.items()
                if name.startswith(DATA_OF)
            )
        ),
    )


def _path(env: Mapping[str, str], name: str, default: Path) -> Path:
    return Path(env[name]).expanduser().resolve() if env.get(name) else default


def _journeys(env: Mapping[str, str]) -> Path:
    """Beside the domains: journeys name products, so other domains have other journeys."""
    domains = _path(env, "MESH_DOMAINS", PACKAGE / "domains")
    return _path(env, "MESH_JOURNEYS", domains.parent / "journeys")


def _catalog(value: str) -> str:
    if value == "sqlite" or value.startswith("postgres:"):
        return value
    raise SettingMalformed(
        setting="MESH_CATALOG", value=value, problem="write sqlite, or postgres:<libpq connection string>"
    )


def _data(name: str, value: str) -> str:
    """`local`, or nothing, is the folder under home."""
    place = value.rstrip("/")
    if place in ("", "local"):
        return ""
    if not OBJECTS.match(place):
        problem = "write s3://bucket or s3://bucket/prefix (no key in it: those come from AWS_…), or local"
        shown = "s3://…" if "@" in value or "?" in value else value
        raise SettingMalformed(setting=name, value=shown, problem=problem)
    return place


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


def _days(setting: str, value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 36_500:
        raise SettingMalformed(setting=setting, value=value, problem="write a number of days, 1 or more")
    return int(value)


def _seconds(setting: str, value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise SettingMalformed(setting=setting, value=value, problem="write a number of seconds, 1 or more")
    return int(value)


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
