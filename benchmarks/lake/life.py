"""Lives of a mesh whose acts are killed anywhere, as tests/faults lives one: until the minutes are over.

`python -m benchmarks.lake.life --minutes 10 [--seed 1] [--steps 40]`; `--lives 1 --seed 7` lives the seventh
again. Prints what happened as JSON; a broken promise is told with its seed, and the exit code is 1.
"""

from __future__ import annotations

from benchmarks.lives import asked, live_on
from tests.faults.life import Life
from tests.lives import live


def main() -> None:
    wanted = asked(__doc__.partition("\n")[0], steps=40)
    live_on(wanted, lambda seed: live(Life, seed=seed, steps=wanted.steps), Life.happened)


if __name__ == "__main__":
    main()
