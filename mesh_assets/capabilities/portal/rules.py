"""A product's rules as a page with forms: add, change, try, remove, keep.

Here: what a form asks for, done to the contract's text. Not here: the fields of each kind (rule_kinds), how a
text is edited (contracts/edit), where it is kept (keeping).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from mesh_assets.capabilities.contracts.document import Document, parse
from mesh_assets.capabilities.contracts.edit import Entry, added, removed, replaced, rules_at
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.contracts.read import contract_from_text
from mesh_assets.capabilities.portal.address import of_product
from mesh_assets.capabilities.portal.forms import Form, Sent
from mesh_assets.capabilities.portal.keeping import (
    Desk,
    desk_of,
    keep,
    kitchen_for,
    kitchens_open,
    usual_kitchen,
)
from mesh_assets.capabilities.portal.looks import of_product as look_of
from mesh_assets.capabilities.portal.rule_fields import entry_of, fields_of, kind_of_entry
from mesh_assets.capabilities.portal.rule_kinds import (
    DIMENSIONS,
    KINDS,
    SEVERITIES,
    FieldMalformed,
    Kind,
)
from mesh_assets.capabilities.portal.view import NoSuchPage, View, prefix_of
from mesh_assets.capabilities.publishing.trial import Trial, try_contract
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.portal import ContractMoved, Role, Saves

if TYPE_CHECKING:
    from mesh_assets.capabilities.portal.site import Answer, Guest, Site

PATH = "/-/rules/{domain}/{product}"
LEVELS = ("slaProperties",)
#: Rows of a trial that a page shows.
ROWS = 10

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Wanted:
    """What somebody is about to write: a kind, where it stands, and which entry it replaces."""

    fields: Fields

    def one(self, name: str) -> str:
        return (self.fields.get(name) or [""])[0].strip()

    @property
    def kitchen(self) -> str:
        return self.one("kitchen")

    @property
    def column(self) -> str:
        return self.one("column")

    @property
    def number(self) -> int | None:
        text = self.one("number")
        return int(text) if text.isdecimal() and len(text) < 6 else None

    @property
    def kind(self) -> Kind | None:
        return KINDS.get(self.one("kind"))


def page(site: Site, name: ProductName, fields: Fields, guest: Guest) -> Answer:
    """The form as it is asked for: empty, or filled from the entry that is to be changed."""
    wanted, view = Wanted(fields), _view(site, name)
    desk = _desk(view, wanted)
    document = parse(str(desk.file), desk.text)
    filled = fields
    kind = wanted.kind
    if kind is None and wanted.number is not None:
        entry = document.at((*_place(document, wanted), wanted.number))
        level = wanted.one("level") == "yes"
        kind = kind_of_entry(entry, level=level) if isinstance(entry, dict) else None
        filled = {**fields, **fields_of(kind, entry)} if kind else fields
    return _shown(site, view, guest, _Sheet(desk, document, kind, filled))


def take(sent: Sent) -> Response:
    """Try what was sent, keep it, or take a rule away."""
    name = ProductName(sent.path["domain"], sent.path["product"])
    site, wanted, view = sent.site, Wanted(sent.fields), _view(sent.site, name)
    desk = _desk(view, wanted)
    document = parse(str(desk.file), desk.text)
    sheet = _Sheet(desk, document, wanted.kind, sent.fields)
    try:
        if sent.one("was") != desk.mark:
            raise ContractMoved(file=desk.file.name)
        text = _edited(document, wanted, sent.one("do"))
        contract = contract_from_text(str(desk.file), name, text)
        if sent.one("do") != "try":
            return _kept(sent, view, desk, text)
        trial = try_contract(view.settings, view.registry, _domain(view), name, contract)
    except (MeshError, FieldMalformed) as error:
        told = str(error).replace(f"{desk.settings.domains}/", "")
        return _answer(_shown(site, view, _guest(sent), sheet, error=told), 422)
    return _answer(_shown(site, view, _guest(sent), sheet, text=text, trial=trial), 200)


def _kept(sent: Sent, view: View, desk: Desk, text: str) -> Response:
    name, person = view.name, sent.visitor.name
    verb = "Remove" if sent.one("do") == "remove" else "Change" if sent.one("number") else "Add"
    kept = keep(
        view.settings,
        sent.site.setting.portal.saves,
        desk,
        text,
        who=person,
        mail=person if "@" in person else "portal@localhost",
        told=f"{verb} a rule of {name}: {sent.one('name') or sent.one('kind') or 'by form'}",
    )
    query = urlencode({"kitchen": kept.kitchen, "kept": "yes"} if kept.kitchen else {"kept": "yes"})
    prefix = prefix_of(sent.site.setting.portal)
    return RedirectResponse(f"{prefix}{path_of(name)}?{query}", 303)


def path_of(name: ProductName) -> str:
    return PATH.format(domain=name.domain, product=name.product)


#: What the portal takes for this page.
FORM = Form(PATH, take, Role.OWNER)


def _edited(document: Document, wanted: Wanted, do: str) -> str:
    at = _place(document, wanted)
    if do == "remove":
        return removed(document, Entry(at, wanted.number if wanted.number is not None else -1))
    if wanted.kind is None:
        raise FieldMalformed("Choose a kind of rule")
    entry = entry_of(wanted.kind, wanted.fields)
    if wanted.number is None:
        return added(document, at, entry)
    return replaced(document, Entry(at, wanted.number), entry)


def _place(document: Document, wanted: Wanted) -> tuple[str | int, ...]:
    kind = wanted.kind
    if wanted.one("level") == "yes" or (kind is not None and kind.level):
        return LEVELS
    try:
        return rules_at(document, wanted.one("at"))
    except ValueError:
        raise NoSuchPage("There is no column of that name.") from None


def _view(site: Site, name: ProductName) -> View:
    catalog = site.shelf.catalog()
    if not catalog.knows(name) or catalog.asset(name) is None:
        raise NoSuchPage("There is no product of that name.")
    address = of_product(name, "what")
    return View(site.setting, catalog, address, site.links(path_of(name)))


def _desk(view: View, wanted: Wanted) -> Desk:
    kitchen = wanted.kitchen
    if not kitchen and view.setting.portal.saves is Saves.KITCHEN and not view.settings.kitchen:
        kitchen = usual_kitchen(view.settings, view.name)
    try:
        return desk_of(view.settings, view.name, kitchen)
    except MeshError as error:
        raise NoSuchPage(str(error)) from None


def _domain(view: View) -> Any:
    assert view.domain is not None  # a product that is known has one
    return view.domain


def _guest(sent: Sent) -> Guest:
    from mesh_assets.capabilities.portal.site import Guest

    return Guest(sent.visitor.name, sent.role, sent.one("token"), sent.visitor.session)


def _answer(answer: Answer, status: int) -> Response:
    return Response(answer.body.encode("utf-8", "replace"), status, media_type=answer.media)


@dataclass(frozen=True)
class _Sheet:
    """The page about to be shown: the contract it is about, and the form with its values."""

    desk: Desk
    document: Document
    kind: Kind | None
    fields: Fields


def _shown(
    site: Site,
    view: View,
    guest: Guest,
    sheet: _Sheet,
    *,
    error: str = "",
    text: str = "",
    trial: Trial | None = None,
) -> Answer:
    wanted, saves = Wanted(sheet.fields), site.setting.portal.saves
    into_kitchen = saves is Saves.KITCHEN and not view.settings.kitchen
    return site.html(
        "product_rules.html",
        path_of(view.name),
        guest,
        view=view,
        address=view.address,
        look=look_of(view.facts),
        action=path_of(view.name),
        may=guest.role in (Role.OWNER, Role.ADMIN) and saves is not Saves.OFF,
        saves=saves,
        kitchen=sheet.desk.kitchen,
        kitchens=kitchens_open(view.registry.kitchens()) if into_kitchen else [],
        goes_to=(sheet.desk.kitchen or kitchen_for(view.name)) if into_kitchen else "",
        kept=wanted.one("kept") == "yes",
        was=sheet.desk.mark,
        written=_written(sheet.document),
        columns=[each["name"] for each in sheet.document.at(("schema", 0, "properties")) or ()],
        kinds=list(KINDS.values()),
        kind=sheet.kind,
        wanted=wanted,
        value=wanted.one,
        severities=SEVERITIES,
        dimensions=DIMENSIONS,
        error=error,
        diff=_diff(sheet.document.text, text) if text else [],
        trial=trial,
        rows=[_tried(result, view.contract) for result in trial.results] if trial else [],
    )


def _written(document: Document) -> list[dict[str, Any]]:
    """Every entry that can be changed here, in the order of the contract."""
    columns = [each["name"] for each in document.at(("schema", 0, "properties")) or ()]
    found = []
    for column in ("", *columns):
        for number, entry in enumerate(document.at(rules_at(document, column)) or ()):
            kind = kind_of_entry(entry)
            found.append(_row(document, rules_at(document, column), number, entry, kind) | {"at": column})
    for number, entry in enumerate(document.at(LEVELS) or ()):
        kind = kind_of_entry(entry, level=True)
        said = f"{entry.get('property')}: {entry.get('value')} {entry.get('unit', '')}".strip()
        row = _row(document, LEVELS, number, entry, kind)
        found.append(row | {"at": "", "level": "yes", "name": str(entry.get("property")), "said": said})
    return found


def _row(
    document: Document, at: tuple[str | int, ...], number: int, entry: Mapping[str, Any], kind: Kind | None
) -> dict[str, Any]:
    return {
        "number": number,
        "name": str(entry.get("name", "")),
        "said": str(entry.get("description", "")),
        "severity": str(entry.get("severity", "")),
        "kind": kind.title if kind else "",
        "form": kind is not None,
        "level": "",
        "line": document.place((*at, number)).line,
    }


def _diff(old: str, new: str) -> list[tuple[str, str]]:
    """(sign, line) of what changes, with two lines around it."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2)
    return [(line[:1], line[1:]) for line in list(lines)[2:] if not line.startswith("@@")]


def _tried(result: Any, contract: Contract | None) -> dict[str, Any]:
    names = list(dict.fromkeys(name for row in result.sample[:ROWS] for name in row))
    return {
        "rule": result.rule.id,
        "description": result.rule.description,
        "severity": str(result.rule.severity),
        "outcome": str(result.outcome),
        "failed": result.failed_rows,
        "checked": result.checked_rows,
        "value": result.value,
        "summary": result.summary,
        "columns": names,
        "sample": [[row.get(name) for name in names] for row in result.sample[:ROWS]],
        "stops": result.stops_publication,
    }
