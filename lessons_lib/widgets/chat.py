"""A chat in the notebook: type, read the reply as it is made, stop it. Lesson 12.

The reply is made in a thread of its own, so that the kernel hears "Stop" while the model speaks.
"""

import contextvars
import threading
import time
from typing import Any

import traitlets

from lessons_lib.chat import Chat, Turn
from lessons_lib.pictures import small_png, spell_text
from lessons_lib.pictures.text_stills import draw_chat
from lessons_lib.support.paths import FRONT_END
from lessons_lib.widgets.page import PicturedWidget

MOST_TURNS = 50  # that travel to the page; all of them are in ``chat.turns``
MOST_CHARACTERS = 8000  # of one text that travels
OFTEN = 0.05  # seconds between two pieces sent to the page
SETTINGS = ("temperature", "top_p", "top_k", "seed", "max_new_tokens", "memory")


def show_chat(chat: Chat, name: str = "Model") -> "ChatBox":
    """A chat to type in. ``name`` stands over the replies.

    The box and ``chat`` are one: turns made in code are shown when the next reply begins, and
    ``chat.turns`` has what was said in the box.
    """
    return ChatBox(chat, name)


class ChatBox(PicturedWidget):
    """The widget. Its settings can be set here or by a click; both sides follow."""

    _esm = FRONT_END / "chat.js"
    # The palette, the themes and the controls are those of the inspector.
    _css = "\n".join(
        (FRONT_END / name).read_text(encoding="utf-8") for name in ("inspector.css", "chat.css")
    )
    _view = traitlets.Unicode("chat").tag(sync=True)
    _turns = traitlets.List().tag(sync=True)  # for a page without Python

    name = traitlets.Unicode("Model").tag(sync=True)
    temperature = traitlets.Float(0.0, min=0, max=2).tag(sync=True, echo_update=False)
    top_p = traitlets.Float(1.0, min=0.05, max=1).tag(sync=True, echo_update=False)
    top_k = traitlets.Int(None, min=1, allow_none=True).tag(sync=True, echo_update=False)
    seed = traitlets.Int(None, allow_none=True).tag(sync=True, echo_update=False)
    max_new_tokens = traitlets.Int(128, min=1, max=1024).tag(sync=True, echo_update=False)
    memory = traitlets.Bool(False).tag(sync=True, echo_update=False)

    def __init__(self, chat: Chat, name: str = "Model"):
        self.chat = chat
        self._asked: str | None = None  # the message whose reply is under way
        self._said, self._notice = "", ""
        self._told = 0  # characters of ``_said`` that the page has
        self._lock = threading.Lock()  # messages may come on several threads of the kernel
        self._sending = threading.Lock()  # so that the page gets each piece once
        settings = {each: getattr(chat, each) for each in SETTINGS}
        super().__init__(name=name, **(settings | {"top_p": chat.top_p or 1.0}))
        self._turns = self._shown()
        self.observe(self._set, SETTINGS)
        self.on_msg(self._answer)

    @property
    def busy(self) -> bool:
        """Whether a reply to a message typed here is under way."""
        return self._asked is not None

    def say(self, message: str) -> None:
        """Ask as if the message had been typed; returns at once, the reply comes by and by."""
        with self._lock:
            taken = message.strip() and not self.busy
            if taken:
                self._asked, self._said, self._told, self._notice = message, "", 0, ""
        if not taken:
            self._tell(back=message)  # another page has asked, or there is nothing to ask
            return
        try:
            pieces = self.chat.stream(message)
        # An option that was set in code, the message, or a reply that code has begun.
        except (TypeError, ValueError, RuntimeError) as error:
            self._end(str(error), back=message)
            return
        self._tell()
        # The context carries the cell to which the kernel adds what a thread prints or sends.
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._speak, pieces), daemon=True).start()

    def stop(self) -> None:
        """End the reply under way after its next token."""
        self.chat.stop()

    def clear(self) -> None:
        """Forget all turns, in the box and in ``chat``."""
        self.chat.reset()
        if not self.busy:
            self._end()

    def close(self) -> None:
        """Stop the reply under way, and close the widget."""
        self.chat.stop()
        super().close()

    def alt_text(self) -> str:
        """How many turns there are, and the last of them."""
        turns = self.chat.turns
        if not turns:
            return "A chat in which nothing has been said yet."
        message, reply = (_shortened(spell_text(t)) for t in (turns[-1].message, turns[-1].reply))
        count = "one turn" if len(turns) == 1 else f"{len(turns)} turns"
        return f'A chat of {count}. Last, "{message}" was answered "{reply}".'

    def to_png(self) -> bytes:
        """The last turns as a PNG, drawn without a browser."""
        return small_png(draw_chat(self.chat.turns, self.name))

    def _speak(self, pieces) -> None:
        """In a thread: send the reply's pieces, not more often than a page can draw them."""
        sent, notice = time.monotonic(), ""
        try:
            for piece in pieces:
                self._said += piece
                if time.monotonic() - sent >= OFTEN:
                    with self._sending:
                        self.send({"kind": "piece", "text": self._said[self._told :]})
                        self._told = len(self._said)
                    sent = time.monotonic()
        except Exception as error:  # nobody else would hear of it
            notice = str(error) or type(error).__name__
        self._end(notice)

    def _end(self, notice: str = "", back: str = "") -> None:
        """Nothing is being said any more; ``back`` is a message that was refused."""
        self._notice = notice
        self._asked, self._said = None, ""
        self._turns = self._shown()
        self._tell(back)

    def _tell(self, back: str = "") -> None:
        """Let the page draw all that there is."""
        with self._sending:
            said, self._told = self._said, len(self._said)
            state = {"turns": self._shown(), "asked": self._asked, "said": said, "busy": self.busy}
            self.send({"kind": "state", "state": state, "notice": self._notice, "back": back})

    def _shown(self) -> list[dict[str, str]]:
        return [_turn(turn) for turn in self.chat.turns[-MOST_TURNS:]]

    def _set(self, change: dict[str, Any]) -> None:
        setattr(self.chat, change["name"], change["new"])

    def _answer(self, _widget, message: dict[str, Any], _buffers) -> None:
        """What the page asks of Python."""
        kind = message.get("kind")
        if kind == "hello":
            self._tell()
        elif kind == "say":
            self.say(str(message.get("text", "")))
        elif kind == "stop":
            self.stop()
        elif kind == "clear":
            self.clear()


def _turn(turn: Turn) -> dict[str, str]:
    """What the page shows of a turn."""
    message, reply = turn.message[:MOST_CHARACTERS], turn.reply[:MOST_CHARACTERS]
    return {"message": message, "reply": reply, "finish": turn.finish}


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"
