"""The view of anybody's labels: what travels, and that its front end spells out the same rows."""

import dataclasses
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from lessons_lib import bridges, widgets
from lessons_lib.batching import InstructionCollator, InstructionDataset
from lessons_lib.data import IGNORE_INDEX, get_tokenizer, load_entries
from lessons_lib.labels import LabelsError, read_labels
from lessons_lib.support.paths import FRONT_END
from lessons_lib.widgets import inspect_labels
from lessons_lib.widgets.labels import (
    LABELS,
    MOST_ROWS,
    MOST_TOKENS,
    LabelInspector,
    make_payload,
)
from tests.helpers.hostile import HOSTILE
from tests.helpers.label_toys import encode, entry_row, labelled_rows, packed_row

LABELS_OF = Path(__file__).parents[1] / "helpers" / "labels_of.mjs"
TOKENIZER = get_tokenizer()
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")


def run_front_end(data, room=300):
    done = subprocess.run(
        ["node", LABELS_OF, FRONT_END / "labels.js"],
        input=json.dumps({"data": data, "room": room}),
        capture_output=True,
        encoding="utf-8",
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def batch_of(rows):
    """A batch with these rows, the rest as of one that was really read."""
    read = read_labels([entry_row("Red.")], TOKENIZER)
    return dataclasses.replace(read, rows=tuple(rows), total_rows=len(rows))


def check_columns(row, answer):
    """Every column is drawn once, in order; only padding without live targets is folded."""
    places = []
    for first, count in answer["columns"]:
        span = range(first, first + count)
        places += span
        if count > 1:
            assert {row.kinds[t] for t in span} == {"padding"}
            assert {row.targets[t] for t in span} == {IGNORE_INDEX}
    assert places == list(range(len(row.input_ids)))


def check_lines(row, answer, room):
    """Lines follow each other, fit, and each text of a packed row begins one."""
    lines, widths = answer["lines"], answer["widths"]
    assert [line["from"] for line in lines] == [0, *(line["to"] for line in lines[:-1])]
    assert lines[-1]["to"] == len(answer["columns"])
    for line in lines:
        columns = range(line["from"], line["to"])
        assert len(columns) == 1 or sum(widths[c] for c in columns) <= room
        if max(row.segments) > 1:
            segments = {row.segments[answer["columns"][c][0]] for c in columns}
            assert len(segments) == 1
    begun = [line["text"] for line in lines if line["text"] is not None]
    packed = max(row.segments) > 1
    assert begun == (list(dict.fromkeys(row.segments)) if packed else [])


def check(row, answer, room=300):
    laid, length = answer["laid"], len(row.input_ids)
    for name, values in (
        ("inputs", row.input_ids),
        ("targets", row.targets),
        ("kinds", row.kinds),
        ("reasons", row.reasons),
        ("segments", row.segments),
    ):
        assert laid[name] == list(values), name
    live = [target != IGNORE_INDEX for target in row.targets]
    follows = [*row.input_ids[1:], None]
    assert laid["live"] == live
    assert laid["goals"] == [
        target if target != IGNORE_INDEX else follow
        for target, follow in zip(row.targets, follows, strict=True)
    ]
    odd = [live[t] and row.targets[t] != follows[t] for t in range(length - 1)]
    assert laid["odd"] == [*odd, False]
    assert answer["counts"]["live"] == sum(live)
    assert sum(answer["counts"]["reasons"].values()) == length - sum(live)
    assert answer["borders"] == [
        t
        for t in range(1, length)
        if live[t] != live[t - 1] or row.segments[t] != row.segments[t - 1]
    ]
    assert sum(share for _, share in answer["strip"]) == pytest.approx(1)
    assert len(answer["strip"]) <= 40
    assert any(state.startswith("live") for state, _ in answer["strip"]) == any(live)
    check_columns(row, answer)
    check_lines(row, answer, room)


@needs_node
@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_the_front_end_spells_out_any_rows(data):
    rows = [data.draw(labelled_rows(index)) for index in range(20)]
    answers = run_front_end(make_payload(batch_of(rows), rows))
    for row, answer in zip(rows, answers, strict=True):
        check(row, answer)


@needs_node
def test_real_batches_look_as_they_were_read():
    long = entry_row("All the facts. " * 2000)
    given = [
        entry_row("Red."),
        entry_row("Blue, or green.", pad=30),
        entry_row("No.", pad=25, left=True),
        packed_row(["Red.", "Green and blue.", "None."]),
        {name: values[:8000] for name, values in long.items()},
    ]
    widget = inspect_labels(given, TOKENIZER)
    answers = run_front_end(widget._data)
    for row, answer in zip(widget.batch.rows, answers, strict=True):
        check(row, answer)
    folded = [max(count for _, count in answer["columns"]) for answer in answers]
    assert folded[0] == folded[3] == folded[4] == 1 and folded[1] > 20 and folded[2] > 15
    assert [line["text"] for line in answers[3]["lines"] if line["text"]] == [1, 2, 3]
    assert answers[2]["strip"][0][0] == "padding" and answers[1]["strip"][-1][0] != "live"


@needs_node
def test_our_own_batch_has_its_targets_and_a_double_shift_is_seen():
    collate = InstructionCollator("prompt")
    batch = collate(InstructionDataset(load_entries()[:4]).examples)
    widget = inspect_labels(batch, TOKENIZER)
    assert not widget.batch.shifts_inside
    for row, answer, targets in zip(
        widget.batch.rows, run_front_end(widget._data), batch.targets.tolist(), strict=True
    ):
        check(row, answer)
        assert answer["laid"]["targets"] == targets
        assert answer["counts"]["odd"] == 0
    twice = inspect_labels(
        {"input_ids": batch.inputs, "labels": batch.targets}, TOKENIZER, shifts_inside=True
    )
    for answer in run_front_end(twice._data):
        assert answer["counts"]["odd"] == answer["counts"]["live"] > 0


def test_it_can_be_had_from_both_rooms():
    assert bridges.inspect_labels is widgets.inspect_labels is inspect_labels


def test_its_words_have_the_counts_and_the_convention():
    widget = inspect_labels([entry_row("Red."), entry_row("Blue.", pad=3)], TOKENIZER, row=1)
    length = len(encode("Blue.<|endoftext|>"))
    total = len(entry_row("Blue.", pad=3)["input_ids"])
    assert widget.alt_text().startswith(f"Row 1: {length} of {total} targets count (")
    assert "4 padding" in widget.alt_text()  # end of text has nothing to predict but padding
    assert widget.alt_text().endswith(widget.batch.convention)
    data, _ = widget._repr_mimebundle_()
    assert data["text/plain"] == f"[picture: {widget.alt_text()}]"


def test_a_row_and_a_column_to_open_at():
    widget = inspect_labels([entry_row("Red.")] * 3, TOKENIZER, row=2, at=7, show="ids")
    assert (widget.row, widget.at, widget.show, widget.chosen.index) == (2, 7, "ids", 2)
    with pytest.raises(LabelsError, match=r"Row 3 is not among the 3 rows shown \(0, 1, 2\)"):
        widget.row = 3
    with pytest.raises(TraitError, match="show"):
        widget.show = "blocks"


def test_no_more_rows_and_tokens_travel_than_a_page_holds():
    rows = [entry_row(f"{number}.") for number in range(50)]
    widget = inspect_labels(rows, TOKENIZER)
    assert [row["index"] for row in widget._data["rows"]] == list(range(MOST_ROWS))
    assert widget._data["notes"][-1].startswith("32 of 50 rows that were read are here")
    later = inspect_labels(rows, TOKENIZER, row=40)
    assert [row["index"] for row in later._data["rows"]] == list(range(40, 50))
    ids = encode("word " * 30_000)
    long = inspect_labels([{"input_ids": ids, "labels": ids}] * 3, TOKENIZER)
    assert [len(row["ids"]) for row in long._data["rows"]] == [len(ids), len(ids)][:2]
    assert sum(len(row["ids"]) for row in long._data["rows"]) <= MOST_TOKENS
    ids = encode("word " * 70_000)
    single = inspect_labels([{"input_ids": ids, "labels": ids}], TOKENIZER)._data["rows"][0]
    assert (len(single["ids"]), single["length"]) == (MOST_TOKENS, len(ids))
    assert len(json.dumps(single)) < 8 * MOST_TOKENS


def test_hostile_text_ends_no_script_and_hides_nothing():
    texts = [text for entry in HOSTILE for text in entry.values() if text]
    widget = inspect_labels([entry_row(text[:300]) for text in texts], TOKENIZER)
    page = widget.to_html("<img src=x>")
    assert "<img src=x>" not in page and page.count("</script>") == page.count("<script")
    data = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(data)["_data"] == widget._data
    assert "innerHTML" not in LABELS.assets() and "insertAdjacent" not in LABELS.assets()
    assert not any(
        chr(code) in text for code in range(32) for text in widget._data["words"].values()
    )


def test_the_still_picture_is_small_and_shows_where_a_row_changes(monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_STILLS", "1")
    widget = inspect_labels([packed_row(["Red.", "Blue and green. " * 40, "No."])], TOKENIZER)
    data, metadata = widget._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == widget.alt_text() in data["text/plain"]
    assert len(widget.to_png()) < 60_000


def test_print_writes_the_chosen_row_and_those_after_it(capsys):
    widget = LabelInspector(read_labels([entry_row(f"{n}.") for n in range(12)], TOKENIZER), row=3)
    print(widget)
    text = capsys.readouterr().out
    titles = re.findall(r"^row (\d+):", text, re.MULTILINE)
    assert titles == [str(index) for index in range(3, 11)]
    assert "(4 more rows not written here)" in text and "\x1b" not in text
    assert len(repr(widget)) < 80
