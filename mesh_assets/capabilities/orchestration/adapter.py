"""Between Dagster Pipes and a program that knows nothing of it: run as a process of its own, standard
library only.

The program gets its request as JSON on standard input; each line that it prints becomes a log line of the
step.
"""

from __future__ import annotations

import json
import subprocess

from dagster_pipes import PipesContext, open_dagster_pipes


def main() -> None:
    with open_dagster_pipes() as pipes:
        exit_code, tail = _run(pipes)
        pipes.report_custom_message({"exit_code": exit_code, "tail": tail})


def _run(pipes: PipesContext) -> tuple[int, str]:
    """(exit code, last line of standard error)."""
    process = subprocess.Popen(
        pipes.get_extra("command"),
        cwd=pipes.get_extra("folder"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(pipes.get_extra("request")))
    process.stdin.close()
    last = "it said nothing"
    for line in process.stdout:
        last = line.strip() or last
        pipes.log.info(line.rstrip())
    return process.wait(), last


if __name__ == "__main__":
    main()
