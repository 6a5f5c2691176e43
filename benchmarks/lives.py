"""Lives of a state machine, one seed after the other, until the minutes are over."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable


def asked(told: str, *, steps: int) -> argparse.Namespace:
    """What the command line wants: `minutes`, `seed`, `steps`, `lives`."""
    parser = argparse.ArgumentParser(description=told)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1, help="of the first life; the next has the next")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--lives", type=int, default=1_000_000)
    return parser.parse_args()


def live_on(wanted: argparse.Namespace, live: Callable[[int], None], happened: Counter[str]) -> None:
    """Print what happened as JSON; a broken promise is told with its seed, and the exit code is 1."""
    began, broken, lives = time.monotonic(), [], 0
    while time.monotonic() - began < wanted.minutes * 60 and lives < wanted.lives:
        seed = wanted.seed + lives
        try:
            live(seed)
        except Exception:
            traceback.print_exc()
            broken.append(seed)
            print(f"broken with --seed {seed}", file=sys.stderr, flush=True)
        lives += 1
    used = [resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    told = {
        "lives": lives,
        "broken": broken,
        **dict(happened.most_common()),
        "seconds": round(time.monotonic() - began),
        "cpu seconds": round(sum(each.ru_utime + each.ru_stime for each in used)),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(told, indent=1))
    sys.exit(bool(broken))
