"""What OpenAI's chat API asks and answers: requests checked, replies and errors in its own shapes.

Knows nothing of HTTP. Source: OpenAI's API reference, "Chat completions" and "Error codes". Used by
``server``; lesson 12.
"""

import json
import time
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lessons_lib.chat.chat import Turn
from lessons_lib.support.reply_options import SEEDS

MOST_STOPS = 4
FINISH = {"end": "stop", "length": "length", "stopped": "stop"}
# What would change the answer and is not done here is refused rather than ignored.
NOT_DONE = (
    *("tools", "functions", "logprobs", "audio", "modalities", "web_search_options"),
    *("presence_penalty", "frequency_penalty", "logit_bias"),
)


class ApiError(Exception):
    """A refusal, in the shape that OpenAI's clients expect."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str = ""):
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code or None

    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
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
            raise ValueError("this server reads text alone, no images and no sounds")
        return "\n".join(texts)
    return content


def _as_stops(stop: Any) -> Any:
    if stop is None:
        return []
    stops = [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or len(stops) > MOST_STOPS or "" in stops:
        raise ValueError(f"a text, or up to {MOST_STOPS} texts, none of them empty")
    return stops


class Message(BaseModel):
    """One message; with roles that a single-turn model knows nothing of, see ``ChatRequest``.

    The speaker's ``name`` is allowed, and not read: no prompt format here has a place for it.
    """

    model_config = ConfigDict(strict=True)
    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, BeforeValidator(_as_text)] = ""
    name: str | None = None


class StreamOptions(BaseModel):
    model_config = ConfigDict(strict=True)
    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """A request for one reply. ``memory`` and ``top_k`` are this server's own additions.

    The last message is the user's, and is what is asked. System texts are put in front of it, with
    a blank line between: the model was trained without them, and leaving out silently what a
    client asks for would be worse. Earlier messages count with ``memory`` alone. A ``seed`` or
    ``top_k`` of null means none, also where the server was started with one.
    """

    model_config = ConfigDict(strict=True, extra="allow")
    model: str
    messages: list[Message] = Field(min_length=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    seed: int | None = Field(None, ge=SEEDS[0], le=SEEDS[1])
    stop: Annotated[list[str], BeforeValidator(_as_stops)] = []
    n: int | None = Field(None, ge=1, le=1)
    memory: bool | None = None
    response_format: dict[str, Any] | None = None

    def check(self, model_name: str) -> None:
        """Refuse what is well formed and yet cannot be done here.

        Raises:
            ApiError: another model's name, no user's message at the end, or an option not done.
        """
        if self.model != model_name:
            message = f"The model {self.model[:80]!r} does not exist; there is {model_name!r}."
            raise ApiError(404, message, param="model", code="model_not_found")
        if self.messages[-1].role != "user":
            raise ApiError(400, "The last message must be the user's.", param="messages")
        more = self.model_extra or {}
        # Zero, false, empty and text alone are what is done anyway.
        asked = [name for name in NOT_DONE if more.get(name) and more[name] != ["text"]]
        if (self.response_format or {}).get("type", "text") != "text":
            asked.append("response_format")
        if asked:
            message = f"This server does not do {asked[0]}."
            raise ApiError(400, message, param=asked[0], code="unsupported_parameter")

    @property
    def message(self) -> str:
        """What is asked: the system texts, if there are some, and the user's last message."""
        system = [m.content for m in self.messages if m.role in ("system", "developer")]
        return "\n\n".join(filter(None, [*system, self.messages[-1].content]))

    @property
    def earlier(self) -> list[Turn]:
        """The turns before: each of the assistant's messages with the user's before it."""
        talk = [m for m in self.messages[:-1] if m.role in ("user", "assistant")]
        return [
            Turn(said.content, answer.content)
            for said, answer in zip(talk, talk[1:], strict=False)
            if (said.role, answer.role) == ("user", "assistant")
        ]

    def options(self) -> dict[str, Any]:
        """What the client chose, as options of ``Chat``."""
        chosen = {
            "memory": self.memory,
            "temperature": self.temperature,
            "top_k": self.top_k,
            "top_p": self.top_p,
            "max_new_tokens": self.max_completion_tokens or self.max_tokens,
            "seed": self.seed,
            "stop": self.stop or None,
        }
        off = self.model_fields_set & {"top_k", "seed"}
        return {name: value for name, value in chosen.items() if value is not None or name in off}


def faults(errors: Sequence[dict[str, Any]]) -> ApiError:
    """The refusal for what pydantic found; only the first fault is told."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return ApiError(400, f"The body is not JSON: {first['ctx']['error']}.")
    place = [part for part in first["loc"] if part != "body"]
    param = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)[1:]
    message = first["msg"].removeprefix("Value error, ")
    if not param:
        return ApiError(400, "The body must be a JSON object, sent as application/json.")
    return ApiError(400, f"{param}: {message}", param=param)


class Answer:
    """One reply on its way, in the API's two shapes: whole, or in chunks."""

    def __init__(self, model_name: str):
        self.head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time())}
        self.model_name = model_name

    def whole(self, turn: Turn) -> dict[str, Any]:
        """The answer's JSON when nothing is streamed."""
        message = {"role": "assistant", "content": turn.reply}
        choice = {"index": 0, "message": message, "finish_reason": FINISH[turn.finish]}
        choice["logprobs"] = None
        return self._with("chat.completion", [choice]) | {"usage": usage(turn)}

    def chunk(self, delta: dict[str, str], turn: Turn | None = None) -> str:
        """One event of a stream; with the finished turn it is the last that has a choice."""
        finish = FINISH[turn.finish] if turn else None
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return event(self._with("chat.completion.chunk", [choice]))

    def count(self, turn: Turn) -> str:
        """The event that tells the counts of tokens, where a client asked for them."""
        return event(self._with("chat.completion.chunk", []) | {"usage": usage(turn)})

    def _with(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return self.head | {"object": kind, "model": self.model_name, "choices": choices}


def usage(turn: Turn) -> dict[str, int]:
    """The counts of tokens, end of text not among them."""
    read, written = turn.prompt_tokens, turn.reply_tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def event(data: dict[str, Any]) -> str:
    """One server-sent event."""
    return f"data: {json.dumps(data)}\n\n"
