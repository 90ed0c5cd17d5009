"""What a judge's server sends: how much of it is read, how long, and where the reply is in it.

Lesson 10. ``client`` asks; the package openai waits for a whole answer, however large or slow.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

LONGEST_BODY = 4 * 2**20  # bytes of an answer; thoughts of a thousand pages have room in it
TOO_SLOW = "took too long. Give it a longer timeout, or a smaller model."


class JudgeError(RuntimeError):
    """A server that cannot judge; the message names server and model and says what to do."""


def note_begin(request: Any) -> None:
    """To be called with each request: when it was sent."""
    request.extensions["began"] = time.monotonic()


def limit_body(response: Any, server: str, timeout: float) -> None:
    """Let the package read no more of an answer, and no longer, than is reasonable.

    To be called with each response, before its body is read; reading raises a JudgeError then. The
    package's own timeouts are for each piece: a server that sends one byte a second meets them all.
    """
    pieces, check = response.iter_bytes, _limits(response, server, timeout)

    def limited(chunk_size: int | None = None) -> Iterator[bytes]:
        for piece in pieces(chunk_size):
            check(piece)
            yield piece

    response.iter_bytes = limited


def limit_async_body(response: Any, server: str, timeout: float) -> None:
    """``limit_body`` for a response of the package's asynchronous client."""
    pieces, check = response.aiter_bytes, _limits(response, server, timeout)

    async def limited(chunk_size: int | None = None) -> AsyncIterator[bytes]:
        async for piece in pieces(chunk_size):
            check(piece)
            yield piece

    response.aiter_bytes = limited


def _limits(response: Any, server: str, timeout: float) -> Callable[[bytes], None]:
    """What each piece of an answer is passed to; raises a JudgeError where a limit is passed."""
    size, deadline = 0, response.request.extensions["began"] + timeout

    def check(piece: bytes) -> None:
        nonlocal size
        size += len(piece)
        if size > LONGEST_BODY:
            raise JudgeError(
                f"{server} sends an answer of more than {LONGEST_BODY >> 20} MiB, "
                "which is no reply of a model."
            )
        if time.monotonic() > deadline:
            raise JudgeError(f"{server} {TOO_SLOW}")

    return check


def reply_in(message: dict[str, Any]) -> str:
    """The text of a message; see ``JudgeClient.ask``. KeyError, TypeError: it is no message."""
    silent = message.keys() & {"refusal", "reasoning_content", "reasoning"}
    content = message.get("content") if silent else message["content"]
    parts = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
    texts = [part["text"] for part in parts if part["type"] in ("text", "output_text")]
    if reply := "".join(texts):  # TypeError: a text is none
        return reply
    # Cut off while it thought, or refused: as fields of the message, or as parts.
    for field, before in (
        ("refusal", "Refusal: "),
        ("reasoning_content", "<think>"),
        ("reasoning", "<think>"),
        ("thinking", "<think>"),
    ):
        for place in (message, *parts):
            if isinstance(found := place.get(field), str) and found:
                return before + found
    return ""
