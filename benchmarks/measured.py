"""A command measured with every process that it starts, also those that outlive their parent.

`multiprocessing`'s fork server is a child that nobody waits for: the rusage of the command alone would miss
all runs of `mesh build`. A small process in between declares itself the reaper of all orphans below it, waits
for every one, and so has the CPU seconds of the whole tree in its own RUSAGE_CHILDREN. Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
LOOK_EVERY = 0.02
#: Seconds between two sums of the tree's memory; reading it costs the tree nothing that counts. A tree of
#: many gigabytes takes long to weigh, and holds still meanwhile: so many times as long it is left alone.
WEIGH_EVERY = 0.25
WEIGH_PAUSE = 10
#: For a command that is started often: Python keeps bytecode, as it does where nobody forbids it.
BYTECODE = {
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "mesh-bench-bytecode"),
}


@dataclass(frozen=True)
class Cost:
    """What a tree of processes took. MB is 1024 * 1024 bytes."""

    code: int
    cpu: float
    wall: float
    #: Resident memory of the largest process, at its peak.
    largest_mb: float
    #: Proportional memory of all processes together, at its peak among looks.
    together_mb: float
    stdout: str
    #: Why it was ended before it was done: "over 12,000 MB", "over 600 s"; empty if it was not.
    ended: str = ""


def measure(
    command: Sequence[str],
    env: Mapping[str, str] | None = None,
    *,
    most_mb: int | None = None,
    most_seconds: int | None = None,
) -> Cost:
    """Run the command in the project's folder, and tell what its whole tree cost.

    A tree that takes more than `most_mb` together, or longer than `most_seconds`, is ended; `ended` says so.
    """
    with tempfile.TemporaryDirectory(prefix="mesh-bench-") as folder:
        report, out = Path(folder) / "report.json", Path(folder) / "out"
        limits = str(most_mb or 0), str(most_seconds or 0)
        with out.open("wb") as stdout:
            subprocess.run(
                [sys.executable, "-m", "benchmarks.measured", str(report), *limits, *command],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
                stdout=stdout,
                check=True,
            )
        found = json.loads(report.read_text(encoding="utf-8"))
        cost = Cost(**found, stdout=out.read_text(encoding="utf-8", errors="replace"))
    if cost.code and not cost.ended:
        raise SystemExit(f"{' '.join(command)} ended with {cost.code}:\n{cost.stdout[-3000:]}")
    return cost


def check() -> None:
    """A grandchild whose parent has left burns half a second: it must be in the account."""
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-S', '-c', {burn!r}])"
    cost = measure([sys.executable, "-c", orphan])
    if not 0.5 <= cost.cpu < 1.0:
        raise SystemExit(f"an orphan that burns 0.5 CPU seconds was counted as {cost.cpu:.2f}")


def main(report: str, most_mb: int, most_seconds: int, command: Sequence[str]) -> None:
    """The process in between."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    began = time.monotonic()
    # A group of its own only where it may have to be ended: an interrupt reaches the others.
    first = subprocess.Popen(command, process_group=0 if most_mb or most_seconds else None)
    code, wall, together, next_look, ended = None, 0.0, 0.0, 0.0, ""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == first.pid:
            code, wall = os.waitstatus_to_exitcode(status), time.monotonic() - began
        if pid == 0:
            if (looked := time.monotonic()) > next_look:
                now = _weight(os.getpid())
                together = max(together, now)
                next_look = time.monotonic() + max(WEIGH_EVERY, WEIGH_PAUSE * (time.monotonic() - looked))
                ended = ended or _over(now, most_mb, "MB") or _over(looked - began, most_seconds, "s")
                if ended:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(first.pid, signal.SIGKILL)
            time.sleep(LOOK_EVERY)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    facts = {
        "code": code,
        "cpu": used.ru_utime + used.ru_stime,
        "wall": wall,
        "largest_mb": used.ru_maxrss / 1024,
        "together_mb": together,
        "ended": ended,
    }
    Path(report).write_text(json.dumps(facts), encoding="utf-8")


def _over(found: float, most: int, unit: str) -> str:
    return f"over {most:,} {unit}" if most and found > most else ""


def _weight(root: int) -> float:
    """Proportional set size of everything below this process, in MB."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    below, waiting = 0.0, [pid for pid, parent in parents.items() if parent == root]
    while waiting:
        pid = waiting.pop()
        waiting.extend(each for each, parent in parents.items() if parent == pid)
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        below += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return below


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
