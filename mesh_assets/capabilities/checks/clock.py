"""Time limits of single rules: on a connection's query, and on Python that a domain wrote.

Python in the main thread is stopped by an alarm of the operating system, which ends loops, sleeps and
regular expressions; in another thread by an exception that arrives between two of its steps. A call that
stays in native code and never looks up (a Rust or C function) is stopped by neither.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.stored import CannotRun

if TYPE_CHECKING:
    from types import FrameType

    from duckdb import DuckDBPyConnection

#: Fired again as often until the limit ends: code may catch whatever is raised, once.
_AGAIN_SECONDS = 1.0


class _TookTooLong(BaseException):
    """No Exception: code that catches those does not catch its own end."""


def too_long(seconds: float) -> str:
    return f"it took longer than {seconds:g} seconds"


@contextmanager
def query_limit(con: DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt what the connection runs when the time is up: DuckDB then raises InterruptException."""
    alarm = threading.Timer(seconds, con.interrupt)
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()


@contextmanager
def python_limit(seconds: float) -> Iterator[None]:
    """CannotRun if what is inside takes longer."""
    free = signal.getitimer(signal.ITIMER_REAL)[0] == 0
    main = threading.current_thread() is threading.main_thread()
    stop = _alarm(seconds) if main and free else _message(seconds)
    try:
        try:
            yield
        finally:
            stop()
    except _TookTooLong:
        raise CannotRun(too_long(seconds)) from None


def _alarm(seconds: float) -> Callable[[], None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise _TookTooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)

    def stop() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    return stop


def _message(seconds: float) -> Callable[[], None]:
    import ctypes

    thread = ctypes.c_ulong(threading.get_ident())
    send = ctypes.pythonapi.PyThreadState_SetAsyncExc
    alarm = threading.Timer(seconds, send, (thread, ctypes.py_object(_TookTooLong)))
    alarm.daemon = True
    alarm.start()

    def stop() -> None:
        alarm.cancel()
        alarm.join()
        send(thread, None)  # one that was sent and did not arrive yet

    return stop
