"""Prompt formats to the letter, and the way back from a text to the answer."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lessons_lib.data import PROMPT_FORMATS, PromptFormat, format_input, get_prompt_format
from lessons_lib.data.prompts import text_parts

WITH_INPUT = {"instruction": "Fix the spelling.", "input": "Ocassion", "output": "Occasion"}
WITHOUT_INPUT = {"instruction": "Name a color.", "input": "", "output": "Red."}

SHORT_PREAMBLE = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request."
)
LONG_PREAMBLE = (
    "Below is an instruction that describes a task, paired with an input that provides further "
    "context. Write a response that appropriately completes the request."
)
ALPACA_WITH = """

### Instruction:
Fix the spelling.

### Input:
Ocassion

### Response:
Occasion"""
ALPACA_WITHOUT = """

### Instruction:
Name a color.

### Response:
Red."""
STANFORD_WITH = ALPACA_WITH.replace("Response:\n", "Response:")
STANFORD_WITHOUT = ALPACA_WITHOUT.replace("Response:\n", "Response:")
PHI3_WITH = """<|user|>
Fix the spelling.
Ocassion<|end|>
<|assistant|>
Occasion<|end|>"""
PHI3_WITHOUT = """<|user|>
Name a color.<|end|>
<|assistant|>
Red.<|end|>"""

TEXTS = [
    ("alpaca", WITH_INPUT, SHORT_PREAMBLE + ALPACA_WITH),
    ("alpaca", WITHOUT_INPUT, SHORT_PREAMBLE + ALPACA_WITHOUT),
    ("alpaca-stanford", WITH_INPUT, LONG_PREAMBLE + STANFORD_WITH),
    ("alpaca-stanford", WITHOUT_INPUT, SHORT_PREAMBLE + STANFORD_WITHOUT),
    ("phi3", WITH_INPUT, PHI3_WITH),
    ("phi3", WITHOUT_INPUT, PHI3_WITHOUT),
]

# Everything that means something to one of the formats, and pieces of it.
MARKS = ["### Response:", "\n\n### Response:\n", "### Response:\n", "### Instruction:\n", "###"]
MARKS += ["<|end|>", "\n<|assistant|>\n", "<|assistant|>", "<|user|>\n", "<|", "<|endoftext|>"]
MARKS += ["\n", "\n\n", " ", "\r\n", "\n\n### Input:\n", "\u2028", "\0"]
anything = st.lists(st.text(max_size=8) | st.sampled_from(MARKS), max_size=6).map("".join)
entries = st.fixed_dictionaries(
    {"instruction": anything, "output": anything}, optional={"input": anything}
)
harmless = anything.map(lambda text: text.replace("#", "").replace("<|", "").replace("|>", ""))
formats = st.sampled_from(list(PROMPT_FORMATS.values()))


@pytest.mark.parametrize(("name", "entry", "text"), TEXTS)
def test_the_text_to_the_letter(name, entry, text):
    assert PROMPT_FORMATS[name].text(entry) == text


@pytest.mark.parametrize(("name", "entry", "text"), TEXTS)
def test_the_prompt_ends_where_the_answer_begins(name, entry, text):
    prompt_format = PROMPT_FORMATS[name]
    answer = {"phi3": entry["output"] + "<|end|>"}.get(name, entry["output"])
    assert prompt_format.prompt(entry) == text.removesuffix(answer)
    assert prompt_format.response(entry) == answer


def test_there_are_three_formats_under_their_own_names():
    assert list(PROMPT_FORMATS) == ["alpaca", "alpaca-stanford", "phi3"]
    assert all(name == prompt_format.name for name, prompt_format in PROMPT_FORMATS.items())


def test_format_input_is_the_books():
    """Listing 7.2: instruction and input without a response header, the short preamble always."""
    with_input = SHORT_PREAMBLE + "\n\n### Instruction:\nFix the spelling.\n\n### Input:\nOcassion"
    assert format_input(WITH_INPUT) == with_input
    assert format_input(WITHOUT_INPUT) == SHORT_PREAMBLE + "\n\n### Instruction:\nName a color."


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_an_empty_input_and_a_missing_one_give_the_same_text(name):
    text = PROMPT_FORMATS[name].text(WITHOUT_INPUT)
    missing = {k: v for k, v in WITHOUT_INPUT.items() if k != "input"}
    assert PROMPT_FORMATS[name].text(missing) == text
    assert PROMPT_FORMATS[name].text(WITHOUT_INPUT | {"input": None}) == text
    assert "Input" not in text


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_a_prompt_needs_no_output(name):
    question = {"instruction": "Name a color."}
    assert PROMPT_FORMATS[name].prompt(question) == PROMPT_FORMATS[name].prompt(WITHOUT_INPUT)


@pytest.mark.parametrize("name", ["alpaca", "phi3"])
def test_no_header_ends_in_what_a_tokenizer_would_join_with_the_answer(name):
    """Ending a prompt in a space or a blank line breaks the border of nearly every entry."""
    header = PROMPT_FORMATS[name].response_header
    assert header.endswith("\n")
    assert not header.endswith(("\n\n", " ", " \n"))


def test_stanfords_header_ends_in_its_colon():
    """As in Stanford's code, where prompt and output join without a line end."""
    assert PROMPT_FORMATS["alpaca-stanford"].response_header == "\n\n### Response:"


@given(formats, entries)
@example(PROMPT_FORMATS["alpaca"], WITHOUT_INPUT | {"output": "a\n\n### Response:\nb"})
@example(PROMPT_FORMATS["phi3"], WITHOUT_INPUT | {"output": "<|end|>\n<|assistant|>\n<|end|>"})
@example(PROMPT_FORMATS["alpaca"], WITHOUT_INPUT | {"instruction": "a\n\n### Response:\nb"})
@example(PROMPT_FORMATS["phi3"], WITH_INPUT | {"input": "a<|end|>\n<|assistant|>\nb"})
def test_the_way_back_with_the_entry(prompt_format, entry):
    """Whatever stands in instruction, input or output."""
    text = prompt_format.text(entry)
    assert prompt_format.extract_response(text, entry) == entry["output"]
    question = {name: value for name, value in entry.items() if name != "output"}
    assert prompt_format.extract_response(text, question) == entry["output"]


@given(
    formats,
    st.fixed_dictionaries({"instruction": harmless, "input": harmless, "output": anything}),
)
@example(PROMPT_FORMATS["alpaca"], WITH_INPUT | {"output": "\n\n### Response:\n"})
@example(PROMPT_FORMATS["phi3"], WITH_INPUT | {"output": "\n<|assistant|>\n<|end|><|end|>"})
def test_the_way_back_from_the_text_alone(prompt_format, entry):
    """Headers and tags inside the output are part of it; only the question is without them."""
    assert prompt_format.extract_response(prompt_format.text(entry)) == entry["output"]


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_an_answer_that_was_not_closed_is_kept_whole(name):
    """A model that is cut off writes no closing tag."""
    prompt_format = PROMPT_FORMATS[name]
    text = prompt_format.prompt(WITH_INPUT) + "Occa"
    assert prompt_format.extract_response(text) == "Occa"
    assert prompt_format.extract_response(text, WITH_INPUT) == "Occa"
    assert prompt_format.extract_response(prompt_format.prompt(WITH_INPUT)) == ""


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_a_text_of_another_format_is_refused(name):
    other = PROMPT_FORMATS["alpaca" if name == "phi3" else "phi3"].text(WITH_INPUT)
    with pytest.raises(ValueError, match=f"no {name} response header"):
        PROMPT_FORMATS[name].extract_response(other)
    with pytest.raises(ValueError, match=f"does not start with this entry's {name} prompt"):
        PROMPT_FORMATS[name].extract_response(other, WITH_INPUT)


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_a_text_of_another_entry_is_refused(name):
    with pytest.raises(ValueError, match="does not start with this entry's"):
        PROMPT_FORMATS[name].extract_response(PROMPT_FORMATS[name].text(WITH_INPUT), WITHOUT_INPUT)


def test_a_format_of_ones_own_takes_five_lines():
    def question(entry):
        return f"Q: {entry['instruction']} {entry.get('input', '')}".rstrip()

    plain = PromptFormat("plain", question, response_header="\nA:", response_end="\n")
    assert plain.text(WITH_INPUT) == "Q: Fix the spelling. Ocassion\nA:Occasion\n"
    assert plain.extract_response(plain.text(WITHOUT_INPUT)) == "Red."
    assert get_prompt_format(plain) is plain


def test_a_registered_format_is_found_by_name(monkeypatch):
    mine = PromptFormat("mine", lambda entry: entry["instruction"], " -> ")
    monkeypatch.setitem(PROMPT_FORMATS, "mine", mine)
    assert get_prompt_format("mine") is mine


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_a_format_is_found_by_name(name):
    assert get_prompt_format(name) is PROMPT_FORMATS[name]


@pytest.mark.parametrize("name", ["chatml", "Alpaca", "", None, 3, []])
def test_an_unknown_format_is_refused_with_the_list_of_those_there_are(name):
    with pytest.raises(ValueError, match="alpaca, alpaca-stanford, phi3") as caught:
        get_prompt_format(name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("blank", [" ", "\n\t", None])
@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_white_space_alone_makes_no_input_block(name, blank):
    prompt_format = PROMPT_FORMATS[name]
    entry = WITHOUT_INPUT | {"input": blank}
    assert prompt_format.text(entry) == prompt_format.text(WITHOUT_INPUT)
    assert text_parts(entry, prompt_format) == text_parts(WITHOUT_INPUT, prompt_format)
