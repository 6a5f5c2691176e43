"""`dagster dev` that ends with its terminal, run as a module.

By itself it dies of SIGHUP without its servers, which keep the port; and where a script started it with `&`
it ignores Ctrl-C, and SIGTERM too. Not here: where it serves (server).
"""

from __future__ import annotations

import signal


def end_with_the_terminal() -> None:
    """Every way of asking is Ctrl-C, of which Dagster ends all that it started; `nohup` still holds."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)


if __name__ == "__main__":
    end_with_the_terminal()
    from dagster._cli import main

    main()  # type: ignore[no-untyped-call]
