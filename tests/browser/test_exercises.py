"""A wrong answer in Chromium: the sentence, and the inspector at the first wrong cell."""

import pytest

from lessons_lib.exercises import EXERCISES
from lessons_lib.exercises.museum.visit import inspect_exhibit
from lessons_lib.exercises.registry import stub_cell
from lessons_lib.widgets.page import FOLLOW_THEME
from tests.helpers.lab import RUN_CELL, choose, notebook_in_lab

MASK = EXERCISES["mask-prompt"]
ONE_TOO_MANY = MASK.wrong_answers[0]
PAGE = """<!doctype html><html lang="en"><head><title>Checked</title><link rel="icon" href="data:,">
<script>{theme}</script></head><body><main><h1>Checked</h1>{results}</main></body></html>"""


@pytest.fixture(scope="module")
def result():
    return MASK.check(ONE_TOO_MANY.function)


def test_the_inspector_opens_at_the_first_wrong_cell(visit, result):
    opened = visit(result.inspector.to_html())
    page = opened.page
    row, column = result.inspector.wrong_cells[0]
    cell = page.locator(f'.bi-targets .bi-cell[data-row="{row}"][data-at="{column}"]')
    assert cell.inner_text().startswith("✗ −100")
    box, scroller = cell.bounding_box(), page.locator(".bi-scroll").bounding_box()
    assert (
        scroller["x"] <= box["x"] and box["x"] + box["width"] <= scroller["x"] + scroller["width"]
    )
    said = page.locator(".bi-sentence").inner_text()
    assert "✗ among the targets your function has −100, where The (464) should be" in said
    assert "what your function made of this batch" in page.locator(".bi-notes").inner_text()
    assert page.locator(".bi-wrong").count() == len(result.inspector.wrong_cells) == 3
    page.locator(".bi-scroll").focus()
    page.keyboard.press("ArrowRight")
    assert "counts in the loss" in page.locator(".bi-sentence").inner_text()
    choose(page, "instruction_mask", "none")
    assert "how the batch should be" in page.locator(".bi-notes").inner_text()
    assert page.locator(".bi-wrong").count() == 0
    assert opened.errors == [] and opened.foreign == []


def test_wrong_inputs_are_marked_too(visit):
    collate = EXERCISES["collate"]
    inspector = collate.check(collate.wrong_answers[0].function).inspector
    page = visit(inspector.to_html()).page
    assert inspector.wrong_cells[0] == [0, 1] and not inspector.fold
    assert "✗ among the inputs your function has −100" in page.locator(".bi-sentence").inner_text()
    assert page.locator(".bi-inputs .bi-wrong").count()


def test_an_exhibit_of_the_museum_is_shown_with_nothing_marked(visit):
    twice = inspect_exhibit(3)  # targets are shifted twice
    opened = visit(twice.to_html())
    page = opened.page
    row, column = [int(index) for index in (twice.steps.targets != -100).nonzero()[0]]
    cell = page.locator(f'.bi-targets .bi-cell[data-row="{row}"][data-at="{column}"]')
    page.locator(".bi-scroll").focus()
    cell.click()
    said = page.locator(".bi-sentence").inner_text()
    after, goal = twice.steps.inputs[row, column], twice.steps.inputs[row, column + 2]
    assert f"({after}) the model must predict" in said and f"({goal})" in said
    assert page.locator(".bi-wrong").count() == 0 == page.locator(".bi-copied").count()
    assert "Nothing marks what is wrong" in page.locator(".bi-notes").inner_text()
    choose(page, "instruction_mask", "none")
    assert "how the batch should be" in page.locator(".bi-notes").inner_text()
    assert opened.errors == [] and opened.foreign == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(visit, axe_source, theme, result):
    results = [result, MASK.check(MASK.attempt), MASK.check(MASK.answer), MASK.check(print)]
    results.append(EXERCISES["format-input"].check(lambda entry: "<b>no</b>"))
    pages = "".join(each._repr_html_() for each in results)
    for html in (result.inspector.to_html(), PAGE.format(theme=FOLLOW_THEME, results=pages)):
        opened = visit(html, theme=theme)
        opened.page.evaluate(axe_source)
        found = opened.page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []


def test_a_wrong_function_typed_in_jupyterlab(browser, lab):
    code = stub_cell(MASK)
    typed = """masked = targets.clone()
    for row, length in zip(masked, prompt_lengths):
        row[:length] = -100
    return masked"""
    wrong = code.replace("raise NotImplementedError", typed)
    right = wrong.replace("row[:length]", "row[:length - 1]")
    last = "from lessons_lib.exercises import progress\nprogress()"
    with notebook_in_lab(browser, lab, [code, wrong, right, last]) as page:
        page.evaluate(RUN_CELL, 0)
        cells = page.locator(".jp-CodeCell")
        cells.nth(0).get_by_text("not attempted yet").first.wait_for(timeout=60_000)
        page.evaluate(RUN_CELL, 1)
        cells.nth(1).locator(".bi-wrong").first.wait_for(timeout=60_000)
        cells.nth(1).get_by_text(ONE_TOO_MANY.sentence).first.wait_for()
        page.evaluate(RUN_CELL, 2)
        cells.nth(2).get_by_text("✓ Mask the prompt").wait_for()
        page.evaluate(RUN_CELL, 3)
        cells.nth(3).get_by_text("✓ passed (2 attempts)").wait_for()
