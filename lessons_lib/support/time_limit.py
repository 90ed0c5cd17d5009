"""Interrupts code that does not end, where Python can.

On Unix, in the main thread, a timer's signal interrupts; elsewhere, a tracing function looks at the
clock before each line. Neither reaches code that is stuck inside C: only the kernel's own interrupt
does, or a restart.
"""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

AGAIN = 0.1  # seconds until the next attempt, where a bare ``except`` swallowed the first


class TooSlow(BaseException):
    """The time is up. Not an ``Exception``, so that ``except Exception`` does not swallow it."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let what runs inside take at most so many seconds.

    Raises:
        TooSlow: it took longer; its traceback says where the code was.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    timed = hasattr(signal, "setitimer") and in_main_thread  # Windows has no such timer
    with _timer(seconds) if timed else _tracing(seconds):
        yield


@contextlib.contextmanager
def _timer(seconds: float) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow

    handler = signal.signal(signal.SIGALRM, stop)
    before = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    started = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if before[0]:  # somebody else's timer, which goes on
            rest = before[0] - (time.monotonic() - started)
            signal.setitimer(signal.ITIMER_REAL, max(rest, 0.001), before[1])


@contextlib.contextmanager
def _tracing(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds

    def trace(_frame: FrameType, _event: str, _argument: object):
        if time.monotonic() > end:
            raise TooSlow
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
