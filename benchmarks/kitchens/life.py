"""Lives of two kitchens and production, as tests/unit/kitchens lives one: until the minutes are over.

`python -m benchmarks.kitchens.life --minutes 10 [--seed 1] [--steps 25]`; `--lives 1 --seed 7` lives the
seventh again. Prints what happened as JSON; a broken promise is told with its seed, and the exit code is 1.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.lives import asked, live_on
from tests.shop import make_shop
from tests.unit.kitchens.conftest import in_git
from tests.unit.kitchens.machine import Kitchens, live
from tests.unit.kitchens.numbers import with_numbers


def main() -> None:
    wanted = asked(__doc__.partition("\n")[0], steps=25)
    with tempfile.TemporaryDirectory(prefix="kitchens-") as folder:
        shop = in_git(make_shop(Path(folder) / "shop"))
        shop.build("shop.orders")
        shop.build("books.revenue")
        origin = with_numbers(Path(folder) / "numbers", shop)
        live_on(wanted, lambda seed: live(origin, seed=seed, steps=wanted.steps), Kitchens.happened)


if __name__ == "__main__":
    main()
