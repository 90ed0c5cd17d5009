"""Connections of the server: how many there are, how long one may stay silent, what is logged.

A client that sends half a request, or opens a hundred connections, must not keep others out, nor
fill the terminal. Used by ``server`` and ``guard``; lesson 12.
"""

import asyncio
import ipaddress
import logging
import socket
import time

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from lessons_lib.support.table import printable

MOST_CONNECTIONS = 64
BACKLOG = 64  # connections that the system keeps until they are taken
HEAD_SECONDS = 10.0  # that a request's head may take to arrive
MOST_LINES, LOG_SECONDS = 10, 10.0  # lines of the log in so many seconds
FULL = b"The server has as many connections as it takes."
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-type: text/plain\r\n"
BUSY += b"content-length: %d\r\n\r\n%s" % (len(FULL), FULL)

LOG = logging.getLogger("lessons_lib.server")


class FewLines(logging.Filter):
    """Lets through ``MOST_LINES`` lines in ``LOG_SECONDS``, then says how many it kept back."""

    def __init__(self):
        super().__init__()
        self.since, self.count = -LOG_SECONDS, 0

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now - self.since >= LOG_SECONDS:
            if self.count > MOST_LINES:
                record.msg, record.args = f"{record.getMessage()}{self._kept_back()}", ()
            self.since, self.count = now, 0
        self.count += 1
        return self.count <= MOST_LINES

    def _kept_back(self) -> str:
        return f" (before it, {self.count - MOST_LINES} lines were left out)"


FEW_LINES = FewLines()
LOG.addFilter(FEW_LINES)
LOG.addHandler(logging.NullHandler())  # in a notebook nobody watches; ``run_server`` shows it


def log_refusal(method: str, path: str, status: int, message: str) -> None:
    """One line about a request that was refused."""
    line = f"{method} {path[:80]}: {status} {message[:200]}"
    LOG.warning("%s", printable(line.replace("\n", " ")))


class Connection(H11Protocol):
    """uvicorn's protocol; a connection that is one too many, or sends half a head, is closed."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.write(BUSY)
            transport.close()
            return
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget_deadline()

    def _watch(self) -> None:
        """While a head is awaited, there is a deadline."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there, so that nobody else can take the port.

    Raises:
        OSError: the port is taken, or the host is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        why = error.strerror or str(error)
        raise OSError(
            f"the server cannot listen at {host}, port {port}: {why}. --port names another port, "
            "--host another address"
        ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def uvicorn_server(app: FastAPI) -> uvicorn.Server:
    """uvicorn with these limits, which says nothing but warnings."""
    quiet = {"log_level": "warning", "access_log": False, "server_header": False}
    config = uvicorn.Config(
        app, http=Connection, ws="none", lifespan="off", timeout_graceful_shutdown=2, **quiet
    )
    logging.getLogger("uvicorn.error").addFilter(FEW_LINES)
    return uvicorn.Server(config)
