"""The whole portal as a folder of files, for any web server, or for a browser without one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mesh_assets.capabilities.portal.address import QUESTIONS, SUFFIXES, Address, of_product
from mesh_assets.capabilities.portal.pages.journey import path_of
from mesh_assets.capabilities.portal.site import Answer, Guest, Site
from mesh_assets.capabilities.portal.view import NoSuchPage
from mesh_assets.words.portal import ExportExists

#: In the folder of an export: the next one may replace it.
STAMP = ".mesh-portal"
#: Versions of a product that get pages of their own: those that the current pages link to most.
PINNED = 5


@dataclass(frozen=True)
class Exported:
    pages: int
    documents: int
    bytes: int


def export_site(site: Site, folder: Path) -> Exported:
    """Write every page and document; the folder is exchanged when all of it is there."""
    folder = folder.expanduser().resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / STAMP).is_file():
        raise ExportExists(folder=folder)
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
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
    for path, answer in _answers(site):
        target = folder / path.lstrip("/")
        if answer.form == "html":
            target, pages = target / "index.html", pages + 1
        else:
            documents += 1
        target.parent.mkdir(parents=True, exist_ok=True)
        body = answer.body.encode("utf-8", "replace")
        target.write_bytes(body)
        length += len(body)
    for name, data in site.files.items():
        target = folder / "-" / "static" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return Exported(pages, documents, length)


def _answers(site: Site) -> Iterator[tuple[str, Answer]]:
    """(path, answer) of everything that a page of the export links to."""
    nobody, catalog = Guest(), site.shelf.read()
    yield "/", site.front({}, "html", nobody)
    for form in ("json", "jsonld"):
        yield f"/-/catalog.{form}", site.front({}, form, nobody)
    yield "/-/lineage", site.lineage({"open": list(catalog.health)}, "html", nobody)
    yield "/-/journeys", site.journeys("html", nobody)
    for each in catalog.journeys:
        yield path_of(each.name), site.journey(each.name, "html", nobody)
        yield f"{path_of(each.name)}.json", site.journey(each.name, "json", nobody)
    for domain in catalog.health:
        yield from _forms(site, Address(domain))
    for release in site.setting.registry.releases(limit=100)[:20]:
        for domain in sorted({name.domain for name in release.moved} & set(catalog.health)):
            yield from _forms(site, Address(domain, wanted=str(release.id)))
    for name in catalog.facts:
        if not name.private:
            yield from _forms(site, of_product(name))
            for version in site.setting.registry.versions(name, limit=PINNED):
                yield from _forms(site, of_product(name, wanted=version.number))


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
