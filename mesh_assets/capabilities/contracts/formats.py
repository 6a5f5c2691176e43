"""Named formats of the standard, each with the document that defines it.

Here: what a text of a format looks like, what a number of a format can hold.
Not here: formats of dates and times (moments), the SQL that looks for values of no such form (checks).

ODCS names the formats and defines none. The meanings are those of JSON Schema and OpenAPI, from which the
names come; where these leave a choice, the RFC decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TextFormat:
    """A text is of this format if the whole of it matches, and if it is not too long."""

    #: In the plain form that RE2, Rust and Python read alike; to be matched against the whole text.
    pattern: str
    #: The document that says so, for people.
    meaning: str
    longest: int | None = None


_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
_H16 = "[0-9A-Fa-f]{1,4}"
_LS32 = f"(?:{_H16}:{_H16}|{_IPV4})"
#: The nine forms of RFC 3986's IPv6address: eight groups, or `::` in place of some.
_IPV6 = "|".join(
    [f"(?:{_H16}:){{6}}{_LS32}", f"::(?:{_H16}:){{5}}{_LS32}", f"(?:{_H16})?::(?:{_H16}:){{4}}{_LS32}"]
    + [f"(?:(?:{_H16}:){{0,{n}}}{_H16})?::(?:{_H16}:){{{4 - n}}}{_LS32}" for n in (1, 2, 3)]
    + [f"(?:(?:{_H16}:){{0,4}}{_H16})?::{_LS32}", f"(?:(?:{_H16}:){{0,5}}{_H16})?::{_H16}"]
    + [f"(?:(?:{_H16}:){{0,6}}{_H16})?::"]
)
_LABEL = "[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
_HOSTNAME = rf"{_LABEL}(?:\.{_LABEL})*"

_ATOM = "[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+"
#: Quoted-string: any printable ASCII, with a backslash before a quote or a backslash.
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
#: RFC 5321 4.5.3.1.1 gives a local part 64 octets.
_EMAIL = rf"(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?:{_HOSTNAME}|\[(?:{_IPV4}|IPv6:(?:{_IPV6}))\])"

_ESCAPED = "%[0-9A-Fa-f]{2}"
_UNRESERVED = "0-9A-Za-z._~!$&'()*+,;="
_PATH = f"(?:[{_UNRESERVED}:@/-]|{_ESCAPED})*"
_NO_SLASH_FIRST = f"(?:(?:[{_UNRESERVED}:@-]|{_ESCAPED}){_PATH})?"
_USER = f"(?:(?:[{_UNRESERVED}:-]|{_ESCAPED})*@)?"
_HOST = rf"(?:\[(?:{_IPV6}|v[0-9A-Fa-f]+\.[{_UNRESERVED}:-]+)\]|(?:[{_UNRESERVED}-]|{_ESCAPED})*)"
_AUTHORITY = f"//{_USER}{_HOST}(?::[0-9]*)?(?:/{_PATH})?"
_MORE = f"(?:[{_UNRESERVED}:@/?-]|{_ESCAPED})*"
_PLACE = f"(?:{_AUTHORITY}|/{_NO_SLASH_FIRST}|{_NO_SLASH_FIRST})"
_URI = rf"[A-Za-z][0-9A-Za-z+.-]*:{_PLACE}(?:\?{_MORE})?(?:#{_MORE})?"

TEXT_FORMATS: Mapping[str, TextFormat] = {
    "email": TextFormat(_EMAIL, "RFC 5321 Mailbox, in ASCII, of at most 254 characters", longest=254),
    "uuid": TextFormat(
        "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
        "RFC 9562: 8-4-4-4-12 hex digits, of any version",
    ),
    "uri": TextFormat(_URI, "RFC 3986 URI, with a scheme"),
    "hostname": TextFormat(
        _HOSTNAME, "RFC 1123: labels of 1 to 63 letters, digits, hyphens; at most 253 in all", longest=253
    ),
    "ipv4": TextFormat(_IPV4, "RFC 3986 IPv4address: four numbers 0 to 255 without leading zeros"),
    "ipv6": TextFormat(_IPV6, "RFC 3986 IPv6address (RFC 4291), without a zone"),
    "byte": TextFormat(
        "(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?",
        "RFC 4648 section 4: base64 with padding",
    ),
}
#: The longest local part of an address; an expression would have to count it beside its own form.
LONGEST_LOCAL_PART = 64

#: Formats that no value can break: OpenAPI says how to show or to send them, not what they hold.
HINTS: Mapping[str, str] = {
    "password": "OpenAPI: not to be shown; any text is one",
    "binary": "OpenAPI: any sequence of octets is one",
}

#: Rust's integers: the least and the greatest value of each.
INTEGER_FORMATS: Mapping[str, tuple[int, int]] = {
    **{f"i{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64, 128)},
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64, 128)},
}
#: Rust's floats, and the DuckDB type that is exactly that.
FLOAT_FORMATS: Mapping[str, str] = {"f32": "FLOAT", "f64": "DOUBLE"}
