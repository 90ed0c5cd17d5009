"""The chat in a terminal: commands, Ctrl-C and Ctrl-D, and nothing raw on the screen."""

import html
import io
import json
import os
import signal
import sys

import httpx
import pytest
import torch

from lessons_lib.__main__ import main
from lessons_lib.chat import Chat
from lessons_lib.chat.server import serving
from lessons_lib.chat.terminal import chat_in_terminal
from lessons_lib.models import GPT, GPTConfig
from lessons_lib.models.loading import save_compact
from lessons_lib.support.reply_options import ReplyOptions
from lessons_lib.support.table import printable
from tests.helpers.chat_toys import scripted
from tests.helpers.hostile import HOSTILE
from tests.helpers.llama_toys import tiny_llama


class Desk:
    """Somebody who types prepared lines, and what was shown."""

    def __init__(self, *lines):
        self.lines, self.shown = list(lines), ""

    def read(self, prompt):
        self.shown += prompt
        if not self.lines:
            raise EOFError
        line = self.lines.pop(0)
        if isinstance(line, BaseException):
            raise line
        return line

    def write(self, text):
        self.shown += text


def talk(chat, *lines, **options):
    desk = Desk(*lines)
    chat_in_terminal(chat, desk.read, desk.write, **options)
    return desk.shown


def test_a_reply_is_shown_and_ctrl_d_leaves():
    shown = talk(Chat(scripted("Hi", "Hello there.")), "", "Hi")
    assert shown.endswith("\n> Hello there.\n\n> \n") and "Memory is off" in shown


def test_commands_do_what_they_say():
    chat = Chat(scripted("Hi", "Hello."))
    shown = talk(chat, "Hi", "/memory on", "/help", "/reset", "/memory", "/fly", "/quit", "Hi")
    assert chat.options.memory and chat.turns == [] and shown.count("Hello.") == 1
    assert shown.count("Memory is on") == 2 and "no command /fly" in shown
    names = "memory on|off", "set NAME VALUE", "reset", "help", "quit"
    assert all(f"/{name}" in shown for name in names)
    talk(chat, "/memory off")
    assert not chat.options.memory


def test_settings_are_changed_while_talking():
    chat = Chat(scripted("Hi", "Hello there."))
    shown = talk(chat, "/set", "/set temperature 0.8", "/set top-p 0.9", "/set top-k 5")
    assert "temperature 0.0, top-p off, top-k off, max-new-tokens 128, seed off." in shown
    assert shown.count("At temperature 0,") == 1
    assert shown.endswith(
        "temperature 0.8, top-p 0.9, top-k 5, max-new-tokens 128, seed off.\n\n> \n"
    )
    assert chat.options == ReplyOptions(temperature=0.8, top_p=0.9, top_k=5)
    shown = talk(
        chat, "/set top-k off", "/set seed 7", "/set temperature 0", "/set max-new-tokens 1", "Hi"
    )
    assert (chat.options.top_k, chat.options.seed, chat.turns[-1].reply) == (None, 7, "Hello")
    assert "Hello (cut off" in shown


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/set temperature hot", "temperature must be a number of 0 or more, not 'hot'"),
        ("/set temperature nan", "not 'nan'"),
        ("/set temperature off", "not 'off'"),
        ("/set top-p 0", "top-p must be a number above 0, up to 1, or off, not '0'"),
        ("/set top-k 1.5", "top-k must be a whole number of 1 or more, or off"),
        ("/set max-new-tokens -1", "max-new-tokens must be a whole number of 0 or more"),
        (f"/set seed {2**64}", "seed must be a whole number above -2⁵³ and below 2⁵³, or off"),
        ("/set colour red", "no setting colour; there are: temperature, top-p, top-k"),
        ("/set temperature", "takes a name and a value"),
        ("/set temperature 0.5 now", "takes a name and a value"),
    ],
)
def test_a_setting_that_is_wrong_is_said_and_changes_nothing(typed, told):
    chat = Chat(scripted("Hi", "Hello."))
    assert told in talk(chat, typed)
    assert chat.options == ReplyOptions()


def test_a_line_in_another_encoding_is_said_and_the_chat_goes_on():
    wrong = UnicodeDecodeError("utf-8", b"caf\xe9", 3, 4, "unexpected end of data")
    shown = talk(Chat(scripted("Hi", "Hello.")), wrong, "Hi")
    assert "not in this terminal's encoding" in shown and "Hello." in shown


def test_what_the_terminal_has_no_letter_for_is_spelled_out(monkeypatch):
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="ascii"))
    chat = Chat(scripted("Hi", "Café, très bon."))
    chat_in_terminal(chat, Desk("Hi").read)
    assert rb"Caf\xe9, tr\xe8s bon." in buffer.getvalue()
    assert chat.turns[0].reply == "Café, très bon."


def test_ctrl_c_at_the_prompt_leaves():
    assert "Hello" not in talk(Chat(scripted("Hi", "Hello.")), KeyboardInterrupt(), "Hi")


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to itself")
def test_ctrl_c_stops_a_reply_and_the_next_one_is_whole():
    chat = Chat(scripted("Count.", "one two three four"))
    before = signal.getsignal(signal.SIGINT)
    desk = Desk("Count.", "Count.")

    def write(text):
        desk.write(text)
        if text == " two" and len(chat.turns) == 0:
            os.kill(os.getpid(), signal.SIGINT)

    chat_in_terminal(chat, desk.read, write)
    assert [turn.reply for turn in chat.turns] == ["one two", "one two three four"]
    assert "one two (stopped)" in desk.shown and signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to itself")
def test_a_second_ctrl_c_during_a_reply_leaves():
    chat = Chat(scripted("Count.", "one two three four"))
    desk = Desk("Count.", "Count.")

    def write(text):
        desk.write(text)
        if text == " two":
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    chat_in_terminal(chat, desk.read, write)
    assert desk.lines == ["Count."] and chat.turns[0].finish == "stopped"


def test_a_limit_an_empty_reply_and_a_refusal_are_said():
    assert "one two (cut off" in talk(
        Chat(scripted("Count.", "one two three"), max_new_tokens=2), "Count."
    )
    assert "(an empty reply)" in talk(Chat(scripted("Hush.", "")), "Hush.")
    chat = Chat(scripted("Hi", "Hello.", context_length=60))
    shown = talk(chat, "long " * 100, "Hi")
    assert "this model reads 60 at most" in shown and chat.turns[0].reply == "Hello."


def test_nothing_that_a_terminal_obeys_reaches_it():
    for text in (*HOSTILE[1].values(), "\x1b]0;title\x07 \x1b[2J \r \x9b31m \u202e"):
        chat = Chat(scripted("Hi", f"a{text}b"))
        shown = talk(chat, "Hi", f"/{text}")
        assert all(c in "\n\t" or printable(c) == c for c in shown), repr(shown)
        assert chat.turns[0].reply == f"a{text}b"


@pytest.fixture
def tiny_folder(tmp_path):
    sizes = GPTConfig(context_length=128, width=16, layers=1, heads=2)
    save_compact(GPT(sizes, known_tokens=range(2_000)), tmp_path / "tiny.safetensors")
    return tmp_path


def test_the_command_talks_to_a_model_by_name(tiny_folder, monkeypatch, capsys):
    lines = iter(["Hi", "/quit"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines))
    chats = []

    def listen(chat, *_):
        chats.append(chat)
        return chat_in_terminal(chat)

    monkeypatch.setattr("lessons_lib.chat.terminal.chat_in_terminal", listen)
    options = ["--memory", "--temperature", "0.5", "--max-new-tokens", "3"]
    options += ["--top-p", "0.9", "--top-k", "5", "--seed", "-3"]
    assert main(["chat", "--model", str(tiny_folder / "tiny.safetensors"), *options]) == 0
    shown = capsys.readouterr().out
    assert "You talk to tiny.safetensors." in shown and "Memory is on" in shown
    [chat] = chats
    chosen = {"top_p": 0.9, "top_k": 5, "seed": -3, "max_new_tokens": 3}
    assert chat.options == ReplyOptions(temperature=0.5, memory=True, **chosen)


def test_the_server_begins_with_what_was_typed(tiny_folder, monkeypatch):
    apps = []
    monkeypatch.setattr("lessons_lib.chat.server.run_server", lambda app, *_: apps.append(app))
    tiny = str(tiny_folder / "tiny.safetensors")
    assert main(["serve", "--model", tiny, "--top-k", "5", "--seed", "3"]) == 0
    with serving(apps[0]) as address:
        page = html.unescape(httpx.get(address).text)
    assert '"top_k": 5, "max_new_tokens": 128, "seed": 3' in page


@pytest.mark.parametrize("command", ["chat", "serve"])
def test_a_model_without_a_template_is_asked_in_the_training_format(
    command, tmp_path, monkeypatch, capsys
):
    chats = []
    monkeypatch.setattr("lessons_lib.chat.terminal.chat_in_terminal", chats.append)
    monkeypatch.setattr(
        "lessons_lib.chat.server.create_app",
        lambda *given, **_: chats.append(Chat(given[0], given[2])),
    )
    monkeypatch.setattr("lessons_lib.chat.server.run_server", lambda *_, **__: None)
    tiny_llama(dtype=torch.float32).save(tmp_path / "base")
    asked = [command, "--model", str(tmp_path / "base")]
    assert main(asked) == 0 and chats[-1].format is None, "own"
    assert "template" not in capsys.readouterr().out
    for path in (tmp_path / "base").glob("*"):
        if path.name == "chat_template.jinja":
            path.unlink()
        elif path.name == "tokenizer_config.json":
            kept = json.loads(path.read_text(encoding="utf-8"))
            kept.pop("chat_template", None)
            path.write_text(json.dumps(kept), encoding="utf-8")
    assert main(asked) == 0 and chats[-1].format.name == "alpaca"
    assert (
        "base has no chat template of its own. It is asked in the format" in capsys.readouterr().out
    )
    assert main([*asked, "--format", "phi3"]) == 0 and chats[-1].format.name == "phi3"
    assert "template" not in capsys.readouterr().out
    assert main([*asked, "--format", "own"]) == 1
    assert "no chat template" in capsys.readouterr().err


def test_half_a_character_is_said_and_the_chat_goes_on():
    shown = talk(Chat(scripted("Hi", "Hello.")), "Say \udc80", "Hi")
    assert "(the message holds half a character, U+DC80" in shown and "Hello." in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "nowhere"], "there is no model 'nowhere'"),
        (["--recipe", "lesson-99"], "no recipe 'lesson-99'"),
        (["--model", "{tiny}", "--format", "chatty"], "no prompt format 'chatty'"),
        (["--model", "{tiny}", "--format", "own"], "no chat template"),
    ],
)
@pytest.mark.parametrize("command", ["chat", "serve"])
def test_what_is_wrong_is_one_sentence(command, options, message, tiny_folder, capsys):
    tiny = str(tiny_folder / "tiny.safetensors")
    assert main([command, *(each.format(tiny=tiny) for each in options)]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["chat", "serve"])
@pytest.mark.parametrize(
    "option",
    [
        *(["--temperature", "hot"], ["--temperature", "nan"], ["--top-p", "0"], ["--top-k", "0"]),
        *(["--seed", "x"], ["--max-new-tokens", "1.5"]),
    ],
)
def test_a_number_is_one_of_those_allowed(command, option, capsys):
    with pytest.raises(SystemExit):
        main([command, *option])
    assert json.dumps(option[1]).replace('"', "'") in capsys.readouterr().err


def test_a_port_is_a_number(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--port", "99999"])
    assert "from 1 to 65535" in capsys.readouterr().err
