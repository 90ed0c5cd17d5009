"""What tests of servers wait for."""

import time


def until(true, seconds: float = 20) -> None:
    """Wait until a function gives something true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"it did not come true in {seconds} s"
        time.sleep(0.01)
