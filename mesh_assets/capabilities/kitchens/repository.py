"""Git, as far as promotions need it: merging without a working tree, moving a branch, taking a merge back.

Here: commands and their answers. Not here: what may be merged, and when.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mesh_assets.capabilities.publishing.code import git
from mesh_assets.words.promotions import GitRefused, TreeNotClean
from mesh_assets.words.settings import Settings

#: Checking a large repository out takes a while.
SECONDS = 300
#: Paths that an error names.
SHOWN = 5


@dataclass(frozen=True)
class Merged:
    """Two commits put together: a tree, and the paths on which they do not agree."""

    tree: str
    conflicts: tuple[str, ...]


@dataclass(frozen=True)
class Changed:
    """One file that differs between two commits: added, modified, deleted, renamed."""

    how: str
    path: str
    was: str = ""


def repository_of(settings: Settings) -> Path | None:
    """The top folder of the repository that holds the domains, None if they are in none."""
    found = git(settings.domains, "rev-parse", "--show-toplevel")
    return Path(found).resolve() if found else None


def head_of(top: Path) -> str:
    return ask(top, "rev-parse", "HEAD")


def commit_of(top: Path, name: str) -> str:
    """The commit of a branch, a tag or a commit's own name."""
    return ask(top, "rev-parse", "--verify", f"{name}^{{commit}}")


def tree_of(top: Path, commit: str) -> str:
    return ask(top, "rev-parse", f"{commit}^{{tree}}")


def refuse_unclean(top: Path, what: str, remedy: str, *, untracked: bool = False) -> None:
    """Raise TreeNotClean if a file differs from what is committed."""
    also = "normal" if untracked else "no"
    told = ask(top, "status", "--porcelain", f"--untracked-files={also}")
    paths = [line[3:] for line in told.splitlines() if line.strip()]
    if paths:
        more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
        raise TreeNotClean(what=what, paths=", ".join(paths[:SHOWN]) + more, remedy=remedy)


def merge(top: Path, ours: str, theirs: str) -> Merged:
    """What `git merge` would make of them; no file and no branch is touched."""
    command = ["merge-tree", "--write-tree", "--name-only", "--no-messages", ours, theirs]
    done = _run(top, command)
    if done.returncode not in (0, 1):
        raise GitRefused(what="merge-tree", told=_told(done))
    tree, *conflicts = done.stdout.splitlines()
    return Merged(tree, tuple(dict.fromkeys(path for path in conflicts if path)) if done.returncode else ())


def without(top: Path, ours: str, taken_back: str) -> Merged:
    """Our tree without what a commit changed against its first parent."""
    tree = tree_of(top, f"{taken_back}^1")
    # A commit that puts the old tree back right after the other one: merging it takes the change away.
    opposite = commit(top, tree, [taken_back], "put back", who="mesh")
    return merge(top, ours, opposite)


def commit(top: Path, tree: str, parents: Sequence[str], message: str, *, who: str) -> str:
    """A commit of a tree, on no branch yet."""
    named = [part for parent in parents for part in ("-p", parent)]
    return ask(top, "commit-tree", tree, *named, "-m", message, environment=_identity(top, who))


def commit_all(top: Path, message: str, *, who: str) -> str:
    """Commit every change of a working tree on its branch; the commit."""
    ask(top, "add", "--all")
    ask(top, "commit", "--quiet", "--no-verify", "-m", message, environment=_identity(top, who))
    return head_of(top)


def is_in(top: Path, commit: str, history_of: str) -> bool:
    """True if a commit is in the history of another one, or is that one."""
    return _run(top, ["merge-base", "--is-ancestor", commit, history_of]).returncode == 0


def changed_between(top: Path, before: str, after: str) -> tuple[Changed, ...]:
    told = ask(top, "diff", "--name-status", "-z", "-M", before, after)
    words, found = told.split("\0"), []
    while len(words) > 1:
        how = words.pop(0)
        was = words.pop(0) if how[:1] in ("R", "C") else ""
        found.append(Changed(how[:1], words.pop(0), was))
    return tuple(found)


def log_between(top: Path, before: str, after: str, *paths: str, limit: int = 50) -> list[dict[str, str]]:
    """Commits that are in `after` and not in `before`, newest first: commit, who, when, subject."""
    told = ask(top, "log", f"-{limit}", "--format=%H%x1f%an%x1f%aI%x1f%s", f"{before}..{after}", "--", *paths)
    names = ("commit", "who", "when", "subject")
    return [dict(zip(names, line.split("\x1f"), strict=True)) for line in told.splitlines()]


def keep_name(top: Path, name: str, commit: str) -> None:
    """Let git keep a commit that no branch has."""
    ask(top, "update-ref", f"refs/mesh/{name}", commit)


def forget_name(top: Path, name: str) -> None:
    _run(top, ["update-ref", "-d", f"refs/mesh/{name}"])


def move_branch(top: Path, before: str, after: str) -> bool:
    """Let the branch that is checked out show another commit; False if it moved meanwhile."""
    return _run(top, ["update-ref", "-m", "mesh promotion", "HEAD", after, before]).returncode == 0


def bring_files(top: Path, before: str, after: str) -> None:
    """Bring index and working tree from one commit to the other: files that these two change, and no other.

    It may have been begun before. A file that is neither as before nor as after is somebody's work: refused.
    """
    paths = [name for each in changed_between(top, before, after) for name in (each.path, each.was) if name]
    if not paths:
        return
    known = [_blobs(top, commit, paths) for commit in (before, after)]
    now = _contents(top, paths)
    strange = [path for path in paths if now[path] not in {blobs.get(path, "") for blobs in known}]
    if strange:
        raise TreeNotClean(
            what=str(top),
            paths=", ".join(strange[:SHOWN]),
            remedy="Commit or put back what you changed there, and go on with the promotion",
        )
    kept = [path for path in paths if path in known[1]]
    gone = [path for path in paths if path not in known[1]]
    if kept:
        _with_paths(top, ["restore", f"--source={after}", "--staged", "--worktree"], kept)
    if gone:
        _with_paths(top, ["rm", "--quiet", "--force", "--ignore-unmatch"], gone)
        for path in gone:  # one that the index knows no longer, and that is still there
            (top / path).unlink(missing_ok=True)


@contextmanager
def tree_beside(settings: Settings, top: Path, commit: str, folder: Path) -> Iterator[Settings]:
    """Settings whose domains, journeys and dbt project are those of a commit, for as long as it takes."""
    ask(top, "worktree", "add", "--detach", "--force", str(folder), commit)
    try:
        yield settings_in(settings, top, folder)
    finally:
        _run(top, ["worktree", "remove", "--force", str(folder)])
        shutil.rmtree(folder, ignore_errors=True)
        _run(top, ["worktree", "prune"])


def settings_in(settings: Settings, top: Path, tree: Path) -> Settings:
    """The same mesh with the code of another tree."""

    def within(place: Path) -> Path:
        place = place.resolve()
        return tree / place.relative_to(top) if place.is_relative_to(top) else place

    return replace(
        settings,
        domains=within(settings.domains),
        journeys=within(settings.journeys),
        dbt_project=within(settings.dbt_project),
    )


def attempt(top: Path, *arguments: str) -> bool:
    """Whether git did it."""
    return _run(top, list(arguments)).returncode == 0


def ask(top: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """What git says; raises GitRefused with its words."""
    done = _run(top, list(arguments), environment)
    if done.returncode:
        raise GitRefused(what=arguments[0], told=_told(done))
    return done.stdout.rstrip("\n")


def _run(
    top: Path, arguments: list[str], environment: Mapping[str, str] | None = None, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(top), "-c", "core.quotePath=false", *arguments]
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            env={**os.environ, **(environment or {})},
            input=given,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise GitRefused(what=arguments[0], told=str(error)) from None


def _with_paths(top: Path, arguments: list[str], paths: Sequence[str]) -> None:
    """Paths by standard input: thousands are too many for a command line, and none is taken for a pattern."""
    command = [*arguments, "--pathspec-from-file=-", "--pathspec-file-nul"]
    done = _run(top, ["--literal-pathspecs", *command], given="\0".join(paths))
    if done.returncode:
        raise GitRefused(what=arguments[0], told=_told(done))


def _told(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stderr or done.stdout).split())[:400] or f"exit code {done.returncode}"


def _blobs(top: Path, commit: str, paths: Sequence[str]) -> dict[str, str]:
    told = ask(top, "ls-tree", "-r", "-z", "--full-tree", commit)
    wanted, found = set(paths), {}
    for line in told.split("\0"):
        facts, _, path = line.partition("\t")
        if path in wanted:
            found[path] = facts.split()[2]
    return found


def _contents(top: Path, paths: Sequence[str]) -> dict[str, str]:
    """What git would call the content of each file now; "" for one that is not there."""
    found = dict.fromkeys(paths, "")
    there = [path for path in paths if (top / path).is_file() and not (top / path).is_symlink()]
    if there:
        done = _run(top, ["hash-object", "--stdin-paths"], given="".join(f"{path}\n" for path in there))
        found.update(zip(there, done.stdout.split(), strict=True))
    for path in (path for path in paths if (top / path).is_symlink()):
        target = str((top / path).readlink())
        found[path] = _run(top, ["hash-object", "--stdin"], given=target).stdout.strip()
    return found


def _identity(top: Path, who: str) -> dict[str, str]:
    """Whoever promotes, where git does not know them."""
    if _run(top, ["config", "user.email"]).stdout.strip() or os.environ.get("GIT_AUTHOR_EMAIL"):
        return {}
    facts = {"NAME": who, "EMAIL": f"{who}@localhost"}
    return {f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in facts.items()}
