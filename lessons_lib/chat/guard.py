"""Before a request reaches the server: is it meant for it, is it small enough, is it its turn?

A page anywhere on the web can point a name of its own at 127.0.0.1 and let the visitor's browser
ask (DNS rebinding). Such a request carries that name as its host, and is refused; so is one of
which the browser says that another site's page sends it. Lesson 12.
"""

import asyncio
import hmac
import ipaddress
import json
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from lessons_lib.chat.api import ApiError
from lessons_lib.chat.connections import log_refusal

# What ASGI applications are called with. Its messages are parts of requests and responses.
Scope = AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
MOST_BYTES = 2**18  # of a request's body
MOST_WAITING = 16  # requests, beside the one that is served
MOST_SECONDS = 20.0  # that a request's body may take to arrive
HOST = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^\s\[\]:/@]+))(?::[0-9]{1,5})?")
CLIENT_GONE = 499  # as nginx has it: nobody reads this answer
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
    """ASGI middleware: what is not meant for this server, and large bodies, are refused.

    All responses get safe headers. ``names`` are hosts to allow beside "localhost" and plain
    addresses. With ``api_key`` the API asks for that key; the page does not.
    """

    def __init__(
        self,
        app: Callable[[Scope, Receive, Send], Awaitable[None]],
        names: Iterable[str] = (),
        api_key: str | None = None,
    ):
        self.app = app
        self.names = {"localhost", *(name.lower() for name in names)}
        self.api_key = api_key

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
            _check_site(scope)
            self._check_key(scope)
            receive = await _small_body(scope, receive)
        except ApiError as error:
            log_refusal(scope["method"], scope["path"], error.status, error.message)
            return await _refuse(error, send_with_headers)
        await self.app(scope, receive, send_with_headers)

    def _check_host(self, scope: Scope) -> None:
        found = HOST.fullmatch(_header(scope, b"host").lower())  # localhost:8000, [::1]:8000
        name = found and (found["address"] or found["name"])
        if not found or (name not in self.names and not _is_address(name)):
            raise ApiError(403, "This server is not known by that name.", code="host_not_allowed")

    def _check_key(self, scope: Scope) -> None:
        if self.api_key is None or not scope["path"].startswith("/v1"):
            return
        kind, _, key = _header(scope, b"authorization").partition(" ")
        # In constant time: how long a comparison takes must not tell how much of a key is right.
        right = hmac.compare_digest(key.strip().encode("latin-1"), self.api_key.encode())
        if kind.lower() != "bearer" or not right:
            message = "This server asks for its key: Authorization: Bearer KEY."
            raise ApiError(401, message, code="invalid_api_key")


class RequestQueue:
    """One request is served at a time; ``MOST_WAITING`` wait, and more are refused."""

    def __init__(self):
        self.length = 0  # the request that is served, and those that wait
        self._serving = asyncio.Lock()

    async def enter(self, receive: Receive) -> None:
        """Wait until no other request is served; ``leave`` lets in the next.

        Raises:
            ApiError: too many are waiting, or the client went away, as ``receive`` tells.
        """
        if self.length > MOST_WAITING:
            message = f"{MOST_WAITING} requests are waiting already; try again in a moment."
            raise ApiError(429, message, code="rate_limit_exceeded")
        self.length += 1
        turn = asyncio.ensure_future(self._serving.acquire())
        gone = asyncio.ensure_future(until_gone(receive))
        try:
            await asyncio.wait({turn, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise ApiError(CLIENT_GONE, "The client went away while it waited.")
        except BaseException:
            self.length -= 1
            if not turn.cancel():  # it has its turn already
                self._serving.release()
            raise
        finally:
            gone.cancel()

    def leave(self) -> None:
        """Let in the next one."""
        self.length -= 1
        self._serving.release()


async def until_gone(receive: Receive) -> None:
    """Wait until the client goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _small_body(scope: Scope, receive: Receive) -> Receive:
    """Read the whole body; what the application then receives is that, and what follows it.

    Raises:
        ApiError: the body is too large, or does not come to its end in time.
    """
    try:
        async with asyncio.timeout(MOST_SECONDS):
            messages = await _messages(scope, receive)
    except TimeoutError:
        message = f"The body did not arrive within {MOST_SECONDS:g} seconds."
        raise ApiError(408, message, code="request_timeout") from None

    async def replay() -> AsgiMessage:
        return messages.pop(0) if messages else await receive()

    return replay


async def _messages(scope: Scope, receive: Receive) -> list[AsgiMessage]:
    """The messages in which the body comes; at most ``MOST_BYTES`` of it."""
    too_large = ApiError(
        413, f"The body is larger than {MOST_BYTES:,} bytes.", code="request_too_large"
    )
    length = _header(scope, b"content-length")
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
    return messages


def _check_site(scope: Scope) -> None:
    """Refuse what another site's page sends. A link to the chat may be followed from anywhere."""
    follows_link = scope["method"] == "GET" and _header(scope, b"sec-fetch-mode") == "navigate"
    if _header(scope, b"sec-fetch-site") == "cross-site" and not follows_link:
        message = "This server answers no page of another site."
        raise ApiError(403, message, code="cross_site_request")


def _header(scope: Scope, name: bytes) -> str:
    return dict(scope["headers"]).get(name, b"").decode("latin-1")


async def _refuse(error: ApiError, send: Send) -> None:
    body = json.dumps(error.body()).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if error.status == 408:  # the rest of the body is not waited for
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
