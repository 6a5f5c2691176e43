"""Environments for the peers: `python -m benchmarks.audit.peers --setup FOLDER [PEER ...]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.audit.environments import NEEDS, make


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--setup", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(NEEDS)}; all unless told")
    asked = parser.parse_args()
    if unknown := set(asked.peers) - set(NEEDS):
        parser.error(f"{', '.join(sorted(unknown))} needs no environment of its own")
    make(asked.setup.resolve(), asked.peers or list(NEEDS))


if __name__ == "__main__":
    main()
