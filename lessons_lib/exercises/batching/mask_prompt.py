"""Exercise: mask the prompt's targets, up to the border and no further. Lesson 06."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.batching import BatchSteps, mask_instructions
from lessons_lib.data import Entry, load_entries
from lessons_lib.exercises import Exercise, Shown, WrongAnswer

END, IGNORE = 50256, -100


def mask_prompt(targets: Tensor, prompt_lengths: list[int]) -> Tensor:
    """Targets, (batch, length), with -100 where they are tokens of the prompt.

    The given targets stay as they are.
    """
    raise NotImplementedError


def answer(targets: Tensor, prompt_lengths: list[int]) -> Tensor:
    masked = targets.clone()  # (batch, length)
    for row, length in zip(masked, prompt_lengths, strict=True):
        row[: length - 1] = -100
    return masked


def one_too_many(targets: Tensor, prompt_lengths: list[int]) -> Tensor:
    return answer(targets, [length + 1 for length in prompt_lengths])


def one_too_few(targets: Tensor, prompt_lengths: list[int]) -> Tensor:
    return answer(targets, [max(1, length - 1) for length in prompt_lengths])


def two_off(targets: Tensor, prompt_lengths: list[int]) -> Tensor:
    masked = targets.clone()
    for row, length in zip(masked, prompt_lengths, strict=True):
        row[: length - 2] = IGNORE
    return masked


def response_masked(targets: Tensor, prompt_lengths: list[int]) -> Tensor:
    masked = targets.clone()
    for row, length in zip(masked, prompt_lengths, strict=True):
        row[length - 1 :] = IGNORE
    return masked


def first_length_for_all(targets: Tensor, prompt_lengths: list[int]) -> Tensor:
    return answer(targets, [prompt_lengths[0]] * len(prompt_lengths))


def longest_for_all(targets: Tensor, prompt_lengths: list[int]) -> Tensor:
    return answer(targets, [max(prompt_lengths)] * len(prompt_lengths))


def border_alone(targets: Tensor, prompt_lengths: list[int]) -> Tensor:
    masked = targets.clone()
    for row, length in zip(masked, prompt_lengths, strict=True):
        row[length - 1] = IGNORE
    return masked


def with_zeros(targets: Tensor, prompt_lengths: list[int]) -> Tensor:
    masked = targets.clone()
    for row, length in zip(masked, prompt_lengths, strict=True):
        row[: length - 1] = 0
    return masked


def cut_off(targets: Tensor, prompt_lengths: list[int]) -> list[Tensor]:
    pairs = zip(targets, prompt_lengths, strict=True)
    return [row[length - 1 :].clone() for row, length in pairs]


def cases() -> list[tuple]:
    return [
        (torch.tensor([[2, 3, 4, END]]), [2]),
        (torch.tensor([[2, 3, 4, END]]), [1]),
        (torch.tensor([[2, 3, 4, 5, END], [7, 8, END, IGNORE, IGNORE]]), [3, 2]),
        (
            torch.tensor([[2, 3, 4, 5, 6, END], [8, 9, 1, END, IGNORE, IGNORE]]),
            [2, 4],
        ),
    ]


def draw(source: Random) -> tuple:
    """Up to six rows, each with a response of one token or more; padding is masked."""
    lengths = [source.randint(2, 12) for _ in range(source.randint(1, 6))]
    rows = [source.choices([*range(20), END], k=length - 1) + [END] for length in lengths]
    width = max(lengths)
    targets = torch.tensor([row + [IGNORE] * (width - len(row)) for row in rows])
    return targets, [source.randint(1, length - 1) for length in lengths]


def some_entries() -> list[Entry]:
    entries = load_entries()
    return [entries[50], entries[3], entries[4]]


def targets_and_prompts(steps: BatchSteps) -> tuple:
    return steps.padding_masked, steps.prompt_lengths


def as_targets(result: Tensor) -> tuple:
    return None, result


MASK_PROMPT = Exercise(
    name="mask-prompt",
    title="Mask the prompt, up to its border",
    lesson="06",
    minutes=12,
    difficulty=2,
    statement="""
In use, a model is given the prompt and writes the response. Write `mask_prompt`, which lets only
the response count: it puts −100 on every target that is a token of the prompt.
`prompt_lengths[i]` is the number of tokens in row i's prompt, response header included; it is at
least 1.

Mind the border. Where the model reads the last token of the prompt, it must predict the first of
the response, and that target counts. Padding is masked already and stays so. Return a new tensor.
""",
    attempt=mask_prompt,
    answer=answer,
    hints=(
        "A row reads `[1, 2, 3, 4]` and has the targets `[2, 3, 4, 50256]`; its prompt is "
        "`[1, 2]`. Which of the prompt's tokens are targets at all? Nothing predicts the very "
        "first token of a row.",
        "A prompt of p tokens fills the columns 0 to p − 1 of the inputs. Its tokens stand one "
        "column further left among the targets, and the first of them has fallen off. How many are "
        "left?",
        "The first p − 1 targets are the prompt's: on a clone, `row[: p - 1] = -100` for each row "
        "and its p.",
    ),
    wrong_answers=(
        WrongAnswer(
            one_too_many,
            "the first p targets are masked",
            "The p-th target is the first token of the response: the model reads the whole prompt "
            "there and must begin to answer. The prompt has one target fewer than it has tokens.",
        ),
        WrongAnswer(
            one_too_few,
            "the first p − 2 targets are masked",
            "The last token of the response header still counts, and the model is trained to write "
            "what it will always be given.",
        ),
        WrongAnswer(
            two_off,
            "`row[: p - 2]` is masked",
            "The last token of the response header still counts then, and for a prompt of one "
            "token the slice counts from the end: `row[:-1]` is nearly the whole row.",
        ),
        WrongAnswer(
            response_masked,
            "the response is masked and the prompt kept",
            "−100 means: does not count. This model would learn to ask and never to answer.",
        ),
        WrongAnswer(
            first_length_for_all,
            "the first row's prompt length is used for all rows",
            "Each row has a prompt of its own; take rows and lengths in pairs.",
        ),
        WrongAnswer(
            longest_for_all,
            "the longest prompt's length is used for all rows",
            "Rows with shorter prompts lose the beginning of their responses.",
        ),
        WrongAnswer(
            border_alone,
            "the border alone is masked",
            "That is one cell, and the very one that should count. Everything before it goes: a "
            "slice, not an index.",
        ),
        WrongAnswer(
            with_zeros,
            "0 is written in the place of −100",
            "0 is a token id, and the model would learn to predict it all along the prompt.",
        ),
        WrongAnswer(
            cut_off,
            "the prompt's targets are cut off instead of masked",
            "Every input needs a target below it, and the batch must stay a rectangle.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
    library=mask_instructions,
    library_name="`mask_instructions` in `lessons_lib.batching`",
    shown=Shown(
        some_entries,
        arguments=targets_and_prompts,
        batch=as_targets,
        instruction_mask="prompt",
    ),
)
