"""The chat in JupyterLab with a live kernel: replies stream, Stop is heard, keys stay inside."""

import os

import pytest

from lessons_lib.pictures import spell_text
from tests.helpers.hostile import MESSAGES
from tests.helpers.lab import RUN_CELL, notebook_in_lab

SHOW = """from lessons_lib.chat import Chat
from lessons_lib.widgets import show_chat
from tests.helpers.toys import Parrot
model = Parrot()
chat = Chat(model, max_new_tokens=900)
show_chat(chat, "Parrot")"""
TELL = """print([(turn.message, turn.finish) for turn in chat.turns], chat.options.temperature)
model.pause = 0.1"""
BUSY = """import time
begun = len(chat.turns)
for _ in range(400):
    if len(chat.turns) > begun: break
    time.sleep(0.05)
print("heard", chat.turns[-1].finish, chat.turns[-1].reply_tokens < 300)"""


@pytest.fixture
def lab_page(browser, lab):
    """A notebook with one chat, its first cell run."""
    with notebook_in_lab(browser, lab, [SHOW, TELL, BUSY]) as page:
        page.evaluate(RUN_CELL, 0)
        page.locator(".bc:not(.bc-off)").wait_for(timeout=60_000)
        yield page


def test_talking_stopping_and_what_python_then_knows(lab_page):
    page = lab_page
    told = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output")
    page.evaluate(RUN_CELL, 1)
    told.filter(has_text="[] 0.0").wait_for()
    message = page.get_by_role("textbox", name="Message")
    page.locator(".bc summary").click()
    page.get_by_label("Temperature").fill("0.5")
    page.get_by_label("Temperature").press("Tab")
    message.fill("<b>ddd</b> dd")
    message.press("Enter")
    page.locator(".bc-mark", has_text="■ end").wait_for()
    assert page.locator(".bc-words").all_text_contents() == ["<b>ddd</b> dd"] * 2
    message.fill("Count.")
    message.press("Enter")
    page.locator(".bc-growing", has_text="one more one more").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.locator(".bc-mark", has_text="stopped").wait_for()
    message.fill("word " * 3000)
    message.press("Enter")
    page.get_by_text("this model reads 2,048 at most").wait_for()
    assert message.input_value() == "word " * 3000
    for key in "ddabx":  # mean nothing to JupyterLab while pressed in here
        page.get_by_role("button", name="Send").press(key)
    assert page.locator(".jp-CodeCell").count() == 3
    page.evaluate(RUN_CELL, 1)
    told.filter(has_text="[('<b>ddd</b> dd', 'end'), ('Count.', 'stopped')] 0.5").wait_for()
    if folder := os.environ.get("LESSONS_LIB_SHOTS"):  # to be looked at
        page.screenshot(path=f"{folder}/chat-lab.png")
    message.fill("Count.")
    message.press("Enter")
    page.locator(".bc-growing", has_text="one more one more").wait_for()
    page.evaluate(RUN_CELL, 2)  # JupyterLab sends messages of widgets past a cell that runs
    page.locator(".jp-CodeCell").nth(2).get_by_text("[*]:").wait_for()
    page.get_by_role("button", name="Stop").click()
    heard = page.locator(".jp-CodeCell").nth(2).locator(".jp-OutputArea-output")
    heard.filter(has_text="heard stopped True").wait_for()
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Nothing has been said yet.").wait_for()


def test_twenty_hostile_messages_are_only_text(lab_page):
    page = lab_page
    message, cells = page.get_by_role("textbox", name="Message"), page.locator(".jp-Cell").count()
    assert len(MESSAGES) == 20
    for index, text in enumerate([*MESSAGES, "Good morning."]):
        message.fill(text)
        message.press("Enter")
        page.locator(".bc-mark").nth(index).wait_for()
        asked, answered = page.locator(".bc-words").all_text_contents()[-2:]
        assert asked == spell_text(text) and answered == spell_text(text.strip())
    assert page.locator(".bc-turn").count() == 21 and answered == "Good morning."
    foreign = "img, script, svg, iframe, a, style, meta, base, form form, details details"
    assert page.locator(".bc").locator(foreign).count() == 0
    assert page.evaluate("window.canaryCalled") is None
    assert page.locator(".jp-Cell").count() == cells and page.locator(".bc").count() == 1
