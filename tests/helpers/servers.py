"""What tests of servers wait for."""

import contextlib
import random
import socket
import time


def free_port() -> int:
    """A free port outside the range that the system hands out by itself, so that nobody is given it
    in the meantime."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("there is no free port")


def until(true, seconds: float = 20) -> None:
    """Wait until a function gives something true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"it did not come true in {seconds} s"
        time.sleep(0.01)
