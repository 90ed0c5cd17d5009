"""Exercise: how many tokens of a text belong to its prompt."""

from random import Random

from lessons_lib.batching.dataset import common_prefix_length
from lessons_lib.exercises import Exercise, WrongAnswer


def my_prompt_length(prompt_ids: list[int], text_ids: list[int]) -> int:
    """How many tokens the two rows have in common, from their start on."""
    raise NotImplementedError


def answer(prompt_ids: list[int], text_ids: list[int]) -> int:
    length = 0
    for of_prompt, of_text in zip(prompt_ids, text_ids, strict=False):
        if of_prompt != of_text:
            break
        length += 1
    return length


def length_of_the_prompt(prompt_ids: list[int], text_ids: list[int]) -> int:
    return len(prompt_ids)


def always_one_less(prompt_ids: list[int], text_ids: list[int]) -> int:
    return len(prompt_ids) - 1


def all_equal_places(prompt_ids: list[int], text_ids: list[int]) -> int:
    return sum(one == other for one, other in zip(prompt_ids, text_ids, strict=False))


def after_the_last_equal_place(prompt_ids: list[int], text_ids: list[int]) -> int:
    pairs = enumerate(zip(prompt_ids, text_ids, strict=False), start=1)
    return max((place for place, (one, other) in pairs if one == other), default=0)


def all_that_occur(prompt_ids: list[int], text_ids: list[int]) -> int:
    return sum(token_id in text_ids for token_id in prompt_ids)


def index_of_the_last_common(prompt_ids: list[int], text_ids: list[int]) -> int:
    return answer(prompt_ids, text_ids) - 1


def the_tokens_themselves(prompt_ids: list[int], text_ids: list[int]) -> list[int]:
    return text_ids[: answer(prompt_ids, text_ids)]


def the_response(prompt_ids: list[int], text_ids: list[int]) -> int:
    return len(text_ids) - answer(prompt_ids, text_ids)


def cases() -> list[tuple]:
    return [
        ([1, 2, 3], [1, 2, 3, 4]),
        ([1, 2, 9], [1, 2, 7, 8]),
        ([1, 9, 3], [1, 7, 3, 4]),
        ([9, 3, 1], [7, 1, 3, 9, 4]),
        ([1, 2, 9, 9], [1, 2, 7]),
        ([5, 6], [5, 6]),
        ([4], [8, 4]),
    ]


def draw(source: Random) -> tuple:
    """Two rows of ids with a common start of any length, after which they differ or one ends."""
    common, one, other = (
        [source.randint(first, first + 3) for _ in range(source.randint(0, 6))]
        for first in (0, 10, 20)
    )
    return common + one, common + other + [source.randint(0, 30)]


PROMPT_LENGTH = Exercise(
    name="prompt-length",
    title="How many tokens belong to the prompt?",
    lesson="03",
    minutes=6,
    difficulty=1,
    statement="""
Write `my_prompt_length`. It is given the token ids of the prompt alone and those of the whole text,
and returns how many of the *text's* tokens are the prompt's: as many as the two rows have in common
from their start on, up to the first that differs.

`len(prompt_ids)` is right for most formats. Where the last of the prompt's characters are joined
with the response's first, it counts a token that the model has to write.
""",
    attempt=my_prompt_length,
    answer=answer,
    hints=(
        "Lay the rows above each other, as in `[1, 2, 9]` and `[1, 2, 7, 8]`. Up to which place "
        "do they agree?",
        "Walk along both with `zip`, count, and stop at the first pair that differs. What comes "
        "after it may agree by chance.",
        "A counter from 0; `for one, other in zip(prompt_ids, text_ids)`: if they differ, `break`; "
        "else add 1. Return the counter.",
    ),
    wrong_answers=(
        WrongAnswer(
            length_of_the_prompt,
            "the prompt's own tokens are counted",
            "The last of them may stand nowhere in the text, joined with the response's first. "
            "Mask that many, and a token of the answer is never learned.",
        ),
        WrongAnswer(
            always_one_less,
            "the last token of the prompt is never counted",
            "That is right only where it is joined with the response. Look whether it is.",
        ),
        WrongAnswer(
            all_equal_places,
            "all places are counted at which the two agree",
            "After the first difference the texts have parted; a later agreement is chance. Stop "
            "there.",
        ),
        WrongAnswer(
            after_the_last_equal_place,
            "the last place is taken at which the two agree",
            "After the first difference the texts have parted; what agrees later is chance.",
        ),
        WrongAnswer(
            all_that_occur,
            "tokens are counted that occur anywhere in the text",
            "A comma stands in most texts. Compare place by place.",
        ),
        WrongAnswer(
            index_of_the_last_common,
            "the index of the last common token is returned",
            "Indices count from 0, so the number of tokens is one more.",
        ),
        WrongAnswer(
            the_tokens_themselves,
            "the common tokens are returned instead of their number",
            "The mask needs a length.",
        ),
        WrongAnswer(
            the_response,
            "the other part is counted",
            "This is the length of the response. Count what comes before it.",
        ),
    ),
    cases=cases,
    draw=draw,
    library=common_prefix_length,
    library_name="`common_prefix_length` in `lessons_lib.batching.dataset`",
)
