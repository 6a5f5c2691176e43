"""A product's page for hearing of it, and for asking to read it; its owner decides there.

Here: the page and its forms. Not here: telling (observability/followers), rights (upkeep/access).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from mesh_assets.capabilities.observability.alert_rules import read_alerts
from mesh_assets.capabilities.observability.followers import mail_server
from mesh_assets.capabilities.portal.address import of_product
from mesh_assets.capabilities.portal.forms import Form, Sent
from mesh_assets.capabilities.portal.looks import of_product as look_of
from mesh_assets.capabilities.portal.view import NoSuchPage, View, prefix_of
from mesh_assets.capabilities.upkeep.access import steps_for
from mesh_assets.words.errors import MeshError
from mesh_assets.words.following import (
    Access,
    Asked,
    By,
    Follow,
    FollowMalformed,
    Heard,
    checked_address,
)
from mesh_assets.words.names import ProductName
from mesh_assets.words.portal import Role
from mesh_assets.words.settings import Settings

if TYPE_CHECKING:
    from mesh_assets.capabilities.portal.site import Answer, Guest, Site

PATH = "/-/follow/{domain}/{product}"
LONGEST_PURPOSE = 1_000
#: In words, for people.
SAID: Mapping[Heard, str] = {
    Heard.RELEASED: "a new version",
    Heard.FAILED: "a failed audit or build",
    Heard.BREAKING: "a breaking change that is announced",
    Heard.DEPRECATED: "a deprecation",
}

Fields = Mapping[str, Sequence[str]]


def page(site: Site, name: ProductName, fields: Fields, guest: Guest) -> Answer:
    return _shown(site, _view(site, name), guest, done=(fields.get("done") or [""])[0])


def take(sent: Sent) -> Response:
    """Follow, stop, ask for access, or decide: what `do` says."""
    name = ProductName(sent.path["domain"], sent.path["product"])
    view = _view(sent.site, name)
    try:
        done = ACTS[sent.one("do")](sent, view)
    except KeyError:
        done = ""
    except MeshError as error:
        from mesh_assets.capabilities.portal.site import Guest

        guest = Guest(sent.visitor.name, sent.role, sent.one("token"), sent.visitor.session)
        shown = _shown(sent.site, view, guest, error=str(error))
        return Response(shown.body.encode("utf-8", "replace"), 422, media_type=shown.media)
    prefix = prefix_of(sent.site.setting.portal)
    return RedirectResponse(f"{prefix}{path_of(name)}?done={done}", 303)


#: What the portal takes for this page; deciding asks for more than reading (`_decide`).
FORM = Form(PATH, take, Role.READER)


def path_of(name: ProductName) -> str:
    return PATH.format(domain=name.domain, product=name.product)


def _follow(sent: Sent, view: View) -> str:
    portal = sent.site.setting.portal
    by = By.MAIL if sent.one("by") == "mail" else By.WEBHOOK
    address = checked_address(by, sent.one("address").strip(), portal.follow_hosts)
    if by is By.MAIL and portal.login and sent.role is not Role.ADMIN and address != sent.visitor.name:
        told = f"you are {sent.visitor.name} here; news by mail go to that address"
        raise FollowMalformed(what="The mail address", value=address, problem=told)
    if by is By.WEBHOOK and portal.login and not portal.follow_hosts:
        told = "this portal sends no webhooks: whoever runs it names the hosts (MESH_FOLLOW_HOSTS)"
        raise FollowMalformed(what="The address", value=address, problem=told)
    heard = frozenset(each for each in Heard if str(each) in sent.fields.get("on", ()))
    if not heard:
        raise FollowMalformed(what="What to hear of", value="", problem="choose at least one")
    scope = view.name.domain if sent.one("whole") == "yes" else str(view.name)
    view.registry.follow(Follow(scope, sent.visitor.name, by, address, datetime.now(UTC), heard))
    return "followed"


def _stop(sent: Sent, view: View) -> str:
    view.registry.unfollow(_number(sent), "" if sent.role is Role.ADMIN else sent.visitor.name)
    return "stopped"


def _ask(sent: Sent, view: View) -> str:
    purpose = " ".join(sent.one("purpose").split())[:LONGEST_PURPOSE]
    if not purpose:
        raise FollowMalformed(what="The purpose", value="", problem="say what for")
    try:
        until = date.fromisoformat(sent.one("until"))
    except ValueError:
        problem = "write a date such as 2030-01-31"
        raise FollowMalformed(what="The last day", value=sent.one("until")[:40], problem=problem) from None
    if until < datetime.now(UTC).date():
        raise FollowMalformed(what="The last day", value=until.isoformat(), problem="it is over already")
    view.registry.ask_access(Access(str(view.name), sent.visitor.name, purpose, until, datetime.now(UTC)))
    return "asked"


def _decide(sent: Sent, view: View) -> str:
    if sent.role not in (Role.OWNER, Role.ADMIN):
        raise FollowMalformed(what="The decision", value="", problem="it is for owners of the product")
    found = view.registry.access_request(_number(sent))
    if found.scope not in (str(view.name), view.name.domain):
        raise FollowMalformed(what="The request", value=str(found.id), problem="it is about another product")
    granted = sent.one("do") == "grant"
    why = "" if granted else " ".join(sent.one("why").split())[:LONGEST_PURPOSE]
    state = Asked.GRANTED if granted else Asked.REFUSED
    view.registry.decide_access(found.id, state, sent.visitor.name, why)
    return str(state)


ACTS = {"follow": _follow, "stop": _stop, "ask": _ask, "grant": _decide, "refuse": _decide}


def _number(sent: Sent) -> int:
    text = sent.one("number")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _view(site: Site, name: ProductName) -> View:
    catalog = site.shelf.catalog()
    if not catalog.knows(name):
        raise NoSuchPage("There is no product of that name.")
    return View(site.setting, catalog, of_product(name), site.links(path_of(name)))


def _shown(site: Site, view: View, guest: Guest, *, done: str = "", error: str = "") -> Answer:
    name, settings, today = view.name, view.settings, datetime.now(UTC).date()
    decides = guest.role in (Role.OWNER, Role.ADMIN)
    asked = [
        each
        for each in view.registry.access_requests(name.domain)
        if each.scope in (str(name), name.domain) and (decides or each.who == guest.name)
    ]
    return site.html(
        "product_follow.html",
        path_of(name),
        guest,
        view=view,
        address=view.address,
        look=look_of(view.facts),
        action=path_of(name),
        done=done,
        error=error,
        said=[(str(event), text) for event, text in SAID.items()],
        mail=_mail_works(settings),
        webhooks=not site.setting.portal.login or bool(site.setting.portal.follow_hosts),
        follows=[each for each in view.registry.followers(guest.name) if each.about(str(name))],
        decides=decides,
        asked=asked,
        steps={each.id: steps_for(settings, each) for each in asked if each.state is Asked.GRANTED},
        today=today,
    )


def _mail_works(settings: Settings) -> bool:
    try:
        return settings.alerts.is_file() and mail_server(read_alerts(settings)) is not None
    except MeshError:
        return False
