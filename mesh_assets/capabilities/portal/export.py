"""The whole portal as a folder of files, for any web server, or for a browser without one."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from mesh_assets.capabilities.portal.address import QUESTIONS, SUFFIXES, Address, of_product, read_address
from mesh_assets.capabilities.portal.graphs import MOST
from mesh_assets.capabilities.portal.pages.journey import path_of
from mesh_assets.capabilities.portal.site import Answer, Guest, Site
from mesh_assets.capabilities.portal.view import NoSuchPage
from mesh_assets.words.portal import ExportExists, ExportNowhere

#: In the folder of an export: the next one may replace it.
STAMP = ".mesh-portal"
#: Versions of a product that get pages of their own, and releases: those that the current pages link to most.
PINNED, RELEASES = 5, 20
PINNED_LINK = re.compile(r' href="([^"#]*@[^"]*)"')


@dataclass(frozen=True)
class Exported:
    pages: int
    documents: int
    bytes: int


def export_site(site: Site, folder: Path) -> Exported:
    """Write every page and document; the folder is exchanged when all of it is there."""
    folder = folder.expanduser().resolve()
    if folder.exists() and not folder.is_dir():
        raise ExportNowhere(folder=folder, problem="it is a file")
    if folder.exists() and any(folder.iterdir()) and not (folder / STAMP).is_file():
        raise ExportExists(folder=folder)
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
    except OSError as error:
        raise ExportNowhere(folder=folder, problem=error.strerror or type(error).__name__) from None
    try:
        done = _write(site, fresh)
        (fresh / STAMP).write_text("made by `mesh portal export`\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return done


def _write(site: Site, folder: Path) -> Exported:
    pages = documents = length = 0
    pinned = _pinned(site)
    for path, answer in _answers(site, pinned):
        target, text = folder / path.lstrip("/"), answer.body
        if answer.form == "html":
            target, pages, text = target / "index.html", pages + 1, _without_dead_links(text, pinned)
        else:
            documents += 1
        target.parent.mkdir(parents=True, exist_ok=True)
        body = text.encode("utf-8", "replace")
        target.write_bytes(body)
        length += len(body)
    for name, data in site.files.items():
        target = folder / "-" / "static" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return Exported(pages, documents, length)


def _pinned(site: Site) -> frozenset[Address]:
    """The versions and releases that get pages of their own."""
    catalog, registry = site.shelf.read(), site.setting.registry
    found = {
        Address(domain, wanted=str(release.id))
        for release in registry.releases(limit=RELEASES)
        for domain in {name.domain for name in release.moved} & set(catalog.health)
    }
    for name in catalog.facts:
        if not name.private:
            found |= {
                of_product(name, wanted=version.number) for version in registry.versions(name, limit=PINNED)
            }
    return frozenset(found)


def _without_dead_links(page: str, pinned: frozenset[Address]) -> str:
    """A version without pages of its own is a word, not a link."""

    def judged(found: re.Match[str]) -> str:
        path = unquote(found[1]).removesuffix("/index.html").replace("../", "")
        address = read_address(f"/{path}") if ":" not in path else None
        dead = address is not None and replace(address, question="", form="") not in pinned
        return "" if dead else found[0]

    return PINNED_LINK.sub(judged, page)


def _answers(site: Site, pinned: frozenset[Address]) -> Iterator[tuple[str, Answer]]:
    """(path, answer) of all that is written."""
    nobody, catalog = Guest(), site.shelf.read()
    yield "/", site.front({}, "html", nobody)
    for form in ("json", "jsonld"):
        yield f"/-/catalog.{form}", site.front({}, form, nobody)
    # A page that cannot ask again shows all there is: products as far as they can be read.
    opened = {"open": ["*"]} if len(catalog.facts) <= MOST else {"unfold": ["*"]}
    yield "/-/lineage", site.lineage(opened, "html", nobody)
    yield "/-/journeys", site.journeys("html", nobody)
    for each in catalog.journeys:
        yield path_of(each.name), site.journey(each.name, "html", nobody)
        yield f"{path_of(each.name)}.json", site.journey(each.name, "json", nobody)
    for domain in catalog.health:
        yield from _forms(site, Address(domain))
    for name in catalog.facts:
        if not name.private:
            yield from _forms(site, of_product(name))
    for address in sorted(pinned, key=lambda each: each.path):
        yield from _forms(site, address)


def _forms(site: Site, address: Address) -> Iterator[tuple[str, Answer]]:
    """All pages of a thing, each with its documents; one that cannot be said is left out."""
    for question in ("", *QUESTIONS):
        for form in ("html", *SUFFIXES):
            asked = replace(address, question=question, form=form)
            try:
                answer = site.page(asked, form, Guest())
            except NoSuchPage:
                continue
            yield (asked.path if form == "html" else asked.document), answer
