"""The page of labels in Chromium: rows, the sentence, the keyboard, 8,000 tokens, axe-core."""

import pytest

from lessons_lib.data import get_tokenizer
from lessons_lib.widgets import inspect_labels
from tests.helpers.hostile import HOSTILE
from tests.helpers.label_toys import encode, entry_row, packed_row
from tests.helpers.servers import until

TOKENIZER = get_tokenizer()
ROWS = [
    entry_row("Dark red."),
    entry_row("Blue, or green.", pad=30),
    packed_row(["Red.", "Green and blue."]),
]


@pytest.fixture(scope="module")
def widget():
    return inspect_labels(ROWS, TOKENIZER)


def headline(page):
    return page.locator(".bi-headline").text_content()


def sentence(page):
    return page.locator(".bi-sentence").text_content()


def go_to_row(page, number):
    page.get_by_label("Go to row").fill(str(number))
    page.keyboard.press("Enter")


def counted(widget, place):
    row = widget.batch.rows[place]
    live = sum(target != -100 for target in row.targets)
    return f"{live} of {len(row.targets)} targets of row {row.index} count in the loss"


def test_rows_are_chosen_by_button_number_and_strip(visit, widget):
    page = visit(widget.to_html()).page
    assert page.locator(".bl-convention").text_content() == widget.batch.convention
    assert headline(page).startswith(counted(widget, 0))
    page.get_by_role("button", name="Next row").click()
    until(lambda: headline(page).startswith(counted(widget, 1)))
    assert page.locator(".bi-fold").count() == 2  # of inputs and of targets
    page.get_by_label("fold padding").uncheck()
    until(lambda: page.locator(".bi-fold").count() == 0)
    go_to_row(page, 2)
    until(lambda: headline(page).startswith(counted(widget, 2)))
    assert page.locator(".bl-text").all_text_contents()[0].startswith("text 1: ")
    assert page.locator(".bl-text").count() == 2
    assert page.get_by_role("button", name="Next row").is_disabled()
    page.locator(".bi-strip").first.click()
    until(lambda: headline(page).startswith(counted(widget, 0)))
    go_to_row(page, 77)
    page.get_by_text("Row 77 is not among the rows here; the nearest is 2.").wait_for()


def test_pointing_at_a_token_writes_the_sentence(visit, widget):
    page = visit(widget.to_html()).page
    page.locator(".bi-targets .bi-live", has_text="red").hover()
    assert "after reading Dark (" in sentence(page)
    assert "must predict ␣red (" in sentence(page) and "counts in the loss ✓" in sentence(page)
    page.locator(".bi-inputs .bi-cell").first.hover()
    assert "does not count: the next token belongs to the prompt" in sentence(page)
    page.locator(".bi-targets .bi-end").hover()
    assert "here the model learns to stop" in sentence(page)
    assert page.locator(".bi-reads").count() == 2 and page.locator(".bi-source").count() == 1
    page.get_by_role("radio", name="ids", exact=True).check()
    until(lambda: page.locator(".bi-inputs .bi-word").count() == 0)
    assert page.locator(".bi-inputs .bi-id").first.text_content() == str(ROWS[0]["input_ids"][0])


def test_a_shift_done_twice_is_marked(visit):
    row = {**ROWS[0], "labels": [*ROWS[0]["labels"][1:], -100]}
    page = visit(inspect_labels([row], TOKENIZER, shifts_inside=True).to_html()).page
    page.locator(".bi-targets .bi-wrong").first.hover()
    assert "counts in the loss ≠, although what follows is" in sentence(page)
    assert "are not the token that follows (≠)" in page.locator(".bi-notes").text_content()


def test_the_keyboard_alone_reaches_everything(visit, widget):
    page = visit(inspect_labels(ROWS, TOKENIZER, row=2).to_html()).page
    reached = set()
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "() => { const e = document.activeElement; return e.getAttribute('role')"
                " || e.getAttribute('aria-label') || e.name.split('-').pop(); }"
            )
        )
        if "grid" in reached:
            break
    assert reached >= {"Previous row", "Go to row", "show", "To the next change", "grid"}
    assert page.evaluate("document.activeElement.dataset.lmSuppressShortcuts") == "true"
    page.keyboard.press("Home")
    assert "column 0 (text 1)" in sentence(page)
    page.keyboard.press("ArrowRight")
    assert "column 1 (text 1)" in sentence(page)
    page.keyboard.press("End")
    assert f"column {len(ROWS[2]['input_ids']) - 1} (text 2)" in sentence(page)
    active = page.locator(".bl-scroll").get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").text_content() == "−100"
    page.keyboard.press("Home")
    page.get_by_role("button", name="To the next change").press("Enter")
    prompt = ROWS[2]["labels"].index(next(label for label in ROWS[2]["labels"] if label >= 0))
    assert f"column {prompt - 1} (text 1)" in sentence(page)  # where the first live target is


def test_a_row_of_8000_tokens_keeps_few_cells_in_the_page(visit):
    ids = encode("All the facts there are. " * 2000)[:8000]
    widget = inspect_labels(
        [{"input_ids": ids, "labels": [*[-100] * 7000, *ids[7000:]]}], TOKENIZER
    )
    opened = visit(widget.to_html())
    page = opened.page
    assert headline(page).startswith("1,000 of 8,000")
    assert page.locator('.bi-cell[data-at="6999"]').first.is_visible()  # where labels begin
    for press, column in (("Home", 0), ("End", 7999)):
        page.locator(".bl-scroll").press(press)
        assert f"column {column:,}" in sentence(page)
        assert page.locator(f'.bi-cell[data-at="{column}"]').first.is_visible()
        assert page.locator(".bi-cell").count() < 1200
    box = page.locator(".bl-whole").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 5)
    assert "column 4,000" in sentence(page)
    page.locator(".bl-scroll").evaluate("e => { e.scrollTop = 0; }")
    page.locator('.bi-cell[data-at="0"]').first.wait_for()
    assert page.locator(".bi-cell").count() < 1200
    assert opened.errors == []


def test_hostile_text_is_only_text(visit):
    texts = [text for entry in HOSTILE for text in entry.values() if text]
    opened = visit(inspect_labels([entry_row(text[:300]) for text in texts], TOKENIZER).to_html())
    for number in range(len(texts)):
        go_to_row(opened.page, number)
        opened.page.locator(".bi-targets .bi-live").first.hover()
    assert opened.page.evaluate("window.canaryCalled") is None
    assert opened.page.locator(".bl img, .bl script, .bl svg").count() == 0
    assert opened.errors == [] and opened.foreign == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1000), ("dark", 1000), ("dark", 390)])
def test_axe_finds_nothing(visit, axe_source, widget, theme, width):
    opened = visit(widget.to_html(), theme, width)
    page = opened.page
    page.evaluate(axe_source)
    for number in (1, 2):
        go_to_row(page, number)
        page.locator(".bi-targets .bi-live").first.hover()
        found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.locator(".bl-whole").evaluate("e => [e.firstChild.scrollWidth, e.clientWidth]")
    assert wide[0] <= wide[1] + 2  # the frame's own border
    assert opened.errors == [] and opened.foreign == []
