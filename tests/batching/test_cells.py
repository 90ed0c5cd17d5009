"""Every cell of a batch has a kind, and the counts by kind are those of the targets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.batching import (
    Example,
    InstructionCollator,
    InstructionDataset,
    collate_steps,
    count_targets,
)
from lessons_lib.batching.cells import Kind, padded_kinds, target_kinds
from lessons_lib.data import load_entries
from tests.helpers.toys import ENTRIES, EXAMPLES, TOY_ROWS, examples

MASKS = ["none", "keep-header", "prompt"]
SHORT = {
    Kind.PROMPT: "P",
    Kind.RESPONSE: "R",
    Kind.END: "E",
    Kind.PADDING: "_",
    Kind.IGNORED_PADDING: "x",
    Kind.IGNORED_PROMPT: "p",
}


def letters(rows: list[list[Kind]]) -> list[str]:
    return ["".join(SHORT[kind] for kind in row) for row in rows]


def steps_of(rows=EXAMPLES, **options):
    return InstructionCollator(**options).steps(rows)


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("none", ["PPPPRRRE", "PPPRE___", "PPPRRE__"]),
        ("prompt", ["PPPPRRRE", "PPPRE___", "PPPRRE__"]),
        ("keep-header", ["PPPPRRRE", "PPPRE___", "PPPRRE__"]),
    ],
)
def test_kinds_of_padded_rows(mask, expected):
    assert letters(padded_kinds(steps_of(instruction_mask=mask))) == expected


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("none", ["PPPRRRE", "PPRExxx", "PPRRExx"]),
        ("prompt", ["pppRRRE", "ppRExxx", "ppRRExx"]),
        ("keep-header", ["pPPRRRE", "pPRExxx", "PPRRExx"]),
    ],
)
def test_kinds_of_targets(mask, expected):
    assert letters(target_kinds(steps_of(instruction_mask=mask))) == expected


def test_kinds_of_targets_before_any_masking():
    steps = steps_of(instruction_mask="prompt")
    assert letters(target_kinds(steps, steps.shifted)) == ["PPPRRRE", "PPRE___", "PPRRE__"]
    assert letters(target_kinds(steps, steps.padding_masked)) == ["PPPRRRE", "PPRExxx", "PPRRExx"]


def test_plain_lists_are_all_response():
    assert letters(padded_kinds(steps_of(TOY_ROWS))) == ["RRRRRE", "RRE___", "RRRE__"]


def test_a_cut_row_has_no_end_in_a_wider_batch():
    steps = steps_of(allowed_max_length=4, pad_to=6)
    assert letters(padded_kinds(steps)) == ["PPPPR__", "PPPRE__", "PPPRR__"]
    assert letters(target_kinds(steps)) == ["PPPRxx", "PPRExx", "PPRRxx"]


@given(
    st.lists(examples(), min_size=1, max_size=4),
    st.sampled_from(MASKS),
    st.sampled_from([None, 6, 11]),
)
def test_a_target_is_ignored_exactly_where_its_kind_says_so(rows, mask, limit):
    rows = [row for row in rows if limit is None or row.prompt_length <= limit]
    if not rows:
        return
    steps = steps_of(
        rows,
        instruction_mask=mask,
        allowed_max_length=limit,
        pad_to=15 if limit else None,
    )
    for kinds, targets in zip(target_kinds(steps), steps.targets.tolist(), strict=True):
        assert [kind.ignored for kind in kinds] == [target == -100 for target in targets]
        assert Kind.PADDING not in kinds, "after substep 2.5 no padding counts"


def test_counts_by_stage():
    steps = steps_of(instruction_mask="prompt")
    before = count_targets(steps, steps.shifted)
    assert (before.live, before.padding_that_counts) == (21, 5)
    middle = count_targets(steps, steps.padding_masked)
    assert (middle.live, middle.ignored_padding, middle.padding_that_counts) == (16, 5, 0)
    final = count_targets(steps)
    assert (final.total, final.live, final.ignored_padding) == (21, 9, 5)
    assert final.ignored_prompt == 7
    assert final.share == 9 / 21


def test_counts_as_a_sentence():
    steps = steps_of(instruction_mask="prompt")
    assert str(count_targets(steps)) == (
        "9 of 21 targets count (42.9%); ignored: 5 padding, 7 prompt"
    )
    assert str(count_targets(steps, steps.shifted)).endswith("5 of those that count are padding")


@pytest.mark.parametrize("mask", MASKS)
def test_counts_agree_with_the_targets_themselves(mask):
    steps = collate_steps(ENTRIES, instruction_mask=mask)
    counts = count_targets(steps)
    assert counts.total == steps.targets.numel()
    assert counts.live == int((steps.targets != -100).sum())
    assert counts.live + counts.ignored_padding + counts.ignored_prompt == counts.total


def test_counts_of_the_real_entries(real_entries):
    dataset = InstructionDataset(load_entries(real_entries), as_examples=True)
    counts = count_targets(steps_of(list(dataset), instruction_mask="prompt"))
    text = counts.live + counts.ignored_prompt
    assert round(100 * counts.live / text, 1) == 23.3
    assert counts.total == 1100 * max(len(example.token_ids) for example in dataset)


def test_an_end_of_text_id_inside_a_row_is_no_end():
    rows = [Example([1, 50256, 3], 1, 1, 0), Example([4, 5, 6, 7], 1, 1, 1)]
    assert letters(padded_kinds(steps_of(rows)))[0] == "PRRE_"
