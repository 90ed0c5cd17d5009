"""A chat in the notebook: type, read the reply as it is made, stop it. Lesson 12.

The reply is made in a thread of its own, so that the kernel hears "Stop" while a model writes.
"""

import contextvars
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import traitlets

from lessons_lib.chat import Chat
from lessons_lib.pictures import small_png, spell_text
from lessons_lib.pictures.text_stills import draw_chat
from lessons_lib.support.paths import FRONT_END
from lessons_lib.support.reply_options import NUMBERS, check_option, numbers_for_page
from lessons_lib.widgets.page import PicturedWidget, style_sheets

MOST_TURNS = 50  # that travel to the page; all of them are in ``chat.turns``
MOST_CHARACTERS = 8000  # of one text that travels
PAUSE = 0.05  # seconds between two pieces sent to the page, which can draw no faster
SETTINGS = (*NUMBERS, "memory")


def show_chat(chat: Chat, name: str = "Model") -> "ChatBox":
    """A chat to type in. ``name`` stands over the replies.

    The box and ``chat`` share their turns: those made in code are shown when the next reply begins,
    and ``chat.turns`` has those made in the box.
    """
    return ChatBox(chat, name)


class OptionTrait(traitlets.TraitType):
    """A setting that takes what the field of its name in ``ReplyOptions`` takes."""

    metadata = {"sync": True, "echo_update": False}

    def validate(self, box: traitlets.HasTraits, value: Any) -> Any:
        try:
            check_option(self.name, value)
        except (TypeError, ValueError) as error:
            raise traitlets.TraitError(str(error)) from error
        return value


class ChatBox(PicturedWidget):
    """The widget. Its settings can be changed in code or on the page; the other side follows."""

    _esm = FRONT_END / "chat.js"
    # The palette, the themes and the controls are those of the inspector.
    _css = style_sheets("inspector.css", "chat.css")
    _view = traitlets.Unicode("chat").tag(sync=True)
    _numbers = traitlets.List(numbers_for_page()).tag(sync=True)
    _turns = traitlets.List().tag(sync=True)  # for a page without Python

    name = traitlets.Unicode("Model").tag(sync=True)
    temperature = OptionTrait()
    top_p = OptionTrait()
    top_k = OptionTrait()
    max_new_tokens = OptionTrait()
    seed = OptionTrait()
    memory = OptionTrait()

    def __init__(self, chat: Chat, name: str = "Model"):
        self.chat = chat
        self._message: str | None = None  # to which a reply is under way
        self._reply, self._notice = "", ""
        self._sent = 0  # characters of ``_reply`` that the page has
        self._lock = threading.Lock()  # messages may come on several threads of the kernel
        self._sending = threading.Lock()  # so that the page gets each piece once
        options = asdict(chat.options)
        super().__init__(name=name, **{each: options[each] for each in SETTINGS})
        self._turns = self._shown()
        self.observe(self._set_option, SETTINGS)
        self.on_msg(self._hear)

    @property
    def busy(self) -> bool:
        """Whether a reply to a message typed here is under way."""
        return self._message is not None

    def ask(self, message: str) -> None:
        """Ask as if the message had been typed; returns at once, the reply comes by and by."""
        with self._lock:
            taken = message.strip() and not self.busy
            if taken:
                self._message, self._reply, self._sent, self._notice = message, "", 0, ""
        if not taken:
            self._send_state(refused=message)  # another page has asked, or there's nothing to ask
            return
        try:
            pieces = self.chat.stream(message)
        except (ValueError, RuntimeError) as error:  # too long, or code has begun a reply
            self._end(str(error), refused=message)
            return
        self._send_state()
        # The context carries the cell to which the kernel adds what a thread prints or sends.
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._send_reply, pieces), daemon=True).start()

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

    def _send_reply(self, pieces: Iterator[str]) -> None:
        """In a thread: send the reply's pieces as they come."""
        last_time, notice = time.monotonic(), ""
        try:
            for piece in pieces:
                self._reply += piece
                if time.monotonic() - last_time >= PAUSE:
                    with self._sending:
                        self.send({"kind": "piece", "text": self._reply[self._sent :]})
                        self._sent = len(self._reply)
                    last_time = time.monotonic()
        except Exception as error:  # nobody else would hear of it
            notice = str(error) or type(error).__name__
        self._end(notice)

    def _end(self, notice: str = "", refused: str = "") -> None:
        """No reply is under way any more; ``refused`` is a message that the page gets back."""
        self._notice = notice
        self._message, self._reply = None, ""
        self._turns = self._shown()
        self._send_state(refused)

    def _send_state(self, refused: str = "") -> None:
        """Let the page draw all that there is."""
        # Half a character cannot be sent; the page gets the mark that stands for one.
        refused = refused.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        with self._sending:
            self._sent = len(self._reply)
            state = {"turns": self._shown(), "message": self._message, "busy": self.busy}
            state["reply"] = self._reply[: self._sent]
            notice = {"notice": self._notice, "refused": refused}
            self.send({"kind": "state", "state": state, **notice})

    def _shown(self) -> list[dict[str, str]]:
        """What the page shows of the turns."""
        return [
            {
                "message": turn.message[:MOST_CHARACTERS],
                "reply": turn.reply[:MOST_CHARACTERS],
                "finish": turn.finish,
            }
            for turn in self.chat.turns[-MOST_TURNS:]
        ]

    def _set_option(self, change: dict[str, Any]) -> None:
        self.chat.set_options(**{change["name"]: change["new"]})

    def _hear(self, _widget, message: dict[str, Any], _buffers) -> None:
        """Do what the page asks for."""
        kind = message.get("kind")
        if kind == "hello":
            self._send_state()
        elif kind == "ask":
            self.ask(str(message.get("text", "")))
        elif kind == "stop":
            self.stop()
        elif kind == "clear":
            self.clear()


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"
