"""Lives of two kitchens and production, as tests/unit/kitchens lives one: until the minutes are over.

`python -m benchmarks.kitchens.life --minutes 10 [--seed 1] [--steps 30]`; `--lives 1 --seed 7` lives the
seventh again. Prints what happened as JSON; a broken promise is told with its seed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.shop import make_shop
from tests.unit.kitchens.conftest import in_git
from tests.unit.kitchens.machine import Kitchens, live
from tests.unit.kitchens.numbers import with_numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--lives", type=int, default=1_000_000)
    asked = parser.parse_args()
    began, broken, lives = time.monotonic(), [], 0
    with tempfile.TemporaryDirectory(prefix="kitchens-") as folder:
        shop = in_git(make_shop(Path(folder) / "shop"))
        shop.build("shop.orders")
        shop.build("books.revenue")
        origin = with_numbers(Path(folder) / "numbers", shop)
        while time.monotonic() - began < asked.minutes * 60 and lives < asked.lives:
            seed = asked.seed + lives
            try:
                live(origin, seed=seed, steps=asked.steps)
            except Exception:
                traceback.print_exc()
                broken.append(seed)
                print(f"broken with --seed {seed}", file=sys.stderr, flush=True)
            lives += 1
    used = [resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    told = {
        "lives": lives,
        "broken": broken,
        **dict(Kitchens.happened.most_common()),
        "seconds": round(time.monotonic() - began),
        "cpu seconds": round(sum(each.ru_utime + each.ru_stime for each in used)),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(told, indent=1))
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
