"""The inspector in JupyterLab with a live kernel: both sides follow, keys stay inside."""

import urllib.parse

import nbformat
import pytest

from lessons_lib.data import load_entries
from lessons_lib.kinds import count_targets
from lessons_lib.widgets import inspect_batch
from tests.browser.lab import RUN_ALL, running_lab
from tests.browser.test_inspector_page import choose, headline
from tools.build_notebooks import KERNEL

SHOW = """from lessons_lib.data import load_entries
from lessons_lib.widgets import inspect_batch
widget = inspect_batch(load_entries()[:4])
widget"""
TELL = """from lessons_lib.kinds import count_targets
found = count_targets(widget.steps)
print(found.live, found.total, widget.selected)"""
RUN_SECOND = """async () => {
  const app = window.jupyterapp;
  app.shell.currentWidget.content.activeCellIndex = 1;
  await app.commands.execute("notebook:run-cell");
}"""


@pytest.fixture
def lab_page(browser, tmp_path):
    """A notebook with one inspector, run, and every request that would leave this machine."""
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    cells = [nbformat.v4.new_code_cell(source) for source in (SHOW, TELL)]
    # Without a kernel's name JupyterLab would ask for one, and wait.
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    nbformat.write(notebook, notebooks / "one.ipynb")
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page, foreign, errors = context.new_page(), [], []

    def route(route):
        host = urllib.parse.urlsplit(route.request.url).hostname
        if host in ("127.0.0.1", None):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    page.route("**/*", route)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: said.type == "error" and errors.append(said.text))
    with running_lab(tmp_path, notebooks) as address:
        page.goto(address("one.ipynb"))
        page.locator(".jp-Notebook").wait_for(timeout=60_000)
        page.evaluate(RUN_ALL)
        page.locator(".bi").wait_for(timeout=60_000)
        yield page
        context.close()
    assert foreign == [] and errors == []


def test_kernel_and_picture_follow_each_other(lab_page):
    page, twin = lab_page, inspect_batch(load_entries()[:4])
    for name, value in (("instruction_mask", "prompt"), ("prompt_format", "phi3")):
        choose(page, name, value)
        setattr(twin, name, value)
        found = count_targets(twin.steps)
        assert headline(page) == (found.live, found.total)
    page.evaluate(RUN_SECOND)
    told = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output")
    told.filter(has_text=f"{found.live} {found.total} [0, 1, 2, 3]").wait_for()
    # Keys that delete, insert or cut cells mean nothing to JupyterLab while pressed in here.
    for place in ('input[value="prompt"]', ".bi-scroll", ".bi-entries button"):
        page.locator(place).first.focus()
        for key in "ddabx":
            page.keyboard.press(key)
    assert page.locator(".jp-CodeCell").count() == 2
    page.get_by_text("Find or type entries").click()
    page.get_by_label("Search instructions").fill("antonym")
    page.locator(".bi-results button").first.click()
    page.get_by_role("button", name="#4", exact=True).wait_for()
    page.get_by_label("instruction", exact=True).fill("Say <b>hi</b> ddd")
    page.get_by_label("output", exact=True).fill(" ")
    page.get_by_text("Add to the batch").click()
    page.get_by_text("is blank").wait_for()
    page.get_by_label("output", exact=True).fill("Hi.")
    page.get_by_text("Add to the batch").click()
    page.get_by_role("button", name="#5", exact=True).wait_for()
    page.evaluate(RUN_SECOND)
    told.filter(has_text="[0, 1, 2, 3, 4, 5]").wait_for()
    live, total = headline(page)
    assert told.inner_text().startswith(f"{live} {total}")
