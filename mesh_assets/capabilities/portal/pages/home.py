"""The front page: search with facets, and all domains with their state; the lineage of the whole mesh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from mesh_assets.capabilities.portal.address import Address, of_product
from mesh_assets.capabilities.portal.catalog import Catalog
from mesh_assets.capabilities.portal.graphs import counted, domain_graph
from mesh_assets.capabilities.portal.lineage_query import LineageQuery
from mesh_assets.capabilities.portal.looks import of_domain
from mesh_assets.capabilities.portal.search import FACETS, Found
from mesh_assets.capabilities.portal.view import Links

#: Hits on a page, values of a facet that are shown.
HITS, VALUES = 50, 8
#: The sizes of the lineage picture as they are called.
SIZES = {"whole": "the whole at a glance", "read": "as it is read", "large": "large"}


def front(
    catalog: Catalog, link: Links, query: Mapping[str, Sequence[str]], *, every: bool
) -> dict[str, Any]:
    """`every`: list all products, for a page that cannot ask again (a static one)."""
    text = (query.get("q") or [""])[0].strip()
    chosen = {facet: tuple(query.get(facet, ())) for facet in FACETS}
    asked = bool(text or any(chosen.values()))
    found = catalog.index.search(text, chosen)
    start = 0 if every else _page(query) * HITS
    shown = found.hits if every else found.hits[start : start + HITS]
    return {
        "facts": {
            "query": text,
            "chosen": {facet: list(values) for facet, values in chosen.items() if values},
            "found": len(found.hits),
            "products": [
                {
                    "product": str(hit.entry.name),
                    "title": hit.entry.title,
                    "description": hit.entry.purpose,
                    "state": hit.entry.look.word,
                    "columns": list(hit.columns),
                    "path": of_product(hit.entry.name).path,
                }
                for hit in shown
            ],
            "domains": domains(catalog) if every or not asked else [],
        },
        "hits": shown,
        "path_of": lambda name: of_product(name).path,
        "asked": asked or every,
        "every": every,
        "text": text,
        "facets": facet_rows(found, text, chosen),
        "all": len(catalog.facts),
        "domain_count": len(catalog.health),
        "more": None
        if every or start + HITS >= len(found.hits)
        else _query(text, chosen, page=_page(query) + 1),
        "before": None if every or start == 0 else _query(text, chosen, page=_page(query) - 1),
        "start": start,
        "tones": counted(catalog),
        "problems": catalog.documents.problems,
    }


def domains(catalog: Catalog) -> list[dict[str, Any]]:
    rows = []
    for name, health in catalog.health.items():
        described = catalog.mesh.domains[name].domain if name in catalog.mesh.domains else None
        look = of_domain(health)
        rows.append(
            {
                "domain": name,
                "path": Address(name).path,
                "title": described.title if described else name,
                "purpose": described.purpose
                if described
                else (health.broken.problem if health.broken else ""),
                "owners": [each.name for each in described.owners] if described else [],
                "state": look.word,
                "tone": look.tone,
                "symbol": look.symbol,
                "products": health.products,
                "fresh": health.fresh,
                "tested": health.tested,
                "served": health.served,
                "states": {str(state): count for state, count in health.states},
            }
        )
    return rows


def facet_rows(found: Found, text: str, chosen: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Each facet with its values as links that choose or let go of them."""
    rows: list[dict[str, Any]] = []
    for facet, values in found.facets.items():
        shown = [value for value in values if value[2] or value[1]]
        kept = [value for value in shown if value[2]] + [value for value in shown if not value[2]][:VALUES]
        rows.append(
            {
                "facet": facet,
                "values": [
                    {
                        "value": value,
                        "count": count,
                        "chosen": on,
                        "query": _query(text, _toggled(chosen, facet, value)),
                    }
                    for value, count, on in kept
                ],
                "more": len(shown) - len(kept),
            }
        )
    return [row for row in rows if len(row["values"]) > 1 or any(each["chosen"] for each in row["values"])]


def _toggled(chosen: Mapping[str, Sequence[str]], facet: str, value: str) -> dict[str, tuple[str, ...]]:
    now = tuple(chosen.get(facet, ()))
    after = tuple(each for each in now if each != value) if value in now else (*now, value)
    return {**{name: tuple(values) for name, values in chosen.items()}, facet: after}


def _query(text: str, chosen: Mapping[str, Sequence[str]], page: int = 0) -> str:
    pairs = [("q", text)] if text else []
    pairs += [(facet, value) for facet in FACETS for value in chosen.get(facet, ())]
    pairs += [("page", str(page))] if page else []
    return "?" + urlencode(pairs) if pairs else ""


def _page(query: Mapping[str, Sequence[str]]) -> int:
    text = (query.get("page") or ["0"])[0]
    return int(text) if text.isdecimal() and len(text) < 6 else 0


def lineage(catalog: Catalog, link: Links, asked: LineageQuery) -> dict[str, Any]:
    """The whole mesh; domains open at a click on their name in the list, and the picture has three sizes."""
    picture = domain_graph(catalog, link, asked)
    return {
        "facts": {
            "domains": domains(catalog),
            "products": [
                {"product": str(asset.name), "needs": [str(need) for need in asset.needs]}
                for asset in catalog.mesh.products
            ],
        },
        "picture": picture,
        "zoom": asked.zoom,
        "sizes": [
            {"name": name, "called": called, "query": asked.sized(name).text}
            for name, called in SIZES.items()
        ],
        "opened": asked.opened,
        "toggles": [
            {"domain": name, "open": name in asked.opened, "query": query}
            for name, query in asked.toggled().items()
        ],
        "open_all": asked.opening(asked.domains).text,
        "close_all": asked.opening(()).text,
        "unfold_all": asked.unfolding(whole=True).text,
        "fold_all": asked.unfolding().text,
        "may_fold": asked.whole or asked.unfolded,
        "tones": counted(catalog),
    }
