"""One module for each way to check: `python -m benchmarks.audit.peers.<name> FILE [--rows]`.

Each prints how many rows break each rule, as JSON by rule id, or in place of a number why it gives none; with
`--rows` it also fetches failing rows. A module of this folder is a peer. Whatever it needs beyond the
development requirements it imports itself; `environments.py` pins it. The harness leaves out a peer that ends
with MISSING.
"""

import json
import sys
from collections.abc import Callable, Mapping

#: How a peer ends whose packages are not installed.
MISSING = 77

#: Failing rows that are fetched for each rule.
SAMPLE = 20

Counts = Mapping[str, int]

#: Counts, and in place of one why there is none.
Answer = Mapping[str, int | str]


def run(check: Callable[[str, bool], Answer]) -> None:
    """The peer's command line."""
    arguments = sys.argv[1:]
    try:
        found = check(arguments[0], "--rows" in arguments)
    except ModuleNotFoundError as missing:
        sys.stderr.write(f"{missing}\n")
        raise SystemExit(MISSING) from None
    print(json.dumps({name: n if isinstance(n, str) else int(n) for name, n in found.items()}))
