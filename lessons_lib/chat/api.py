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
    ConfigDict,
    Field,
    ValidationInfo,
    create_model,
)

from lessons_lib.chat.chat import Turn
from lessons_lib.chat.messages import ApiMessage
from lessons_lib.chat.request_options import (
    NEUTRAL,
    WITHOUT_EFFECT,
    fault_of,
    unknown,
)
from lessons_lib.support.reply_options import NUMBERS, ReplyOptions, check_option

FINISH_REASONS = {"end": "stop", "length": "length", "stopped": "stop"}
# The fields of ``ReplyOptions`` by their names in the API. It has two names for the limit of
# tokens; where a request has both, the last one counts.
OPTIONS = {each.name: each.name for each in fields(ReplyOptions) if each.name != "max_new_tokens"}
OPTIONS |= {"max_tokens": "max_new_tokens", "max_completion_tokens": "max_new_tokens"}


class ApiError(Exception):
    """A refusal, in the shape that OpenAI's clients expect."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str = ""):
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code or None

    def body(self) -> dict[str, Any]:
        """The response's JSON, to be written in ASCII: half a character can stand in ``param``."""
        kind = {429: "rate_limit_error", 500: "server_error"}.get(
            self.status, "invalid_request_error"
        )
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return {"error": error}


def _checked(value: Any, info: ValidationInfo) -> Any:
    """An option's value, if ``ReplyOptions`` takes it; null leaves it to the server."""
    if value is not None:
        try:
            check_option(OPTIONS[info.field_name], value, named=info.field_name, off="null")
        except TypeError as error:  # which pydantic would not catch
            raise ValueError(str(error)) from error
    return value


class StreamOptions(BaseModel):
    """``include_usage`` asks for the counts of tokens; nothing here is padded to hide lengths."""

    model_config = ConfigDict(strict=True, extra="forbid")
    include_usage: bool | None = None
    include_obfuscation: Literal[False] | None = None


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

    OpenAI's other options are allowed where they change nothing; ``request_options`` has the list.
    """

    model_config = ConfigDict(strict=True, extra="allow")
    model: str
    messages: list[ApiMessage] = Field(min_length=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    def check(self, model_name: str) -> None:
        """Refuse what is well formed and yet cannot be done here.

        Raises:
            ApiError: another model's name, a last message that is not the user's, an option that
                is not known, or one that is not supported at its value.
        """
        if self.model != model_name:
            message = f"The model {self.model[:80]!r} does not exist; there is {model_name!r}."
            raise ApiError(404, message, param="model", code="model_not_found")
        if self.messages[-1].role != "user":
            raise ApiError(400, "The last message must be the user's.", param="messages")
        for name, value in (self.model_extra or {}).items():
            if name not in NEUTRAL and name not in WITHOUT_EFFECT:
                message = unknown(name, ChatRequest.model_fields)
                raise ApiError(400, message, param=name, code="unknown_parameter")
            if fault := fault_of(name, value):
                raise ApiError(400, fault, param=name, code="unsupported_parameter")

    def conversation(self, memory: bool) -> tuple[list[Turn], str]:
        """The turns before, none without ``memory``, and what is asked.

        Messages of one speaker in a row are one message, with a blank line between.

        Raises:
            ApiError: the assistant speaks first, so that its message belongs to no turn.
        """
        system = [m.content for m in self.messages if m.role in ("system", "developer")]
        spoken = [m for m in self.messages if m.role in ("user", "assistant")]
        if not memory:
            return [], _joined([*system, spoken[-1].content])
        if spoken[0].role == "assistant":
            message = (
                "With memory, the user's message must come before the assistant's first: a turn is "
                "a message and the reply to it."
            )
            raise ApiError(400, message, param="messages")
        texts = [
            _joined([message.content for message in group])
            for _, group in itertools.groupby(spoken, key=lambda message: message.role)
        ]
        *earlier, asked = texts  # user, assistant, user, …
        pairs = zip(earlier[::2], earlier[1::2], strict=True)
        return [Turn(message, reply) for message, reply in pairs], _joined([*system, asked])

    def options(self) -> dict[str, Any]:
        """What the client chose, as fields of ``ReplyOptions``."""
        chosen = {}
        for name, value in self.model_dump(include=set(OPTIONS), exclude_unset=True).items():
            option = OPTIONS[name]
            if value is not None or (option in NUMBERS and NUMBERS[option].optional):
                chosen[option] = value
        return chosen


def _joined(texts: Sequence[str]) -> str:
    """The texts that are not empty, with a blank line between."""
    return "\n\n".join(filter(None, texts))


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
