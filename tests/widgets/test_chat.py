"""The chat in a notebook: what travels, stopping, clearing, refusals, and its still picture."""

import json
import re
import shutil
import subprocess

import pytest
from traitlets import TraitError

from lessons_lib.chat import Chat, Turn
from lessons_lib.pictures import spell_text
from lessons_lib.support.paths import FRONT_END
from lessons_lib.widgets import chat as module
from lessons_lib.widgets import show_chat
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

    def says(self, kind, **more):
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
    page.says("hello")
    assert page.state == {"turns": [], "asked": None, "said": "", "busy": False}
    page.says("say", text="Hi")
    until(lambda: not box.busy)
    turn = {"message": "Hi", "reply": "Hello there.", "finish": "end"}
    assert page.state == {"turns": [turn], "asked": None, "said": "", "busy": False}
    assert box._turns == [turn] and box.chat.turns[0].reply == "Hello there."
    assert page.heard[1]["state"]["asked"] == "Hi" and page.heard[1]["state"]["busy"]


def test_stop_is_heard_while_the_model_speaks():
    model = Slow()
    box = show_chat(Chat(model, max_new_tokens=1000))
    page = Page(box)
    page.says("say", text="Go.")
    model.may_go_on.release(20)
    until(lambda: model.steps >= 20)
    assert box.busy and page.state["busy"]
    page.says("say", text="Another.")  # one at a time
    assert page.heard[-1]["back"] == "Another." and page.state["busy"]
    page.says("stop")
    until(lambda: model.may_go_on.release() or not box.busy)
    [turn] = page.state["turns"]
    assert turn["finish"] == "stopped" and 15 < len(turn["reply"].split()) < 100


def test_clear_forgets_also_what_is_being_said():
    model = Slow()
    box = show_chat(Chat(model, max_new_tokens=1000))
    page = Page(box)
    box.say("Go.")
    page.says("clear")
    until(lambda: model.may_go_on.release() or not box.busy)
    assert page.state["turns"] == [] == box.chat.turns
    box.chat.turns = [Turn("a", "b")]
    page.says("hello")
    assert len(page.state["turns"]) == 1
    page.says("clear")
    assert page.state["turns"] == []


def test_what_is_refused_is_said_and_the_box_goes_on():
    box = show_chat(Chat(scripted("Hi", "Hello.", context_length=60)))
    page = Page(box)
    page.says("say", text="long " * 100)
    assert "this model reads 60 at most" in page.notice and not box.busy
    assert page.heard[-1]["back"] == "long " * 100
    page.says("say", text=" \n")
    page.says("say")
    page.says("nonsense")
    page.says("say", text="Hi")
    until(lambda: not box.busy)
    assert page.notice == "" and box.chat.turns[0].reply == "Hello."


def test_an_option_set_wrongly_in_code_is_said_and_the_box_goes_on():
    box = show_chat(Chat(scripted("Hi", "Hello.")))
    page = Page(box)
    box.chat.temperature = "hot"
    page.says("say", text="Hi")
    assert "temperature must be a number" in page.notice and not box.busy
    box.chat.temperature = 0
    page.says("say", text="Hi")
    until(lambda: not box.busy)
    assert page.notice == "" and box.chat.turns[0].reply == "Hello."


def test_a_message_during_a_reply_that_code_began_is_given_back():
    box = show_chat(Chat(scripted("Hi", "Hello there.")))
    page, pieces = Page(box), box.chat.stream("Hi")
    next(pieces)
    page.says("say", text="Hi")
    assert "another reply is under way" in page.notice and page.heard[-1]["back"] == "Hi"
    assert "".join(pieces) and box.chat.turns[0].reply == "Hello there."


def test_a_page_that_comes_late_shows_each_piece_once(monkeypatch):
    monkeypatch.setattr(module, "OFTEN", 1e9)  # pieces wait
    model = Slow()
    box = show_chat(Chat(model, max_new_tokens=6))
    page = Page(box)
    box.say("Go.")
    model.may_go_on.release(3)
    until(lambda: len(box._said.split()) >= 2)
    page.says("hello")
    seen = page.state["said"]
    assert seen.split() == ["the"] * len(seen.split())
    monkeypatch.setattr(module, "OFTEN", 0)
    before = len(page.heard)
    model.may_go_on.release(3)
    until(lambda: not box.busy)
    later = [m["text"] for m in page.heard[before:] if m["kind"] == "piece"]
    assert (seen + "".join(later)).split() == ["the"] * 6


def test_an_error_of_the_model_is_shown():
    model = scripted("Hi", "Hello.")
    model.head = None
    box = show_chat(Chat(model))
    page = Page(box)
    box.say("Hi")
    until(lambda: not box.busy)
    assert "not callable" in page.notice and page.state["turns"] == []


def test_settings_and_chat_are_one():
    chat = Chat(scripted("Hi", "Hello."), temperature=0.5, memory=True)
    box = show_chat(chat, "Toy")
    assert (box.temperature, box.top_p, box.memory, box.name) == (0.5, 1.0, True, "Toy")
    box.temperature, box.top_p, box.memory, box.max_new_tokens = 1.5, 0.9, False, 7
    assert (chat.temperature, chat.top_p, chat.memory, chat.max_new_tokens) == (1.5, 0.9, False, 7)
    assert (box.top_k, box.seed) == (None, None)
    box.top_k, box.seed = 5, 7
    assert (chat.top_k, chat.seed) == (5, 7)
    box.top_k = box.seed = None
    assert (chat.top_k, chat.seed) == (None, None)
    for name, value in (("temperature", 3), ("top_p", 0), ("max_new_tokens", 0), ("top_k", 0)):
        with pytest.raises(TraitError):
            setattr(box, name, value)


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


@needs_node
def test_the_front_end_spells_as_python_does():
    texts = [text for entry in HOSTILE for text in entry.values()]
    texts += ["\x00\x7f\x9b\r\n\t \u2028\u202e\ufeff 日本 🦋"]
    faults = [
        ["temperature", "0.5"],
        ["temperature", "3"],
        ["top_p", ""],
        ["max_new_tokens", "1.5"],
        *(["top_k", ""], ["top_k", "5"], ["top_k", "0"], ["seed", " "], ["seed", "1.5"]),
    ]
    code = (
        f"const m = await import({json.dumps(SCRIPT.as_uri())});"
        "let text = ''; for await (const part of process.stdin) text += part;"
        "const { texts, faults } = JSON.parse(text);"
        "console.log(JSON.stringify([texts.map(m.spell), faults.map((each) => m.fault(...each))]));"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", code],
        input=json.dumps({"texts": texts, "faults": faults}),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    spelled, told = json.loads(done.stdout)
    assert spelled == [spell_text(text) for text in texts]
    assert told == [
        *("", "Temperature is a number from 0 to 2.", "Top-p is a number from 0.05 to 1."),
        "Most tokens is a whole number from 1 to 1024.",
        *("", "", "Top-k is a whole number from 1 to 100000, or empty.", ""),
        "Seed is a whole number from 0 to 2147483647, or empty.",
    ]
