"""A chat with a model: turns, a terminal, and a server that speaks OpenAI's API. Lesson 12.

Import the server from ``lessons_lib.chat.server``: it needs FastAPI, which is optional.
"""

from lessons_lib.chat.chat import Chat, MessageTooLong, Turn

__all__ = [
    "Chat",
    "Turn",
    "MessageTooLong",
]
