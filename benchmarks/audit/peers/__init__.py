"""One module for each way to check: `python -m benchmarks.audit.peers.<name> FILE [--rows]`.

Each prints how many rows break each rule, as JSON by rule id; with `--rows` it also fetches failing rows.
A module of this folder is a peer: whatever it needs beyond the development requirements it imports itself,
and the harness leaves out a peer that ends with MISSING.
"""

import json
import sys
from collections.abc import Callable, Mapping

#: How a peer ends whose packages are not installed.
MISSING = 77

Counts = Mapping[str, int]


def run(check: Callable[[str, bool], Counts]) -> None:
    """The peer's command line."""
    arguments = sys.argv[1:]
    try:
        found = check(arguments[0], "--rows" in arguments)
    except ModuleNotFoundError as missing:
        sys.stderr.write(f"{missing}\n")
        raise SystemExit(MISSING) from None
    print(json.dumps({name: int(count) for name, count in found.items()}))
