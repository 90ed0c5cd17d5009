"""Exercise: the targets of a row that holds several texts. Lesson 07."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer

END, IGNORE = 50256, -100


def packed_row(texts: list[list[int]], pack_length: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets of one packed row, both (pack_length,).

    Each text is followed by its end of text, 50256; it all fits. The given lists stay as they are.
    """
    raise NotImplementedError


def answer(texts: list[list[int]], pack_length: int) -> tuple[Tensor, Tensor]:
    inputs, targets = [], []
    for text in texts:
        inputs += text + [50256]
        targets += text[1:] + [50256, -100]
    missing = pack_length - len(inputs)
    inputs += [50256] * missing
    targets += [-100] * missing
    return torch.tensor(inputs), torch.tensor(targets)


def across_the_border(texts: list[list[int]], pack_length: int) -> tuple[Tensor, Tensor]:
    inputs, _ = answer(texts, pack_length)
    used = sum(len(text) + 1 for text in texts)
    targets = torch.full_like(inputs, IGNORE)
    targets[: used - 1] = inputs[1:used]
    return inputs, targets


def plainly_shifted(texts: list[list[int]], pack_length: int) -> tuple[Tensor, Tensor]:
    inputs, _ = answer(texts, pack_length)
    return inputs, torch.cat([inputs[1:], torch.tensor([END])])


def padding_counts(texts: list[list[int]], pack_length: int) -> tuple[Tensor, Tensor]:
    inputs, targets = answer(texts, pack_length)
    used = sum(len(text) + 1 for text in texts)
    return inputs, torch.cat([targets[:used], inputs[used:]])


def end_predicts_end(texts: list[list[int]], pack_length: int) -> tuple[Tensor, Tensor]:
    inputs, targets = answer(texts, pack_length)
    used = sum(len(text) + 1 for text in texts)
    targets[:used][targets[:used] == IGNORE] = END
    return inputs, targets


def every_end_masked(texts: list[list[int]], pack_length: int) -> tuple[Tensor, Tensor]:
    inputs, targets = answer(texts, pack_length)
    return inputs, targets.masked_fill(targets == END, IGNORE)


def one_end_for_all(texts: list[list[int]], pack_length: int) -> tuple[Tensor, Tensor]:
    return answer([[token for text in texts for token in text]], pack_length)


def not_shifted(texts: list[list[int]], pack_length: int) -> tuple[Tensor, Tensor]:
    inputs, _ = answer(texts, pack_length)
    used = sum(len(text) + 1 for text in texts)
    targets = inputs.clone()
    targets[used:] = IGNORE
    return inputs, targets


def ends_left_out_of_the_inputs(texts: list[list[int]], pack_length: int) -> tuple[Tensor, Tensor]:
    inputs = [token for text in texts for token in text]
    targets = [token for text in texts for token in [*text[1:], END]]
    missing = pack_length - len(inputs)
    return torch.tensor(inputs + [END] * missing), torch.tensor(targets + [IGNORE] * missing)


def without_padding(texts: list[list[int]], pack_length: int) -> tuple[Tensor, Tensor]:
    used = sum(len(text) + 1 for text in texts)
    inputs, targets = answer(texts, pack_length)
    return inputs[:used], targets[:used]


def minus_100_in_the_inputs(texts: list[list[int]], pack_length: int) -> tuple[Tensor, Tensor]:
    inputs, targets = answer(texts, pack_length)
    used = sum(len(text) + 1 for text in texts)
    return torch.cat([inputs[:used], torch.full_like(inputs[used:], IGNORE)]), targets


def cases() -> list[tuple]:
    return [
        ([[1, 2, 3]], 5),
        ([[1, 2], [3, 4]], 6),
        ([[1, 2], [3, 4, 5]], 9),
        ([[7], [END, 8], [5, 6, 9, 4]], 12),
    ]


def draw(source: Random) -> tuple:
    """Up to five texts, and room for all of them with their ends, or more."""
    counts = [source.randint(1, 6) for _ in range(source.randint(1, 5))]
    texts = [source.choices([*range(20), END], k=count) for count in counts]
    return texts, sum(counts) + len(counts) + source.randint(0, 5)


PACKED_TARGETS = Exercise(
    name="packed-targets",
    title="No target across the border",
    lesson="07",
    minutes=12,
    difficulty=2,
    statement="""
In a packed row several texts stand end to end. A plain shift would make the first token of each
text the target of the end before it, and nothing in that end says what comes next. Write
`packed_row`, which makes inputs and targets of one row.

The inputs are each text followed by its end of text, one after the other, then padding with 50256
up to `pack_length`. A text's targets are its own tokens from the second on, then its end of text;
where the end of text itself is read, and on padding, the target is −100.
""",
    attempt=packed_row,
    answer=answer,
    hints=(
        "Write both rows for the texts [1, 2] and [3, 4] on paper, under each other, six columns "
        "wide. In which columns does nothing have to be predicted?",
        "Make the targets text by text, not by a shift of the whole row. A text of n tokens takes "
        "n + 1 columns; which n + 1 targets does it get?",
        "`inputs += text + [50256]` and `targets += text[1:] + [50256, -100]` for each text; at "
        "the end 50256 fills up the inputs, −100 the targets.",
    ),
    wrong_answers=(
        WrongAnswer(
            across_the_border,
            "an end of text has the next text's first token as its target",
            "The model would learn to guess how an unrelated text begins. At that column: −100.",
        ),
        WrongAnswer(
            plainly_shifted,
            "the whole row is shifted as if it were one text",
            "Two things are wrong: targets point across each border, and padding counts.",
        ),
        WrongAnswer(
            padding_counts,
            "the padding at the end of the row counts",
            "After the last end of text nothing is left to predict: −100.",
        ),
        WrongAnswer(
            end_predicts_end,
            "an end of text is to be predicted after an end of text",
            "The end was the target one column before. Where it is read, the text is over: −100.",
        ),
        WrongAnswer(
            every_end_masked,
            "no end of text counts as a target",
            "The model would never learn to stop. The end of each text is a target, under the "
            "text's last token; only where it is *read* nothing follows.",
        ),
        WrongAnswer(
            one_end_for_all,
            "the texts are joined first, and one end is put behind them all",
            "Each text needs its own end, and no target may lead from one into the next.",
        ),
        WrongAnswer(
            not_shifted,
            "nothing is shifted",
            "The token to predict would be the one just read.",
        ),
        WrongAnswer(
            ends_left_out_of_the_inputs,
            "the ends of text are targets but stand nowhere in the inputs",
            "It can be trained on and saves a column a text. But here each text brings its end of "
            "text along, so that a row reads as the texts do.",
        ),
        WrongAnswer(
            without_padding,
            "the row is not filled up",
            "Rows of a batch must be equally long: fill up to pack_length.",
        ),
        WrongAnswer(
            minus_100_in_the_inputs,
            "−100 fills up the inputs as well",
            "No model can look up token −100. Only targets are ignored; inputs get 50256.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
    parts=("inputs", "targets"),
)
