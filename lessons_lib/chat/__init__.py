"""A chat with a model: turns, a terminal, and a server that speaks OpenAI's API. Lesson 12.

The server needs FastAPI, which is optional, and is imported from ``lessons_lib.chat.server``.
"""

from lessons_lib.chat.chat import Chat, MessageTooLong, Turn

__all__ = [
    "Chat",
    "Turn",
    "MessageTooLong",
]
