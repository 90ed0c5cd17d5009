"""Magpie: a chat model that is given an empty user turn writes the instruction itself. Lesson 13.

It was tuned on chats, so that after the tokens with which a user's turn begins it goes on as users
do. No seed task and no prompt is needed; what it has seen decides what it asks.
"""

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from lessons_lib.data import LocalTokenizer, tokenizer_of
from lessons_lib.self_instruct.funnel import Funnel
from lessons_lib.self_instruct.prompt import DecodingArguments
from lessons_lib.self_instruct.run import keep_asking, writable
from lessons_lib.self_instruct.teachers import Completion, LocalTeacher

# Sampled instructions and the likeliest answers, as the authors' scripts have it.
TURNS = DecodingArguments(temperature=1.0, max_tokens=128, stop=(), logit_bias={})
ANSWERS = DecodingArguments(temperature=0.0, max_tokens=512, stop=(), logit_bias={})


def empty_turn(tokenizer: LocalTokenizer) -> list[int]:
    """The token ids of a chat up to where the user's first words begin.

    A system message is among them where the chat template brings one, as SmolLM2's does.

    Raises:
        ValueError: the tokenizer has no chat template.
    """
    chats = [tokenizer.chat_ids([{"role": "user", "content": text}]) for text in ("a", "Z")]
    return os.path.commonprefix(chats)


def generate_magpie(
    teacher: LocalTeacher,
    *,
    folder: str | Path,
    wanted: int,
    arguments: DecodingArguments = TURNS,
    answer_arguments: DecodingArguments = ANSWERS,
    prompts_per_request: int = 8,
    most_requests: int | None = None,
    seed: int = 123,
    on_request: Callable[[Funnel], object] = lambda funnel: None,
) -> Funnel:
    """Let a chat model write users' turns and answer them until ``wanted`` tasks are kept.

    The turns go through the filters, the comparison and the funnel of ``generate_tasks``, and the
    folder is like its folder: a run goes on in the same way, and ``load_funnel`` reads it. No task
    has an input. Turns that were cut off or are blank are not answered.

    Args:
        arguments: for the turns. At temperature 0 all would be the same.
        answer_arguments: for the answers.
        prompts_per_request: so many turns are written together.
        most_requests: asks no more often, in all; ten times ``wanted`` if None.
        on_request: is called after each request with the funnel so far.

    Raises:
        RunError: the folder holds a run with other options, or a line that is no request of a run.
        ValueError: the model has no chat template, a number is below 1, or ``n`` is not 1.

    Source: Xu et al., "Magpie: Alignment Data Synthesis from Scratch by Prompting Aligned LLMs with
    Nothing", 2024.
    """
    most_requests = 10 * wanted if most_requests is None else most_requests
    if min(wanted, prompts_per_request, most_requests) < 1:
        raise ValueError("wanted, prompts_per_request and most_requests are 1 or more")
    if (arguments.n, answer_arguments.n) != (1, 1):
        raise ValueError("each turn has one answer: leave n at 1, and raise prompts_per_request")
    tokenizer = tokenizer_of(teacher.model)
    if not isinstance(tokenizer, LocalTokenizer):
        raise ValueError(
            "only a chat model with a chat template can begin with a user's turn, such as SmolLM2"
        )
    start = empty_turn(tokenizer)
    decisive = {
        "method": "magpie",
        "teacher": teacher.name,
        "seed": seed,
        "prompts_per_request": prompts_per_request,
        "arguments": asdict(arguments),
        "answer_arguments": asdict(answer_arguments),
        "seeds": [],
    }

    def ask(funnel: Funnel, random: Random) -> dict[str, Any]:
        turn_seed, answer_seed = (int(random.random() * 2**31) for _ in range(2))
        began = time.perf_counter()
        turns = teacher.complete([start] * prompts_per_request, arguments, turn_seed)
        turns = [writable(each) for each in turns]
        answers = _answer(teacher, tokenizer, turns, answer_arguments, answer_seed)
        return {
            "teacher": teacher.name,
            "seed": turn_seed,
            "arguments": asdict(arguments),
            "prompts": [tokenizer.decode(start)] * prompts_per_request,
            "completions": turns,
            "answers": answers,
            "seconds": round(time.perf_counter() - began, 3),
        }

    return keep_asking(ask, folder, decisive, wanted, most_requests, on_request)


def _answer(
    teacher: LocalTeacher,
    tokenizer: LocalTokenizer,
    turns: list[Completion],
    arguments: DecodingArguments,
    seed: int,
) -> list[Completion | None]:
    """The model's answer to each turn; None to those that were cut off or are blank."""
    answers: list[Completion | None] = [None] * len(turns)
    asked = [place for place, turn in enumerate(turns) if turn.stopped and turn.text.strip()]
    chats = [
        tokenizer.chat_ids([{"role": "user", "content": turns[place].text.strip()}])
        for place in asked
    ]
    for place, answer in zip(asked, teacher.complete(chats, arguments, seed), strict=True):
        answers[place] = writable(answer)
    return answers
