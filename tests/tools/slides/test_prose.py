"""Prose cut for slides: where blocks and sentences end, and what stays."""

import pytest

from tools.slides.prose import blocks, cut, kind, lead_in, sentences, words

CELL = """## Why

First. Second one.
- not a list of its own

- one. More of it.
- two

> **Predict.** What?
> Two lines.

<details><summary>Answer</summary>

Yes.

</details>

```python
a = 1

b = 2
```
| a | b |"""


def test_blocks_end_at_blank_lines_but_not_in_folds_and_fences():
    found = blocks(CELL)
    kinds = ["heading", "paragraph", "list", "quote", "folded", "fence"]
    assert [kind(block) for block in found] == kinds
    assert found[4].endswith("</details>") and "b = 2" in found[5]
    assert [kind(block) for block in blocks("# A\nText at once.")] == ["heading", "paragraph"]


@pytest.mark.parametrize(
    "whole",
    [
        "Shi et al. 2024 found it.",
        "Use `a. B` here.",
        "It is so (as one says. Or not) here.",
        "A **bold start. And end** of it.",
        "Write 0.5 or 1.",
    ],
)
def test_no_sentence_ends_inside_code_brackets_or_emphasis(whole):
    assert sentences(f"{whole} Then more.") == [whole, "Then more."]


def test_a_paragraph_keeps_its_first_sentences():
    long = "One two three. " + "Word " * 50 + "end. Last."
    assert cut(long) == "One two three."
    assert cut("One. Two. Three.", 2) == "One. Two."
    assert cut("A b c. D e f.", short=5) == "A b c."
    assert cut("(An aside.)") == "" == cut("One.", 0)
    assert cut("- one. More.\n- two") == "- one.\n- two"
    assert cut("| a | b |\n|---|---|") == "| a | b |\n|---|---|"
    assert cut("<details>hint</details>") == ""


def test_a_colon_leads_to_the_next_cell():
    assert lead_in("It is so. Look at it:") == ("It is so.", "Look at it:")
    assert lead_in("It is so.") == ("It is so.", "")


def test_words_are_those_one_says():
    assert words("It's [a link](https://example.org/a/b) in `code`.\n```\nx = 1\n```") == 5
