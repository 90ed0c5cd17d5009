"""Interrupting what does not end; the other uses of timer and tracing stay as they were."""

import signal
import sys
import threading
import time

import pytest

from lessons_lib.support import time_limit as limits
from lessons_lib.support.time_limit import TooSlow, time_limit

needs_timer = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="a timer of Unix")


def wait_for_ever():
    while True:
        pass


@pytest.mark.parametrize("way", [limits._timer, limits._tracing])
def test_an_endless_loop_ends(way):
    if way is limits._timer and not hasattr(signal, "setitimer"):
        pytest.skip("a timer of Unix")
    started = time.monotonic()
    with pytest.raises(TooSlow), way(0.1):
        wait_for_ever()
    assert time.monotonic() - started < 10


@needs_timer
def test_an_earlier_timer_goes_on():
    rung = threading.Event()
    before = signal.signal(signal.SIGALRM, lambda *_: rung.set())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with time_limit(5):
            pass
        assert rung.wait(0) or not time.sleep(0.4) and rung.is_set()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_tracing_leaves_the_debuggers_function():
    def trace(*_):
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with limits._tracing(5):
            pass
        assert sys.gettrace() is trace
    finally:
        sys.settrace(before)
