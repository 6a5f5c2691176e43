"""Where a lake's things are, and how its tables are called in SQL."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.words.names import ProductName

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings

#: How the folders begin in which DuckDB puts what memory does not hold.
SPILL = "spill-"

#: The file in a lake's folder that says where its data is: a line with the place, nothing for the folder
#: itself; after a move lines with the catalog, and with the place that the catalog may still name.
RECORD = "place"
CATALOG, ALSO = "catalog", "also"

#: How the address of object storage begins.
BUCKETS = "s3://"

#: Beside the lakes in a bucket: prefixes of kitchens.
KITCHENS_OF = "_kitchens-of-this-mesh"

RUN_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")


@dataclass(frozen=True)
class LakePlace:
    """One domain's lake: a folder of its own, and its data there or in object storage."""

    domain: str
    #: The catalog (if it is SQLite), the lock, and everything else unless `objects` says otherwise.
    folder: Path
    #: `s3://bucket/prefix/<domain>` if files are in object storage, else "".
    objects: str = ""
    #: Another folder, if files were moved to it.
    elsewhere: str = ""
    #: The server of the catalog as libpq writes it, "" if the catalog is SQLite.
    postgres: str = ""
    #: Where the files are as well while a move is under way: the catalog may name it.
    also: str = ""

    @property
    def catalog(self) -> Path:
        """The catalog, if it is SQLite. Never open it with Python's sqlite3: see `connection`."""
        return self.folder / "catalog.sqlite"

    @property
    def root(self) -> str:
        """What paths in certificates begin below: data, manifests and artifacts are in it."""
        return self.objects or self.elsewhere or str(self.folder)

    @property
    def data(self) -> str:
        return f"{self.root}/data"

    @property
    def lock(self) -> Path:
        return self.folder / "commit.lock"

    @property
    def turns(self) -> Path:
        """Tickets of those who hold the lock or wait for it, if the catalog is SQLite."""
        return self.folder / "turns"

    @property
    def manifests(self) -> str:
        return f"{self.root}/manifests"

    @property
    def log(self) -> str:
        """What was expired and deleted: a file that is only ever added to; in object storage, where nothing
        can be added to, a folder with a file for each time.
        """
        return f"{self.root}/upkeep" if self.objects else f"{self.root}/upkeep.jsonl"

    @property
    def catalog_setting(self) -> str:
        """As MESH_CATALOG would say it."""
        return f"postgres:{self.postgres}" if self.postgres else "sqlite"

    @property
    def record(self) -> Path:
        """Says where the files are, if they are not here."""
        return self.folder / RECORD

    @property
    def metadata_schema(self) -> str:
        """The catalog's schema, if it is PostgreSQL: a schema and a role per domain."""
        return f"lake_{self.domain}"

    @property
    def catalog_schema(self) -> str:
        """The schema that the catalog's tables are in."""
        return self.metadata_schema if self.postgres else "main"

    def table_folder(self, product: ProductName) -> str:
        """Where DuckLake keeps a table's files by itself; paths below it are stored relative."""
        return f"{self.data}/{product.domain}/{product.product}"

    def relative(self, path: str) -> str:
        """A path of a file of this lake, as it stays true when the lake moves."""
        if not path.startswith(f"{self.root}/"):
            raise ValueError(f"{path} is no file of the lake in {self.root}")
        return path.removeprefix(f"{self.root}/")


def lake_of(settings: Settings, domain: str) -> LakePlace:
    """Where a domain's lake is; for one that is not there yet, where the settings want it.

    Settings do not move a lake: its record says where it is, or its data in its folder.
    """
    folder = settings.lakes / domain
    try:
        root, *lines = (folder / RECORD).read_text(encoding="utf-8").splitlines() or [""]
    except FileNotFoundError:
        root, lines = _wanted(settings, domain), []
        root = "" if (folder / "data").is_dir() else root
    facts = dict(line.split(" ", 1) for line in lines)
    catalog = facts.get(CATALOG, settings.catalog)
    return placed(settings, domain, root, catalog, also=facts.get(ALSO, ""))


def placed(settings: Settings, domain: str, root: str, catalog: str, *, also: str = "") -> LakePlace:
    """A place with its data in `root` ("": the lake's own folder), and a catalog as MESH_CATALOG says it."""
    folder, in_bucket = settings.lakes / domain, root.startswith(BUCKETS)
    return LakePlace(
        domain,
        folder,
        objects=root if in_bucket else "",
        elsewhere="" if in_bucket or root == str(folder) else root,
        postgres="" if catalog == "sqlite" else catalog.removeprefix("postgres:"),
        also=also,
    )


def _wanted(settings: Settings, domain: str) -> str:
    if settings.base is not None:
        return _beside(settings.root, settings.kitchen, domain)
    place = dict(settings.data_of).get(domain, settings.data)
    return f"{place}/{domain}" if place else ""


def _beside(root: Settings, kitchen: str, domain: str) -> str:
    """A kitchen's objects are in the bucket of the mesh's own, so that the server copies."""
    objects = lake_of(root, domain).objects
    return f"{kitchen_prefix(objects.rpartition('/')[0], kitchen)}/{domain}" if objects else ""


def kitchen_prefix(place: str, kitchen: str) -> str:
    """Where a kitchen's objects are, beside the lakes in `place`; no domain is called so."""
    return f"{place}/{KITCHENS_OF}/{kitchen}"


def keep_record(place: LakePlace, *, catalog: bool = False) -> None:
    """From now on the lake is there, whatever the settings say of new ones; `catalog`: its catalog too."""
    place.folder.mkdir(parents=True, exist_ok=True)
    lines = [place.objects or place.elsewhere]
    if catalog or place.also:
        lines.append(f"{CATALOG} {place.catalog_setting}")
    lines += [f"{ALSO} {place.also}"] if place.also else []
    half = place.record.with_suffix(f".{os.getpid()}.half")
    with half.open("w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())
    half.replace(place.record)


def in_objects(settings: Settings) -> bool:
    """Whether some lake's files are in object storage."""
    if settings.base is not None and in_objects(settings.base):
        return True
    if settings.data or any(place for _, place in settings.data_of):
        return True
    return any(record.read_text().startswith(BUCKETS) for record in settings.lakes.glob(f"*/{RECORD}"))


def staging_of(settings: Settings, product: ProductName, run_id: str) -> Path:
    """The folder of one draft: `staging/<run>/<domain>.<product>`."""
    return settings.staging / safe_run_id(run_id) / str(product)


def safe_run_id(run_id: str) -> str:
    """The run's id, which becomes part of file names."""
    if not RUN_ID.match(run_id):
        raise ValueError(f"run id {run_id!r} cannot be a file name: letters, digits, dot, dash, underscore")
    return run_id


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Text as an SQL literal: ATTACH, COPY and COMMENT take no bound values, and binding imports pandas."""
    return "'" + text.replace("'", "''") + "'"
