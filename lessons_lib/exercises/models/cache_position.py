"""Exercise: the positions of new tokens behind a cache, in rows padded on the left. Lesson 08."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer


def new_positions(attention_mask: Tensor, cached: int) -> Tensor:
    """The position of each new token in its own text, (rows, new); 0 where there is padding.

    attention_mask is (rows, cached + new): 1 for a token, 0 for padding, which is on the left.
    The first ``cached`` columns were read before.
    """
    raise NotImplementedError


def answer(attention_mask: Tensor, cached: int) -> Tensor:
    counted = attention_mask.cumsum(dim=1) - 1  # (rows, cached + new)
    return counted.clamp(min=0)[:, cached:]  # (rows, new)


def from_zero_again(attention_mask: Tensor, cached: int) -> Tensor:
    rows, columns = attention_mask.shape
    return torch.arange(columns - cached).expand(rows, -1)


def columns_for_positions(attention_mask: Tensor, cached: int) -> Tensor:
    rows, columns = attention_mask.shape
    return torch.arange(cached, columns).expand(rows, -1)


def counted_from_one(attention_mask: Tensor, cached: int) -> Tensor:
    return attention_mask.cumsum(dim=1)[:, cached:]


def one_too_low(attention_mask: Tensor, cached: int) -> Tensor:
    return (answer(attention_mask, cached) - 1).clamp(min=0)


def old_ones_too(attention_mask: Tensor, cached: int) -> Tensor:
    return answer(attention_mask, 0)


def new_columns_alone(attention_mask: Tensor, cached: int) -> Tensor:
    return answer(attention_mask[:, cached:], 0)


def new_columns_below_zero(attention_mask: Tensor, cached: int) -> Tensor:
    return attention_mask[:, cached:].cumsum(dim=1) - 1


def cached_padding_counted(attention_mask: Tensor, cached: int) -> Tensor:
    return cached + new_columns_alone(attention_mask, cached)


def cached_padding_counted_below_zero(attention_mask: Tensor, cached: int) -> Tensor:
    return cached + new_columns_below_zero(attention_mask, cached)


def new_padding_counted(attention_mask: Tensor, cached: int) -> Tensor:
    read = attention_mask[:, :cached].sum(dim=1, keepdim=True)  # (rows, 1)
    return read + torch.arange(attention_mask.shape[1] - cached)


def padding_below_zero(attention_mask: Tensor, cached: int) -> Tensor:
    return (attention_mask.cumsum(dim=1) - 1)[:, cached:]


def padding_counted_once(attention_mask: Tensor, cached: int) -> Tensor:
    return answer(attention_mask, cached) + (1 - attention_mask[:, :1])


def first_row_for_all(attention_mask: Tensor, cached: int) -> Tensor:
    return answer(attention_mask, cached)[:1].expand(len(attention_mask), -1)


def cases() -> list[tuple]:
    even = [[1, 1, 1, 1]]
    uneven = [[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]]
    three = [[0, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]]
    return [
        (torch.tensor(even), 3),
        (torch.tensor(uneven), 0),
        (torch.tensor(uneven), 4),
        (torch.tensor(three), 4),
    ]


def draw(source: Random) -> tuple:
    """Up to five rows padded on the left, some of whose columns are in the cache."""
    columns = source.randint(2, 10)
    paddings = [source.randint(0, columns - 1) for _ in range(source.randint(1, 5))]
    rows = [[0] * padding + [1] * (columns - padding) for padding in paddings]
    return torch.tensor(rows), source.randint(0, columns - 1)


CACHE_POSITION = Exercise(
    name="cache-position",
    title="Where a new token stands",
    lesson="08",
    minutes=12,
    difficulty=2,
    statement="""
With a cache the model is given the new tokens alone, and somebody has to tell it where in their
texts they stand. In a batch this is easily got wrong: prompts of unequal length are padded on the
left (lesson 05), so a token's column is not its position. Nothing raises an error; the model just
writes worse.

Write `new_positions` from the batch's **attention mask**, which has 1 for tokens and 0 for padding.
A token's position is the number of tokens *of its own text* that come before it. On paper: two rows
have the masks `1 1 1 1 1` and `0 0 1 1 1`, and four columns are in the cache. At which position is
the one new token of each row? And what are all the positions if nothing is in the cache yet?
""",
    attempt=new_positions,
    answer=answer,
    hints=(
        "In the second row two tokens come before the new one, so its position is 2, although it "
        "stands in column 4.",
        "Adding up the mask from left to right (`cumsum(dim=1)`) counts each row's tokens up to "
        "and including each column. Do that over the whole mask, and cut afterwards.",
        "`attention_mask.cumsum(dim=1) - 1`; padding comes out as −1, which `clamp(min=0)` mends; "
        "then the columns from `cached` on.",
    ),
    wrong_answers=(
        WrongAnswer(
            from_zero_again,
            "the new tokens are counted from 0",
            "For the model each of them would be the first word of a text, on top of the one "
            "already there. They go on where the cached ones ended.",
        ),
        WrongAnswer(
            columns_for_positions,
            "padding is counted",
            "A column says where a token stands in the batch. A short text would be read as if "
            "some words before it had been lost; count only what the mask marks with 1.",
        ),
        WrongAnswer(
            counted_from_one,
            "each token counts itself",
            "The first token of a text has position 0: how many tokens come *before* it? "
            "Subtract 1, and see that padding stays at 0.",
        ),
        WrongAnswer(
            one_too_low,
            "the new token gets the position of the last cached one",
            "With three tokens in the cache, at 0, 1 and 2, the next place is 3.",
        ),
        WrongAnswer(
            old_ones_too,
            "positions are returned for the cached columns, too",
            "The model is given the new tokens alone, and needs one position for each of them.",
        ),
        WrongAnswer(
            new_columns_alone,
            "the mask is cut before it is counted",
            "What is in the cache has to be counted as well. Count first, then cut.",
        ),
        WrongAnswer(
            new_columns_below_zero,
            "the mask is cut before it is counted, and padding comes out below 0",
            "Two things: what is in the cache has to be counted as well, so count first, then "
            "cut; and −1 is no row of the position embedding, so bring padding up to 0.",
        ),
        WrongAnswer(
            cached_padding_counted,
            "all cached columns are counted, padding among them",
            "`cached` says how many columns were read; a row's own tokens among them may be fewer. "
            "The mask's first columns know how many.",
        ),
        WrongAnswer(
            cached_padding_counted_below_zero,
            "all cached columns are counted, and new padding comes out one below the rest",
            "A row's own tokens may be fewer than the cached columns; the mask knows how many. And "
            "−1 is no row of the position embedding, so bring padding up to 0.",
        ),
        WrongAnswer(
            new_padding_counted,
            "padding among the new columns is counted",
            "In the cached part only tokens are counted here, as they should be. The new columns "
            "can hold padding, too, when nothing is in the cache yet.",
        ),
        WrongAnswer(
            padding_below_zero,
            "padding gets the position −1",
            "Nobody looks at padding, but a look-up in the position embedding cannot be made with "
            "−1. Any place there is would do; the exercise asks for 0.",
        ),
        WrongAnswer(
            padding_counted_once,
            "rows with padding come out one too high",
            "All padding counts nothing, the first cell of it included.",
        ),
        WrongAnswer(
            first_row_for_all,
            "all rows get the first row's positions",
            "Texts are not equally long, so each row counts for itself.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
)
