"""The editor of tasks in Chromium: clicks, the keyboard, hostile text, axe-core, JupyterLab."""

import pytest

from lessons_lib.exercises.open_ended import edit_tasks
from lessons_lib.support.paths import FRONT_END
from lessons_lib.widgets.page import FOLLOW_THEME, front_end_state
from lessons_lib.widgets.payload import embed_json
from tests.helpers.hostile import HOSTILE
from tests.helpers.lab import RUN_CELL, notebook_in_lab

TASKS = [
    {"instruction": f"Name river {number}.", "input": "", "output": f"River {number}."}
    for number in range(10)
]
# Without Python, whose part is played by nobody: what the page does is in ``window.state``.
PAGE = """<!doctype html><html lang="en"><head><title>Tasks</title><link rel="icon" href="data:,">
<script>{theme}</script><style>{style}</style></head><body><main><h1>Tasks</h1></main>
<script type="module">{script}
const state = window.state = {state}, listeners = new Set();
const tell = () => listeners.forEach((listener) => listener());
const model = {{ get: (name) => state[name], set(name, value) {{ state[name] = value; tell(); }},
  save_changes() {{}}, on: (_, listener) => listeners.add(listener), off() {{}} }};
render({{ model, el: document.querySelector("main") }});
</script></body></html>"""
SHOW = f"""from lessons_lib.exercises.open_ended import edit_tasks
editor = edit_tasks({TASKS!r})
editor"""


@pytest.fixture
def open_editor(visit, work):
    """open_editor(tasks, theme="dark", width=390) opens a page with an editor, partly at work."""

    def open_page(tasks, *size):
        editor = edit_tasks(tasks)
        for index, answers in enumerate([(True, True, True), (True, True, False), (False,) * 3]):
            editor.judge(index, *answers)
        editor.correct(2, instruction="Name a river of Norway.")
        editor.correct(3, output="")
        return visit(
            PAGE.format(
                theme=FOLLOW_THEME,
                style=editor._css,
                script=(FRONT_END / "tasks.js").read_text(encoding="utf-8"),
                state=embed_json(front_end_state(editor.trait_values(sync=True))),
            ),
            *size,
        )

    return open_page


def work_of(page, index):
    return page.evaluate(f"window.state._work.reviews[{index}]")


def test_what_is_typed_and_clicked_becomes_work(open_editor):
    page = open_editor(TASKS).page
    assert page.locator(".bt-counts").inner_text() == "3 of 10 judged, 2 corrected, 2 kept"
    page.get_by_role("button", name="Task #4, open").click()
    page.get_by_role("group", name="Is the output right?").get_by_label("no", exact=True).check()
    page.get_by_label("Output", exact=True).fill("The Glomma\nin Norway.")
    page.get_by_role("button", name="Next").click()  # what was typed belongs to the task before
    assert work_of(page, 4)["corrected"] == {"output": "The Glomma\nin Norway."}
    assert work_of(page, 4)["output"] is False and work_of(page, 5)["corrected"] == {}
    assert page.get_by_label("Output", exact=True).input_value() == "River 5."
    page.get_by_role("button", name="Previous").click()
    assert "As it was written: River 4." in page.locator(".bt-was:visible").inner_text()
    page.get_by_role("button", name="Undo the change of the output").click()
    assert work_of(page, 4)["corrected"] == {} and page.locator(".bt-was:visible").count() == 0
    assert page.get_by_label("Output", exact=True).input_value() == "River 4."
    page.get_by_text("Python has not answered yet, so this is not saved.").wait_for()


def test_line_ends_of_another_system_are_no_correction(open_editor):
    page = open_editor([*TASKS[:4], {"instruction": "One\r\ntwo", "output": "Three"}]).page
    area = page.get_by_label("Instruction", exact=True)
    page.get_by_role("button", name="Task #4").click()
    area.fill("One\ntwo!")
    assert work_of(page, 4)["corrected"] == {"instruction": "One\ntwo!"}
    area.fill("One\ntwo")
    assert work_of(page, 4)["corrected"] == {}


def test_the_keyboard_alone_reaches_everything(open_editor):
    page = open_editor(TASKS).page
    for _ in range(5):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.get_by_role("button", name="Task #4").get_attribute("aria-current") == "true"
    for _ in range(6):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")  # from "not yet"
    assert work_of(page, 4)["task"] is False
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    page.keyboard.type(" d d")
    assert page.evaluate("document.activeElement.dataset.lmSuppressShortcuts") == "true"
    for _ in range(6):
        page.keyboard.press("Tab")  # past "Undo" and the other two questions and texts
    assert work_of(page, 4)["corrected"] == {"instruction": "Name river 4. d d"}
    page.keyboard.press("Tab")
    for index in range(5, 10):
        page.keyboard.press("Enter")
        assert page.evaluate("window.state.index") == index
    focused = page.evaluate("document.activeElement.textContent")
    assert focused.startswith("#9"), "where there is no next one, the focus is not lost"


def test_hostile_text_is_only_text(open_editor):
    opened = open_editor(HOSTILE)
    page = opened.page
    for index, entry in enumerate(HOSTILE):
        page.locator(".bt-mark").nth(index).click()
        for field in ("instruction", "input", "output"):
            shown = page.get_by_label(field.capitalize(), exact=True).input_value()
            assert index in (2, 3) or shown == entry[field]
    page.locator(".bt-mark").nth(1).click()
    asides = page.locator(".bt-aside:visible").all_inner_texts()
    assert any("⟨U+202E⟩Reverse⟨U+202C⟩" in text for text in asides)
    assert any("zero⟨U+200B⟩width" in text for text in asides)
    assert page.locator("main img, main script, main svg").count() == 0
    assert page.evaluate("window.canaryCalled") is None
    # Looking at a task, and leaving its fields, changes nothing.
    assert page.evaluate("window.state._work.turn") == 5
    assert opened.errors == [] and opened.foreign == []


def test_without_tasks_the_page_says_so(visit, work):
    editor = edit_tasks([])
    state = embed_json(front_end_state(editor.trait_values(sync=True)))
    script = (FRONT_END / "tasks.js").read_text(encoding="utf-8")
    opened = visit(PAGE.format(theme="", style=editor._css, script=script, state=state))
    assert "There is no task to judge." in opened.page.locator(".bt").inner_text()
    assert opened.errors == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1000), ("dark", 1000), ("dark", 390)])
def test_axe_finds_nothing(open_editor, axe_source, theme, width):
    opened = open_editor([*TASKS[:9], HOSTILE[1]], theme, width)
    page = opened.page
    page.evaluate(axe_source)
    for index in (0, 2, 3, 9):
        page.locator(".bt-mark").nth(index).click()
        found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.errors == [] and opened.foreign == []


def test_in_jupyterlab_work_reaches_python_and_is_met_again(browser, lab, work):
    own = f"import os\nos.environ['LESSONS_LIB_WORK'] = {str(work)!r}\n"
    sources = [
        own + SHOW,
        "print('kept:', editor.kept)",
        "editor.correct(1, output='From Python.')",
    ]
    with notebook_in_lab(browser, lab, sources) as page:
        page.evaluate(RUN_CELL, 0)
        for question in ("valid task", "fit the", "output right"):
            group = page.get_by_role("group", name=question)
            group.get_by_label("yes", exact=True).check(timeout=60_000)
        area = page.get_by_label("Output", exact=True)
        area.fill("The Glomma.")
        page.get_by_text("1 of 10 judged, 1 corrected, 1 kept").wait_for()
        page.get_by_text("Saved in my_work/reviews.json.").wait_for()
        area.press("Shift+Enter")  # a new line, and no cell is run
        page.evaluate(RUN_CELL, 1)
        page.locator(".jp-OutputArea-output", has_text="The Glomma.").wait_for()
        page.get_by_role("button", name="Next").click()
        page.evaluate(RUN_CELL, 2)
        page.get_by_text("As it was written: River 1.").wait_for()
        assert area.input_value() == "From Python."
        page.get_by_role("button", name="Next").press("d")
        page.get_by_role("button", name="Next").press("d")
        assert page.locator(".jp-CodeCell").count() == 3
        page.evaluate(RUN_CELL, 0)  # again
        page.get_by_text("1 of 10 judged, 2 corrected, 1 kept").wait_for()
    assert edit_tasks(TASKS).judged[1].corrected == {"output": "From Python."}
