"""Exercise: wrong answers that a score of words calls right. Lesson 10."""

import re
from typing import Any

from lessons_lib.data import Entry
from lessons_lib.evaluation import matches_exactly, names_key_answer
from lessons_lib.exercises import Exercise, WrongAnswer

DENIALS = re.compile(
    r"\b(?:not|no|never|nor|neither|nobody|none|false|wrong|untrue|incorrect|hardly|cannot|or)\b"
    r"|n't\b",
    re.IGNORECASE,
)


def fooling_answer(entry: Entry) -> str:
    """A wrong answer to this entry that the lenient score calls right."""
    raise NotImplementedError


def answer(entry: Entry) -> str:
    return entry["output"] + " That is false"


def the_right_answer(entry: Entry) -> str:
    return entry["output"]


def right_in_other_words(entry: Entry) -> str:
    return f"I think that {entry['output']}"


def denied_in_a_sentence_before(entry: Entry) -> str:
    return f"No. {entry['output']}"


def nothing(entry: Entry) -> str:
    return ""


def for_one_entry_alone(entry: Entry) -> str:
    return "The capital of Norway is not Oslo."


def all_that_was_offered(entry: Entry) -> str:
    return f"{entry['output'].strip('.')}, or one of these: {entry['instruction']}"


def seen(result: Any, arguments: tuple) -> Any:
    """Whether lenient calls it right; exact does, too; and it says more than the right answer."""
    if not isinstance(result, str):
        return result
    (entry,) = arguments
    denied = len(DENIALS.findall(result)) > len(DENIALS.findall(entry["output"]))
    return names_key_answer(entry, result) is True, matches_exactly(entry, result), denied


def cases() -> list[tuple]:
    asked = (
        ("What is the capital of Norway?", "", "The capital of Norway is Oslo."),
        ("Give an antonym of 'sharp'.", "", "An antonym of 'sharp' is 'dull'."),
        ("How much is 7 times 8?", "", "It is 56."),
        ("Is the feeling positive or negative?", "I loved it.", "The feeling is positive."),
    )
    return [(dict(zip(("instruction", "input", "output"), each, strict=True)),) for each in asked]


FOOLING_ANSWER = Exercise(
    name="fooling-answer",
    title="Fool a kind score",
    lesson="10",
    minutes=8,
    difficulty=2,
    statement="""
Whoever forgives can be fooled. The lenient score, `names_key_answer(entry, answer)`, reads the
answer's first sentence and looks for the key answer in it. Write `fooling_answer`, which returns an
answer that the lenient score calls right although it is wrong. It is given any entry, with its
output, and must do for all of them.

Two ways to be wrong are accepted: the answer denies the key answer, or it offers a second one and
does not choose. (The check is a simple reader itself. It takes words such as *not*, *never*,
*false* and *wrong* for a denial, and *or* for a second answer.) What does the lenient score never
look at?
""",
    attempt=fooling_answer,
    answer=answer,
    hints=(
        "The lenient score wants a word, and does not ask what is said about it. What can be said "
        "about a word?",
        "The key answer must stand in the first sentence; the easiest way to have it there is to "
        "take the whole output. Then turn its meaning around, before it or after it.",
        '`"It is not true that " + entry["output"]` is one of many. Take care with a denial in '
        "a sentence of its own *before* the output: it would then be the first sentence.",
    ),
    wrong_answers=(
        WrongAnswer(
            the_right_answer,
            "the output itself is returned",
            "All scores call it right, and so it is. Say something about it that is wrong.",
        ),
        WrongAnswer(
            right_in_other_words,
            "the right answer is put in other words",
            "Here the lenient score is right to forgive. Turn the meaning around, not the wording.",
        ),
        WrongAnswer(
            denied_in_a_sentence_before,
            "the first sentence does not name the key answer",
            "The lenient score reads the first sentence and stops there, at “No.” or wherever "
            "yours ends. So this answer is called wrong, and it is.",
        ),
        WrongAnswer(
            nothing,
            "an empty answer is given",
            "Nobody is fooled: no key answer is named.",
        ),
        WrongAnswer(
            for_one_entry_alone,
            "the answer is written for one entry",
            'Build it from `entry["output"]`, so that it names each entry\'s own key answer.',
        ),
        WrongAnswer(
            all_that_was_offered,
            "the answer repeats the choices that the instruction offers",
            "The lenient score knows this trick: where an instruction offers choices, none but the "
            "right one may be named.",
        ),
    ),
    cases=cases,
    parts=("called right by lenient", "called right by exact", "denies it or names two"),
    imports="from lessons_lib.data import Entry\n",
    observed=seen,
)
