"""Lesson 06 as a reader has it, in JupyterLab and on the site: what the screen counts is true."""

import re
import shutil

import pytest

from lessons_lib.batching import count_targets
from lessons_lib.data import load_entries
from lessons_lib.widgets import inspect_batch
from tests.helpers.lab import RUN_ALL, choose, expect_headline, guarded_page
from tools.build_notebooks import NOTEBOOKS, lesson_paths, navigation, read, title
from tools.site import build_site

LESSON = NOTEBOOKS / "06_masks.ipynb"


def twin():
    """The lesson's first inspector, in Python alone."""
    entries = load_entries("bundled")
    chosen = [entries[50], entries[3], entries[4], *entries[10:15]]
    return inspect_batch(chosen, substep="2.4", selected=[0, 1, 2])


def walk(inspector, expected):
    """Pick entries, step from 2.4 to 2.5, switch the mask: each time compare the counts."""

    def agree():
        steps = expected.steps
        found = count_targets(steps, steps.shifted if expected.substep == "2.4" else None)
        expect_headline(inspector, (found.live, found.total))

    agree()
    inspector.get_by_role("button", name="#5", exact=True).click()
    expected.selected = [*expected.selected, 5]
    agree()
    for name, value in (
        ("substep", "2.4"),
        ("substep", "2.5"),
        ("instruction_mask", "prompt"),
        ("instruction_mask", "keep-header"),
        ("prompt_format", "phi3"),
        ("instruction_mask", "none"),
    ):
        choose(inspector, name, value)
        setattr(expected, name, value)
        agree()
    for substep in ("2.1", "2.2", "2.3"):
        choose(inspector, "substep", substep)
        inspector.locator(".bi-headline", has_text=re.compile(r"\w")).wait_for()


@pytest.fixture
def opened(browser):
    """A page, and afterwards: no error, and no request to another machine."""
    context = browser.new_context(viewport={"width": 1300, "height": 2400})
    page, faults = guarded_page(context)
    yield page
    context.close()
    assert faults == []


def test_in_jupyterlab(opened, lab):
    shutil.copy(LESSON, lab.notebooks)
    opened.goto(lab.address(LESSON.name))
    opened.locator(".jp-Notebook").wait_for(timeout=60_000)
    opened.evaluate(RUN_ALL)
    first = opened.locator(".bi").first
    first.wait_for(timeout=90_000)
    first.scroll_into_view_if_needed()
    # JupyterLab draws what comes into view anew.
    first.locator(".bi-headline", has_text="targets count").wait_for(timeout=30_000)
    walk(first, twin())
    opened.goto("about:blank")
    lab.end_kernels()


@pytest.fixture(scope="module")
def lesson_page(tmp_path_factory, kernel_environment):
    """Lesson 06 built for the site, alone."""
    notebook = read(LESSON)
    states = build_site.run_for_states(notebook, kernel_environment)
    page = tmp_path_factory.mktemp("site") / "06_masks.html"
    links = build_site.to_html(navigation(LESSON, lesson_paths()))
    build_site.write_page(page, title(notebook), links, build_site.lesson_content(notebook, states))
    return page


def test_on_the_site_without_a_kernel(opened, lesson_page):
    opened.goto(lesson_page.as_uri())
    walk(opened.locator(".bi").first, twin())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_has_no_accessibility_violation(opened, lesson_page, axe_source, theme):
    opened.emulate_media(color_scheme=theme, reduced_motion="reduce")
    opened.goto(lesson_page.as_uri())
    opened.locator(".bi").first.wait_for()
    opened.evaluate(axe_source)
    found = opened.evaluate("async () => (await axe.run()).violations")
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == []


def test_a_phone_shows_the_page_without_scrolling_sideways(opened, lesson_page):
    opened.set_viewport_size({"width": 390, "height": 800})
    opened.goto(lesson_page.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_theme_can_be_chosen(opened, lesson_page):
    opened.goto(lesson_page.as_uri())
    before = opened.evaluate("document.documentElement.getAttribute('theme')")
    opened.locator("#theme").click()
    assert opened.evaluate("document.documentElement.getAttribute('theme')") != before


def test_a_script_that_is_not_the_sites_own_does_not_run(browser, tmp_path):
    """Should hostile text ever come through, the page's policy still refuses to run it."""
    page = tmp_path / "page.html"
    attack = "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'>"
    build_site.write_page(page, "Attacked", "", f"<h1>Attacked</h1>{attack}")
    context = browser.new_context()
    visited = context.new_page()
    visited.goto(page.as_uri())
    visited.locator("#theme").click()
    assert visited.evaluate("window.ran") is None
    assert visited.evaluate("document.documentElement.getAttribute('theme')") == "dark"
    context.close()
