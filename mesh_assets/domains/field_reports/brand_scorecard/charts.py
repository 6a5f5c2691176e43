"""The scorecard's charts, each for a wide page and for a phone.

Here: what each chart shows and its words for people who cannot see it.
Not here: figures (figures), SVG (svg), the page around them (page).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import altair as alt

from mesh_assets.domains.field_reports.brand_scorecard.figures import Brand, Figures
from mesh_assets.domains.field_reports.brand_scorecard.svg import Drawable, draw
from mesh_assets.domains.field_reports.brand_scorecard.territories import comparable, fitted, shades

#: Colours are variables of the page's style, so that one picture serves light, dark and print.
INK, MUTED, GRID, SURFACE = "var(--ink)", "var(--muted)", "var(--grid)", "var(--card)"
TERMS = {
    1: "Preferred",
    2: "Tier 1 or 2, restricted",
    3: "Tier 3",
    4: "Tier 4",
    5: "Tier 5",
    0: "Not covered",
}
MINUS = "\N{MINUS SIGN}"


def trend(figures: Figures, *, width: int, height: int) -> str:
    """Fills per week of each brand of the basket, with its name where its line ends."""
    last = figures.points[-1].week
    end = {point.brand_id: point.level for point in figures.points if point.week == last}
    top = max(point.level for point in figures.points)
    names = [
        {
            "brand": brand.label,
            "week": last.isoformat(),
            "level": level,
            "colour": figures.colour(brand.brand_id),
        }
        for brand, level in _apart(figures, end, gap=top * 15 / height)
    ]
    lines = [
        {
            "week": point.week.isoformat(),
            "level": point.level,
            "brand": point.brand_id,
        }
        for point in figures.points
    ]
    order = [brand.brand_id for brand in reversed(figures.focus)]
    months = (1, 7) if width < 400 else (1, 4, 7, 10)
    ticks = sorted(
        {point.week.replace(day=1).isoformat() for point in figures.points if point.week.month in months}
    )
    x = alt.X(
        "week:T", axis=_axis(format="%b %y", values=ticks[1:], grid=False, labelOverlap=False), title=None
    )
    y = alt.Y(
        "level:Q", axis=_axis(tickCount=5), title=None, scale=alt.Scale(domain=[0, top * 1.04], nice=False)
    )
    span = [{"from": (last - timedelta(days=84)).isoformat(), "to": last.isoformat()}]
    chart = alt.layer(
        _chart(span).mark_rect(color="var(--band)").encode(x=alt.X("from:T", title=None), x2="to:T"),
        _chart(lines)
        .mark_line(strokeWidth=2, strokeJoin="round", strokeCap="round")
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "brand:N",
                legend=None,
                scale=alt.Scale(domain=order, range=[figures.colour(brand) for brand in order]),
            ),
        ),
        _chart(names)
        .mark_text(align="left", dx=7, fontSize=12, fontWeight=600)
        .encode(x="week:T", y="level:Q", text="brand:N", color=alt.Color("colour:N", scale=None)),
    )
    return _drawn(
        chart, name=f"trend{width}", width=width - 150, height=height, alternative=_trend_in_words(figures)
    )


def shift(figures: Figures, *, width: int, height: int) -> str:
    """Each brand's share of the basket, before (ring) and now (dot)."""
    rows = [
        {
            "brand": brand.label,
            "prior": round(100 * brand.prior_share, 2),
            "share": round(100 * brand.share, 2),
            "colour": figures.colour(brand.brand_id),
            "change": f"{brand.share_change_pts:+.1f}".replace("-", MINUS),
            "said": f"{brand.label}: {brand.prior_share:.1%} before, {brand.share:.1%} now",
        }
        for brand in figures.focus
    ]
    base = _chart(rows)
    y = alt.Y(
        "brand:N",
        sort=[brand.label for brand in figures.focus],
        title=None,
        axis=_axis(grid=False, labelColor=INK),
    )
    x = alt.X("share:Q", title=None, axis=_axis(tickCount=4, labelExpr="datum.value + '%'"))
    colour = alt.Color("colour:N", scale=None)
    chart = alt.layer(
        base.mark_rule(strokeWidth=3, opacity=0.45).encode(x=x, x2="prior:Q", y=y, color=colour),
        base.mark_point(size=60, strokeWidth=2, filled=True, fill=SURFACE).encode(
            x="prior:Q", y=y, stroke=colour, description="said:N"
        ),
        base.mark_circle(size=90, opacity=1).encode(x=x, y=y, color=colour, description="said:N"),
        base.transform_calculate(edge="max(datum.share, datum.prior)")
        .mark_text(align="left", dx=10, fontSize=12)
        .encode(x="edge:Q", y=y, text="change:N", color=alt.value(MUTED)),
    )
    said = "; ".join(str(row["said"]) for row in rows)
    return _drawn(
        chart,
        name=f"shift{width}",
        width=width - 125,
        height=height,
        alternative=f"Share of {figures.basket} fills, 13 weeks before and last 13 weeks. {said}.",
    )


def access(figures: Figures, *, width: int, height: int) -> str:
    """Insured members by the terms on which their plan covers each brand, best terms first."""
    rows = [
        {
            "brand": brand.label,
            "place": place,
            "terms": name,
            "percent": percent,
            "text": f"{percent:.0f}" if percent >= (9 if width < 400 else 6) else "",
            "said": f"{brand.label}: {percent:.0f}% of members, {name.lower()}",
        }
        for brand in figures.focus
        for place, (terms, name) in enumerate(TERMS.items())
        if (percent := figures.access.get(brand.brand_id, {}).get(terms, 0.0)) > 0
    ]
    base = _chart(rows)
    names = list(TERMS.values())
    y = alt.Y(
        "brand:N",
        sort=[brand.label for brand in figures.focus],
        title=None,
        axis=_axis(grid=False, labelColor=INK),
    )
    x = alt.X(
        "percent:Q",
        stack="zero",
        title=None,
        axis=_axis(values=[0, 50, 100], labelExpr="datum.value + '%'", grid=False),
        scale=alt.Scale(domain=[0, 100]),
    )
    order = alt.Order("place:Q")
    fills = alt.Scale(domain=names, range=[f"var(--t{terms})" for terms in TERMS])
    inks = alt.Scale(domain=names, range=[f"var(--t{terms}-ink)" for terms in TERMS])
    chart = alt.layer(
        base.mark_bar(stroke=SURFACE, strokeWidth=2, height=alt.RelativeBandSize(0.74)).encode(
            x=x, y=y, order=order, color=alt.Color("terms:N", scale=fills, legend=None), description="said:N"
        ),
        base.mark_text(fontSize=11).encode(
            x=alt.X("percent:Q", stack="zero", bandPosition=0.5, title=None),
            y=y,
            order=order,
            text="text:N",
            color=alt.Color("terms:N", scale=inks, legend=None),
        ),
    ).resolve_scale(color="independent")
    preferred = "; ".join(
        f"{brand.label} {brand.preferred_access_pct:.0f}%"
        for brand in figures.focus
        if brand.preferred_access_pct is not None
    )
    return _drawn(
        chart,
        name=f"access{width}",
        width=width - 125,
        height=height,
        alternative=f"Percent of insured members with preferred access: {preferred}.",
    )


def engagement(figures: Figures, *, width: int, height: int) -> str:
    """Calls on the detailed brand against that brand's growth, one dot per territory."""
    rows = [
        {
            "calls": one.calls,
            "growth": one.brand_growth_pct,
            "fills": one.brand_fills,
            "said": f"{one.label}: {one.calls:,} calls, {one.brand_growth_pct:+.0f}%",
        }
        for one in comparable(figures)
    ]
    fit = fitted(comparable(figures))
    ends = [
        {"calls": calls, "growth": fit.at(calls)}
        for calls in _ends([one.calls for one in comparable(figures)])
    ]
    base = _chart(rows)
    x = alt.X(
        "calls:Q",
        title="Calls in the last 12 months",
        axis=_axis(tickCount=5, grid=False),
        scale=alt.Scale(zero=False, nice=True),
    )
    y = alt.Y(
        "growth:Q",
        title=None,
        axis=_axis(tickCount=5, labelExpr="(datum.value > 0 ? '+' : '') + datum.value + '%'"),
        scale=alt.Scale(zero=True, nice=True),
    )
    colour = figures.colour(figures.detailed.brand_id)
    chart = alt.layer(
        base.mark_circle(opacity=0.55, color=colour, stroke=colour, strokeWidth=1).encode(
            x=x,
            y=y,
            size=alt.Size("fills:Q", legend=None, scale=alt.Scale(range=[20, 260])),
            description="said:N",
        ),
        _chart(ends).mark_line(color=INK, strokeWidth=1.5, strokeDash=[5, 4]).encode(x=x, y=y),
    )
    return _drawn(
        chart,
        name=f"engagement{width}",
        width=width - 62,
        height=height,
        alternative=f"{figures.detailed.label}: calls against growth in {len(rows)} territories, "
        f"correlation {fit.correlation:.2f}.",
    )


def country(figures: Figures, *, width: int, height: int) -> str:
    """The country as dots, shaded by the detailed brand's share of the territory's basket."""
    shade = shades(figures)
    known = {one.territory_id: one for one in figures.territories}
    brand = figures.detailed.brand_id
    dots = [
        {
            "east": dot.east,
            "north": dot.north,
            "colour": f"var(--s{shade[dot.territory_id]})" if dot.territory_id in shade else GRID,
            "said": f"{known[dot.territory_id].label}: {known[dot.territory_id].shares.get(brand, 0):.0%}"
            if dot.territory_id in known
            else "no fills",
        }
        for dot in figures.dots
    ]
    chart = (
        _chart(dots)
        .mark_circle(size=(width / 86) ** 2 * 0.8, opacity=1)
        .encode(
            x=alt.X("east:Q", axis=None, scale=alt.Scale(nice=False, zero=False)),
            y=alt.Y("north:Q", axis=None, scale=alt.Scale(nice=False, zero=False)),
            color=alt.Color("colour:N", scale=None),
            description="said:N",
        )
    )
    return _drawn(
        chart,
        name=f"country{width}",
        width=width - 10,
        height=height,
        alternative=f"Map of the United States: {figures.detailed.label}'s share of {figures.basket} fills "
        "by territory, last 52 weeks. The table beside it has the same figures.",
    )


def sparkline(levels: Sequence[float], *, name: str, colour: str, every: str = "week") -> str:
    """A line without axes, for a headline figure."""
    values = [{"x": place, "y": level} for place, level in enumerate(levels)]
    scale = alt.Scale(zero=False, nice=False)
    x = alt.X("x:Q", axis=None, scale=alt.Scale(nice=False))
    chart = alt.layer(
        _chart(values)
        .mark_line(color=colour, strokeWidth=2)
        .encode(x=x, y=alt.Y("y:Q", axis=None, scale=scale)),
        _chart(values[-1:])
        .mark_circle(color=colour, size=40, opacity=1)
        .encode(x=x, y=alt.Y("y:Q", axis=None)),
    )
    return _drawn(
        chart,
        name=name,
        width=120,
        height=30,
        alternative=f"From {levels[0]:,.0f} to {levels[-1]:,.0f} a {every}",
    )


def _ends(values: Sequence[int]) -> tuple[int, ...]:
    return (min(values), max(values)) if values else ()


def _apart(figures: Figures, end: dict[str, float], *, gap: float) -> list[tuple[Brand, float]]:
    """Where the names of lines go: at the line's end, or as near as no other name is."""
    wanted = sorted(figures.focus, key=lambda brand: (-end[brand.brand_id], brand.brand_id))
    floor = [gap * place for place in range(len(wanted) - 1, -1, -1)]
    placed: list[tuple[Brand, float]] = []
    for brand, lowest in zip(wanted, floor, strict=True):
        ceiling = placed[-1][1] - gap if placed else end[brand.brand_id]
        placed.append((brand, max(min(end[brand.brand_id], ceiling), lowest)))
    return placed


def _trend_in_words(figures: Figures) -> str:
    said = "; ".join(
        f"{brand.label} {brand.fills:,} fills in the last 13 weeks"
        + (f" ({brand.growth_pct:+.0f}%)" if brand.growth_pct is not None else "")
        for brand in figures.focus
    )
    return f"Fills per week by brand, mean of four weeks, two years. {said}."


def _chart(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=list(rows)))


def _axis(**settings: Any) -> alt.Axis:
    return alt.Axis(
        **{
            "domain": False,
            "ticks": False,
            "labelColor": MUTED,
            "titleColor": MUTED,
            "gridColor": GRID,
            "labelPadding": 6,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            **settings,
        }
    )


def _drawn(chart: Drawable, *, name: str, width: int, height: int, alternative: str) -> str:
    sized = chart.properties(width=width, height=height, background="transparent", padding=4)
    return draw(sized.configure_view(stroke=None), name=name, alternative=alternative)
