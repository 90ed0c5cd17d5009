"""Slides in Chromium: keys, steps, a live inspector, the presenter's window, type size, paper."""

import re

import nbformat
import pytest

from lessons_lib.batching import count_targets
from lessons_lib.data import load_entries
from lessons_lib.widgets import inspect_batch
from tests.helpers.lab import choose, expect_headline
from tools.build_notebooks import WIDGET_VIEW
from tools.slides.build_slides import slides_page

CLOSING = (
    "## What you learned\n\n- This.\n\n### Three questions\n\n1. Why?\n\n"
    "<details><summary>Answer</summary>\nSo it is.\n</details>"
)


@pytest.fixture(scope="module")
def widget():
    return inspect_batch(load_entries()[:6], substep="2.4", selected=[0, 1, 2])


@pytest.fixture(scope="module")
def html(widget):
    """A lesson of six slides."""
    view = {WIDGET_VIEW: {"model_id": "w"}, "text/plain": "[picture]"}
    long = "\n".join(f"value_{n} = some_function(of={n}, and_more={n})" for n in range(18))
    cells = [
        nbformat.v4.new_markdown_cell("# 04 A lesson\n\nAfter this lesson you can\n\n- see."),
        nbformat.v4.new_markdown_cell(
            "## Why\n\nOne sentence. " + "Word " * 50 + "end.\n\n> **Predict.** Which?",
            metadata={"slide": {"minutes": 3, "notes": "Ask for hands."}},
        ),
        nbformat.v4.new_code_cell("show()", outputs=[nbformat.v4.new_output("display_data", view)]),
        nbformat.v4.new_code_cell(long),
        nbformat.v4.new_markdown_cell(CLOSING),
    ]
    return slides_page(nbformat.v4.new_notebook(cells=cells), {"w": widget.get_state()})


def violations(page):
    """What axe-core finds wrong: the rule and the first place."""
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]]


def number(page):
    return page.locator("#number").inner_text()


def test_a_lesson_is_taught(visit, html, widget, axe_source):
    opened = visit(html, "light", 1280, 720)
    page = opened.page
    assert number(page) == "1 / 7" and page.locator(".slide:visible").count() == 1
    page.evaluate(axe_source)
    # The presenter's window: notes, minutes, and a clock that runs.
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    presenter = popup.value
    presenter.keyboard.press("ArrowRight")
    assert number(page) == "2 / 7"
    assert presenter.locator("#now").inner_text() == "2 / 7 Why (3 min)"
    assert (
        presenter.locator("#notes").inner_text().startswith("Ask for hands.\n\nOne sentence. Word")
    )
    assert "of 3:00, all" in presenter.locator("#plan").inner_text()
    assert presenter.locator("#coming").inner_text() == "Next: Predict"
    presenter.get_by_role("button", name="Start").click()
    presenter.locator("#time", has_text="0:01").wait_for()
    # The inspector is alive, keeps its keys, and is large.
    for key in ("PageDown", " "):
        page.keyboard.press(key)
    assert number(page) == "4 / 7"
    page.get_by_role("button", name="#5", exact=True).click()
    widget.selected = [0, 1, 2, 5]
    choose(page, "substep", "2.5")
    widget.substep = "2.5"
    found = count_targets(widget.steps)
    expect_headline(page, (found.live, found.total))
    page.keyboard.press("ArrowRight")
    assert number(page) == "4 / 7" and violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    # An answer is uncovered by a step of its own, and covered again by one back.
    answer = page.get_by_text("So it is.")
    assert number(page) == "7 / 7" and not answer.is_visible()
    page.keyboard.press("n")
    assert answer.is_visible() and violations(page) == []
    page.keyboard.press("p")
    assert number(page) == "7 / 7" and not answer.is_visible()
    page.keyboard.press("o")
    page.get_by_role("dialog").get_by_role("button", name="Why").first.click()
    assert number(page) == "2 / 7" and page.url.endswith("#2")
    assert opened.errors == [] and opened.foreign == []


# At 1280 × 720: words 19 pixels high or more, code 16, what a widget writes 12.
TYPE = """() => [...document.querySelectorAll(".slide")].flatMap((slide) => {
  slide.classList.add("measured");
  const found = document.createTreeWalker(slide.querySelector(".body"), NodeFilter.SHOW_TEXT);
  const small = [];
  while (found.nextNode()) {
    const { parentElement: at, data } = found.currentNode;
    if (!data.trim() || at.closest("script") || !at.getClientRects().length) continue;
    const zoom = Number(at.closest(".bi-mount")?.style.zoom || 1);
    const size = parseFloat(getComputedStyle(at).fontSize) * zoom;
    const least = at.closest(".bi-mount") ? 12 : at.closest("pre") ? 16 : 19;
    if (size < least) small.push([slide.dataset.title, data.slice(0, 40), size]);
  }
  return small;
})"""


def test_type_is_large_fits_and_prints_one_page_a_slide(visit, html, axe_source):
    page = visit(html, "dark", 1280, 720).page
    page.locator(".slide.here").wait_for()
    page.wait_for_function(
        "document.querySelector('.slide.widget').style.cssText.includes('--fit')"
    )
    assert page.evaluate(TYPE) == []
    assert page.locator("[data-scrolls]").count() == 0
    box = page.locator(".bi").evaluate("e => e.getBoundingClientRect().bottom")
    assert box <= page.locator(".slide.widget .body").evaluate(
        "e => e.getBoundingClientRect().bottom + 1"
    )
    page.evaluate(axe_source)
    for number in (3, 5):  # the question, and highlighted code, in the dark theme
        page.evaluate("(number) => { location.hash = number; }", number)
        page.locator(f'.slide.here[data-number="{number}"]').wait_for()
        assert violations(page) == []
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type /Page\b", paper)) == 7
    assert set(re.findall(rb"/MediaBox \[([^]]*)\]", paper)) == {b"0 0 960 540"}


def test_a_finger_turns_the_page(visit, html):
    page = visit(html, "light", 390, 800).page
    wipe = """(to) => {
      const touch = (clientX) =>
        new Touch({ identifier: 1, target: document.body, clientX, clientY: 300 });
      for (const [name, x] of [["touchstart", 200], ["touchend", to]]) {
        const touches = [touch(x)];
        document.body.dispatchEvent(
          new TouchEvent(name, { bubbles: true, changedTouches: touches, touches }));
      }
    }"""
    for to, expected in ((90, "2 / 7"), (230, "2 / 7"), (300, "1 / 7")):
        page.evaluate(wipe, to)
        assert number(page) == expected
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
