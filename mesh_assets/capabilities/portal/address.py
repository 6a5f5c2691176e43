"""Addresses: what a URL of the portal means, and the URL of a thing.

`/`, `/<domain>`, `/<domain>/<product>`, each with a question behind it and `@<version>` behind the name:
`/hcp/hcp_master@12/with`. What belongs to the portal itself begins with `/-/`, which no domain can be called.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mesh_assets.words.names import VERSION_WORD, WORD, ProductName

QUESTIONS = ("what", "where", "when", "with", "how")
#: Endings, and the form that each asks for; the longer ones first.
ENDINGS = {
    ".openlineage.json": "openlineage",
    ".odcs.yaml": "yaml",
    ".odps.yaml": "yaml",
    ".jsonld": "jsonld",
    ".json": "json",
    ".yaml": "yaml",
    ".html": "html",
}
SUFFIXES = {"json": ".json", "yaml": ".yaml", "jsonld": ".jsonld", "openlineage": ".openlineage.json"}


@dataclass(frozen=True)
class Address:
    """A page of a domain or a product, or its document of some form."""

    domain: str
    product: str = ""
    #: A number or a tag; of a domain the number of a release. None: now.
    wanted: str | None = None
    #: One of QUESTIONS, or "" for the page that sums them up.
    question: str = ""
    #: html, json, yaml, jsonld, openlineage; "" leaves it to the request's Accept.
    form: str = ""

    @property
    def name(self) -> ProductName:
        return ProductName(self.domain, self.product)

    @property
    def path(self) -> str:
        """Where it is, without the form."""
        pin = f"@{self.wanted}" if self.wanted is not None else ""
        parts = [self.domain, self.product] if self.product else [self.domain]
        parts[-1] += pin
        # A product may be called as a question is: its page is then told from the domain's by a second word.
        asked = self.question or ("what" if self.product in QUESTIONS and not pin else "")
        return "/" + "/".join([*parts, *([asked] if asked else [])])

    @property
    def document(self) -> str:
        """Where it is, with the ending of its form."""
        return self.path + SUFFIXES.get(self.form, "")

    def ask(self, question: str) -> Address:
        return replace(self, question=question, form="")

    def at(self, wanted: int | str | None) -> Address:
        return replace(self, wanted=None if wanted is None else str(wanted))


def of_product(name: ProductName, question: str = "", wanted: int | str | None = None) -> Address:
    return Address(name.domain, name.product, None if wanted is None else str(wanted), question)


def read_address(path: str) -> Address | None:
    """What a decoded path means; None for one that can be nobody's."""
    parts = [part for part in path.split("/") if part]
    if not 1 <= len(parts) <= 3 or len(path) > 400 or "//" in path:
        return None
    parts[-1], form = _without_ending(parts[-1])
    question = parts.pop() if len(parts) > 1 and parts[-1] in QUESTIONS else ""
    if len(parts) > 2 or not parts:
        return None
    last, mark, wanted = parts[-1].partition("@")
    parts[-1] = last
    if not all(WORD.match(part) for part in parts) or (mark and not VERSION_WORD.match(wanted)):
        return None
    return Address(parts[0], parts[1] if len(parts) > 1 else "", wanted or None, question, form)


def _without_ending(last: str) -> tuple[str, str]:
    for ending, form in ENDINGS.items():
        if last.endswith(ending) and len(last) > len(ending):
            return last.removesuffix(ending), form
    return last, ""
