"""A judge's server on loopback: it replies to a chat."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.helpers.fake_openai_server import FakeServer


@dataclass
class FakeJudge(FakeServer):
    """``reply`` makes the judge's message out of the user's."""

    models: tuple[str, ...] = ("tiny-judge",)
    reply: Callable[[str], str] = lambda text: "70"
    refuse: Callable[[str], int | None] = lambda text: None  # a status for what is never answered
    message: dict | None = None  # what stands beside role in place of every reply

    def failure(self, body):
        return super().failure(body) or self.refuse(body["messages"][-1]["content"])

    def completion(self, body):
        said = self.message
        if said is None:
            said = {"content": self.reply(body["messages"][-1]["content"])}
        message = {"role": "assistant", **said}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        kind = {"id": "x", "object": "chat.completion", "created": 0, "model": body["model"]}
        return {**kind, "choices": [choice]}
