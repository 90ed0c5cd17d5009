"""A chat in the terminal: ``python -m lessons_lib chat``. Taught in lesson 12.

What a model writes is somebody's text: control characters in it are spelled out, or they could
move the cursor, colour the screen or retitle the window.
"""

import contextlib
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator

from lessons_lib.chat.chat import Chat
from lessons_lib.support.reply_options import OPTIONS

with contextlib.suppress(ImportError):  # Windows has none
    import readline  # noqa: F401  (input() then has arrow keys and a history)

HELP = """\
/set              how replies are drawn, and how long they may be
/set NAME VALUE   change that: /set temperature 0.8, /set top-k 5, /set top-k off
/memory on|off    earlier turns stand before each message, or do not
/reset            forget the turns so far
/help             these lines
/quit             leave, as Ctrl-D does
Ctrl-C stops a reply; where nothing is being said, it leaves."""
MARKS = {"length": "(cut off: so many tokens are allowed)", "stopped": "(stopped)"}


def chat_in_terminal(
    chat: Chat,
    read: Callable[[str], str] | None = None,
    write: Callable[[str], object] | None = None,
) -> None:
    """Read messages and write replies until the reader leaves.

    ``read(prompt)`` gives a line and raises EOFError at the end; ``write(text)`` shows a text as it
    comes. If not given, they are the terminal's.
    """
    read, write = read or input, write or _show
    write(f"{_state(chat)} /help lists the commands.\n")
    while True:
        try:
            line = read("\n> ").strip()
        except (EOFError, KeyboardInterrupt):
            break
        except UnicodeDecodeError:
            write("(That line is not in this terminal's encoding.)\n")
            continue
        if line == "/quit":
            break
        if line.startswith("/"):
            write(_obey(chat, line) + "\n")
        elif line:
            try:
                _answer(chat, line, write)
            except KeyboardInterrupt:  # the second one during one reply
                break
    write("\n")


def printable(text: str) -> str:
    """The text with every character spelled out that a terminal would obey instead of show."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character)[0] != "C"
        else f"⟨U+{ord(character):04X}⟩"
        for character in text
    )


def _answer(chat: Chat, message: str, write: Callable[[str], object]) -> None:
    try:
        pieces = chat.stream(message)
        with _stopped_by_ctrl_c(chat), contextlib.closing(pieces):
            for piece in pieces:
                write(printable(piece))
    except (TypeError, ValueError) as error:
        write(f"({printable(str(error))})\n")
        return
    turn = chat.turns[-1]
    mark = MARKS.get(turn.finish, "" if turn.reply else "(ended without a word)")
    write(f" {mark}\n" if mark and turn.reply else f"{mark}\n")


def _obey(chat: Chat, line: str) -> str:
    """What a command says."""
    match line.split():
        case ["/reset"]:
            chat.reset()
            return "All turns are forgotten."
        case ["/memory", "on" | "off" as wanted]:
            chat.memory = wanted == "on"
            return _state(chat)
        case ["/memory"]:
            return _state(chat)
        case ["/set"]:
            return _settings(chat)
        case ["/set", name, value]:
            return _set(chat, name, value)
        case ["/set", *_]:
            return "/set takes a name and a value, as in /set temperature 0.8."
        case ["/help"]:
            return HELP
    return f"There is no command {printable(line)}; /help lists those there are."


def _set(chat: Chat, name: str, value: str) -> str:
    """Change an option; the settings then, or what is wrong."""
    if name not in OPTIONS:
        return f"There is no setting {printable(name)}; there are: {', '.join(OPTIONS)}."
    try:
        setattr(chat, OPTIONS[name].name, OPTIONS[name].parse(value))
    except ValueError as error:
        return f"({printable(str(error))})"
    return _settings(chat)


def _settings(chat: Chat) -> str:
    values = {typed: getattr(chat, option.name) for typed, option in OPTIONS.items()}
    told = [f"{typed} {'off' if value is None else value}" for typed, value in values.items()]
    greedy = " At temperature 0, top-p, top-k and seed change nothing."
    return f"{', '.join(told)}.{'' if chat.temperature else greedy}"


def _state(chat: Chat) -> str:
    if chat.memory:
        return "Memory is on: earlier turns stand before each message."
    return "Memory is off: each message is asked by itself."


@contextlib.contextmanager
def _stopped_by_ctrl_c(chat: Chat) -> Iterator[None]:
    """The first Ctrl-C stops the reply; the second is a KeyboardInterrupt, as ever."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(*_) -> None:
        chat.stop()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _show(text: str) -> None:
    """On the terminal; what its encoding does not have is spelled out."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
