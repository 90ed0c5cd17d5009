"""A chat in the terminal: ``python -m lessons_lib chat``. Taught in lesson 12.

Control characters in what a model writes are spelled out (``printable``).
"""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict

from lessons_lib.chat.chat import Chat
from lessons_lib.support.reply_options import NUMBERS, parse_option, typed_name
from lessons_lib.support.table import printable

with contextlib.suppress(ImportError):  # Windows has none
    import readline  # noqa: F401  (input() then has arrow keys and a history)

HELP = """\
/set              how replies are drawn, and how long they may be
/set NAME VALUE   change that: /set temperature 0.8, /set top-k 5, /set top-k off
/memory on|off    whether earlier turns stand before each message
/reset            forget the turns so far
/help             these lines
/quit             leave, as Ctrl-D does
Ctrl-C stops a reply; where no reply is under way, it leaves."""
MARKS = {"length": "(cut off: no more tokens are allowed)", "stopped": "(stopped)"}


def chat_in_terminal(
    chat: Chat,
    read: Callable[[str], str] | None = None,
    write: Callable[[str], object] | None = None,
) -> None:
    """Read messages and write replies until the reader leaves.

    ``read(prompt)`` returns a line and raises EOFError at the end; ``write(text)`` shows a text as
    it comes. If not given, they are the terminal's.
    """
    read, write = read or input, write or show
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
            write(_run_command(chat, line) + "\n")
        elif line:
            try:
                _reply(chat, line, write)
            except KeyboardInterrupt:  # the second one during one reply
                break
    write("\n")


def _reply(chat: Chat, message: str, write: Callable[[str], object]) -> None:
    try:
        pieces = chat.stream(message)
        with _stopped_by_ctrl_c(chat), contextlib.closing(pieces):
            for piece in pieces:
                write(printable(piece))
    except ValueError as error:
        write(f"({printable(str(error))})\n")
        return
    turn = chat.turns[-1]
    mark = MARKS.get(turn.finish, "" if turn.reply else "(an empty reply)")
    write(f" {mark}\n" if mark and turn.reply else f"{mark}\n")


def _run_command(chat: Chat, line: str) -> str:
    """Do what a command says; what is shown then."""
    match line.split():
        case ["/reset"]:
            chat.reset()
            return "All turns are forgotten."
        case ["/memory", "on" | "off" as wanted]:
            chat.set_options(memory=wanted == "on")
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


def _set(chat: Chat, typed: str, value: str) -> str:
    """Change an option; the settings then, or what is wrong."""
    names = {typed_name(name): name for name in NUMBERS}
    if typed not in names:
        return f"There is no setting {printable(typed)}; there are: {', '.join(names)}."
    try:
        chat.set_options(**{names[typed]: parse_option(names[typed], value)})
    except ValueError as error:
        return f"({printable(str(error))})"
    return _settings(chat)


def _settings(chat: Chat) -> str:
    values = {name: value for name, value in asdict(chat.options).items() if name in NUMBERS}
    settings = [
        f"{typed_name(name)} {'off' if value is None else value}" for name, value in values.items()
    ]
    greedy = " At temperature 0, top-p, top-k and seed change nothing."
    return f"{', '.join(settings)}.{greedy if chat.options.greedy else ''}"


def _state(chat: Chat) -> str:
    if chat.options.memory:
        return "Memory is on: earlier turns stand before each message."
    return "Memory is off: each message is asked by itself."


@contextlib.contextmanager
def _stopped_by_ctrl_c(chat: Chat) -> Iterator[None]:
    """The first Ctrl-C stops the reply; the second is a KeyboardInterrupt as usual."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears of signals
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


def show(text: str) -> None:
    """Write on the terminal; characters that its encoding lacks are spelled out."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
