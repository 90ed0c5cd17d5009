"""Before a request reaches the server: is it meant for it, is it small enough, is it its turn?

A page anywhere on the web can point a name of its own at 127.0.0.1 and let the visitor's browser
ask (DNS rebinding). Such a request carries that name as its host, and is refused. Lesson 12.
"""

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from lessons_lib.chat.api import ApiError

# What ASGI applications are called with. Its messages are parts of requests and responses.
Scope = AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
MOST_BYTES = 2**18  # of a request's body
MOST_WAITING = 16  # requests, beside the one that is served
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """ASGI middleware: foreign hosts and large bodies are refused; all responses get safe headers.

    ``names`` are hosts to allow beside "localhost" and plain addresses.
    """

    def __init__(
        self, app: Callable[[Scope, Receive, Send], Awaitable[None]], names: Iterable[str] = ()
    ):
        self.app = app
        self.names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_with_headers(message: AsgiMessage) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *extra]}
            await send(message)

        try:
            self._check_host(scope)
            receive = await _small_body(scope, receive)
        except ApiError as error:
            return await _refuse(error, send_with_headers)
        await self.app(scope, receive, send_with_headers)

    def _check_host(self, scope: Scope) -> None:
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower()
        name = host.removesuffix("]").partition("]")[0].lstrip("[")  # [::1]:8000
        if "[" not in host:
            name = host.partition(":")[0]
        if name not in self.names and not _is_address(name):
            raise ApiError(403, "This server is not known by that name.", code="host_not_allowed")


class RequestQueue:
    """One request is served at a time; ``MOST_WAITING`` wait, and more are refused."""

    def __init__(self):
        self.length = 0  # the request that is served, and those that wait
        self._serving = asyncio.Lock()

    async def enter(self) -> None:
        """Wait until no other request is served; ``leave`` lets in the next.

        Raises:
            ApiError: too many are waiting.
        """
        if self.length > MOST_WAITING:
            message = f"{MOST_WAITING} requests are waiting already; try again in a moment."
            raise ApiError(429, message, code="rate_limit_exceeded")
        self.length += 1
        try:
            await self._serving.acquire()
        except BaseException:
            self.length -= 1
            raise

    def leave(self) -> None:
        """Let in the next one."""
        self.length -= 1
        self._serving.release()


async def _small_body(scope: Scope, receive: Receive) -> Receive:
    """Read the whole body; what the application then receives is that, and what follows it.

    Raises:
        ApiError: the body is too large.
    """
    too_large = ApiError(
        413, f"The body is larger than {MOST_BYTES:,} bytes.", code="request_too_large"
    )
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if length.isdigit() and int(length) > MOST_BYTES:
        raise too_large
    messages, size, more = [], 0, True
    while more:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
        if size > MOST_BYTES:
            raise too_large

    async def replay() -> AsgiMessage:
        return messages.pop(0) if messages else await receive()

    return replay


async def _refuse(error: ApiError, send: Send) -> None:
    body = json.dumps(error.body()).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
