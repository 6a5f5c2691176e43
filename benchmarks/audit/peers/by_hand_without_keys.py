"""The hand-written scan alone: eighteen of the rules, nothing about keys. What the least possible costs."""

from __future__ import annotations

from benchmarks.audit.peers import Counts, by_hand, run


def check(path: str, rows: bool) -> Counts:
    return by_hand.check(path, False, keys=False)


if __name__ == "__main__":
    run(check)
