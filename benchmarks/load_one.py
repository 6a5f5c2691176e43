"""One code location loaded in a process of its own, as Dagster's server loads it: `load_one MODULE`.

Prints CPU seconds and the resident memory at its peak, first when the definitions stand, then when they are
described for the UI (what a server answers when it is asked for the location).
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time


def main(name: str) -> None:
    import dagster

    module = importlib.import_module(name)
    repository = module.defs.get_repository_def()
    repository.load_all_definitions()
    loaded = time.process_time(), _peak()
    from dagster._core.remote_representation.external_data import RepositorySnap

    snap = RepositorySnap.from_def(repository)
    dagster.serialize_value(snap)
    described = time.process_time(), _peak()
    print(json.dumps({"loaded": loaded, "described": described, "assets": len(snap.asset_nodes)}))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1])
