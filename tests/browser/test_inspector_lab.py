"""The inspector in JupyterLab with a live kernel: both sides follow, keys stay inside."""

import pytest

from lessons_lib.batching import count_targets
from lessons_lib.data import load_entries
from lessons_lib.widgets import inspect_batch
from tests.helpers.lab import RUN_CELL, choose, expect_headline, headline, notebook_in_lab

SHOW = """from lessons_lib.data import load_entries
from lessons_lib.widgets import inspect_batch
widget = inspect_batch(load_entries()[:4])
widget"""
TELL = """from lessons_lib.batching import count_targets
found = count_targets(widget.steps)
print(found.live, found.total, widget.selected)"""
TABLE = """from IPython.display import HTML
from lessons_lib.support import Table
display(Table(("price",), (("$5 and 4% of $6",),)), HTML("<p>$x$</p>"))"""


@pytest.fixture
def lab_page(browser, lab):
    """A notebook with one inspector, its first two cells run."""
    with notebook_in_lab(browser, lab, [SHOW, TELL, TABLE]) as page:
        page.evaluate(RUN_CELL, 0)
        page.locator(".bi").wait_for(timeout=60_000)
        page.evaluate(RUN_CELL, 1)
        yield page


def test_kernel_and_picture_follow_each_other(lab_page):
    page, twin = lab_page, inspect_batch(load_entries()[:4])
    for name, value in (("instruction_mask", "prompt"), ("prompt_format", "phi3")):
        choose(page, name, value)
        setattr(twin, name, value)
        found = count_targets(twin.steps)
        expect_headline(page, (found.live, found.total))
    page.evaluate(RUN_CELL, 1)
    told = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output")
    told.filter(has_text=f"{found.live} {found.total} [0, 1, 2, 3]").wait_for()
    # Keys that delete, insert or cut cells mean nothing to JupyterLab while pressed in here.
    for place in ('input[value="prompt"]', ".bi-scroll", ".bi-entries button"):
        page.locator(place).first.focus()
        for key in "ddabx":
            page.keyboard.press(key)
    assert page.locator(".jp-CodeCell").count() == 3
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
    page.evaluate(RUN_CELL, 1)
    told.filter(has_text="[0, 1, 2, 3, 4, 5]").wait_for()
    live, total = headline(page)
    assert told.text_content().startswith(f"{live} {total}")
    # A table is no formula, though JupyterLab looks for some in what a cell shows.
    page.evaluate(RUN_CELL, 2)
    page.locator("p mjx-container").wait_for()
    assert page.locator("table").inner_text().split("\n") == ["price", "$5 and 4% of $6"]
