"""Exercise: Stanford Alpaca's preprocess, its convention as it is. Lesson 14."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from lessons_lib.batching.dataset import common_prefix_length
from lessons_lib.data import IGNORE_INDEX, get_tokenizer
from lessons_lib.exercises import Exercise, WrongAnswer


def my_preprocess(
    sources: list[str],
    targets: list[str],
    encode: Callable[[str], list[int]],
    max_length: int,
) -> tuple[list[list[int]], list[list[int]]]:
    """input_ids and labels: for each source and its target a list of ids, nothing shifted."""
    raise NotImplementedError


def answer(
    sources: list[str],
    targets: list[str],
    encode: Callable[[str], list[int]],
    max_length: int,
) -> tuple[list[list[int]], list[list[int]]]:
    input_ids, labels = [], []
    for source, target in zip(sources, targets, strict=True):
        row = encode(source + target)[:max_length]
        source_length = len(encode(source)[:max_length])
        input_ids.append(row)
        labels.append([-100] * source_length + row[source_length:])
    return input_ids, labels


@dataclass(frozen=True, repr=False)
class GPT2Encoder:
    """GPT-2's token ids of a text; as in transformers, "<|endoftext|>" is one of them.

    No plain function, for that would be shown with its address in memory.
    """

    def __call__(self, text: str) -> list[int]:
        return get_tokenizer().encode(text, allowed_special="all")

    def __repr__(self) -> str:
        return "encode"


def everything_counts(sources, targets, encode, max_length):
    input_ids, _ = answer(sources, targets, encode, max_length)
    return input_ids, [list(row) for row in input_ids]


def masked_in_place(sources, targets, encode, max_length):
    _, labels = answer(sources, targets, encode, max_length)
    return labels, labels


def shifted_before(sources, targets, encode, max_length):
    input_ids, labels = answer(sources, targets, encode, max_length)
    return input_ids, [row[1:] + [IGNORE_INDEX] for row in labels]


def shifted_then_masked(sources, targets, encode, max_length):
    input_ids, masked = answer(sources, targets, encode, max_length)
    lengths = [labels.count(IGNORE_INDEX) for labels in masked]
    pairs = zip(lengths, input_ids, strict=True)
    return input_ids, [([IGNORE_INDEX] * n + row[n + 1 :] + [-100])[: len(row)] for n, row in pairs]


def shifted_and_closed(sources, targets, encode, max_length):
    input_ids, labels = answer(sources, targets, encode, max_length)
    return input_ids, [[*row[1:], get_tokenizer().eot_token] for row in labels]


def both_one_shorter(sources, targets, encode, max_length):
    input_ids, labels = answer(sources, targets, encode, max_length)
    return [row[:-1] for row in input_ids], [row[1:] for row in labels]


def tokenized_apart(sources, targets, encode, max_length):
    input_ids, labels = [], []
    for source, target in zip(sources, targets, strict=True):
        before, after = encode(source), encode(target)
        input_ids.append((before + after)[:max_length])
        labels.append(([IGNORE_INDEX] * len(before) + after)[:max_length])
    return input_ids, labels


def at_the_common_start(sources, targets, encode, max_length):
    input_ids, _ = answer(sources, targets, encode, max_length)
    labels = []
    for source, row in zip(sources, input_ids, strict=True):
        length = common_prefix_length(encode(source), row)
        labels.append([IGNORE_INDEX] * length + row[length:])
    return input_ids, labels


def one_too_few(sources, targets, encode, max_length):
    input_ids, labels = answer(sources, targets, encode, max_length)
    for row, masked in zip(input_ids, labels, strict=True):
        last = masked.count(IGNORE_INDEX) - 1
        masked[last] = row[last]
    return input_ids, labels


def target_masked(sources, targets, encode, max_length):
    input_ids, labels = answer(sources, targets, encode, max_length)
    turned = [
        [
            token if label == IGNORE_INDEX else IGNORE_INDEX
            for token, label in zip(*pair, strict=True)
        ]
        for pair in zip(input_ids, labels, strict=True)
    ]
    return input_ids, turned


def nothing_cut(sources, targets, encode, max_length):
    return answer(sources, targets, encode, 10**9)


def mask_not_cut(sources, targets, encode, max_length):
    input_ids, _ = answer(sources, targets, encode, max_length)
    lengths = [len(encode(source)) for source in sources]
    return input_ids, masked_at_the_start(lengths, input_ids)


def empty_rows_left_out(sources, targets, encode, max_length):
    rows = zip(*answer(sources, targets, encode, max_length), strict=True)
    kept = [(row, labels) for row, labels in rows if set(labels) != {IGNORE_INDEX}]
    return [row for row, _ in kept], [labels for _, labels in kept]


def characters_counted(sources, targets, encode, max_length):
    input_ids, labels = answer(sources, targets, encode, max_length)
    masked = masked_at_the_start(map(len, sources), input_ids)
    return input_ids, [row[: len(labels)] for row, labels in zip(masked, labels, strict=True)]


def characters_masked(sources, targets, encode, max_length):
    input_ids, _ = answer(sources, targets, encode, max_length)
    return input_ids, masked_at_the_start(map(len, sources), input_ids)


def characters_cut(sources, targets, encode, max_length):
    input_ids, _ = answer(sources, targets, encode, max_length)
    lengths = [len(source[:max_length]) for source in sources]
    return input_ids, masked_at_the_start(lengths, input_ids)


def masked_at_the_start(lengths, input_ids):
    """So many −100 for each row, and what the row has behind them."""
    pairs = zip(lengths, input_ids, strict=True)
    return [[IGNORE_INDEX] * n + row[n:] for n, row in pairs]


def cases() -> list[tuple]:
    end = "<|endoftext|>"
    return [
        (["Add 2 and 3:"], [f" 5{end}"], GPT2Encoder(), 20),
        (["Name a sea:", "Greet:"], [f" The Baltic Sea.{end}", f" Hello{end}"], GPT2Encoder(), 20),
        (["Say yes:", "Quote it:"], [f"'yes'{end}", f'"it"{end}'], GPT2Encoder(), 20),
        (["Name three seas:"], [f" Baltic, Black, Red{end}"], GPT2Encoder(), 6),
        (["Repeat the following words:", "Go:"], [f" a b{end}", f" on{end}"], GPT2Encoder(), 4),
    ]


def draw(source: Random) -> tuple:
    """Up to five tasks, some of whose answers open with a quotation mark; a limit that may cut."""
    words = ["sea", "red", "two", "Baltic", "house", "don't", "naïve", "1234"]
    sources, targets = [], []
    for _ in range(source.randint(1, 5)):
        asked = " ".join(source.choices(words, k=source.randint(1, 6)))
        said = " ".join(source.choices(words, k=source.randint(1, 6)))
        opening = source.choice([" ", "'", '"', "\n"])
        sources.append(f"{asked}:")
        targets.append(f"{opening}{said}<|endoftext|>")
    return sources, targets, GPT2Encoder(), source.randint(3, 24)


ALPACA_PREPROCESS = Exercise(
    name="alpaca-preprocess",
    title="Stanford Alpaca's preprocess",
    lesson="14",
    minutes=15,
    difficulty=2,
    statement="""
In Stanford Alpaca's training code one function makes all the labels. Write it in a few lines:
`my_preprocess` is given sources (the prompts), targets (each output with the name of its end of
text already behind it), `encode`, which turns a text into its token ids, and the most tokens that a
row may have.

For each pair, `input_ids` are the ids of source and target joined as *one text*, cut to
`max_length`. `labels` are the same ids, not shifted, with −100 in as many first places as the
source alone has tokens, cut likewise. Keep their convention also where it is not ours: where a
token joins the end of the source with the beginning of the target, that place is masked, and a row
in which nothing is left to learn stays.
""",
    attempt=my_preprocess,
    answer=answer,
    hints=(
        "Two texts are tokenized for each pair: which two? Only one of them becomes a row; the "
        "other only says how many places to mask.",
        "`encode(source + target)` and `encode(source)`, both cut with `[:max_length]`. The length "
        "of the second is what is masked at the start of the first. Inputs and labels must be two "
        "lists: what is masked in one must stay in the other.",
        "`row = encode(source + target)[:max_length]`, `n = len(encode(source)[:max_length])`, and "
        "the labels are `[-100] * n + row[n:]`.",
    ),
    wrong_answers=(
        WrongAnswer(
            everything_counts,
            "the labels are a copy of the ids",
            "Alpaca never trains on the source: its tokens get −100.",
        ),
        WrongAnswer(
            masked_in_place,
            "inputs and labels are one list, masked in place",
            "The model would have to read −100. Copy the ids before you mask: their code has a "
            "`deepcopy` for this.",
        ),
        WrongAnswer(
            shifted_before,
            "the labels are shifted as our targets are",
            "Their model shifts inside, and a second shift would ask for the token after the next. "
            "Each label stands below its own token.",
        ),
        WrongAnswer(
            shifted_then_masked,
            "the labels are shifted first and then masked",
            "Shifting is the model's own work here. Besides, the mask now covers the first token "
            "of the target, which would never be learned.",
        ),
        WrongAnswer(
            shifted_and_closed,
            "the labels are shifted, and end of text closes them",
            "That is how this course's targets end. Their model shifts inside: labels are the ids "
            "in their own columns, and the target has its end of text already.",
        ),
        WrongAnswer(
            both_one_shorter,
            "the ids lose their last token and the labels their first",
            "That shifts the labels, which their model does inside. Ids and labels keep all of "
            "the text, and each label stands below its own token.",
        ),
        WrongAnswer(
            tokenized_apart,
            "source and target are tokenized apart and then joined",
            "The tokenizer reads one text: it may join the source's colon with the target's "
            "quotation mark, as it will whenever the model is used on such a text.",
        ),
        WrongAnswer(
            at_the_common_start,
            "the mask ends where source and text begin to differ",
            "That is how this course does it, and better: the joined token is learned. Their code "
            "counts the source's own tokens, and masks it.",
        ),
        WrongAnswer(
            one_too_few,
            "one place too few is masked",
            "Unshifted labels need no border of p − 1: the source's p tokens have p places.",
        ),
        WrongAnswer(
            target_masked,
            "the target is masked and the source kept",
            "−100 means: does not count. This model would learn to ask and never to answer.",
        ),
        WrongAnswer(
            nothing_cut,
            "nothing is cut",
            "A row may have `max_length` tokens and no more, and its labels are as long as it is.",
        ),
        WrongAnswer(
            mask_not_cut,
            "the source's length is not cut to `max_length`",
            "A source longer than the row gives more −100 than the row has tokens, and labels of "
            "another length than the ids. Cut both: `encode(source)[:max_length]`.",
        ),
        WrongAnswer(
            empty_rows_left_out,
            "rows without a live label are left out",
            "A good idea, and not theirs: here such a row stays in its place, and teaches nothing.",
        ),
        WrongAnswer(
            characters_counted,
            "the source's characters are counted",
            "`len(source)` is its length as a text. Mask as many places as it has tokens.",
        ),
        WrongAnswer(
            characters_masked,
            "as many places are masked as the source has characters, past the row's end too",
            "`len(source)` counts characters, of which a token has several: nothing of the target "
            "is left, and the labels grow longer than the ids. Count `encode(source)`.",
        ),
        WrongAnswer(
            characters_cut,
            "the source's characters are counted, up to `max_length` of them",
            "`max_length` is a number of tokens, and so is the mask's length: `encode` first, then "
            "cut, then count.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from collections.abc import Callable\n\n",
    parts=("input_ids", "labels"),
)
