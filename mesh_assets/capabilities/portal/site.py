"""From an address to an answer: the page or document, for the server and for the static export alike."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.portal import linked_data, standards
from mesh_assets.capabilities.portal.address import QUESTIONS, Address, of_product
from mesh_assets.capabilities.portal.catalog import Catalog, Shelf
from mesh_assets.capabilities.portal.lineage_query import read_lineage_query
from mesh_assets.capabilities.portal.looks import of_domain
from mesh_assets.capabilities.portal.looks import of_product as look_of
from mesh_assets.capabilities.portal.negotiate import MEDIA
from mesh_assets.capabilities.portal.pages import home, how, inputs, journey, overview, what, when, where
from mesh_assets.capabilities.portal.view import Dagster, Links, NoSuchPage, Setting, View, prefix_of
from mesh_assets.words.errors import MeshError

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
Maker = Callable[[View], dict[str, Any]]
PRODUCT: Mapping[str, Maker] = {
    "": overview.product,
    "what": what.product,
    "where": where.product,
    "when": when.product,
    "with": inputs.product,
    "how": how.product,
}
DOMAIN: Mapping[str, Maker] = {
    "": overview.domain,
    "what": what.domain,
    "where": where.domain,
    "when": when.domain,
    "with": inputs.domain,
    "how": how.domain,
}
#: Answers that are kept of one catalog, and their letters: addresses can be made up without end.
MOST_KEPT, MOST_LETTERS = 4_000, 100_000_000
OFFERED = ("html", "json", "yaml", "jsonld", "openlineage")


@dataclass(frozen=True)
class Answer:
    """A body with its media type. `paths` of other forms stand in the page's head."""

    body: str
    form: str
    status: int = 200

    @property
    def media(self) -> str:
        return MEDIA[self.form]


@dataclass(frozen=True)
class Guest:
    """Who is looking, as pages show it; `token` goes with every form."""

    name: str = ""
    role: str = ""
    token: str = ""
    may_leave: bool = False


@dataclass
class Made:
    """Answers made from one catalog."""

    catalog: Catalog
    answers: dict[tuple[Any, ...], Answer] = field(default_factory=dict)
    letters: int = 0

    def keep(self, key: tuple[Any, ...], answer: Answer) -> None:
        """While there is room; with it what was asked first, which is what most ask."""
        if len(self.answers) < MOST_KEPT and self.letters + len(answer.body) <= MOST_LETTERS:
            self.answers[key] = answer
            self.letters += len(answer.body)


@dataclass
class Site:
    """All pages of one portal."""

    setting: Setting
    shelf: Shelf
    #: Pages are for a folder of files: links are relative, and nothing can be asked again.
    static: bool = False
    #: Answers made from the newest catalog, for guests who can send nothing.
    _made: Made | None = None

    @cached_property
    def templates(self) -> Environment:
        from mesh_assets.capabilities.portal.templates_loaded import environment

        return environment()

    @cached_property
    def files(self) -> dict[str, bytes]:
        """Stylesheet, script and icon by name."""
        return {
            path.name: path.read_bytes() for path in sorted((HERE / "static").iterdir()) if path.is_file()
        }

    @cached_property
    def mark(self) -> str:
        """Differs when a file of the page differs, so that browsers may keep them."""
        return hashlib.sha256(b"".join(self.files.values())).hexdigest()[:10]

    def links(self, current: str) -> Links:
        return Links(prefix_of(self.setting.portal), self.static, current)

    def front(self, query: Mapping[str, Sequence[str]], form: str, guest: Guest) -> Answer:
        catalog, link = self.shelf.catalog(), self.links("/")
        if form == "jsonld":
            return Answer(
                standards.as_json(linked_data.mesh_document(catalog, self.setting.portal.url)), form
            )

        def make() -> Answer:
            made = home.front(catalog, link, query, every=self.static)
            if form == "json":
                return Answer(standards.as_json(made["facts"]), form)
            return self.html("home.html", "/", guest, **made)

        asked = tuple(sorted((name, tuple(values)) for name, values in query.items()))
        return self._once(catalog, ("front", asked, form, guest), make)

    def lineage(self, query: Mapping[str, Sequence[str]], form: str, guest: Guest) -> Answer:
        catalog = self.shelf.catalog()
        asked = read_lineage_query(query, catalog.health)

        def make() -> Answer:
            made = home.lineage(catalog, self.links("/-/lineage"), asked)
            if form == "json":
                return Answer(standards.as_json(made["facts"]), form)
            return self.html("lineage.html", "/-/lineage", guest, **made)

        return self._once(catalog, ("lineage", asked, form, guest), make)

    def journeys(self, form: str, guest: Guest) -> Answer:
        made = journey.listed(self.shelf.catalog(), self.setting.registry)
        if form == "json":
            return Answer(standards.as_json(made["facts"]), form)
        return self.html("journeys.html", "/-/journeys", guest, **made)

    def journey(self, name: str, form: str, guest: Guest) -> Answer:
        catalog = self.shelf.catalog()
        found = catalog.journey(name)
        if found is None:
            near = difflib.get_close_matches(name, [each.name for each in catalog.journeys], n=2)
            raise NoSuchPage(
                "There is no journey of that name.", tuple(journey.path_of(each) for each in near)
            )
        made = journey.one(catalog, self.setting.registry, found)
        if form == "json":
            return Answer(standards.as_json(made["facts"]), form)
        return self.html("journey.html", journey.path_of(name), guest, **made)

    def page(self, address: Address, form: str, guest: Guest) -> Answer:
        """A page of a domain or a product, or its document.

        What was made from a catalog is kept as long as it: a page is told from what the catalog was made of.
        """
        catalog = self.shelf.catalog()
        return self._once(catalog, (address, form, guest), lambda: self._page(catalog, address, form, guest))

    def _once(self, catalog: Catalog, key: tuple[Any, ...], make: Callable[[], Answer]) -> Answer:
        made = self._made
        if made is None or made.catalog is not catalog:
            made = self._made = Made(catalog)
        answer = made.answers.get(key)
        if answer is None:
            answer = make()
            forms = any(isinstance(each, Guest) and each.token for each in key)
            if not self.static and not forms:
                made.keep(key, answer)
        return answer

    def warm(self, guest: Guest) -> None:
        """Read and load all that the first page would wait for; main pages as that guest sees them."""
        catalog = self.shelf.read()
        _ = catalog.index, self.files
        self.front({}, "html", guest)
        self.front({"q": ["a"]}, "html", guest)
        self.lineage({}, "html", guest)
        for name, _ in zip(catalog.heads, range(1), strict=False):
            if catalog.knows(name):
                for question in PRODUCT:
                    self.page(of_product(name, question), "html", guest)
        for template in self.templates.list_templates(extensions=["html"]):
            self.templates.get_template(template)

    def _page(self, catalog: Catalog, address: Address, form: str, guest: Guest) -> Answer:
        view = View(self.setting, catalog, address, self.links(address.path))
        self._find(view)
        if form != "html":
            return Answer(self._document(view, form), form)
        made = (PRODUCT if address.product else DOMAIN)[address.question](view)
        kind = "product" if address.product else "domain"
        return self.html(
            f"{kind}_{address.question or 'overview'}.html",
            address.path,
            guest,
            view=view,
            address=address,
            look=look_of(view.facts) if address.product else of_domain(catalog.health[address.domain]),
            **made,
        )

    def offered(self, address: Address) -> tuple[str, ...]:
        return OFFERED

    def told(self, status: int, title: str, text: str, guest: Guest, near: Sequence[str] = ()) -> Answer:
        """A page that says what is not there, or what went wrong."""
        made = self.html("told.html", "/", guest, title=title, text=text, near=near, status=status)
        return replace(made, status=status)

    def _find(self, view: View) -> None:
        """Raises NoSuchPage for a name that nobody has, with the nearest ones."""
        catalog, address = view.catalog, view.address
        if address.domain not in catalog.health:
            near = difflib.get_close_matches(address.domain, list(catalog.health), n=3)
            told = "There is no domain of that name."
            raise NoSuchPage(told, tuple(Address(name).path for name in near))
        if not address.product:
            _ = view.released
            return
        if not catalog.knows(address.name):
            names = {str(name): name for name in catalog.facts}
            near = difflib.get_close_matches(str(address.name), list(names), n=3)
            told = "There is no product of that name."
            if address.product.startswith("_"):
                told = "What begins with an underscore is private to its domain, and not shown here."
            raise NoSuchPage(told, tuple(of_product(names[name]).path for name in near))
        _ = view.version

    def _document(self, view: View, form: str) -> str:
        address, base = view.address, view.base
        if form == "json":
            made = (PRODUCT if address.product else DOMAIN)[address.question](view)
            return standards.as_json(made["facts"])
        if form == "openlineage":
            version = view.version if address.product and address.wanted is not None else None
            names = [address.name] if address.product else view.catalog.products_of(address.domain)
            found = standards.lineage_events(
                view.registry, view.catalog, names, version.run_id if version else ""
            )
            return standards.as_json(found)
        if address.product:
            if view.contract is None:
                raise NoSuchPage("Its contract cannot be read.")
            if form == "yaml":
                return view.contract.text
            document = linked_data.product_document(
                view.catalog, address.name, view.contract, view.version, base
            )
            return standards.as_json(document)
        if view.domain is None:
            raise NoSuchPage("The domain's description cannot be read.")
        if form == "yaml":
            return standards.odps(view.domain.domain, base)
        return standards.as_json(linked_data.domain_document(view.catalog, address.domain, base))

    def html(self, template: str, path: str, guest: Guest, **more: Any) -> Answer:
        link = self.links(path)
        text = self.templates.get_template(template).render(
            link=link,
            path=path,
            static=self.static,
            mark=self.mark,
            guest=guest,
            dagster=Dagster(self.setting.portal.dagster),
            questions=QUESTIONS,
            moment=self.shelf.moment,
            **more,
        )
        return Answer(text, "html")


def problem_of(error: Exception) -> str:
    """What may be told of an error: a person's mistake by its words, all else by its kind."""
    return str(error) if isinstance(error, MeshError) else type(error).__name__
