"""Exercise: the loop by which a model writes. Lesson 08."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer
from lessons_lib.exercises.comparing import a


def continue_greedily(
    logits_after: Callable[[list[int]], Tensor],
    prompt_ids: list[int],
    max_new_tokens: int,
    end_id: int,
) -> list[int]:
    """The new token ids, each the likeliest after all before it; neither prompt nor end token.

    logits_after(token_ids) is (vocabulary,): a score for each token to come after these.
    """
    raise NotImplementedError


def answer(
    logits_after: Callable[[list[int]], Tensor],
    prompt_ids: list[int],
    max_new_tokens: int,
    end_id: int,
) -> list[int]:
    token_ids = list(prompt_ids)
    for _ in range(max_new_tokens):
        token_id = int(logits_after(token_ids).argmax())
        if token_id == end_id:
            break
        token_ids.append(token_id)
    return token_ids[len(prompt_ids) :]


Logits = Callable[[list[int]], Tensor]


def likeliest(logits_after: Logits, token_ids: list[int]) -> int:
    return int(logits_after(token_ids).argmax())


def prompt_included(logits_after: Logits, prompt_ids, max_new_tokens, end_id) -> list[int]:
    return prompt_ids + answer(logits_after, prompt_ids, max_new_tokens, end_id)


def end_included(logits_after: Logits, prompt_ids, max_new_tokens, end_id) -> list[int]:
    new: list[int] = []
    while len(new) < max_new_tokens and end_id not in new:
        new.append(likeliest(logits_after, prompt_ids + new))
    return new


def never_stopped(logits_after: Logits, prompt_ids, max_new_tokens, end_id) -> list[int]:
    return answer(logits_after, prompt_ids, max_new_tokens, end_id=-1)


def ends_left_out(logits_after: Logits, prompt_ids, max_new_tokens, end_id) -> list[int]:
    new = never_stopped(logits_after, prompt_ids, max_new_tokens, end_id)
    return [token_id for token_id in new if token_id != end_id]


def last_token_alone(logits_after: Logits, prompt_ids, max_new_tokens, end_id) -> list[int]:
    return answer(lambda ids: logits_after(ids[-1:]), prompt_ids, max_new_tokens, end_id)


def prompt_alone(logits_after: Logits, prompt_ids, max_new_tokens, end_id) -> list[int]:
    return answer(lambda ids: logits_after(prompt_ids), prompt_ids, max_new_tokens, end_id)


def prompt_forgotten(logits_after: Logits, prompt_ids, max_new_tokens, end_id) -> list[int]:
    def after_the_new_ones(token_ids: list[int]) -> Tensor:
        return logits_after(token_ids[len(prompt_ids) :] or prompt_ids)

    return answer(after_the_new_ones, prompt_ids, max_new_tokens, end_id)


def largest_score(logits_after: Logits, prompt_ids, max_new_tokens, end_id) -> list[int]:
    new: list[int] = []
    while len(new) < max_new_tokens:
        token_id = int(logits_after(prompt_ids + new).max())
        if token_id == end_id:
            break
        new.append(token_id)
    return new


def one_too_many(logits_after: Logits, prompt_ids, max_new_tokens, end_id) -> list[int]:
    return answer(logits_after, prompt_ids, max_new_tokens + 1, end_id)


def prompt_counted(logits_after: Logits, prompt_ids, max_new_tokens, end_id) -> list[int]:
    return answer(logits_after, prompt_ids, max_new_tokens - len(prompt_ids), end_id)


def stopped_by_the_prompt(logits_after: Logits, prompt_ids, max_new_tokens, end_id) -> list[int]:
    if end_id in prompt_ids:
        return []
    return answer(logits_after, prompt_ids, max_new_tokens, end_id)


def require_ints(token_ids: Any, said: str) -> None:
    """Raises a TypeError unless these are ints in a list, or in a tuple."""
    if not isinstance(token_ids, list | tuple):
        raise TypeError(f"{said}, and was given {a(token_ids)}; .tolist() makes one of a tensor")
    for each in token_ids:
        if type(each) is not int:
            raise TypeError(
                f"{said}, and in this list is {a(each)}; int(…) makes an int of a single number"
            )


def list_of_ints(result: Any, arguments: tuple) -> Any:
    """The result, if it can be decoded as it is."""
    require_ints(result, "the check wants a list of ints")
    return result


@dataclass(frozen=True)
class SumModel:
    """A toy model with ten tokens: after some ids the likeliest is the last digit of their sum.

    Like the lesson's model it takes a list of ints and nothing else.
    """

    def __call__(self, token_ids: list[int]) -> Tensor:
        require_ints(token_ids, "logits_after takes a list of ints")
        wanted = sum(token_ids) % 10
        return -(torch.arange(10) - wanted).abs().float()  # (vocabulary,), 0 for the likeliest


def cases() -> list[tuple]:
    model = SumModel()
    return [
        (model, [1, 2], 3, 9),
        (model, [1, 2], 6, 4),  # 3, 6, 2, then the end
        (model, [3, 5], 1, 0),
        (model, [4, 3], 4, 4),  # an end token stands in the prompt: 7, then the end
        (model, [5, 5], 3, 0),  # the end at once
        (model, [2, 9, 6], 8, 6),
    ]


def draw(source: Random) -> tuple:
    """A prompt of up to six tokens, up to twelve new ones, and any token as the end."""
    prompt = source.choices(range(10), k=source.randint(1, 6))
    return SumModel(), prompt, source.randint(1, 12), source.randrange(10)


GREEDY_LOOP = Exercise(
    name="greedy-loop",
    title="The loop that writes",
    lesson="08",
    minutes=15,
    difficulty=2,
    statement="""
A model says one thing: how likely each token is to come next. That it *writes* is the work of a
loop of a few lines around it, and this loop is yours. Write `continue_greedily`. It asks
`logits_after` for the scores after all token ids so far, takes the likeliest, puts it behind the
others, and asks again. It returns the new ids alone, as a list of ints, which is also what
`logits_after` takes. It ends after `max_new_tokens`, or as soon as the model chooses `end_id`,
which is not returned.

The check uses a toy model with the tokens 0 to 9: the likeliest after some ids is the last digit
of their sum. On paper first: the prompt is `[1, 2]` and the end token is 4. What is written?
""",
    attempt=continue_greedily,
    answer=answer,
    hints=(
        "After 1, 2 the toy model says 3; after 1, 2, 3 it says 6. What does it read in the third "
        "round, and what comes in the fourth?",
        "Work on a copy, `list(prompt_ids)`, which grows by a token each round. Look whether the "
        "token is the end before you append it, and cut the prompt off when all is done.",
        "`for _ in range(max_new_tokens)`: `token_id = int(logits_after(token_ids).argmax())`; "
        "`break` if it is `end_id`; else append. At the end `token_ids[len(prompt_ids):]`.",
    ),
    wrong_answers=(
        WrongAnswer(
            prompt_included,
            "the prompt is returned with the answer",
            "The model has to read it in every round, but who asked knows it already. Cut off the "
            "first `len(prompt_ids)` ids.",
        ),
        WrongAnswer(
            end_included,
            "the end token is appended before it is looked at",
            "It says that the text is over and is no part of it; decoded, it would stand in the "
            "answer as `<|endoftext|>`. Ask first, then append.",
        ),
        WrongAnswer(
            never_stopped,
            "nobody looks for the end token",
            "The model said that it was finished, and was made to go on. Leave the loop when the "
            "likeliest token is `end_id`.",
        ),
        WrongAnswer(
            ends_left_out,
            "end tokens are left out and the loop goes on",
            "What comes after the end belongs to another text. Use `break`, not `continue`.",
        ),
        WrongAnswer(
            last_token_alone,
            "the model is given the last token alone",
            "It then continues a text of one token, without the question. Unless something keeps "
            "what was read before (a cache, further down), it must be given all of it.",
        ),
        WrongAnswer(
            prompt_alone,
            "the model is given the same prompt in every round",
            "It doesn't know what it has just written, so it says the same token again and again. "
            "Append each new token before you ask for the next.",
        ),
        WrongAnswer(
            prompt_forgotten,
            "from the second round on the model is given the new tokens alone",
            "It then continues its own answer and no longer knows what was asked. In every round "
            "it must be given the prompt, and the new tokens behind it.",
        ),
        WrongAnswer(
            largest_score,
            "the largest score is taken for a token id",
            "`max()` says how high the best score is; which token has it, `argmax()` says.",
        ),
        WrongAnswer(
            one_too_many,
            "there is one round more than `max_new_tokens`",
            "With a limit of 1 only one token may be written. `range(max_new_tokens)` counts "
            "exactly so many rounds.",
        ),
        WrongAnswer(
            prompt_counted,
            "the limit counts the prompt's tokens as well",
            "Then a long question gets a short answer, or none. The limit is for new tokens.",
        ),
        WrongAnswer(
            stopped_by_the_prompt,
            "an end token in the prompt ends everything",
            "Only what the model itself chooses says that it is finished. A prompt may well hold "
            "an end token, between two texts for instance.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from collections.abc import Callable\n\nfrom torch import Tensor\n\n",
    observed=list_of_ints,
    library=answer,
    library_name="`step_rows` in `lessons_lib.generation.decoding`, for many prompts at once",
)
