"""A model behind OpenAI's chat API, on this machine, with a page to chat on. Taught in lesson 12.

``python -m lessons_lib serve``. Whatever speaks to OpenAI's API can speak to the learner's own
model: set the base URL to http://127.0.0.1:8000/v1, and any key.
"""

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import iterate_in_threadpool, run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response, StreamingResponse

from lessons_lib.chat.api import ApiError, ChatRequest, Completion, event, invalid_request
from lessons_lib.chat.chat import Chat, MessageTooLong
from lessons_lib.chat.connections import LOG, is_loopback, listen, log_refusal, uvicorn_server
from lessons_lib.chat.guard import CLIENT_GONE, Guard, RequestQueue, until_gone
from lessons_lib.chat.page import add_page
from lessons_lib.data import PromptFormat
from lessons_lib.models import LanguageModel
from lessons_lib.support.reply_options import list_options

STARTING = 20  # seconds that a server may take to start


@list_options
def create_app(
    model: LanguageModel,
    model_name: str = "lesson-09",
    format: str | PromptFormat = "alpaca",
    *,
    host: str = "127.0.0.1",
    api_key: str | None = None,
    **options,
) -> FastAPI:
    """The application: ``/`` is the page, ``/v1/models`` and ``/v1/chat/completions`` the API.

    ``format`` and ``options`` are those of ``Chat``; a request may choose other options. One reply
    is made at a time; some requests wait, and more are refused. ``host`` is a name by which the
    server may be asked, beside localhost and plain addresses. With ``api_key`` the API asks for
    that key, and the page asks whoever opens it. Every refusal has the shape of
    OpenAI's errors.

    Raises:
        TypeError, ValueError: as ``Chat``. ValueError: the key is empty, or not plain ASCII.
    """
    if api_key is not None and not (
        api_key.isascii() and api_key.isprintable() and api_key.split()
    ):
        raise ValueError("a key is plain ASCII, and not empty: it must be sent in a header")
    defaults = Chat(model, format, **options).options
    # FastAPI's own pages of documentation would load scripts from elsewhere. An address with one
    # slash too many would be redirected, by a response that is not in the API's shape.
    pages = {"openapi_url": None, "docs_url": None, "redoc_url": None}
    app = FastAPI(title="lessons_lib", redirect_slashes=False, **pages)
    app.state.queue = queue = RequestQueue()
    app.state.asks_for_key = api_key is not None
    app.add_middleware(Guard, names=[host], api_key=api_key)
    for kind in (ApiError, RequestValidationError, 400, 404, 405, Exception):
        app.add_exception_handler(kind, _refuse)
    add_page(app, defaults)
    about = {"id": model_name, "object": "model", "created": 0, "owned_by": "lessons_lib"}

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [about]}

    @app.get("/v1/models/{name:path}")
    async def one_model(name: str) -> dict[str, Any]:
        if name != model_name:
            message = f"The model {name[:80]!r} does not exist; there is {model_name!r}."
            raise ApiError(404, message, param="model", code="model_not_found")
        return about

    @app.post("/v1/chat/completions")
    async def complete(asked: ChatRequest, request: Request):
        asked.check(model_name)
        chat = Chat(model, format, **(options | asked.options()))
        chat.turns, message = asked.conversation(chat.options.memory)
        pieces = await run_in_threadpool(_begin, chat, message)
        await queue.enter(request.receive)
        completion = Completion(model_name)
        if asked.stream:
            with_usage = bool(asked.stream_options and asked.stream_options.include_usage)
            return _EventStream(_events(chat, pieces, completion, with_usage), chat, queue)
        try:
            await _to_the_end(chat, pieces, request)
            return completion.whole(chat.turns[-1])
        finally:
            queue.leave()

    return app


def run_server(app: FastAPI, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until Ctrl-C; says where, and warns where others can reach it.

    Raises:
        OSError: the port is taken, or the host is no address of this machine.
    """
    listener = listen(host, port)  # before it is said where
    shown = f"[{host}]" if ":" in host else host
    print(f"http://{shown}:{port}/ is a page to chat on; the API is at http://{shown}:{port}/v1")
    if not is_loopback(host) and not app.state.asks_for_key:
        print(
            f"Warning: with --host {host}, everybody who can reach this machine over the network "
            "can use the model; no key is asked for. --api-key sets one."
        )
    LOG.addHandler(logging.lastResort)  # writes on stderr, whatever that is by then
    with listener, contextlib.suppress(KeyboardInterrupt):
        uvicorn_server(app).run(sockets=[listener])


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve on a free port of this machine while the ``with`` block lasts; yields the address.

    Raises:
        RuntimeError: it does not start.
    """
    server = uvicorn_server(app)
    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        end = time.monotonic() + STARTING
        while not server.started:
            if time.monotonic() > end or not thread.is_alive():
                raise RuntimeError("the server does not start")
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def _begin(chat: Chat, message: str) -> Iterator[str]:
    """``chat.stream``, with its refusals in the API's shape."""
    try:
        return chat.stream(message)
    except MessageTooLong as error:
        raise ApiError(
            400, f"{error}.", param="messages", code="context_length_exceeded"
        ) from error
    except ValueError as error:
        raise ApiError(400, f"{error}.", param="messages") from error


async def _to_the_end(chat: Chat, pieces: Iterator[str], request: Request) -> None:
    """Make the whole reply, unless the client goes away."""

    async def stop_when_gone() -> None:
        await until_gone(request.receive)
        chat.stop()

    watcher = asyncio.create_task(stop_when_gone())
    try:
        await run_in_threadpool(deque, pieces, 0)
    except ValueError as error:
        raise ApiError(500, f"{error}.") from error
    finally:
        chat.stop()  # a cancelled task leaves its thread running: it ends after its next token
        watcher.cancel()


async def _events(
    chat: Chat, pieces: Iterator[str], completion: Completion, with_usage: bool
) -> AsyncIterator[str]:
    """The reply as server-sent events."""
    try:
        yield completion.chunk({"role": "assistant", "content": ""})
        try:
            async for piece in iterate_in_threadpool(pieces):
                yield completion.chunk({"content": piece})
        except ValueError as error:
            yield event(ApiError(500, f"{error}.").body())
            return
        turn = chat.turns[-1]
        yield completion.chunk({}, turn)
        if with_usage:
            yield completion.usage_chunk(turn)
        yield "data: [DONE]\n\n"
    finally:
        chat.stop()
        with contextlib.suppress(ValueError):  # a thread is still in it, and will see the stop
            pieces.close()


class _EventStream(StreamingResponse):
    """Events; when the client goes away, the reply is stopped and the next request is served."""

    def __init__(self, events: AsyncIterator[str], chat: Chat, queue: RequestQueue):
        super().__init__(events, media_type="text/event-stream")
        self.chat, self.queue = chat, queue

    async def __call__(self, scope, receive, send) -> None:
        async def receive_or_stop():
            message = await receive()
            if message["type"] == "http.disconnect":
                self.chat.stop()  # a thread cannot be interrupted; it looks after each token
            return message

        try:
            await super().__call__(scope, receive_or_stop, send)
        finally:
            self.chat.stop()
            await self.body_iterator.aclose()
            self.queue.leave()


async def _refuse(request: Request, error: Exception) -> Response:
    refusal = _as_api_error(request, error)
    if refusal.status != CLIENT_GONE:
        log_refusal(request.method, request.url.path, refusal.status, refusal.message)
    body = json.dumps(refusal.body())  # in ASCII: half a character may be quoted in it
    return Response(body, refusal.status, media_type="application/json")


def _as_api_error(request: Request, error: Exception) -> ApiError:
    """Every error in the API's shape, whoever found it in a request.

    What is no request does not come here: uvicorn answers broken HTTP, such as a Content-Length
    that is no number, before any application is asked, with 400 and a line of plain text.
    """
    path = request.url.path[:200]
    match error:
        case ApiError():
            return error
        case RequestValidationError():
            return invalid_request(error.errors())
        case Exception(status_code=404):
            return ApiError(404, f"There is nothing at {path}.", code="unknown_url")
        case Exception(status_code=405):
            message = f"{request.method} is not allowed at {path}."
            return ApiError(405, message, code="method_not_allowed")
        case Exception(status_code=400):
            return ApiError(400, "The body cannot be read.")
    return ApiError(500, "The server failed; its terminal says why.")
