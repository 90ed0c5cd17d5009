"""The funnel in Chromium: clicks, the keyboard alone, hostile text, axe-core, JupyterLab."""

import pytest

from lessons_lib.self_instruct import Funnel, Refused
from lessons_lib.widgets import show_funnel
from tests.helpers.hostile import HOSTILE
from tests.helpers.lab import RUN_CELL, notebook_in_lab
from tests.helpers.self_instruct_toys import generate

SHOW = """import tempfile
from lessons_lib.widgets import show_funnel
from tests.helpers.self_instruct_toys import generate
view = show_funnel(generate(tempfile.mkdtemp()))
view"""


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    return show_funnel(generate(tmp_path_factory.mktemp("run")))


def test_a_click_opens_what_a_stage_refused(visit, view):
    page = visit(view.to_html()).page
    assert page.locator(".bf-body:visible").count() == 0
    page.get_by_role("button", name="kept").click()
    alike = page.locator(".bf-like").first.inner_text()
    assert alike.startswith("too like: ") and "(F = 0." in alike
    refused = view.funnel.dropped("deduping")
    assert page.locator(".bf-reason summary").inner_text().endswith(f": {refused}")
    page.get_by_role("button", name="parsed").click()  # and closes the other one
    assert page.locator(".bf-body:visible").count() == 1
    assert page.locator(".bf-reason summary:visible").count() == 2
    page.get_by_role("button", name="parsed").click()
    assert page.locator(".bf-body:visible").count() == 0


def test_the_keyboard_alone_reaches_everything(visit, view):
    page = visit(view.to_html()).page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="parsed")
    assert button.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # the second reason
    assert page.locator("details[open]").count() == 2
    assert page.evaluate("document.activeElement.dataset.lmSuppressShortcuts") == "true"


def test_hostile_text_is_only_text(visit):
    refused = [Refused("filtering", e["instruction"], e["input"], e) for e in HOSTILE]
    funnel = Funnel("<b>", blocks=len(refused), refused=refused)
    opened = visit(show_funnel(funnel, "filtering").to_html())
    for summary in opened.page.locator("summary").all()[1:]:
        summary.click()
    assert HOSTILE[0]["input"] in opened.page.locator(".bf-text").all_inner_texts()
    assert opened.page.evaluate("window.canaryCalled") is None
    assert opened.page.locator(".bf img, .bf script, .bf svg").count() == 0
    assert opened.errors == [] and opened.foreign == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1000), ("dark", 1000), ("dark", 390)])
def test_axe_finds_nothing(visit, axe_source, view, theme, width):
    opened = visit(view.to_html(), theme, width)
    page = opened.page
    page.evaluate(axe_source)
    for name in ("parsed", "filters", "kept"):
        page.get_by_role("button", name=name).click()
        found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.errors == [] and opened.foreign == []


def test_in_jupyterlab_a_click_reaches_python_and_python_the_page(browser, lab):
    sources = [SHOW, "print('opened:', view.opened)", "view.opened = 'filtering'"]
    with notebook_in_lab(browser, lab, sources) as page:
        page.evaluate(RUN_CELL, 0)
        page.get_by_role("button", name="kept").click(timeout=60_000)
        page.locator(".bf-like").first.wait_for()
        page.evaluate(RUN_CELL, 1)
        told = page.locator(".jp-OutputArea-output", has_text="opened: deduping")
        told.wait_for()
        page.evaluate(RUN_CELL, 2)
        page.locator(".bf-body", has_text="keyword").wait_for()
        page.get_by_role("button", name="kept").press("d")
        page.get_by_role("button", name="kept").press("d")
        assert page.locator(".jp-CodeCell").count() == 3
