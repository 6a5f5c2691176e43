"""The scorecard as one page: words, tables, and the charts between them.

Here: what the page says, and in which order.
Not here: figures (figures), charts (charts), looks (style.css), layout (page.html).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mesh_assets.domains.field_reports.brand_scorecard import charts, territories
from mesh_assets.domains.field_reports.brand_scorecard.figures import COLOURED, Brand, Figures

HERE = Path(__file__).parent
#: Widths in pixels at which charts are drawn: eight, six and four of twelve columns, and a phone.
EIGHT, SIX, FOUR, PHONE = 774, 566, 358, 340
TERRITORIES_SHOWN = 11
NOTHING = "\N{EN DASH}"


def page(figures: Figures) -> str:
    """The whole report as one HTML file that asks for nothing from anywhere."""
    jinja = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters.update(signed=signed, percent=percent, whole=whole, compact=compact, direction=direction)
    return jinja.get_template("page.html").render(
        figures=figures,
        basket=basket_title(figures.basket),
        period=period(figures),
        headline=headline(figures),
        tiles=tiles(figures),
        charts=drawings(figures),
        legend=[(name, f"t{terms}") for terms, name in charts.TERMS.items()],
        said=findings(figures),
        territories=figures.territories[:TERRITORIES_SHOWN],
        shades=territories.shades(figures),
        heat=heat(figures),
        baskets=baskets(figures),
        coloured=COLOURED,
        style=Markup((HERE / "style.css").read_text(encoding="utf-8")),  # noqa: S704 - a file of this folder
    )


def drawings(figures: Figures) -> dict[str, Markup]:
    """Every chart twice: the style shows the one that fits."""
    tall = 36 * len(figures.focus) + 10
    pairs = {
        "trend": [
            charts.trend(figures, width=width, height=height)
            for width, height in ((EIGHT, 350), (PHONE, 300))
        ],
        "shift": [charts.shift(figures, width=width, height=tall) for width in (FOUR, PHONE)],
        "access": [charts.access(figures, width=width, height=tall) for width in (SIX, PHONE)],
        "engagement": [
            charts.engagement(figures, width=width, height=height)
            for width, height in ((SIX, tall), (PHONE, 260))
        ],
    }
    country = {"country": Markup(charts.country(figures, width=SIX, height=350))}  # noqa: S704 - our own drawing
    return country | {
        name: Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(
            Markup(wide),  # noqa: S704 - our own drawing
            Markup(narrow),  # noqa: S704 - our own drawing
        )
        for name, (wide, narrow) in pairs.items()
    }


def headline(figures: Figures) -> str:
    """The report in one sentence."""
    leader, gainer, loser = figures.focus[0], gained_most(figures), lost_most(figures)
    words = f"{leader.label} leads with {leader.share:.1%} of fills"
    if gainer.share_change_pts > 0:
        also = "and gained most" if gainer is leader else f"{gainer.label} gained most"
        words += f"; {also}" if gainer is not leader else f" {also}"
        words += f" ({signed(gainer.share_change_pts)} points)"
    if loser.share_change_pts < 0:
        words += f", {loser.label} lost most ({signed(loser.share_change_pts)})"
    return words + "."


def tiles(figures: Figures) -> list[dict[str, Any]]:
    """Headline figures, each with what it was before."""
    focus, detailed, leader = figures.focus, figures.detailed, figures.focus[0]
    gains = gained_most(figures) is not leader
    mover = gained_most(figures) if gains else lost_most(figures)
    fills, prior = sum(brand.fills for brand in focus), sum(brand.prior for brand in focus)
    calls = growth(detailed.calls, detailed.prior_calls)
    return [
        {
            "name": "Fills in the basket",
            "value": f"{fills:,}",
            "change": signed(growth(fills, prior), "%"),
            "way": direction(growth(fills, prior)),
            "note": "against the 13 weeks before",
            "line": spark(figures, [brand.brand_id for brand in focus], "basket", "var(--ink2)"),
        },
        {
            "name": f"{leader.label}, leader",
            "value": f"{leader.share:.1%}",
            "change": signed(leader.share_change_pts, " pts"),
            "way": direction(leader.share_change_pts),
            "note": "share of the basket",
            "line": spark(figures, [leader.brand_id], "leader", figures.colour(leader.brand_id)),
        },
        {
            "name": f"{mover.label}, most share {'gained' if gains else 'lost'}",
            "value": signed(mover.share_change_pts, " pts"),
            "change": signed(mover.growth_pct, "%"),
            "way": direction(mover.growth_pct),
            "note": "in fills",
            "line": spark(figures, [mover.brand_id], "mover", figures.colour(mover.brand_id)),
        },
        {
            "name": f"Calls on {detailed.label}",
            "value": f"{detailed.calls:,}",
            "change": signed(calls, "%"),
            "way": direction(calls),
            "note": "last 3 months, against the 3 before",
            "line": Markup(  # noqa: S704 - our own drawing
                charts.sparkline(
                    figures.monthly_calls,
                    name="spark-calls",
                    colour=figures.colour(detailed.brand_id),
                    every="month",
                )
            ),
        },
        {
            "name": f"{detailed.label}, preferred access",
            "value": percent(detailed.preferred_access_pct),
            "change": "",
            "way": "level",
            "note": "of insured members",
            "line": meter(detailed.preferred_access_pct),
        },
    ]


def findings(figures: Figures) -> dict[str, str]:
    """What each chart shows, as its title."""
    gainer, loser, detailed = gained_most(figures), lost_most(figures), figures.detailed
    widest = max(figures.focus, key=lambda brand: (brand.preferred_access_pct or 0, brand.brand_id))
    strongest = max(
        territories.sizeable(figures),
        key=lambda one: (one.shares.get(detailed.brand_id, 0), one.territory_id),
    )
    r = territories.fitted(territories.comparable(figures)).correlation
    return {
        "trend": f"{figures.focus[0].label} is filled most, {figures.focus[0].fills / 13:,.0f} times a week",
        "shift": f"{gainer.label} takes share, {loser.label} gives it up",
        "country": f"{detailed.label} is strongest around {strongest.label}, "
        f"at {strongest.shares.get(detailed.brand_id, 0):.0%} of the basket",
        "access": f"{widest.label} has the widest preferred access, "
        f"{percent(widest.preferred_access_pct)} of members",
        "engagement": f"{_link(detailed.label, r)} ({unbroken(f'r = {r:+.2f}')})",
    }


def _link(brand: str, r: float) -> str:
    """Words for a correlation. They say together or not; they do not say because."""
    if abs(r) < 0.2:
        return f"Calls on {brand} and its growth show no clear link"
    strength = "weak" if abs(r) < 0.4 else "moderate" if abs(r) < 0.6 else "strong"
    return f"More calls on {brand}, {'more' if r > 0 else 'less'} growth: a {strength} link"


def heat(figures: Figures) -> dict[str, dict[str, int]]:
    """Territory -> brand -> colour 0 to 5, by the root of the share: a leader would pale all the others."""
    shown = figures.territories[:TERRITORIES_SHOWN]
    top = max((share for one in shown for share in one.shares.values()), default=1.0)
    return {
        one.territory_id: {brand: round(5 * (share / top) ** 0.5) for brand, share in one.shares.items()}
        for one in shown
    }


def baskets(figures: Figures) -> list[tuple[str, list[Brand]]]:
    """All brands by basket, the focus basket first."""
    names = sorted(
        {brand.basket for brand in figures.brands}, key=lambda name: (name != figures.basket, name)
    )
    return [
        (basket_title(name), [brand for brand in figures.brands if brand.basket == name]) for name in names
    ]


def spark(figures: Figures, brands: list[str], name: str, colour: str) -> Markup:
    """The last 26 weeks of some brands together."""
    levels: dict[str, float] = {}
    for point in figures.points:
        if point.brand_id in brands:
            levels[point.week.isoformat()] = levels.get(point.week.isoformat(), 0) + point.level
    return Markup(charts.sparkline(list(levels.values())[-26:], name=f"spark-{name}", colour=colour))  # noqa: S704


def meter(value: float | None) -> Markup:
    """A part of a hundred as a bar. The figure beside it says the same, so the bar itself says nothing."""
    return Markup('<span class="meter" aria-hidden="true"><span style="width:{}%"></span></span>').format(
        value or 0
    )


def gained_most(figures: Figures) -> Brand:
    return max(figures.focus, key=lambda brand: (brand.share_change_pts, brand.brand_id))


def lost_most(figures: Figures) -> Brand:
    return min(figures.focus, key=lambda brand: (brand.share_change_pts, brand.brand_id))


def period(figures: Figures) -> str:
    first, last = figures.last_week - timedelta(days=84), figures.last_week + timedelta(days=6)
    return f"{first:%-d %B %Y} to {last:%-d %B %Y}"


def basket_title(basket: str) -> str:
    """`oral_diabetes` as people write it. Short names are acronyms: GLP1."""
    words = basket.replace("_", " ")
    return words.upper() if len(words) <= 4 else words[0].upper() + words[1:]


def growth(now: float, prior: float) -> float | None:
    return round(100 * (now - prior) / prior, 1) if prior else None


def signed(value: float | None, unit: str = "") -> str:
    """A change with its sign: a minus that is a minus, not a hyphen."""
    return NOTHING if value is None else minus(f"{value:+,.1f}{unit}")


def unbroken(text: str) -> str:
    return minus(text).replace(" ", "\N{NO-BREAK SPACE}")


def minus(text: str) -> str:
    return text.replace("-", charts.MINUS)


def direction(value: float | None) -> str:
    return "level" if not value else "up" if value > 0 else "down"


def percent(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f}%"


def whole(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.0f}"


def compact(share: float) -> str:
    return f"{share:.1%}"
