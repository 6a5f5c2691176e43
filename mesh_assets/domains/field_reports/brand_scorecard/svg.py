"""Charts as SVG that can stand in a page.

Here: rendering an Altair chart without a browser, and turning Vega's SVG into one that inherits the page's
fonts and colours, shares no ids with its neighbours and is the same to the byte for the same data.
Not here: what the charts show (charts).
"""

from __future__ import annotations

import re
from typing import TypeAlias
from xml.etree import ElementTree

import altair as alt
import vl_convert

Drawable: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart

SVG = "http://www.w3.org/2000/svg"
#: What Vega writes for its own screen-reader tree and events. Here the picture is one image.
DROPPED = ("aria-hidden", "aria-roledescription", "role", "pointer-events", "font-family", "class", "version")

DOT = re.compile(r"M([\d.]+),0A")
PLACE = re.compile(r"translate\((-?[\d.]+),(-?[\d.]+)\)$")


def draw(chart: Drawable, *, name: str, alternative: str) -> str:
    """The chart as an inline SVG element, `alternative` being what a screen reader says of it."""
    raw = vl_convert.vegalite_to_svg(chart.to_dict())
    root = ElementTree.fromstring(raw)  # noqa: S314 - written by the line above
    _prune(root)
    _rename_ids(root, name)
    _label_marks(root)
    _join_dots(root)
    root.attrib = {
        "viewBox": f"0 0 {root.get('width')} {root.get('height')}",
        "role": "img",
        "aria-label": alternative,
        "style": f"max-width:{round(1.3 * float(root.get('width', 0)))}px",
    }
    ElementTree.register_namespace("", SVG)
    return _shorter(ElementTree.tostring(root, encoding="unicode"))


def _prune(parent: ElementTree.Element) -> None:
    """Leave out what is not seen: empty paths, hidden labels, groups that hold nothing."""
    for child in list(parent):
        _prune(child)
        kind = child.tag.removeprefix(f"{{{SVG}}}")
        hidden = child.get("display") == "none" or child.get("opacity") == "0"
        unpainted = kind == "path" and not (child.get("fill") or child.get("stroke"))
        if hidden or unpainted or (kind == "g" and not len(child)):
            parent.remove(child)
        for attribute in DROPPED:
            child.attrib.pop(attribute, None)


def _rename_ids(root: ElementTree.Element, name: str) -> None:
    """Ids counted per chart: Vega counts them per process, so that the second chart drawn gets other ones."""
    known: dict[str, str] = {}
    for element in root.iter():
        if "id" in element.attrib:
            known[element.attrib["id"]] = f"{name}-{len(known) + 1}"
            element.attrib["id"] = known[element.attrib["id"]]
    for element in root.iter():
        for attribute, value in element.attrib.items():
            if value.startswith("url(#"):
                element.attrib[attribute] = f"url(#{known[value[5:-1]]})"


def _label_marks(root: ElementTree.Element) -> None:
    """What a mark says becomes its <title>: browsers show it on hover, without a script."""
    for element in root.iter():
        said = element.attrib.pop("aria-label", None)
        if said and element.tag in (f"{{{SVG}}}path", f"{{{SVG}}}text"):
            title = ElementTree.Element(f"{{{SVG}}}title")
            title.text = said
            element.insert(0, title)


def _join_dots(parent: ElementTree.Element) -> None:
    """Many dots of one colour and one title become one path: a dot is a stroke of no length with a round end.

    Two thousand dots of a map take 30 kB so, and 350 kB otherwise.
    """
    joined: dict[tuple[str, ...], ElementTree.Element] = {}
    for child in list(parent):
        _join_dots(child)
        dot = DOT.match(child.get("d", ""))
        place = PLACE.match(child.get("transform", ""))
        title = child.find(f"{{{SVG}}}title")
        if not (dot and place) or title is None or child.get("opacity", "1") != "1" or child.get("stroke"):
            continue
        key = (child.get("fill", ""), dot[1], title.text or "")
        step = f"M{float(place[1]):.1f} {float(place[2]):.1f}h0".replace(".0", "")
        if key in joined:
            joined[key].set("d", joined[key].get("d", "") + step)
            parent.remove(child)
        else:
            joined[key] = child
            width = f"{2 * float(dot[1]):.2f}"
            child.attrib = {"d": step, "stroke": key[0], "stroke-width": width, "stroke-linecap": "round"}


def _shorter(text: str) -> str:
    """Coordinates to a tenth of a pixel: smaller, and free of the last digits that a library may change."""
    text = re.sub(r"-?\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}".replace(".0", ""), text)
    return re.sub(r' (opacity="1"|transform="translate\(0,0\)")', "", text)
