"""OpenAI's chat API: requests are checked; replies and errors get the shapes that it gives them.

Knows nothing of HTTP. Source: OpenAI's API reference, "Chat completions" and "Error codes". Used by
``server``; lesson 12.
"""

import itertools
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    create_model,
)

from lessons_lib.chat.chat import Turn
from lessons_lib.support.reply_options import NUMBERS, ReplyOptions, check_option

FINISH_REASONS = {"end": "stop", "length": "length", "stopped": "stop"}
# The fields of ``ReplyOptions`` by their names in the API. It has two names for the limit of
# tokens; where a request has both, the last one counts.
OPTIONS = {each.name: each.name for each in fields(ReplyOptions) if each.name != "max_new_tokens"}
OPTIONS |= {"max_tokens": "max_new_tokens", "max_completion_tokens": "max_new_tokens"}
# What would change the reply and cannot be done here is refused rather than ignored.
UNSUPPORTED = (
    *("tools", "functions", "logprobs", "audio", "modalities", "web_search_options"),
    *("presence_penalty", "frequency_penalty", "logit_bias"),
)


class ApiError(Exception):
    """A refusal, in the shape that OpenAI's clients expect."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str = ""):
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code or None

    def body(self) -> dict[str, Any]:
        """The response's JSON."""
        kind = {429: "rate_limit_error", 500: "server_error"}.get(
            self.status, "invalid_request_error"
        )
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return {"error": error}


def _as_text(content: Any) -> Any:
    """A message's content, which may be a list of text parts, as one text."""
    if content is None:
        return ""
    if isinstance(content, list):
        parts = [part if isinstance(part, dict) else {} for part in content]
        texts = [part.get("text") for part in parts if part.get("type") == "text"]
        if len(texts) < len(parts) or not all(isinstance(text, str) for text in texts):
            raise ValueError("this server reads only text, no images and no sounds")
        return "\n".join(texts)
    return content


def _checked(value: Any, info: ValidationInfo) -> Any:
    """An option's value, if ``ReplyOptions`` takes it; null leaves it to the server."""
    if value is not None:
        try:
            check_option(OPTIONS[info.field_name], value, named=info.field_name, off="null")
        except TypeError as error:  # which pydantic would not catch
            raise ValueError(str(error)) from error
    return value


class ApiMessage(BaseModel):
    """One message of a request; ``ChatRequest`` says what becomes of those of other roles.

    The speaker's ``name`` is allowed, and not read: no prompt format here says who speaks.
    """

    model_config = ConfigDict(strict=True)
    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, BeforeValidator(_as_text)] = ""
    name: str | None = None


class StreamOptions(BaseModel):
    model_config = ConfigDict(strict=True)
    include_usage: bool | None = None


# A model of pydantic with a field for each name in ``OPTIONS``.
RequestOptions = create_model(
    "RequestOptions", **{name: (Annotated[Any, AfterValidator(_checked)], None) for name in OPTIONS}
)


class ChatRequest(RequestOptions):
    """A request for one reply. ``memory`` and ``top_k`` are this server's own additions.

    The last message is the user's, and is what is asked. System texts are put in front of it, with
    a blank line between: the model was trained without them, but leaving out silently what a
    client asks for would be worse. Earlier messages count only with ``memory``. A ``seed``,
    ``top_k`` or ``top_p`` of null means none, also where the server was started with one; for
    any other option null means the server's own.
    """

    model_config = ConfigDict(strict=True, extra="allow")
    model: str
    messages: list[ApiMessage] = Field(min_length=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = Field(None, ge=1, le=1)
    response_format: dict[str, Any] | None = None

    def check(self, model_name: str) -> None:
        """Refuse what is well formed and yet cannot be done here.

        Raises:
            ApiError: another model's name, a last message that is not the user's, or an option
                that is not supported.
        """
        if self.model != model_name:
            message = f"The model {self.model[:80]!r} does not exist; there is {model_name!r}."
            raise ApiError(404, message, param="model", code="model_not_found")
        if self.messages[-1].role != "user":
            raise ApiError(400, "The last message must be the user's.", param="messages")
        more = self.model_extra or {}
        # Zero, false, empty, and text alone ask for nothing that is not done anyway.
        asked = [name for name in UNSUPPORTED if more.get(name) and more[name] != ["text"]]
        if (self.response_format or {}).get("type", "text") != "text":
            asked.append("response_format")
        if asked:
            message = f"This server does not support {asked[0]}."
            raise ApiError(400, message, param=asked[0], code="unsupported_parameter")

    @property
    def message(self) -> str:
        """What is asked: the system texts, if there are some, and the user's last message."""
        system = [m.content for m in self.messages if m.role in ("system", "developer")]
        return "\n\n".join(filter(None, [*system, self.messages[-1].content]))

    @property
    def earlier(self) -> list[Turn]:
        """The turns before: each of the assistant's messages with the user's before it."""
        earlier = [m for m in self.messages[:-1] if m.role in ("user", "assistant")]
        return [
            Turn(message.content, reply.content)
            for message, reply in itertools.pairwise(earlier)
            if (message.role, reply.role) == ("user", "assistant")
        ]

    def options(self) -> dict[str, Any]:
        """What the client chose, as fields of ``ReplyOptions``."""
        chosen = {}
        for name, value in self.model_dump(include=OPTIONS, exclude_unset=True).items():
            option = OPTIONS[name]
            if value is not None or (option in NUMBERS and NUMBERS[option].optional):
                chosen[option] = value
        return chosen


def invalid_request(errors: Sequence[dict[str, Any]]) -> ApiError:
    """The refusal for what pydantic found; it names the first fault only."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return ApiError(400, f"The body is not JSON: {first['ctx']['error']}.")
    path = [part for part in first["loc"] if part != "body"]
    param = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]
    message = first["msg"].removeprefix("Value error, ")
    if not param:
        return ApiError(400, "The body must be a JSON object, sent as application/json.")
    if param not in OPTIONS:  # whose sentences begin with their name
        message = f"{param}: {message}"
    return ApiError(400, f"{message}.", param=param)


class Completion:
    """One reply on its way, in the API's two shapes: whole, or in chunks."""

    def __init__(self, model_name: str):
        self.head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time())}
        self.model_name = model_name

    def whole(self, turn: Turn) -> dict[str, Any]:
        """The response's JSON where nothing is streamed."""
        message = {"role": "assistant", "content": turn.reply}
        choice = {"index": 0, "message": message, "finish_reason": FINISH_REASONS[turn.finish]}
        choice["logprobs"] = None
        return self._with("chat.completion", [choice]) | {"usage": usage(turn)}

    def chunk(self, delta: dict[str, str], turn: Turn | None = None) -> str:
        """One event of a stream; with the finished turn it is the last with a choice in it."""
        finish = FINISH_REASONS[turn.finish] if turn else None
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return event(self._with("chat.completion.chunk", [choice]))

    def usage_chunk(self, turn: Turn) -> str:
        """The event with the counts of tokens, where a client asked for them."""
        return event(self._with("chat.completion.chunk", []) | {"usage": usage(turn)})

    def _with(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return self.head | {"object": kind, "model": self.model_name, "choices": choices}


def usage(turn: Turn) -> dict[str, int]:
    """The counts of tokens, without the end of text."""
    prompt, reply = turn.prompt_tokens, turn.reply_tokens
    return {"prompt_tokens": prompt, "completion_tokens": reply, "total_tokens": prompt + reply}


def event(data: dict[str, Any]) -> str:
    """One server-sent event."""
    return f"data: {json.dumps(data)}\n\n"
