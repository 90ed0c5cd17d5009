"""The Python side of the batch inspector: traits, what is on show, pictures, pages, refusals."""

import io
import json
import re

import pytest
from PIL import Image
from traitlets import TraitError

from lessons_lib.batching import BatchError, collate_steps, count_targets
from lessons_lib.data import PROMPT_FORMATS, DatasetError, PromptFormat, get_tokenizer, load_entries
from lessons_lib.data.prompts import text_parts
from lessons_lib.pictures import spell_text
from lessons_lib.pictures.spelling import token_words
from lessons_lib.widgets import InspectorError, inspect_batch
from lessons_lib.widgets.payload import embed_json
from tests.helpers.hostile import HOSTILE

ENTRIES = load_entries()[:6]


def messages_of(widget):
    """What the widget sends to its front end from now on."""
    sent = []
    widget.send = lambda content, buffers=None: sent.append(content)
    return sent


def test_steps_are_those_of_collate_steps():
    widget = inspect_batch(ENTRIES, selected=[4, 1], instruction_mask="prompt")
    expected = collate_steps([ENTRIES[4], ENTRIES[1]], instruction_mask="prompt")
    assert widget.steps.targets.equal(expected.targets)
    assert widget.selection == [ENTRIES[4], ENTRIES[1]]
    widget.prompt_format, widget.padding = "phi3", "static"
    longest = max(len(example.token_ids) for example in widget.examples)
    assert widget.steps.inputs.shape == (2, longest)


@pytest.mark.filterwarnings("error::lessons_lib.batching.BoundaryWarning")
def test_a_token_that_joins_prompt_and_response_counts_as_response():
    """Stanford's colon and a quotation mark are one token; a note says so, not a warning."""
    quoted = {"instruction": "Quote it.", "input": "", "output": '"Yes."'}
    widget = inspect_batch(
        [quoted, ENTRIES[0]], prompt_format="alpaca-stanford", instruction_mask="prompt"
    )
    rows = widget._data["rows"]
    assert [row.get("joined") for row in rows["alpaca-stanford"]] == [True, None]
    assert "joined" not in str(rows["alpaca"])
    targets = widget.steps.targets[0]
    live = get_tokenizer().decode(targets[targets != -100].tolist())
    assert live == ':"Yes."<|endoftext|>'


def test_all_entries_are_chosen_at_first():
    assert inspect_batch(ENTRIES).selected == [0, 1, 2, 3, 4, 5]


def test_an_entry_without_room_is_left_out():
    widget = inspect_batch(ENTRIES, substep="2.5")
    lengths = [example.prompt_length for example in widget.examples]
    widget.max_length = sorted(lengths)[2]
    gone = [index for index, length in enumerate(lengths) if length > widget.max_length]
    assert [dropped.index for dropped in widget.left_out] == gone
    assert len(widget.steps.examples) == 6 - len(gone)
    widget.max_length = 1
    with pytest.raises(BatchError, match="none of 6 entries has room"):
        _ = widget.steps
    widget.selected = []
    with pytest.raises(BatchError, match="no entry is chosen"):
        _ = widget.steps


def test_a_weight_counts_only_without_a_mask():
    widget = inspect_batch(ENTRIES, prompt_loss_weight=0.1)
    assert widget.steps.weights is not None
    widget.instruction_mask = "prompt"
    assert widget.steps.weights is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("substep", "2.6"),
        ("prompt_format", "llama"),
        ("padding", "left"),
        ("max_length", 0),
        ("fixed_length", 0),
        ("instruction_mask", "all"),
        ("prompt_loss_weight", 2),
        ("selected", [6]),
        ("show", "colours"),
    ],
)
def test_a_value_that_does_not_exist_is_refused(name, value):
    widget = inspect_batch(ENTRIES)
    with pytest.raises(TraitError):
        setattr(widget, name, value)


def test_too_many_none_and_faulty_entries_are_refused():
    with pytest.raises(InspectorError, match="32 entries at most, and these are 33"):
        inspect_batch(load_entries()[:33])
    with pytest.raises(InspectorError, match="at least one"):
        inspect_batch([])
    with pytest.raises(DatasetError, match="instruction"):
        inspect_batch([{"output": "Yes."}])
    assert len(inspect_batch(load_entries()[:32]).selected) == 32


def test_the_picker_searches_adds_and_refuses():
    widget = inspect_batch(ENTRIES[:1], library=ENTRIES)
    sent = messages_of(widget)
    widget._answer(widget, {"kind": "hello"}, [])
    widget._answer(widget, {"kind": "search", "words": ENTRIES[3]["instruction"][:12]}, [])
    assert sent[0] == {"kind": "ready"}
    assert 3 in [found["index"] for found in sent[1]["entries"]]
    widget._answer(widget, {"kind": "pick", "index": 3}, [])
    assert widget.entries == [ENTRIES[0], ENTRIES[3]] and widget.selected == [0, 1]
    mine = {"instruction": "Say hello.", "input": "", "output": "Hello."}
    widget._answer(widget, {"kind": "mine", "entry": mine}, [])
    assert widget.selection[-1] == mine and len(widget._data["entries"]) == 3
    widget._answer(widget, {"kind": "mine", "entry": {**mine, "output": " "}}, [])
    assert sent[-1]["kind"] == "refused" and "output" in sent[-1]["text"]
    full = inspect_batch(load_entries()[:32])
    assert not widget.compared
    with pytest.raises(InspectorError, match="32 entries already"):
        full.add_entry(mine)


@pytest.mark.parametrize("index", range(len(HOSTILE)))
@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_the_parts_of_a_text_are_the_text(index, name):
    entry, prompt_format = HOSTILE[index], PROMPT_FORMATS[name]
    assert "".join(text for _, text in text_parts(entry, prompt_format)) == prompt_format.text(
        entry
    )


def test_an_entry_that_a_format_refuses_is_not_kept():
    context = PromptFormat("context", lambda e: e["context"], "\n=>", "!")
    entries = [{**entry, "context": "x"} for entry in ENTRIES]
    widget = inspect_batch(entries[:1], library=entries, prompt_format=context)
    sent = messages_of(widget)
    mine = {"instruction": "Say hello.", "input": "", "output": "Hello."}
    widget._answer(widget, {"kind": "mine", "entry": mine}, [])
    assert sent[-1]["kind"] == "refused" and len(widget.entries) == 1 == len(widget.examples)
    widget._answer(widget, {"kind": "pick", "index": 3}, [])
    assert sent[-1]["kind"] == "added" and widget.entries == [entries[0], entries[3]]


def test_a_format_of_the_learner_is_one_more():
    shout = PromptFormat("shout", lambda e: e["instruction"].upper(), "\n=>", "!")
    widget = inspect_batch(ENTRIES, prompt_format=shout, substep="2.1")
    assert widget.steps.texts[0] == shout.text(ENTRIES[0])
    assert text_parts(ENTRIES[0], shout)[0] == ("template", ENTRIES[0]["instruction"].upper())
    assert widget._data["formats"][-1] == {"name": "shout", "label": "shout"}


@pytest.mark.parametrize("substep", ["2.1", "2.2", "2.3", "2.4", "2.5"])
@pytest.mark.parametrize("show", ["both", "blocks"])
def test_png_is_small_and_has_words(substep, show):
    widget = inspect_batch(ENTRIES[:3], substep=substep, show=show)
    png = widget.to_png()
    assert len(png) <= 80_000
    assert Image.open(io.BytesIO(png)).mode == "P"
    assert "3" in widget.alt_text()
    if substep == "2.5":
        assert str(count_targets(widget.steps)) in widget.alt_text()


def test_page_is_one_file_without_foreign_markup():
    page = inspect_batch(HOSTILE).to_html(title="<b>Mine & yours</b>")
    assert "<b>" not in page and "&lt;b&gt;Mine &amp; yours" in page
    assert "<img" not in page and page.count("<script") == 3 == page.count("</script>")
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page.split("</main>")[1])
    state = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(state)["_data"]["entries"][0]["instruction"] == HOSTILE[0]["instruction"]


def test_embedded_json_reads_back():
    value = {"a": "</script><!-- & \u2028 '\"", "b": [1, None, 0.5]}
    assert "<" not in embed_json(value)
    assert json.loads(embed_json(value)) == value
    with pytest.raises(ValueError):
        embed_json([float("nan")])


def test_what_cannot_be_seen_is_spelled_out():
    assert spell_text("a\u202eb\u200bc\x07\n") == "a⟨U+202E⟩b⟨U+200B⟩c⟨U+0007⟩\n"
    tokenizer = get_tokenizer()
    ids = tokenizer.encode_ordinary(" \n🦜")
    assert "".join(token_words(token, tokenizer)[0] for token in ids) == "␣↵⟨F0 9F⟩⟨A6⟩⟨9C⟩"
    assert {token_words(token, tokenizer)[1] for token in ids} == {"␣", "↵", "\ufffd"}
