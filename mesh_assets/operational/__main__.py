"""`python -m mesh_assets.operational --sources FOLDER --scale 0.1`: the drops without the mesh."""

from __future__ import annotations

import argparse
from pathlib import Path

from mesh_assets.operational.write import write_sources
from mesh_assets.words.settings import read_settings


def main() -> None:
    settings = read_settings()
    parser = argparse.ArgumentParser(prog="python -m mesh_assets.operational", description=__doc__)
    parser.add_argument("--sources", type=Path, default=settings.sources, help="folder to write into")
    parser.add_argument("--scale", type=float, default=settings.scale, help="1 is a million fills")
    parser.add_argument("--real", type=Path, default=settings.real, help="folder of real CMS files")
    chosen = parser.parse_args()
    write_sources(chosen.sources, scale=chosen.scale, real=chosen.real)


if __name__ == "__main__":
    main()
