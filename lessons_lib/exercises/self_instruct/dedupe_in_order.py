"""Exercise: keep an instruction unless it is too like one that was kept. Lesson 13."""

from collections.abc import Iterator, Sequence
from random import Random

from lessons_lib.data import load_entries
from lessons_lib.exercises import Exercise, FullRun, WrongAnswer
from lessons_lib.self_instruct.dedupe import InstructionPool, rouge_l_f, rouge_words


def my_dedupe(instructions: Sequence[str], threshold: float) -> list[str]:
    """The instructions whose ROUGE-L F with each one kept before is the threshold at most."""
    raise NotImplementedError


def answer(instructions: Sequence[str], threshold: float) -> list[str]:
    kept = []
    for instruction in instructions:
        words = rouge_words(instruction)
        if all(rouge_l_f(words, rouge_words(earlier)) <= threshold for earlier in kept):
            kept.append(instruction)
    return kept


def course_own(instructions: Sequence[str], threshold: float) -> list[str]:
    """What the course's pool keeps, beginning with none."""
    pool = InstructionPool(threshold=threshold, workers=1)
    pool.add(instructions)
    return pool.instructions


def similarity(one: str, other: str) -> float:
    return rouge_l_f(rouge_words(one), rouge_words(other))


def with_refused_ones_too(instructions: Sequence[str], threshold: float) -> list[str]:
    return [
        one
        for place, one in enumerate(instructions)
        if all(similarity(one, other) <= threshold for other in instructions[:place])
    ]


def with_the_last_kept_alone(instructions: Sequence[str], threshold: float) -> list[str]:
    kept: list[str] = []
    for instruction in instructions:
        if not kept or similarity(instruction, kept[-1]) <= threshold:
            kept.append(instruction)
    return kept


def with_the_one_before_alone(instructions: Sequence[str], threshold: float) -> list[str]:
    return [
        one
        for place, one in enumerate(instructions)
        if place == 0 or similarity(one, instructions[place - 1]) <= threshold
    ]


def equal_to_the_threshold_refused(instructions: Sequence[str], threshold: float) -> list[str]:
    kept: list[str] = []
    for instruction in instructions:
        if all(similarity(instruction, other) < threshold for other in kept):
            kept.append(instruction)
    return kept


def both_removed(instructions: Sequence[str], threshold: float) -> list[str]:
    return [
        one
        for place, one in enumerate(instructions)
        if all(
            similarity(one, other) <= threshold
            for at, other in enumerate(instructions)
            if at != place
        )
    ]


def last_of_them_kept(instructions: Sequence[str], threshold: float) -> list[str]:
    return answer(instructions[::-1], threshold)[::-1]


def order_lost(instructions: Sequence[str], threshold: float) -> list[str]:
    return sorted(answer(instructions, threshold))


def the_longest_first(instructions: Sequence[str], threshold: float) -> list[str]:
    return answer(sorted(instructions, key=len, reverse=True), threshold)


def equal_texts_alone(instructions: Sequence[str], threshold: float) -> list[str]:
    return list(dict.fromkeys(instructions))


def cases() -> list[tuple]:
    red, both, blue = "Name a red bird.", "Name a red blue bird.", "Name a blue bird."
    return [
        ([red, "Add 3 and 4.", red], 0.7),
        (["Sing of rain.", "Add 3 and 4."], 0.7),
        ([both, "Add 3 and 4.", blue, red], 0.8),
        # each is like the one before, the first and the third are not: 8/9, 8/9, 3/4
        ([red, both, blue], 0.8),
        (["Sing loud.", "Sing low."], 0.5),  # just the threshold
        (["Sing loud.", "Add two.", "sing LOUD", "Go on."], 0.4),
        (["Name it.", "Name it.", "Name a sea."], 0.7),
        ([], 0.7),
    ]


def draw(source: Random) -> tuple:
    """Up to twelve short instructions, many of them alike."""
    words = ["name", "a", "red", "blue", "Bird.", "sea"]
    counts = [source.randint(2, 5) for _ in range(source.randint(0, 12))]
    instructions = [" ".join(source.choices(words, k=count)) for count in counts]
    return instructions, source.choice((0.7, 0.45))


def first_entries() -> list[str]:
    return [entry["instruction"] for entry in load_entries("chosen")[:200]]


def chosen_entries() -> Iterator[tuple[str, tuple]]:
    for threshold in (0.7, 0.5):
        yield (
            f"your entries' instructions and the threshold {threshold}",
            (
                first_entries(),
                threshold,
            ),
        )


DEDUPE_IN_ORDER = Exercise(
    name="dedupe-in-order",
    title="Too like an earlier one",
    lesson="13",
    minutes=12,
    difficulty=2,
    statement="""
A teacher repeats itself. Alpaca kept a new instruction only if its ROUGE-L F with every instruction
kept so far was at most 0.7. The order matters: what was refused is gone, and must not stand in the
way of what comes after it.

Write `my_dedupe`, which goes through the instructions in their order and returns those that are
kept, in that order. One is too like another if their F is *above* the threshold.
`rouge_words(text)` gives a text's words, and `rouge_l_f(words, other_words)` the F of two texts.
""",
    attempt=my_dedupe,
    answer=answer,
    hints=(
        "Which list must each instruction be compared with: that of all instructions, or one that "
        "grows while you go on?",
        "Begin with an empty list of those kept. For each instruction ask whether *all* F with the "
        "members of that list are low enough; if so, append it. What does `all` say of no members?",
        "`if all(rouge_l_f(words, rouge_words(earlier)) <= threshold for earlier in kept):` and "
        "then `kept.append(instruction)`; `words` are those of the instruction in hand.",
    ),
    wrong_answers=(
        WrongAnswer(
            with_refused_ones_too,
            "each instruction is compared with all before it, refused ones included",
            "Then something that is gone still stands in the way: a chain of texts, each a little "
            "like the one before, is refused as a whole. Compare with those kept.",
        ),
        WrongAnswer(
            with_the_last_kept_alone,
            "each instruction is compared with the last one kept alone",
            "A repetition may come after a hundred others. Compare with every one kept.",
        ),
        WrongAnswer(
            with_the_one_before_alone,
            "each instruction is compared with its neighbour alone",
            "A repetition may come after a hundred others, and the neighbour may have been "
            "refused. Compare with every one kept.",
        ),
        WrongAnswer(
            equal_to_the_threshold_refused,
            "an F equal to the threshold is too high",
            "Too like is *above* the threshold. With short texts, fractions such as 1/2 or 7/10 "
            "are common, and the sets differ.",
        ),
        WrongAnswer(
            both_removed,
            "two that are alike are both removed",
            "One of them says something new: the first. Compare with those before it, not with "
            "those to come.",
        ),
        WrongAnswer(
            last_of_them_kept,
            "the last of those that are alike is kept",
            "While data are being generated, nobody knows what is to come. The first one stays.",
        ),
        WrongAnswer(
            order_lost,
            "the right ones are kept, in the order of the alphabet",
            "A training run shuffles by its own seed, from the order in the file; and to go on "
            "with a run that was cut off, the order must be the same.",
        ),
        WrongAnswer(
            the_longest_first,
            "the longest instructions come first",
            "Another order keeps another set. Go through them as they come.",
        ),
        WrongAnswer(
            equal_texts_alone,
            "only equal texts are found",
            "“Name a red bird.” and “Name a red blue bird.” are different texts and nearly the "
            "same task. That is what ROUGE-L is for.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="from collections.abc import Sequence\n\n"
    "from lessons_lib.self_instruct.dedupe import rouge_l_f, rouge_words\n",
    library=course_own,
    library_name="`InstructionPool` in `lessons_lib.self_instruct.dedupe`",
    full_run=FullRun(chosen_entries, lambda: "the first 200 of your entries"),
)
