"""The table of answers in Chromium: filters, the keyboard alone, hostile text, axe-core."""

import pytest

from lessons_lib.data import load_entries
from lessons_lib.data.world import entry_families
from lessons_lib.evaluation import score_responses
from lessons_lib.widgets import show_answers
from tests.helpers.hostile import HOSTILE

ENTRIES, FAMILIES = load_entries()[935:1045], entry_families()[935:1045]


@pytest.fixture(scope="module")
def table():
    answers = [e["output"] if n % 3 else "Oslo. " * 99 for n, e in enumerate(ENTRIES)]
    return show_answers(
        score_responses(ENTRIES, answers, [n % 2 > 0 for n in range(110)], FAMILIES)
    )


def places(page):
    """The numbers of the answers on show."""
    return [int(text) for text in page.locator(".ba-table tbody th").all_inner_texts()]


def test_filters_show_what_python_would_choose(visit, table):
    page = visit(table.to_html()).page
    assert places(page) == table.chosen
    page.get_by_label("Marked").select_option("not exact")
    page.get_by_label("Order").select_option("family")
    table.marked, table.order = "not exact", "family"
    assert places(page) == table.chosen
    page.get_by_label("Search").fill("capital")
    table.words = "capital"
    assert places(page) == table.chosen
    status = page.get_by_role("status").inner_text()
    assert status.startswith(f"{len(table.chosen)} of 110 answers: exact 0 of {len(table.chosen)}")
    page.get_by_label("Search").fill("no such words")
    assert "Nothing fits" in page.get_by_role("status").inner_text()
    assert not page.locator(".ba-table").is_visible()
    table.marked, table.order, table.words = "", "data set", ""


def test_keyboard_alone_reaches_everything(visit, table):
    page = visit(table.to_html()).page
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "() => { const e = document.activeElement;"
                " return e.closest('label')?.querySelector('.bi-title').textContent || e.className"
                " || e.tagName; }"
            )
        )
    assert reached == ["Family", "Marked", "Search", "Order", "ba-scroll", "SUMMARY"]
    page.keyboard.press("Enter")  # unfolds the rest of a long answer
    assert page.locator("details[open]").inner_text().count("Oslo.") == 99
    page.locator(".ba-scroll").focus()
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('.ba-scroll').scrollTop > 1000")
    assert page.evaluate("document.activeElement.dataset.lmSuppressShortcuts") == "true"


def test_hostile_text_is_only_text(visit):
    names = ["</script>", "<b>", "&lt;", "__proto__", "constructor"]
    answers = [entry["input"] for entry in HOSTILE]
    opened = visit(show_answers(score_responses(HOSTILE, answers, families=names)).to_html())
    page = opened.page
    family = page.locator(".ba select").first
    family.select_option("__proto__")
    assert places(page) == [3]
    family.select_option("</script>")
    assert HOSTILE[0]["input"] == page.locator(".ba-answer .ba-text").inner_text()
    assert page.evaluate("window.canaryCalled") is None
    assert page.locator(".ba img, .ba script, .ba svg").count() == 0
    assert opened.errors == [] and opened.foreign == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1000), ("dark", 1000), ("dark", 390)])
def test_axe_finds_nothing(visit, axe_source, table, theme, width):
    opened = visit(table.to_html(), theme, width)
    page = opened.page
    assert page.locator("html").get_attribute("theme") == theme
    page.evaluate(axe_source)
    page.get_by_label("Marked").select_option("not lenient")
    page.locator(".ba-text summary").first.click()
    for order in ("data set", "family"):
        page.get_by_label("Order").select_option(order)
        found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.errors == [] and opened.foreign == []
