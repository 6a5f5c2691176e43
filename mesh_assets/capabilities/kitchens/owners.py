"""Who has to agree to a change: a file in the repository, in the manner of CODEOWNERS.

`OWNERS` beside the domains (patterns begin there), else `CODEOWNERS` of the repository. The file is read as
production has it: a kitchen cannot change who is asked about it. The last line that matches a path says whom;
any one of those it names will do. A line with no names asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mesh_assets.words.promotions import OwnersMalformed
from mesh_assets.words.settings import Settings

#: Beside the domains, and where GitHub and GitLab look.
OURS = "OWNERS"
THEIRS = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")
#: A name, a team or a mail address.
OWNER = re.compile(r"^@?[A-Za-z0-9][A-Za-z0-9._/+@-]*$")


@dataclass(frozen=True)
class Line:
    """One line: whose the paths are that match."""

    pattern: str
    owners: tuple[str, ...]
    number: int

    def matches(self, path: str) -> bool:
        return _regex(self.pattern).match(path) is not None


@dataclass(frozen=True)
class Owners:
    """A file of owners. Without one nobody is asked."""

    file: Path | None
    lines: tuple[Line, ...] = ()

    def of(self, path: str) -> tuple[str, ...]:
        """Those of whom one has to agree to a change of this path, relative to the file's root."""
        return next((line.owners for line in reversed(self.lines) if line.matches(path)), ())


def read_owners(settings: Settings, top: Path | None) -> Owners:
    """The owners as production names them; raises OwnersMalformed."""
    wanted = [settings.domains.parent / OURS]
    wanted += [top / name for name in THEIRS] if top else []
    found = next((path for path in wanted if path.is_file()), None)
    return Owners(None) if found is None else Owners(found, parse(found))


def parse(file: Path) -> tuple[Line, ...]:
    lines = []
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        words = text.split("#")[0].split() if not text.lstrip().startswith("#") else []
        if not words or words[0].startswith("["):  # GitLab's sections group lines, and say nothing of whom
            continue
        pattern, *owners = words
        _refuse_nonsense(file, number, pattern, owners)
        lines.append(Line(pattern, tuple(owners), number))
    return tuple(lines)


def asked_of(
    owners: Owners, paths: Mapping[str, str], *, root: Path | None = None
) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Group of owners -> what they are asked about. `paths` is path -> what a person calls it."""
    found: dict[tuple[str, ...], list[str]] = {}
    for path, called in sorted(paths.items()):
        group = owners.of(path)
        if group:
            found.setdefault(group, []).append(called)
    return {group: tuple(dict.fromkeys(things)) for group, things in found.items()}


def unanswered(
    asked: Mapping[tuple[str, ...], tuple[str, ...]], agreed: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """`owners` in one text -> what nobody of them has agreed to."""
    names = {_plain(name) for name in agreed}
    return {
        " ".join(group): things
        for group, things in asked.items()
        if not names.intersection(_plain(owner) for owner in group)
    }


def all_owners(asked: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(owner for group in asked for owner in group))


def same_owner(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    """`@ann` and `ann` are the same."""
    return name.removeprefix("@").casefold()


def _refuse_nonsense(file: Path, number: int, pattern: str, owners: Sequence[str]) -> None:
    if pattern.startswith("!"):
        raise OwnersMalformed(
            file=file,
            line=number,
            problem=f"{pattern!r}: a pattern cannot be taken back",
            remedy="Write a later line with other owners, or with none",
        )
    for owner in owners:
        if not OWNER.match(owner):
            raise OwnersMalformed(
                file=file,
                line=number,
                problem=f"{owner!r} is no owner",
                remedy="Write names, @teams or mail addresses behind the pattern",
            )


def _regex(pattern: str) -> re.Pattern[str]:
    """As gitignore has it: a slash at the beginning or within fixes it to the root, one at the end means all
    below, `*` stays within a folder and `**` does not.
    """
    fixed = "/" in pattern.rstrip("/")
    body = pattern.strip("/")
    parts = []
    for piece in re.split(r"(\*\*/|/\*\*|\*\*|\*|\?)", body):
        words = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        parts.append(words.get(piece, re.escape(piece)))
    before = "" if fixed else "(?:.*/)?"
    # `docs/*` is the files in it, and not those below; any other pattern is a folder's whole content as well.
    after = "$" if pattern.endswith("/*") else ("/.*$" if pattern.endswith("/") else "(?:/.*)?$")
    return re.compile(f"^{before}{''.join(parts)}{after}")
