"""The program of a sealed process: one query, a clock that nothing stops, JSON out; no mesh in it."""

import json
import resource
import signal
import sys
from decimal import Decimal

_KINDS = {bool: "bool", int: "int", float: "float", Decimal: "decimal", type(None): "null"}


def main() -> None:
    order = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (order["bytes"], order["bytes"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import duckdb

    con = duckdb.connect(order["database"], read_only=True, config=order["config"])
    for statement in order["lock"]:
        con.execute(statement)
    # The default of this signal ends the process, whatever it is doing.
    signal.setitimer(signal.ITIMER_REAL, order["seconds"])
    try:
        rows = con.execute(order["query"]).fetchall()
        told: dict[str, object] = {"rows": [[_told(value) for value in row] for row in rows]}
    except (duckdb.Error, MemoryError) as error:
        told = {"error": str(error) or "it needs more memory than it may take"}
    json.dump(told, sys.stdout)


def _told(value: object) -> tuple[str, str]:
    kind = _KINDS.get(type(value), "other")
    return kind, "" if value is None else (str(value)[:200] if kind == "other" else str(value))


main()
