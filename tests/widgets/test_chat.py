"""The chat in a notebook: what travels, stopping, clearing, refusals, and its still picture."""

import contextlib
import json
import re
import shutil
import subprocess

import pytest
from traitlets import TraitError

from lessons_lib.chat import Chat, Turn
from lessons_lib.chat.api import ChatRequest
from lessons_lib.generation import generate
from lessons_lib.pictures import spell_text
from lessons_lib.support.paths import FRONT_END
from lessons_lib.support.reply_options import (
    NUMBERS,
    ReplyOptions,
    numbers_for_page,
    parse_option,
)
from lessons_lib.widgets import chat as module
from lessons_lib.widgets import show_chat
from lessons_lib.widgets.chat import SETTINGS
from tests.helpers.chat_toys import Slow, scripted
from tests.helpers.hostile import HOSTILE
from tests.helpers.servers import until

SCRIPT = FRONT_END / "chat.js"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")


class Page:
    """What the front end would hear, and say."""

    def __init__(self, box):
        self.box, self.heard = box, []
        box.send = lambda message, *_: self.heard.append(message)

    def sends(self, kind, **more):
        self.box._handle_custom_msg({"kind": kind, **more}, [])

    @property
    def state(self):
        return next(m["state"] for m in reversed(self.heard) if m["kind"] == "state")

    @property
    def notice(self):
        return next(m["notice"] for m in reversed(self.heard) if m["kind"] == "state")


def test_a_message_is_answered_and_its_turn_kept():
    box = show_chat(Chat(scripted("Hi", "Hello there.")))
    page = Page(box)
    page.sends("hello")
    assert page.state == {"turns": [], "message": None, "reply": "", "busy": False}
    page.sends("ask", text="Hi")
    until(lambda: not box.busy)
    turn = {"message": "Hi", "reply": "Hello there.", "finish": "end"}
    assert page.state == {"turns": [turn], "message": None, "reply": "", "busy": False}
    assert box._turns == [turn] and box.chat.turns[0].reply == "Hello there."
    assert page.heard[1]["state"]["message"] == "Hi" and page.heard[1]["state"]["busy"]


def test_stop_is_heard_while_the_model_speaks():
    model = Slow()
    box = show_chat(Chat(model, max_new_tokens=1000))
    page = Page(box)
    page.sends("ask", text="Go.")
    model.may_go_on.release(20)
    until(lambda: model.steps >= 20)
    assert box.busy and page.state["busy"]
    page.sends("ask", text="Another.")  # one at a time
    assert page.heard[-1]["refused"] == "Another." and page.state["busy"]
    page.sends("stop")
    until(lambda: model.may_go_on.release() or not box.busy)
    [turn] = page.state["turns"]
    assert turn["finish"] == "stopped" and 15 < len(turn["reply"].split()) < 100


def test_clear_forgets_also_what_is_being_said():
    model = Slow()
    box = show_chat(Chat(model, max_new_tokens=1000))
    page = Page(box)
    box.ask("Go.")
    page.sends("clear")
    until(lambda: model.may_go_on.release() or not box.busy)
    assert page.state["turns"] == [] == box.chat.turns
    box.chat.turns = [Turn("a", "b")]
    page.sends("hello")
    assert len(page.state["turns"]) == 1
    page.sends("clear")
    assert page.state["turns"] == []


def test_what_is_refused_is_said_and_the_box_goes_on():
    box = show_chat(Chat(scripted("Hi", "Hello.", context_length=60)))
    page = Page(box)
    page.sends("ask", text="long " * 100)
    assert "this model reads 60 at most" in page.notice and not box.busy
    assert page.heard[-1]["refused"] == "long " * 100
    page.sends("ask", text=" \n")
    page.sends("ask")
    page.sends("nonsense")
    page.sends("ask", text="Hi")
    until(lambda: not box.busy)
    assert page.notice == "" and box.chat.turns[0].reply == "Hello."


def test_half_a_character_is_refused_by_a_sentence_that_can_be_sent():
    box = show_chat(Chat(scripted("Hi", "Hello.")))
    page = Page(box)
    page.sends("ask", text="Say \ud83d.")
    assert page.notice.startswith("the message holds half a character, U+D83D") and not box.busy
    json.dumps(page.heard, ensure_ascii=False).encode()
    assert page.heard[-1]["refused"] == "Say \ufffd."
    page.sends("ask", text="Hi")
    until(lambda: not box.busy)
    assert page.state["turns"][-1]["reply"] == "Hello."


def test_a_message_during_a_reply_that_code_began_is_given_back():
    box = show_chat(Chat(scripted("Hi", "Hello there.")))
    page, pieces = Page(box), box.chat.stream("Hi")
    next(pieces)
    page.sends("ask", text="Hi")
    assert "another reply is under way" in page.notice and page.heard[-1]["refused"] == "Hi"
    assert "".join(pieces) and box.chat.turns[0].reply == "Hello there."


def test_a_page_that_comes_late_shows_each_piece_once(monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 1e9)  # pieces wait
    model = Slow()
    box = show_chat(Chat(model, max_new_tokens=6))
    page = Page(box)
    box.ask("Go.")
    model.may_go_on.release(3)
    until(lambda: len(box._reply.split()) >= 2)
    page.sends("hello")
    seen = page.state["reply"]
    assert seen.split() == ["the"] * len(seen.split())
    monkeypatch.setattr(module, "PAUSE", 0)
    before = len(page.heard)
    model.may_go_on.release(3)
    until(lambda: not box.busy)
    later = [m["text"] for m in page.heard[before:] if m["kind"] == "piece"]
    assert (seen + "".join(later)).split() == ["the"] * 6


def test_an_error_of_the_model_is_shown():
    model = scripted("Hi", "Hello.")
    box = show_chat(Chat(model))
    model.head = None
    page = Page(box)
    box.ask("Hi")
    until(lambda: not box.busy)
    assert "not callable" in page.notice and page.state["turns"] == []


def test_settings_and_chat_are_one():
    chat = Chat(scripted("Hi", "Hello."), temperature=0.5, memory=True)
    box = show_chat(chat, "Toy")
    assert (box.temperature, box.top_p, box.memory, box.name) == (0.5, None, True, "Toy")
    changed = {"temperature": 1.5, "top_p": 0.9, "top_k": 5}
    changed |= {"max_new_tokens": 7, "seed": 7, "memory": False}
    for name, value in changed.items():
        setattr(box, name, value)
    assert chat.options == ReplyOptions(**changed)
    box.top_p = box.top_k = box.seed = None
    changed |= dict.fromkeys(("top_p", "top_k", "seed"))
    assert chat.options == ReplyOptions(**changed)
    for name, value in (("temperature", -1), ("top_p", 0), ("max_new_tokens", 0.5), ("top_k", 0)):
        with pytest.raises(TraitError, match=f"{name} must be a"):
            setattr(box, name, value)
    assert chat.options == ReplyOptions(**changed)
    assert {*SETTINGS} == {*vars(chat.options)} - {"stop"} <= {*box.traits(sync=True)}


def test_long_chats_travel_in_part():
    chat = Chat(scripted("Hi", "Hello."))
    chat.turns = [Turn(f"{n}", "x" * 50_000) for n in range(200)]
    box = show_chat(chat)
    assert len(json.dumps(box._turns)) < 500_000 and box._turns[-1]["message"] == "199"


def test_the_still_picture_and_its_words(monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_STILLS", "1")
    chat = Chat(scripted("Hi", "Hello."))
    box = show_chat(chat)
    assert "nothing has been said" in box.alt_text() and box.to_png().startswith(b"\x89PNG")
    chat.reply("Hi")
    chat.turns += [Turn(e["input"], e["output"], "length") for e in HOSTILE]
    data, metadata = box._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == box.alt_text() in data["text/plain"]
    assert "A chat of 6 turns" in box.alt_text() and len(box.alt_text()) < 500
    assert len(box.to_png()) < 60_000


def test_the_front_end_writes_text_as_text():
    for name in ("chat.js", "chat_page.js"):
        code = SCRIPT.with_name(name).read_text(encoding="utf-8")
        assert not re.search("innerHTML|outerHTML|insertAdjacent|document.write|eval|srcdoc", code)


def in_node(calls, given):
    """What the front end's functions return: ``calls`` is JavaScript, ``given`` its value."""
    code = (
        f"const m = await import({json.dumps(SCRIPT.as_uri())});"
        "let text = ''; for await (const part of process.stdin) text += part;"
        f"const given = JSON.parse(text); console.log(JSON.stringify({calls}));"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", code],
        input=json.dumps(given),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_node
def test_the_front_end_spells_as_python_does():
    texts = [text for entry in HOSTILE for text in entry.values()]
    texts += ["\x00\x7f\x9b\r\n\t \u2028\u202e\ufeff 日本 🦋"]
    assert in_node("given.map(m.spell)", texts) == [spell_text(text) for text in texts]


TYPED = {
    "temperature": ["0", "0.5", "3", "20", "-0.1", "hot", "nan", "1e999", "off"],
    "top_p": ["0.01", "0.05", "1", "0", "1.01", "off", "none"],
    "top_k": ["1", "5", "200000", "0", "1.5", "off"],
    "max_new_tokens": ["0", "1", "2048", "-1", "1.5", "off"],
    "seed": ["-3", "0", "4000000000", str(2**53 - 1), str(2**53), "1.5", "off"],
}


@needs_node
def test_what_one_takes_all_take():
    """The options, the chat, its box and page, the API, generation and what is typed."""
    model = scripted("Hi", "Hello.")
    box = show_chat(Chat(model))
    taken_by_page = in_node(
        "given.map(([name, text]) => m.fault(name, text === 'off' ? '' : text) === '')",
        [[number, text] for number in numbers_for_page() for text in TYPED[number["name"]]],
    )
    typed = [(name, text) for name in NUMBERS for text in TYPED[name]]
    for (name, text), page_takes in zip(typed, taken_by_page, strict=True):
        value = value_of(text)
        api_name = "max_tokens" if name == "max_new_tokens" else name
        request = {"model": "toy", "messages": [{"role": "user", "content": "Hi"}], api_name: value}
        takers = {
            "options": lambda name=name, value=value: ReplyOptions(**{name: value}),
            "typed": lambda name=name, text=text: parse_option(name, text),
            "chat": lambda name=name, value=value: Chat(model, **{name: value}),
            "box": lambda name=name, value=value: box.set_trait(name, value),
            "generation": lambda name=name, value=value: generate(model, [], **{name: value}),
        }
        if value is not None or NUMBERS[name].optional:  # else null is the server's own
            takers["API"] = lambda request=request: ChatRequest(**request)
        takes = {who: is_taken(take) for who, take in takers.items()} | {"page": page_takes}
        assert len({*takes.values()}) == 1, (name, text, takes)


def value_of(text):
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return None if text == "off" else text


def is_taken(take):
    try:
        take()
    except (TypeError, ValueError, TraitError):
        return False
    return True


@needs_node
def test_the_page_says_what_a_number_must_be():
    numbers = {each["name"]: each for each in numbers_for_page()}
    given = [[numbers[name], text] for name, text in (("temperature", "-1"), ("top_p", "0"))]
    given += [[numbers["max_new_tokens"], "1.5"], [numbers["top_k"], " "], [numbers["seed"], "x"]]
    assert in_node("given.map((each) => m.fault(...each))", given) == [
        "Temperature must be a number of 0 or more.",
        "Top-p must be a number above 0, up to 1, or empty.",
        "Most tokens must be a whole number of 0 or more.",
        "",
        "Seed must be a whole number above -2⁵³ and below 2⁵³, or empty.",
    ]
