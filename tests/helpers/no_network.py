"""Refuse every connection that leaves this machine: in the tests, and in the kernels they start.

Only the standard library is used, because a kernel runs this file before anything else.
"""

import functools
import ipaddress
import os
import socket
from collections.abc import Callable

OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}


class NetworkRefused(RuntimeError):
    """Something wanted to leave this machine. No OSError, so that no retry loop swallows it."""


def refuse_network() -> None:
    """Let sockets of this process reach only this machine; calling it again changes nothing.

    Afterwards any other connection, datagram or look-up of a name raises NetworkRefused.
    """
    os.environ.update(OFFLINE)
    if hasattr(socket.socket.connect, "__wrapped__"):
        return
    for name, place in [("connect", 0), ("connect_ex", 0), ("sendto", -1), ("sendmsg", 3)]:
        if hasattr(socket.socket, name):  # Windows has no sendmsg
            setattr(socket.socket, name, _guard_socket(getattr(socket.socket, name), place))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        setattr(socket, name, _guard_look_up(getattr(socket, name)))


def _guard_socket(method: Callable, place: int) -> Callable:
    @functools.wraps(method)
    def guarded(self: socket.socket, *arguments):
        if self.family in (socket.AF_INET, socket.AF_INET6) and len(arguments) > place:
            address = arguments[place]
            if address is not None:
                _check(address[0])
        return method(self, *arguments)

    return guarded


def _guard_look_up(function: Callable) -> Callable:
    @functools.wraps(function)
    def guarded(host, *arguments, **options):
        _check(host)
        return function(host, *arguments, **options)

    return guarded


def _check(host: str | bytes | None) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not name or name in ("localhost", "0.0.0.0", "::"):
        return
    try:
        address = ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        address = None
    if address is None or not (getattr(address, "ipv4_mapped", None) or address).is_loopback:
        raise NetworkRefused(
            f"A test wanted to reach {name!r}. Tests reach this machine only: "
            "serve what they need from 127.0.0.1, or make it in the test."
        )
