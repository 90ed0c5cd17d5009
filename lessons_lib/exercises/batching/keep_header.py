"""Exercise: the three settings of the prompt's mask in one function. Lesson 06."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.batching import BatchSteps
from lessons_lib.data import Entry, load_entries
from lessons_lib.exercises import Exercise, Shown, WrongAnswer

END, IGNORE = 50256, -100


def my_instruction_mask(
    targets: Tensor, prompt_lengths: list[int], header_starts: list[int], setting: str
) -> Tensor:
    """Targets, (batch, length), masked by setting: "none", "prompt" or "keep-header".

    The given targets stay as they are.
    """
    raise NotImplementedError


def answer(
    targets: Tensor, prompt_lengths: list[int], header_starts: list[int], setting: str
) -> Tensor:
    masked = targets.clone()  # (batch, length)
    if setting == "none":
        return masked
    borders = prompt_lengths if setting == "prompt" else header_starts
    for row, border in zip(masked, borders, strict=True):
        row[: border - 1] = -100
    return masked


def header_left_out(
    targets: Tensor, prompt_lengths: list[int], header_starts: list[int], setting: str
) -> Tensor:
    return answer(targets, prompt_lengths, prompt_lengths, setting)


def settings_swapped(
    targets: Tensor, prompt_lengths: list[int], header_starts: list[int], setting: str
) -> Tensor:
    return answer(targets, header_starts, prompt_lengths, setting)


def first_of_the_header_lost(
    targets: Tensor, prompt_lengths: list[int], header_starts: list[int], setting: str
) -> Tensor:
    return answer(targets, prompt_lengths, [start + 1 for start in header_starts], setting)


def one_too_many(
    targets: Tensor, prompt_lengths: list[int], header_starts: list[int], setting: str
) -> Tensor:
    prompts = [length + 1 for length in prompt_lengths]
    return answer(targets, prompts, [start + 1 for start in header_starts], setting)


def header_alone(
    targets: Tensor, prompt_lengths: list[int], header_starts: list[int], setting: str
) -> Tensor:
    masked = answer(targets, prompt_lengths, header_starts, setting)
    if setting == "keep-header":
        for row, length in zip(masked, prompt_lengths, strict=True):
            row[length - 1 :] = IGNORE
    return masked


def header_masked_alone(
    targets: Tensor, prompt_lengths: list[int], header_starts: list[int], setting: str
) -> Tensor:
    if setting != "keep-header":
        return answer(targets, prompt_lengths, header_starts, setting)
    masked = targets.clone()
    for row, start, length in zip(masked, header_starts, prompt_lengths, strict=True):
        row[start - 1 : length - 1] = IGNORE
    return masked


def none_masks_all(
    targets: Tensor, prompt_lengths: list[int], header_starts: list[int], setting: str
) -> Tensor:
    if setting == "none":
        return answer(targets, prompt_lengths, header_starts, "prompt")
    return answer(targets, prompt_lengths, header_starts, setting)


def cases() -> list[tuple]:
    one = torch.tensor([[2, 3, 4, 5, END]])
    two = torch.tensor([[2, 3, 4, 5, 6, 7, END], [9, 8, 1, 4, END, IGNORE, IGNORE]])
    return [
        (targets, prompts, headers, setting)
        for targets, prompts, headers in ((one, [4], [2]), (two, [5, 3], [3, 1]))
        for setting in ("none", "prompt", "keep-header")
    ]


def draw(source: Random) -> tuple:
    """Up to six rows with a question, a header and a response each; padding is masked."""
    lengths = [source.randint(3, 12) for _ in range(source.randint(1, 6))]
    rows = [source.choices([*range(20), END], k=length - 1) + [END] for length in lengths]
    width = max(lengths)
    targets = torch.tensor([row + [IGNORE] * (width - len(row)) for row in rows])
    prompts = [source.randint(2, length - 1) for length in lengths]
    headers = [source.randint(1, prompt - 1) for prompt in prompts]
    return targets, prompts, headers, source.choice(("none", "prompt", "keep-header"))


def some_entries() -> list[Entry]:
    entries = load_entries()
    return [entries[50], entries[3], entries[4]]


def arguments_of(steps: BatchSteps) -> tuple:
    headers = [example.header_start for example in steps.examples]
    return steps.padding_masked, steps.prompt_lengths, headers, "keep-header"


def as_targets(result: Tensor) -> tuple:
    return None, result


KEEP_HEADER = Exercise(
    name="keep-header",
    title="Three settings, one function",
    lesson="06",
    minutes=10,
    difficulty=2,
    statement="""
`instruction_mask="prompt"` is a word in a call; here you write what the word does. With `"none"`
all targets stay. With `"prompt"` those go that are tokens of the prompt. With `"keep-header"` the
response header stays as well, and only what stands before it, the question, goes.

`prompt_lengths[i]` is the number of tokens in row i's prompt, header included, and
`header_starts[i]` the index of its header's first token in the row. Padding is masked already.
Return a new tensor; you may call your `mask_prompt`.
""",
    attempt=my_instruction_mask,
    answer=answer,
    hints=(
        "How many tokens stand before the header, if its first token has index h? And how many "
        "of those are targets?",
        "“prompt” and “keep-header” do the same with another border. Which of the two lists holds "
        "the border of each?",
        'On a clone, unless the setting is "none": `row[: border - 1] = -100`, where `border` '
        'comes from `prompt_lengths` for "prompt" and from `header_starts` for "keep-header".',
    ),
    wrong_answers=(
        WrongAnswer(
            header_left_out,
            "“keep-header” masks the whole prompt",
            "Then it's the same as “prompt”. The header should count: its border is in "
            "header_starts.",
        ),
        WrongAnswer(
            settings_swapped,
            "the two borders change places",
            "“prompt” lets only the response count; “keep-header” keeps more, so its border stands "
            "further left.",
        ),
        WrongAnswer(
            first_of_the_header_lost,
            "the first token of the header is masked as well",
            "Its index is h, and one column further left, at h − 1, it is the target. The mask "
            "ends before that column.",
        ),
        WrongAnswer(
            one_too_many,
            "both borders lie one column too far to the right",
            "A token of index i is the target in column i − 1. A slice `[: border]` takes the "
            "first token that should count.",
        ),
        WrongAnswer(
            header_alone,
            "with “keep-header” only the header counts",
            "The response is what it's all about. Header and response both stay.",
        ),
        WrongAnswer(
            header_masked_alone,
            "the header is masked and the question kept",
            "It is the other way round: everything before the header goes.",
        ),
        WrongAnswer(
            none_masks_all,
            "“none” masks the prompt, too",
            "“none” says what is masked: nothing beside the padding.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
    shown=Shown(
        some_entries,
        arguments=arguments_of,
        batch=as_targets,
        instruction_mask="keep-header",
    ),
)
