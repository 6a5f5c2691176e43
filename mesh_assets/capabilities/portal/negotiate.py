"""Which form of an answer a request wants: its ending says it, else its Accept header."""

from __future__ import annotations

#: Form -> the media type of the answer.
MEDIA = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "yaml": "application/yaml; charset=utf-8",
    "jsonld": "application/ld+json",
    "openlineage": "application/vnd.openlineage+json",
}
#: What a request may call them.
ASKED = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/json": "json",
    "application/yaml": "yaml",
    "application/x-yaml": "yaml",
    "text/yaml": "yaml",
    "application/odcs+yaml": "yaml",
    "application/odps+yaml": "yaml",
    "application/ld+json": "jsonld",
    "application/vnd.openlineage+json": "openlineage",
}
LONGEST = 2_000


def wanted_form(accept: str, offered: tuple[str, ...]) -> str | None:
    """The form that fits the header best; HTML where it does not matter, None where nothing fits."""
    if not accept.strip() or len(accept) > LONGEST:
        return offered[0]
    best: tuple[float, int, str] | None = None
    for order, part in enumerate(accept.split(",")):
        media, _, parameters = part.partition(";")
        weight = _weight(parameters)
        form = _form(media.strip().lower(), offered)
        if form and weight > 0 and (best is None or weight > best[0]):
            best = (weight, order, form)
    return best[2] if best else None


def _form(media: str, offered: tuple[str, ...]) -> str | None:
    if media in ("*/*", "text/*") and "html" in offered:
        return "html"
    if media in ("*/*", "application/*"):
        return next((form for form in offered if form != "html"), offered[0])
    form = ASKED.get(media)
    return form if form in offered else None


def _weight(parameters: str) -> float:
    for part in parameters.split(";"):
        name, _, value = part.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
