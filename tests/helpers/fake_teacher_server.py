"""A teacher's server on loopback: it continues prompts, or replies to them in a chat."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.helpers.fake_openai_server import FakeServer


@dataclass
class FakeTeacher(FakeServer):
    """``reply`` continues a prompt."""

    reply: Callable[[str], str] = lambda prompt: " Name a bird."
    finish: str = "stop"
    usage: dict | None = field(
        default_factory=lambda: {"prompt_tokens": 10, "completion_tokens": 6}
    )

    def completion(self, body):
        chat = "messages" in body
        text = self.reply(body["messages"][0]["content"] if chat else body["prompt"])
        wrote = {"message": {"content": text}} if chat else {"text": text}
        choice = {**wrote, "finish_reason": self.finish}
        return {"choices": [choice] * body.get("n", 1), "usage": self.usage}
