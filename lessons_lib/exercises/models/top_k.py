"""Exercise: the k likeliest tokens, and no other. Lesson 08."""

from random import Random
from typing import Any

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer
from lessons_lib.generation.sampling import token_probabilities
from lessons_lib.support.reply_options import ReplyOptions


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """Probabilities, (vocabulary,): those of the k likeliest tokens add up to 1, all others are 0.

    k is at least 1, and at most the number of tokens.
    """
    raise NotImplementedError


def answer(logits: Tensor, k: int) -> Tensor:
    best = logits.sort(descending=True, stable=True).indices[:k]  # (k,)
    powers = torch.zeros_like(logits)  # (vocabulary,)
    powers[best] = torch.exp(logits[best])
    return powers / powers.sum()


def library(logits: Tensor, k: int) -> Tensor:
    return token_probabilities(logits, ReplyOptions(temperature=1.0, top_k=k))


def softmax_of(logits: Tensor, kept: Tensor) -> Tensor:
    """The softmax over these tokens alone, (vocabulary,)."""
    return torch.softmax(logits.masked_fill(~kept, -torch.inf), dim=0)


def not_renormalised(logits: Tensor, k: int) -> Tensor:
    return torch.softmax(logits, dim=0).masked_fill(answer(logits, k) == 0, 0)


def logits_set_to_zero(logits: Tensor, k: int) -> Tensor:
    return torch.softmax(logits.masked_fill(answer(logits, k) == 0, 0), dim=0)


def least_likely_kept(logits: Tensor, k: int) -> Tensor:
    return softmax_of(logits, answer(-logits, k) > 0)


def equals_kept_too(logits: Tensor, k: int) -> Tensor:
    return softmax_of(logits, logits >= logits.sort(descending=True).values[k - 1])


def one_too_many(logits: Tensor, k: int) -> Tensor:
    return answer(logits, min(k + 1, len(logits)))


def one_too_few(logits: Tensor, k: int) -> Tensor:
    return answer(logits, k - 1)


def only_above_the_kth(logits: Tensor, k: int) -> Tensor:
    return softmax_of(logits, logits > logits.sort(descending=True).values[k - 1])


def no_softmax(logits: Tensor, k: int) -> Tensor:
    return logits.masked_fill(answer(logits, k) == 0, -torch.inf)


def logits_beside_zeros(logits: Tensor, k: int) -> Tensor:
    return logits.masked_fill(answer(logits, k) == 0, 0)


def softmax_of_probabilities(logits: Tensor, k: int) -> Tensor:
    return torch.softmax(not_renormalised(logits, k), dim=0)


def first_tokens_kept(logits: Tensor, k: int) -> Tensor:
    return softmax_of(logits, torch.arange(len(logits)) < k)


def in_order_of_likelihood(logits: Tensor, k: int) -> Tensor:
    return answer(logits, k).sort(descending=True).values


def k_numbers(logits: Tensor, k: int) -> Tensor:
    return torch.softmax(logits.topk(k).values, dim=0)


def even_shares(logits: Tensor, k: int) -> Tensor:
    return (answer(logits, k) > 0).float() / k


def larger_first_among_equals(result: Any, arguments: tuple) -> Any:
    """The same probabilities; of tokens with equal logits, any may be kept."""
    logits = arguments[0]
    if not isinstance(result, Tensor) or result.shape != logits.shape:
        return result
    result = result.clone()
    for value in logits.unique():
        result[logits == value] = result[logits == value].sort(descending=True).values
    return result


def cases() -> list[tuple]:
    return [
        (torch.tensor([0.0, 2.0, 1.0]), 2),
        (torch.tensor([-1.0, 3.0, 0.5, 2.0]), 1),
        (torch.tensor([1.0, 0.0, 2.0]), 3),
        (torch.tensor([0.5, 2.0, 2.0, 2.0, -3.0]), 2),  # three are equally likely
        (torch.tensor([-4.0, -1.0, -3.0, -2.0, -6.0]), 3),
    ]


def draw(source: Random) -> tuple:
    """Up to ten logits, of which some may be equal."""
    logits = source.choices([-4.0, -2.5, -1.0, 0.0, 0.5, 2.0, 3.0], k=source.randint(2, 10))
    return torch.tensor(logits), source.randint(1, len(logits))


TOP_K = Exercise(
    name="top-k",
    title="The k likeliest, and no other",
    lesson="08",
    minutes=10,
    difficulty=2,
    statement="""
Ten thousand tokens with one chance in a million each make one chance in a hundred together. Draw
long enough, and one of them is drawn; a single word that does not belong can spoil the rest of a
text. **Top-k** rules them out: only the k likeliest tokens may be drawn.

Write `keep_top_k`. The k likeliest tokens share all the probability, in the same proportions as
before, each at its own place; every other token has 0. Where tokens are equally likely, it doesn't
matter which of them are kept, but exactly k are. On paper first: the logits are 0, 2 and 1, and k
is 2.
""",
    attempt=keep_top_k,
    answer=answer,
    hints=(
        "In the example token 0 drops out. The other two keep the proportion of e² to e¹. What are "
        "their shares, when they must add up to 1?",
        "`logits.topk(k).indices` says which tokens stay. Give all others a logit that softmax "
        "turns into 0: which number has that power of e?",
        "`kept = torch.full_like(logits, -torch.inf)`, then `kept[best] = logits[best]` for the "
        "indices `best`, then `torch.softmax(kept, dim=0)`.",
    ),
    wrong_answers=(
        WrongAnswer(
            not_renormalised,
            "the other probabilities are put to 0 and nothing else is done",
            "Now they add up to less than 1. Divide by their sum, so that what was taken away is "
            "shared out among the k.",
        ),
        WrongAnswer(
            logits_set_to_zero,
            "the others' logits are put to 0",
            "A logit of 0 is a score like any other: e⁰ is 1, and next to negative logits it even "
            "wins. −∞ is the logit whose probability is 0.",
        ),
        WrongAnswer(
            least_likely_kept,
            "the k least likely are kept",
            "The sorting went the other way: `descending=True`, or take the last k.",
        ),
        WrongAnswer(
            equals_kept_too,
            "all tokens stay that are as likely as the k-th",
            "Where several are equally likely these can be more than k. Go by their indices "
            "(`topk(k).indices`), not by a threshold.",
        ),
        WrongAnswer(
            one_too_many,
            "one token more than k is kept",
            "Counted from 0, the k-th likeliest has the index k − 1.",
        ),
        WrongAnswer(
            one_too_few,
            "one token fewer than k is kept",
            "The slice that holds the k likeliest is `[:k]`, and what is left out begins at k, "
            "not at k − 1. With k = 1 nothing is left to draw from.",
        ),
        WrongAnswer(
            only_above_the_kth,
            "only tokens likelier than the k-th are kept",
            "The k-th belongs to the k: `<=` (or `>`) has thrown it out as well. With k = 1 "
            "nothing is left to draw from.",
        ),
        WrongAnswer(
            no_softmax,
            "the logits are returned, the others at −∞, and the softmax is missing",
            "The choice is right. Softmax makes probabilities of these, and 0 of −∞.",
        ),
        WrongAnswer(
            logits_beside_zeros,
            "the logits of the k are returned, and 0 for the others",
            "The choice is right, but these are scores still: they may be negative, and do not "
            "add up to 1. Probabilities are wanted.",
        ),
        WrongAnswer(
            softmax_of_probabilities,
            "a second softmax is made of probabilities, zeros among them",
            "For a softmax a 0 is a score like any other, e⁰ = 1, so the tokens that were thrown "
            "out are back. Probabilities are divided by their sum.",
        ),
        WrongAnswer(
            first_tokens_kept,
            "the first k tokens of the vocabulary are kept",
            "A token's id says nothing about how likely it is. Find the largest logits first.",
        ),
        WrongAnswer(
            in_order_of_likelihood,
            "the probabilities stand in order, the largest first",
            "Place i of the result belongs to token i. After sorting, put each number back where "
            "it came from.",
        ),
        WrongAnswer(
            k_numbers,
            "only k numbers are returned",
            "Which tokens do they belong to? Return a number for every token of the vocabulary, "
            "most of them 0.",
        ),
        WrongAnswer(
            even_shares,
            "each of the k gets an equal share",
            "Among the k the likelier ones stay likelier, in the old proportions.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
    library=library,
    library_name="`token_probabilities` in `lessons_lib.generation.sampling`",
    observed=larger_first_among_equals,
)
