"""What a page is made with: the catalog, the thing that is asked for, and how to link to others."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.contracts.read import contract_from_text
from mesh_assets.capabilities.lineage.model import Asset, DomainAssets
from mesh_assets.capabilities.observability.health_facts import ProductFacts
from mesh_assets.capabilities.portal.address import SUFFIXES, Address
from mesh_assets.capabilities.portal.catalog import Catalog
from mesh_assets.words.errors import MeshError, NoVersion
from mesh_assets.words.names import ProductName
from mesh_assets.words.portal import PortalSettings
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version

if TYPE_CHECKING:
    from mesh_assets.capabilities.portal.reading import Reading
    from mesh_assets.capabilities.registry import Registry


class NoSuchPage(Exception):
    """Nothing is there under this address; the text says so to a person."""

    def __init__(self, told: str, near: tuple[str, ...] = ()) -> None:
        super().__init__(told)
        self.near = near


@dataclass(frozen=True)
class Links:
    """From a path of the portal to what stands in a page.

    On a server that is the path; in a static export a relative one, to the page's `index.html`.
    """

    prefix: str = ""
    static: bool = False
    #: Where the page is that has the links, for relative ones.
    current: str = "/"

    def __call__(self, path: str) -> str:
        plain, mark, rest = path.partition("#")
        plain = plain.partition("?")[0]
        if not self.static:
            return self.prefix + path
        ups = "../" * (self.current.strip("/").count("/") + (1 if self.current.strip("/") else 0))
        file = plain.lstrip("/")
        if not file.startswith("-/static/") and not file.endswith(tuple(SUFFIXES.values())):
            file = f"{file}/index.html" if file else "index.html"
        return quote(f"{ups}{file}", safe="/@._-") + mark + rest


@dataclass(frozen=True)
class Dagster:
    """Addresses in Dagster's UI."""

    url: str

    def asset(self, name: ProductName) -> str:
        return f"{self.url}/assets/{name.domain}/{name.product}"

    def check(self, name: ProductName, rule: str) -> str:
        return f"{self.asset(name)}?view=checks&checkDetail={quote(rule, safe='')}"

    def run(self, run_id: str) -> str:
        return f"{self.url}/runs/{quote(run_id, safe='')}"

    def group(self, domain: str) -> str:
        return f"{self.url}/locations/{quote(domain, safe='')}/asset-groups/{quote(domain, safe='')}"


@dataclass(frozen=True)
class Setting:
    """What all views of one portal share."""

    settings: Settings
    portal: PortalSettings
    registry: Registry
    reading: Reading


@dataclass(frozen=True)
class View:
    """One page about to be made."""

    setting: Setting
    catalog: Catalog
    address: Address
    link: Links = field(default_factory=Links)

    @property
    def settings(self) -> Settings:
        return self.setting.settings

    @property
    def registry(self) -> Registry:
        return self.setting.registry

    @property
    def dagster(self) -> Dagster:
        return Dagster(self.setting.portal.dagster)

    @property
    def base(self) -> str:
        """What addresses in documents begin with."""
        return self.setting.portal.url

    @property
    def name(self) -> ProductName:
        return self.address.name

    @cached_property
    def asset(self) -> Asset | None:
        return self.catalog.asset(self.name)

    @property
    def facts(self) -> ProductFacts:
        return self.catalog.facts[self.name]

    @cached_property
    def version(self) -> Version | None:
        """The version that is asked for, the head where none is; None before the first one."""
        if self.address.wanted is None:
            return self.catalog.heads.get(self.name)
        try:
            return self.registry.find(self.name, self.address.wanted)
        except MeshError as error:
            raise NoSuchPage(str(error)) from None

    @cached_property
    def contract(self) -> Contract | None:
        """The promise as it is written now, or as it was when the pinned version was made."""
        now = self.asset.contract if self.asset else None
        pinned = self.version if self.address.wanted is not None or now is None else None
        if pinned is None or not pinned.certificate.contract_text:
            return now
        text = pinned.certificate.contract_text
        if now is not None and text == now.text:
            return now
        try:
            return contract_from_text(f"{self.name}@{pinned.number}", self.name, text)
        except MeshError:  # a form that only an older mesh read
            return now

    @property
    def domain(self) -> DomainAssets | None:
        return self.catalog.mesh.domains.get(self.address.domain)

    @cached_property
    def released(self) -> dict[ProductName, Version]:
        """The domain's versions: now, or after the release that the address names."""
        names = self.catalog.products_of(self.address.domain)
        if self.address.wanted is None:
            return {name: self.catalog.heads[name] for name in names if name in self.catalog.heads}
        if not self.address.wanted.isdecimal():
            raise NoSuchPage("A domain is pinned at the number of a release: /hcp@12")
        number = int(self.address.wanted)
        last = next(iter(self.registry.releases(limit=1)), None)
        if last is None or not 1 <= number <= last.id:
            raise NoSuchPage(f"There is no release {number}")
        found = {name: self.registry.head_at(name, number) for name in names}
        return {name: version for name, version in found.items() if version is not None}


def prefix_of(portal: PortalSettings) -> str:
    """The path that a proxy takes off before it passes a request on."""
    return urlsplit(portal.url).path.rstrip("/")


__all__ = ["Dagster", "Links", "NoSuchPage", "NoVersion", "Setting", "View", "prefix_of"]
