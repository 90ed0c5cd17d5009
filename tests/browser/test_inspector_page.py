"""The inspector's page in Chromium: the counts on screen, the keyboard, hostile text, axe-core."""

import re

import pytest
import torch

from lessons_lib.batching import count_targets
from lessons_lib.data import load_entries
from lessons_lib.models import GPT, GPTConfig
from lessons_lib.training import batch_loss
from lessons_lib.widgets import compare_batches, inspect_batch, race_padding, show_token_losses
from tests.helpers.hostile import HOSTILE
from tests.helpers.lab import choose, expect_headline
from tests.helpers.llama_toys import tiny_tokenizer

ENTRIES = load_entries()[:6]
SUBSTEPS = ["2.1", "2.2", "2.3", "2.4", "2.5"]


def expected_at(widget, substep):
    widget.substep = substep
    return expected(widget)


def expected(widget):
    steps = widget.steps
    found = count_targets(steps, steps.shifted if widget.substep == "2.4" else None)
    return found.live, found.total


def test_counts_on_screen_are_the_collators(visit):
    widget = inspect_batch(ENTRIES, instruction_mask="none", substep="2.4")
    page = visit(widget.to_html()).page
    expect_headline(page, expected(widget))
    changes = [
        ("substep", "2.5"),
        ("instruction_mask", "prompt"),
        ("instruction_mask", "keep-header"),
        ("prompt_format", "phi3"),
        ("padding", "static"),
        ("padding", "fixed"),
        ("prompt_format", "alpaca-stanford"),
        ("padding", "dynamic"),
    ]
    for name, value in changes:
        choose(page, name, value)
        setattr(widget, name, value)
        expect_headline(page, expected(widget), (name, value))
    for index in (1, 3):
        page.get_by_role("button", name=f"#{index}", exact=True).click()
        widget.selected = [each for each in widget.selected if each != index]
        expect_headline(page, expected(widget))
    widget.max_length = max(len(example.token_ids) for example in widget.examples) - 4
    page.get_by_label("Max length").fill(str(widget.max_length))
    expect_headline(page, expected(widget))
    assert "cut to" in page.locator(".bi-notes").inner_text()


def test_each_substep_shows_what_it_makes(visit):
    widget = inspect_batch(ENTRIES[:2])
    page = visit(widget.to_html()).page
    seen = {}
    for substep in SUBSTEPS:
        choose(page, "substep", substep)
        seen[substep] = page.locator(".bi-headline").inner_text()
        lines = page.locator(".bi-line").count()
        assert lines == {"2.1": lines, "2.2": 2, "2.3": 2}.get(substep, 4)
        assert page.locator(".bi-texts").is_visible() == (substep == "2.1")
    assert seen["2.1"].startswith("2 texts")
    assert seen["2.2"].startswith(f"{sum(map(len, widget.steps.token_ids))} tokens")
    assert "padding" in seen["2.3"]


@pytest.mark.parametrize("name", ["alpaca", "alpaca-stanford", "phi3"])
def test_prompt_and_response_have_their_colours_in_all_views(visit, name):
    widget = inspect_batch(ENTRIES[:1], substep="2.1", prompt_format=name, fold=False)
    page = visit(widget.to_html()).page
    colours = (
        "selector => [...new Set([...document.querySelectorAll(selector)].map((each) => {"
        " const { backgroundColor, color } = getComputedStyle(each);"
        " return `${backgroundColor} ${color}`; }))]"
    )

    def of(*selectors):
        return page.evaluate(colours, ", ".join(selectors))

    parts = (".bi-part-template", ".bi-part-instruction", ".bi-part-input", ".bi-part-header")
    prompt, response = of(*parts), of(".bi-part-output", ".bi-part-closing")
    assert len(prompt) == 1 == len(response) and prompt != response
    weights = page.locator(".bi-part").evaluate_all(
        "elements => elements.map((each) => [each.className.split('-').pop(),"
        " getComputedStyle(each).fontWeight])"
    )
    assert {part for part, weight in weights if weight == "700"} >= {"instruction", "output"}
    assert {part for part, weight in weights if weight == "400"} >= {"template", "header"}
    for substep in SUBSTEPS[1:]:
        choose(page, "substep", substep)
        page.locator(".bi-scroll").evaluate("e => e.scrollTo(0, 0)")
        assert of(".bi-inputs .bi-prompt") == prompt
        page.locator(".bi-scroll").evaluate("e => e.scrollTo(1e6, 0)")
        page.locator(".bi-inputs .bi-response").first.wait_for()
        assert of(".bi-inputs .bi-response") == response


def test_a_kept_header_is_still_the_prompts(visit):
    """It counts in the loss, and looks and reads as a part of the prompt all the same."""
    widget = inspect_batch(ENTRIES[:1], instruction_mask="keep-header", fold=False)
    example = widget.steps.examples[0]
    page = visit(widget.to_html()).page
    page.locator(".bi-scroll").focus()
    page.keyboard.press("End")
    while True:
        sentence = page.locator(".bi-sentence").inner_text()
        if f"position {example.prompt_length - 2}:" in sentence:
            break
        page.keyboard.press("ArrowLeft")
    assert "because the response header is kept" in sentence
    target = page.locator(f'.bi-targets .bi-cell[data-at="{example.prompt_length - 2}"]')
    assert {"bi-prompt", "bi-live"} <= set(target.get_attribute("class").split())


def test_hover_writes_the_sentence(visit):
    widget = inspect_batch(ENTRIES[:2], instruction_mask="prompt")
    page = visit(widget.to_html()).page
    page.locator('.bi-inputs .bi-cell[data-row="0"]').nth(1).hover()
    sentence = page.locator(".bi-sentence").inner_text()
    assert "after reading" in sentence and "the model must predict" in sentence
    assert "does not count, because it belongs to the prompt" in sentence
    assert page.locator(".bi-arrows path").count() == 4


def test_keyboard_alone_reaches_everything(visit):
    page = visit(inspect_batch(ENTRIES, prompt_loss_weight=0.1).to_html()).page
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "() => { const e = document.activeElement;"
                " return e.name?.split('-').pop() || e.getAttribute('role')"
                " || e.closest('label')?.textContent || e.textContent; }"
            )
        )
    for control in (
        *("substep", "prompt_format", "padding", "instruction_mask", "grid"),
        *("#0", "#5", "Max length", "Prompt-loss weight", "fold shared preamble"),
        "Find or type entries",
    ):
        assert control in reached, control
    assert any(text.startswith("Show") for text in reached)
    page.locator('input[name$="-substep"][value="2.5"]').focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".bi").get_attribute("data-substep") == "2.4"
    assert page.evaluate("document.activeElement.value") == "2.4"
    page.locator(".bi-scroll").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    width = max(map(len, inspect_batch(ENTRIES).steps.token_ids))
    assert f"Entry #1, position {width - 1}" in page.locator(".bi-sentence").inner_text()
    active = page.locator(".bi-scroll").get_attribute("aria-activedescendant")
    assert page.locator(f"[id='{active}']").count() == 1
    suppressed = page.evaluate("document.activeElement.dataset.lmSuppressShortcuts")
    assert suppressed == "true"


def test_hostile_text_is_only_text(visit):
    opened = visit(inspect_batch(HOSTILE).to_html())
    page = opened.page
    for show in ("text", "ids", "blocks", "both"):
        page.get_by_label("Show").select_option(show)
        for substep in SUBSTEPS[1:]:
            choose(page, "substep", substep)
    choose(page, "substep", "2.1")
    for index in range(len(HOSTILE)):
        page.get_by_role("button", name=f"#{index}", exact=True).hover()
    assert HOSTILE[0]["input"] in page.locator(".bi-texts").inner_text()
    assert "⟨U+202E⟩" in page.locator(".bi-texts").inner_text()
    assert page.evaluate("window.canaryCalled") is None
    assert page.locator(".bi img, .bi script, .bi svg:not(.bi-arrows)").count() == 0
    assert opened.errors == [] and opened.foreign == []


def test_another_tokenizers_tokens_and_end_are_on_show(visit):
    tokenizer = tiny_tokenizer()
    widget = inspect_batch(ENTRIES[:2], tokenizer, pad_token_id=0, substep="2.3")
    opened = visit(widget.to_html())
    page = opened.page
    shortest = min(range(2), key=lambda index: len(widget.examples[index].token_ids))
    end = len(widget.examples[shortest].token_ids)
    page.locator(".bi-scroll").focus()
    for key in (*["ArrowDown"] * shortest, "End"):
        page.keyboard.press(key)
    sentence = page.locator(".bi-sentence")
    assert "pad (0) — padding with <|endoftext|>" in sentence.inner_text()
    while f"position {end}:" not in sentence.inner_text():
        page.keyboard.press("ArrowLeft")
    assert "■ end (2) — end of text, <|im_end|>: where" in sentence.inner_text()
    choose(page, "substep", "2.5")
    expect_headline(page, expected_at(widget, "2.5"))
    choose(page, "substep", "2.2")
    shape = f"tokenizer {tokenizer.name}, {tokenizer.vocabulary_size} token ids"
    assert page.locator(".bi-shape").inner_text() == shape
    assert opened.errors == []


def test_two_tokenizers_side_by_side_are_told_apart(visit):
    pair = compare_batches(inspect_batch(ENTRIES[:2]), inspect_batch(ENTRIES[:2], tiny_tokenizer()))
    says = visit(pair.to_html()).page.locator(".bi-differences").inner_text()
    assert "Their tokens are not the same: gpt2 cut the left one's texts" in says
    assert "At the same positions" not in says


def test_only_what_is_in_view_is_in_the_page(visit):
    long = [
        {"instruction": f"Count from {n}.", "input": "", "output": "one two " * 240}
        for n in range(32)
    ]
    widget = inspect_batch(long)
    assert widget.steps.inputs.shape[1] > 500
    page = visit(widget.to_html()).page
    assert page.locator(".bi-cell").count() < 1500
    page.locator(".bi-scroll").evaluate("e => e.scrollTo(1e6, 1e6)")
    page.locator('.bi-targets .bi-end[data-row="31"]').wait_for()
    assert page.locator(".bi-cell").count() < 1500


def test_a_token_that_joins_prompt_and_response_is_noted(visit):
    quoted = {"instruction": "Quote it.", "input": "", "output": '"Yes."'}
    entries = [quoted, {**quoted, "output": "Yes."}]
    widget = inspect_batch(entries, prompt_format="alpaca-stanford", substep="2.2")
    page = visit(widget.to_html()).page
    notes = page.locator(".bi-notes").inner_text()
    assert notes.startswith("#0: a token joins the end of the prompt") and "#1" not in notes
    page.locator(".bi-scroll").evaluate("e => e.scrollTo(1e6, 0)")
    first = page.locator('.bi-inputs .bi-response[data-row="0"]').first
    assert first.inner_text().split("\n")[0] == ':"'
    choose(page, "prompt_format", "alpaca")
    assert page.locator(".bi-notes").inner_text() == ""


def test_nothing_to_show_is_said_in_one_sentence(visit):
    page = visit(inspect_batch(ENTRIES[:1]).to_html()).page
    page.get_by_role("button", name="#0", exact=True).click()
    assert page.locator(".bi-notes").inner_text().startswith("No entry is chosen")
    page.get_by_role("button", name="#0", exact=True).click()
    page.get_by_label("Max length").fill("3")
    assert "None of the chosen entries has room" in page.locator(".bi-notes").inner_text()


def test_without_python_the_picker_says_so(visit):
    page = visit(inspect_batch(ENTRIES).to_html()).page
    page.get_by_text("Find or type entries").click()
    assert "no Python runs here" in page.locator(".bi-says").inner_text()
    assert page.get_by_label("Search instructions").is_disabled()


@pytest.mark.parametrize(("theme", "width"), [("light", 1000), ("dark", 1000), ("light", 390)])
def test_axe_finds_nothing(visit, axe_source, theme, width):
    widget = inspect_batch([ENTRIES[0], HOSTILE[1]], max_length=70)
    page = visit(widget.to_html(), theme, width).page
    assert page.locator("html").get_attribute("theme") == theme
    page.evaluate(axe_source)
    page.get_by_text("Find or type entries").click()
    for name, value in (
        ("substep", "2.1"),
        ("substep", "2.2"),
        ("substep", "2.3"),
        ("substep", "2.5"),
        ("instruction_mask", "prompt"),
    ):
        choose(page, name, value)
        page.locator(".bi-scroll, .bi-texts").locator("visible=true").focus()
        assert violations(page) == [], (name, value)
    page.get_by_label("Show").select_option("blocks")
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_others(visit, axe_source, theme):
    two = inspect_batch(ENTRIES[:2]), inspect_batch(ENTRIES[:2], instruction_mask="prompt")
    torch.manual_seed(1)
    model = GPT(GPTConfig(width=16, layers=1, heads=1))
    race = race_padding(ENTRIES, batch_size=2)
    race.progress = 100
    for widget in (compare_batches(*two), show_token_losses(model, ENTRIES[:2]), race):
        opened = visit(widget.to_html(), theme)
        opened.page.evaluate(axe_source)
        assert violations(opened.page) == []
        assert opened.errors == [] and opened.foreign == []


def violations(page):
    """What axe-core finds wrong: the rule and the first place."""
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [(each["id"], each["nodes"][0]["html"][:300]) for each in found["violations"]]


def test_two_sides_follow_and_count_their_differences(visit):
    left = inspect_batch(ENTRIES[:3])
    right = inspect_batch(ENTRIES[:3], instruction_mask="prompt")
    page = visit(compare_batches(left, right).to_html()).page
    fewer = count_targets(left.steps).live - count_targets(right.steps).live
    assert f"{fewer} fewer targets that count" in page.locator(".bi-differences").inner_text()
    page.locator(".bi-sides .bi").nth(1).get_by_role("button", name="#1", exact=True).click()
    left.selected = right.selected = [0, 2]
    fewer = count_targets(left.steps).live - count_targets(right.steps).live
    assert f"{fewer} fewer targets that count" in page.locator(".bi-differences").inner_text()
    assert page.locator(".bi-sides [aria-pressed=true]").count() == 4


def test_losses_are_on_the_targets(visit):
    torch.manual_seed(1)
    model = GPT(GPTConfig(width=16, layers=1, heads=1))
    widget = show_token_losses(model, ENTRIES[:2], instruction_mask="prompt", fold=False)
    page = visit(widget.to_html()).page
    mean = batch_loss(model.eval(), widget.steps.batch).item()
    shown = float(re.search(r"mean loss is ([\d.]+)", page.locator(".bi-headline").inner_text())[1])
    assert shown == pytest.approx(mean, abs=2e-3)
    page.locator(".bi-scroll").focus()
    page.keyboard.press("End")
    assert "Likeliest" in page.locator(".bi-sentence").inner_text() or "padding" in (
        page.locator(".bi-sentence").inner_text()
    )


def test_the_race_ends_with_the_whole_epoch(visit):
    widget = race_padding(ENTRIES, batch_size=2)
    page = visit(widget.to_html()).page
    assert "0 of 0" in page.locator(".bi-race-says").first.inner_text()
    page.get_by_role("button", name="Race").click()
    page.get_by_text("Least padding").wait_for()
    says = page.locator(".bi-race-says").first.inner_text()
    assert f"{100 * widget.wastes['static']:.1f}" in says
