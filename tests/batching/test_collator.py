"""The collators: what stands in a batch, which targets count, and what cutting does."""

import pickle
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from lessons_lib.batching import (
    Batch,
    BatchError,
    BoundaryWarning,
    Example,
    InstructionCollator,
    InstructionDataset,
    collate_steps,
    create_loader,
    custom_collate_fn,
    mask_instructions,
    mask_padding,
    pad,
    shift_targets,
)
from lessons_lib.data import END_OF_TEXT, PROMPT_FORMATS, PromptFormat, get_tokenizer, load_entries
from tests.helpers.toys import (
    ENTRIES,
    EXAMPLES,
    RANDOM_ENTRIES,
    TOY_ROWS,
    LetterTokenizer,
    examples,
    live_targets,
)

P = END_OF_TEXT
MASKS = ["none", "keep-header", "prompt"]
FORMATS = st.sampled_from(sorted(PROMPT_FORMATS))
ROWS = st.lists(st.lists(st.integers(0, P - 1), min_size=1, max_size=9), min_size=1, max_size=5)
EXAMPLE_LISTS = st.lists(examples(), min_size=1, max_size=5)
MASK_AND_FIELD = [("prompt", "prompt_length"), ("keep-header", "header_start")]


@pytest.fixture(scope="module")
def book_entries(real_entries):
    """The book's 1,100 entries."""
    return load_entries(real_entries)


def same_batch(one: Batch, other: Batch) -> bool:
    return all(
        (a is None and b is None) or (a is not None and b is not None and torch.equal(a, b))
        for a, b in zip(one, other, strict=True)
    )


def decoded_targets(entry, **options) -> tuple[str, bool]:
    """The live targets of one entry as text, and whether a boundary warning came."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        batch = collate_steps([entry], **options).batch
    _, tokens = live_targets(batch.targets[0])
    warned = any(one.category is BoundaryWarning for one in caught)
    return get_tokenizer().decode(tokens), warned


# custom_collate_fn


def test_toy_batch_of_the_book():
    inputs, targets = custom_collate_fn(TOY_ROWS)
    assert inputs.tolist() == [[0, 1, 2, 3, 4], [5, 6, P, P, P], [7, 8, 9, P, P]]
    assert targets.tolist() == [
        [1, 2, 3, 4, P],
        [6, P, -100, -100, -100],
        [8, 9, P, -100, -100],
    ]
    assert inputs.dtype == targets.dtype == torch.int64


def test_custom_collate_fn_with_other_ids_length_and_device():
    inputs, targets = custom_collate_fn(
        TOY_ROWS, pad_token_id=77, ignore_index=-1, allowed_max_length=3, device="meta"
    )
    assert inputs.device.type == targets.device.type == "meta"
    inputs, targets = custom_collate_fn(TOY_ROWS, 77, -1, 3, "cpu")
    assert inputs.tolist() == [[0, 1, 2], [5, 6, 77], [7, 8, 9]]
    assert targets.tolist() == [[1, 2, 3], [6, 77, -1], [8, 9, 77]]


def test_an_end_of_text_inside_a_row_stays_a_target():
    _, targets = custom_collate_fn([[1, P, 3], [4, 5, 6, 7]])
    assert targets[0].tolist() == [P, 3, P, -100]


def test_custom_collate_fn_leaves_its_rows_as_they_were():
    rows = [[1, 2], [3]]
    custom_collate_fn(rows, allowed_max_length=1)
    assert rows == [[1, 2], [3]]


def test_a_row_without_tokens_has_no_target():
    _, targets = custom_collate_fn([[], [1, 2]])
    assert targets.tolist() == [[-100, -100], [2, P]]


@pytest.mark.parametrize("collate", [custom_collate_fn, InstructionCollator(), collate_steps])
def test_edge_empty_batch(collate):
    with pytest.raises(BatchError, match="at least one row"):
        collate([])


@given(ROWS)
def test_without_a_mask_the_collator_equals_custom_collate_fn(rows):
    inputs, targets = custom_collate_fn(rows)
    batch = InstructionCollator()(rows)
    assert same_batch(batch, Batch(inputs, targets))


# The instruction mask


@given(RANDOM_ENTRIES, FORMATS)
def test_with_mask_prompt_the_live_targets_are_the_response_and_end_of_text(entry, name):
    prompt_format = PROMPT_FORMATS[name]
    text, warned = decoded_targets(entry, prompt_format=name, instruction_mask="prompt")
    wanted = prompt_format.response(entry) + "<|endoftext|>"
    assert text.endswith(wanted)
    straddling = text.removesuffix(wanted)  # what a token that straddles the boundary brings along
    assert prompt_format.prompt(entry).endswith(straddling)
    assert bool(straddling) == warned


@given(RANDOM_ENTRIES, FORMATS)
def test_with_keep_header_the_live_targets_begin_with_the_header(entry, name):
    prompt_format = PROMPT_FORMATS[name]
    text, _ = decoded_targets(entry, prompt_format=name, instruction_mask="keep-header")
    wanted = prompt_format.response_header + prompt_format.response(entry) + "<|endoftext|>"
    assert text.endswith(wanted)
    assert prompt_format.question(entry).endswith(text.removesuffix(wanted))


@given(RANDOM_ENTRIES, FORMATS)
def test_without_a_mask_the_live_targets_are_all_but_the_first_token(entry, name):
    text, _ = decoded_targets(entry, prompt_format=name)
    whole = PROMPT_FORMATS[name].text(entry) + "<|endoftext|>"
    first = get_tokenizer().decode(get_tokenizer().encode_ordinary(whole)[:1])
    assert first + text == whole


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_edge_off_by_one_decode_the_unmasked_targets_of_bundled_entries(name):
    prompt_format = PROMPT_FORMATS[name]
    kept = {"prompt": "", "keep-header": prompt_format.response_header}
    for entry in load_entries()[::50]:
        for mask, header in kept.items():
            text, warned = decoded_targets(entry, prompt_format=name, instruction_mask=mask)
            assert text == header + prompt_format.response(entry) + "<|endoftext|>"
            assert not warned


def test_edge_prompt_tokens_are_no_prefix_warns_and_keeps_the_whole_response():
    entry = {"instruction": "Begin with empty lines.", "input": "", "output": "\n\nHere."}
    text, warned = decoded_targets(entry, instruction_mask="prompt")
    assert warned
    assert text == "\n" + "\n\nHere." + "<|endoftext|>"


def test_the_header_that_keep_header_keeps_is_the_formats_own():
    mine = PromptFormat("mine", lambda entry: "Q: " + entry["instruction"], "\nA:")
    text, _ = decoded_targets(ENTRIES[0], prompt_format=mine, instruction_mask="keep-header")
    assert text == "\nA:Paris.<|endoftext|>"


@pytest.mark.parametrize(("mask", "share"), [("prompt", 23.3), ("keep-header", 33.9)])
def test_share_of_the_targets_that_count_in_the_real_entries(book_entries, mask, share):
    dataset = InstructionDataset(book_entries, as_examples=True)
    targets = InstructionCollator(instruction_mask=mask)(list(dataset)).targets
    total = sum(len(example.token_ids) for example in dataset)
    assert round(100 * int((targets != -100).sum()) / total, 1) == share


def test_keep_header_keeps_six_tokens_more_in_every_real_entry(book_entries):
    dataset = list(InstructionDataset(book_entries, as_examples=True))
    kept = InstructionCollator(instruction_mask="keep-header")(dataset).targets
    prompt = InstructionCollator(instruction_mask="prompt")(dataset).targets
    more = (kept != -100).sum(dim=1) - (prompt != -100).sum(dim=1)
    assert more.unique().tolist() == [6]


@given(EXAMPLE_LISTS, st.sampled_from(MASK_AND_FIELD))
def test_masked_targets_are_exactly_those_before_the_border(rows, mask_and_field):
    mask, field = mask_and_field
    batch = InstructionCollator(instruction_mask=mask)(rows)
    for row, targets in zip(rows, batch.targets, strict=True):
        border = getattr(row, field)
        places, tokens = live_targets(targets)
        assert tokens == [*row.token_ids, P][border:]
        assert places == list(range(border - 1, len(row.token_ids)))


@pytest.mark.parametrize("mask", ["mask", "", None, "PROMPT"])
def test_an_unknown_mask_is_refused_with_the_known_ones(mask):
    with pytest.raises(ValueError, match="'none', 'keep-header', 'prompt', not"):
        InstructionCollator(instruction_mask=mask)


@pytest.mark.parametrize(
    "options",
    [
        {"instruction_mask": "prompt"},
        {"instruction_mask": "keep-header"},
        {"prompt_loss_weight": 0.5},
        {"prompt_loss_weight": 0},
    ],
)
def test_plain_lists_are_refused_where_the_prompts_length_is_needed(options):
    with pytest.raises(BatchError, match="as_examples=True"):
        InstructionCollator(**options)(TOY_ROWS)


# The prompt-loss weight


@given(EXAMPLE_LISTS)
def test_prompt_loss_weight_0_is_mask_prompt(rows):
    weighted = InstructionCollator(prompt_loss_weight=0)(rows)
    assert same_batch(weighted, InstructionCollator(instruction_mask="prompt")(rows))


@given(EXAMPLE_LISTS)
def test_prompt_loss_weight_1_is_no_mask(rows):
    weighted = InstructionCollator(prompt_loss_weight=1)(rows)
    assert same_batch(weighted, InstructionCollator()(rows))


@given(EXAMPLE_LISTS, st.floats(0.01, 0.99))
def test_prompt_loss_weight_weighs_the_prompts_targets_alone(rows, weight):
    batch = InstructionCollator(prompt_loss_weight=weight)(rows)
    assert torch.equal(batch.targets, InstructionCollator()(rows).targets)
    assert batch.weights.dtype == torch.float32
    assert batch.weights.shape == batch.targets.shape
    for row, weights in zip(rows, batch.weights.tolist(), strict=True):
        prompt, length = row.prompt_length - 1, len(row.token_ids)
        assert weights[:prompt] == pytest.approx([weight] * prompt)
        assert weights[prompt:length] == [1.0] * (length - prompt)
        assert weights[length:] == [0.0] * (len(weights) - length)


@pytest.mark.parametrize("mask", ["prompt", "keep-header"])
@pytest.mark.parametrize("weight", [0, 0.1, 1])
def test_a_weight_beside_a_mask_is_refused(mask, weight):
    with pytest.raises(ValueError, match="instruction_mask='none' alone"):
        InstructionCollator(instruction_mask=mask, prompt_loss_weight=weight)


@pytest.mark.parametrize("weight", [-0.1, 1.5, float("nan")])
def test_a_weight_outside_0_to_1_is_refused(weight):
    with pytest.raises(ValueError, match="from 0 to 1"):
        InstructionCollator(prompt_loss_weight=weight)


# Cutting and padding


@given(EXAMPLE_LISTS, st.sampled_from(MASKS), st.none() | st.integers(1, 14), st.integers(0, 6))
def test_live_targets_follow_their_inputs_in_the_uncut_row(rows, mask, limit, wider):
    rows = [row for row in rows if limit is None or row.prompt_length <= limit]
    if not rows:
        return
    pad_to = None
    if wider:
        longest = max(len(row.token_ids) for row in rows)
        pad_to = min(longest, limit or longest) + wider
    batch = InstructionCollator(instruction_mask=mask, allowed_max_length=limit, pad_to=pad_to)(
        rows
    )
    width = batch.inputs.shape[1]
    uncut = pad([row.token_ids for row in rows], pad_to=50)
    for row, inputs, targets, whole in zip(rows, *batch[:2], uncut, strict=True):
        here, places = len(row.token_ids), live_targets(targets).places
        kept = min(here, limit or here)
        assert torch.equal(inputs[:kept], whole[:kept])
        assert places, "a response that is not lost leaves a target"
        assert torch.equal(targets[places], whole[1 : width + 1][places])
        assert max(places) == kept - 1, "the last live target is predicted by the last input kept"


@given(EXAMPLE_LISTS, st.sampled_from(MASKS), st.none() | st.integers(1, 14), st.booleans())
def test_edge_pad_equals_end_of_text_exactly_one_target_in_a_row_that_is_not_cut(
    rows, mask, limit, wider
):
    rows = [row for row in rows if limit is None or row.prompt_length <= limit]
    if not rows:
        return
    collator = InstructionCollator(
        instruction_mask=mask, allowed_max_length=limit, pad_to=20 if wider else None
    )
    assert collator.pad_token_id == collator.end_of_text_id
    for row, targets in zip(rows, collator(rows).targets, strict=True):
        cut = limit is not None and len(row.token_ids) > limit
        assert live_targets(targets).tokens.count(P) == (0 if cut else 1)


@pytest.mark.parametrize("mask", MASKS)
def test_edge_truncation_and_end_of_text_a_cut_response_has_none(mask):
    collator = InstructionCollator(instruction_mask=mask, allowed_max_length=5)
    targets = collator(EXAMPLES).targets
    assert targets.shape == (3, 5)
    assert [(row == P).sum().item() for row in targets] == [0, 1, 1]
    assert targets[0, -1] == 15, "the last target of a cut row is its next token"


def test_a_cut_row_in_a_wider_batch_is_padded_and_not_ended():
    collator = InstructionCollator(allowed_max_length=3, pad_to=6)
    batch = collator([EXAMPLES[1], EXAMPLES[2]._replace(token_ids=[30, 31, 32])])
    assert batch.inputs.tolist() == [[20, 21, 22, 23, P, P], [30, 31, 32, P, P, P]]
    assert batch.targets.tolist() == [
        [21, 22, 23, -100, -100, -100],
        [31, 32, P, -100, -100, -100],
    ]


@pytest.mark.parametrize("mask", MASKS)
def test_edge_truncation_removes_the_whole_response_is_refused_with_the_entrys_number(mask):
    collator = InstructionCollator(instruction_mask=mask, allowed_max_length=3)
    collator(EXAMPLES[1:])  # their prompts have three tokens: one response token is left
    with pytest.raises(BatchError, match=r"entry 0: its prompt has 4 tokens.*allowed_max_length=3"):
        collator(EXAMPLES)


@pytest.mark.parametrize("mask", MASKS)
def test_a_response_of_which_one_token_is_left_is_not_refused(mask):
    batch = InstructionCollator(instruction_mask=mask, allowed_max_length=4)([EXAMPLES[0]])
    assert batch.targets[0, -1] == 14, "the first token of the response"


def test_pad_to_makes_every_batch_equally_wide():
    collator = InstructionCollator(pad_to=9)
    assert {collator([example]).inputs.shape for example in EXAMPLES} == {(1, 9)}


def test_pad_to_shorter_than_a_row_is_refused():
    with pytest.raises(BatchError, match="pad_to=6"):
        InstructionCollator(pad_to=6)(EXAMPLES)


@given(EXAMPLE_LISTS, st.integers(0, 9))
def test_padding_changes_neither_inputs_nor_targets_of_the_text(rows, more):
    plain = InstructionCollator(instruction_mask="prompt")(rows)
    width = plain.inputs.shape[1]
    wide = InstructionCollator(instruction_mask="prompt", pad_to=width + more)(rows)
    assert torch.equal(wide.inputs[:, :width], plain.inputs)
    assert torch.equal(wide.targets[:, :width], plain.targets)
    assert (wide.targets[:, width:] == -100).all()


# Other ids, other tokenizers


@pytest.mark.parametrize("make", [collate_steps, create_loader])
def test_another_ignore_index_is_refused_by_name(make):
    """Losses would take it for a token, in silence."""
    with pytest.raises(ValueError, match="ignore_index is no option here.*-100"):
        make(ENTRIES, ignore_index=-1)


@given(EXAMPLE_LISTS)
def test_other_pad_and_end_ids(rows):
    collator = InstructionCollator(
        instruction_mask="prompt", pad_token_id=60_001, end_of_text_id=60_002
    )
    batch = collator(rows)
    usual = InstructionCollator(instruction_mask="prompt")(rows)
    assert torch.equal(batch.targets == -100, usual.targets == -100)
    for row, inputs, targets in zip(rows, batch.inputs.tolist(), batch.targets, strict=True):
        here = len(row.token_ids)
        ended = [*row.token_ids, 60_002]
        assert inputs == (ended + [60_001] * len(inputs))[: len(inputs)]
        assert live_targets(targets).tokens == ended[row.prompt_length : here + 1]
        assert 60_001 not in targets


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_another_tokenizer_with_encode_and_decode_alone(name):
    tokenizer = LetterTokenizer()
    options = {"pad_token_id": 0, "end_of_text_id": 3, "instruction_mask": "prompt"}
    steps = collate_steps(ENTRIES, tokenizer, name, **options)
    for entry, targets in zip(ENTRIES, steps.targets, strict=True):
        text = tokenizer.decode(live_targets(targets).tokens)
        assert text == PROMPT_FORMATS[name].response(entry) + "\x03"


def test_edge_literal_end_of_text_in_user_text_is_never_the_token():
    entry = {"instruction": "Repeat <|endoftext|>.", "input": "", "output": "<|endoftext|> twice"}
    steps = collate_steps([entry, ENTRIES[3]], instruction_mask="prompt")
    assert all(P not in row for row in steps.token_ids)
    tokens = live_targets(steps.targets[0]).tokens
    assert tokens.count(P) == 1
    assert tokens[-1] == P
    assert get_tokenizer().decode(tokens) == "<|endoftext|> twice<|endoftext|>"


# collate_steps and the one path for the data


def test_collate_steps_keeps_what_each_substep_made():
    entries = iter(ENTRIES)  # any iterable will do
    steps = collate_steps(entries, instruction_mask="prompt", allowed_max_length=45)
    assert steps.entries == ENTRIES
    assert steps.texts == [PROMPT_FORMATS["alpaca"].text(entry) for entry in ENTRIES]
    assert steps.token_ids == [get_tokenizer().encode_ordinary(text) for text in steps.texts]
    assert torch.equal(steps.padded, pad(steps.token_ids, allowed_max_length=45))
    inputs, shifted = shift_targets(steps.padded)
    assert torch.equal(steps.inputs, inputs)
    assert torch.equal(steps.shifted, shifted)
    assert torch.equal(
        steps.padding_masked, mask_padding(shifted, [min(45, len(row)) for row in steps.token_ids])
    )
    masked = mask_instructions(steps.padding_masked, steps.prompt_lengths)
    assert torch.equal(steps.targets, masked)
    assert steps.weights is None
    assert same_batch(steps.batch, Batch(inputs, masked))


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", PROMPT_FORMATS)
@pytest.mark.filterwarnings("ignore::lessons_lib.batching.BoundaryWarning")
def test_steps_data_set_and_collator_make_the_same_batch(mask, name):
    dataset = InstructionDataset(ENTRIES, prompt_format=name, as_examples=True)
    collator = InstructionCollator(instruction_mask=mask)
    steps = collate_steps(ENTRIES, prompt_format=name, instruction_mask=mask)
    assert same_batch(steps.batch, collator(list(dataset)))
    assert steps.collator == collator


def test_edge_shift_done_twice_is_impossible_by_construction():
    """Targets are cut from the padded rows, never from other targets: inputs[t + 1], no further."""
    steps = collate_steps(ENTRIES)
    live = steps.targets != -100
    assert torch.equal(steps.targets[live], steps.padded[:, 1:][live])
    assert torch.equal(steps.inputs, steps.padded[:, :-1])


# Batch, workers, pickling


def test_a_batch_moves_as_a_whole_and_keeps_what_is_none():
    batch = Batch(*(torch.zeros(1, 2, dtype=torch.int64) for _ in range(3))).to("meta")
    assert [part.device.type for part in batch[:3]] == ["meta"] * 3
    assert batch.positions is None
    assert batch.segments is None


def test_edge_tensors_stay_on_the_cpu_inside_collate():
    batch = InstructionCollator(prompt_loss_weight=0.5)(EXAMPLES)
    assert all(part.device.type == "cpu" for part in batch if part is not None)


@pytest.mark.parametrize(
    "collate",
    [
        custom_collate_fn,
        InstructionCollator(),
        InstructionCollator(instruction_mask="keep-header", pad_to=12),
        InstructionCollator(prompt_loss_weight=0.3, allowed_max_length=6),
    ],
)
def test_edge_collate_functions_pickle(collate):
    rows = TOY_ROWS if collate is custom_collate_fn else EXAMPLES
    again = pickle.loads(pickle.dumps(collate))
    for one, other in zip(collate(rows), again(rows), strict=True):
        assert (one is None and other is None) or torch.equal(one, other)


@pytest.mark.parametrize("context", ["spawn", None])
def test_edge_collate_functions_work_in_two_workers(context):
    """As on Windows and macOS (spawn), and as here: what a function in a notebook's cell cannot."""
    dataset = InstructionDataset(ENTRIES, as_examples=True)
    collator = InstructionCollator(instruction_mask="prompt")
    options = {"batch_size": 2, "collate_fn": collator}
    there = DataLoader(dataset, **options, num_workers=2, multiprocessing_context=context)
    here = DataLoader(dataset, **options)
    assert all(same_batch(Batch(*a), Batch(*b)) for a, b in zip(there, here, strict=True))


def test_examples_and_plain_lists_give_the_same_batch_without_a_mask():
    plain = InstructionCollator()([example.token_ids for example in EXAMPLES])
    assert same_batch(plain, InstructionCollator()(EXAMPLES))


def test_a_collator_cannot_be_changed_behind_a_loaders_back():
    with pytest.raises(AttributeError):
        InstructionCollator().instruction_mask = "prompt"


def test_an_example_is_not_mistaken_for_a_row():
    """An Example is a tuple of four; it must not be read as four token ids."""
    batch = InstructionCollator()([Example([1, 2, 3], 1, 1, 0)])
    assert batch.inputs.tolist() == [[1, 2, 3]]
