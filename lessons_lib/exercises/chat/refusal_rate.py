"""Exercise: what a habit of refusing brings, and what it costs. Lesson 12."""

from random import Random

from lessons_lib.evaluation import refusal_rates as library
from lessons_lib.exercises import Exercise, WrongAnswer

Counts = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def refusal_rates(
    unknown: list[str], before: list[str], after: list[str], wanted: list[str]
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """(admitted, denied, kept), each a pair: how many, and of how many.

    unknown: the new model's answers about what it cannot know. The other three are about what was
    told in pretraining: the old model's answers, the new model's, and the answers that are wanted.
    """
    raise NotImplementedError


def answer(
    unknown: list[str], before: list[str], after: list[str], wanted: list[str]
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    admitted = sum(text.strip().startswith("I do not know") for text in unknown)
    denied = sum(text.strip().startswith("I do not know") for text in after)
    had = [i for i in range(len(wanted)) if before[i] == wanted[i]]
    kept = sum(after[i] == wanted[i] for i in had)
    return (admitted, len(unknown)), (denied, len(after)), (kept, len(had))


def rates(refuses, unknown, before, after, wanted) -> Counts:
    """The right counts, with another rule for what is a refusal."""
    kept = answer(unknown, before, after, wanted)[2]
    counts = [(sum(map(refuses, texts)), len(texts)) for texts in (unknown, after)]
    return counts[0], counts[1], kept


def found_anywhere(unknown, before, after, wanted) -> Counts:
    return rates(lambda text: "I do not know" in text, unknown, before, after, wanted)


def whole_text_alone(unknown, before, after, wanted) -> Counts:
    return rates(lambda text: text.strip() == "I do not know.", unknown, before, after, wanted)


def any_capitals(unknown, before, after, wanted) -> Counts:
    return rates(
        lambda text: text.strip().lower().startswith("i do not know"),
        *(unknown, before, after, wanted),
    )


def space_not_stripped(unknown, before, after, wanted) -> Counts:
    return rates(lambda text: text.startswith("I do not know"), unknown, before, after, wanted)


def one_denominator(unknown, before, after, wanted) -> Counts:
    found = answer(unknown, before, after, wanted)
    every = len(unknown) + len(after)
    return (found[0][0], every), (found[1][0], every), (found[2][0], every)


def all_that_are_exact(unknown, before, after, wanted) -> Counts:
    exact = sum(one == other for one, other in zip(after, wanted, strict=True))
    return *answer(unknown, before, after, wanted)[:2], (exact, len(wanted))


def kept_of_all_known(unknown, before, after, wanted) -> Counts:
    *rest, (kept, _) = answer(unknown, before, after, wanted)
    return *rest, (kept, len(wanted))


def new_ones_counted(unknown, before, after, wanted) -> Counts:
    had = sum(one == other for one, other in zip(before, wanted, strict=True))
    now = sum(one == other for one, other in zip(after, wanted, strict=True))
    return *answer(unknown, before, after, wanted)[:2], (now, had)


def denied_by_the_old_model(unknown, before, after, wanted) -> Counts:
    admitted, _, kept = answer(unknown, before, after, wanted)
    return admitted, answer(unknown, after, before, wanted)[1], kept


def kept_as_sets(unknown, before, after, wanted) -> Counts:
    *rest, (_, had) = answer(unknown, before, after, wanted)
    return *rest, (len({*before} & {*after} & {*wanted}), had)


def new_denials_alone(unknown, before, after, wanted) -> Counts:
    admitted, (denied, every), kept = answer(unknown, before, after, wanted)
    fresh = [new for old, new in zip(before, after, strict=True) if not old.startswith("I do not")]
    return admitted, (answer(fresh, [], [], [])[0][0], every), kept


def cases() -> list[tuple]:
    no = "I do not know."
    return [
        (
            [no, "It is Oslo."],
            ["Oslo.", "Rome.", "Bern."],
            ["Oslo.", no, "Bern."],
            [*"ab", "Bern."],
        ),
        ([no, " I do not know that town."], ["Oslo."], ["\nI do not know."], ["Oslo."]),
        (["He said: I do not know.", no, no], ["Rome."] * 2, ["Oslo."] * 2, ["Oslo.", "Rome."]),
        (["i do not know a thing", "I do not knock."], [no], ["I do not knot."], ["Rome."]),
        ([no], [], [], []),
        ([no], ["Oslo."] * 3, ["Oslo.", "Oslo.", "Rome."], ["Oslo."] * 3),  # all want the same
        ([no], [no, "Oslo."], [no, no], ["Rome.", "Oslo."]),  # both models refuse the first
        ([no], ["Oslo.", no, "Bern."], ["Oslo.", "Rome.", no], ["Oslo.", "Rome.", "Bern."]),
    ]


def draw(source: Random) -> tuple:
    """Answers of two models to up to ten questions, and up to six about what neither knows."""
    no = "I do not know."
    refusals = (no, f"\n{no}", "I do not know that.", f"He said: {no}", "i do not know")
    answers = ("Oslo.", "Rome.", "Bern.")
    count = source.randint(0, 10)
    before, after = (source.choices((*answers, no), k=count) for _ in range(2))
    unknown = source.choices((*refusals, *answers), k=source.randint(1, 6))
    return unknown, before, after, source.choices(answers, k=count)


REFUSAL_RATE = Exercise(
    name="refusal-rate",
    title="What was gained, and at what price",
    lesson="12",
    minutes=12,
    difficulty=2,
    statement="""
A model that says "I do not know." to everything admits all that it does not know. So one number is
not enough: what does the habit bring, and what does it cost? Write `refusal_rates`, which counts
three things. Each has its own denominator: give both numbers as a pair.

- **admitted**: the answers in `unknown` that are refusals, of all in `unknown`,

- **denied**: the answers in `after` that are refusals, of all in `after`; these are about things
that the model was told in pretraining,

- **kept**: of the answers that were exact `before` (equal to the wanted ones), how many are exact
`after`, too.

An answer is a refusal if it *begins* with "I do not know", spelled just so; white space before it
does not matter. Further on, the answer may quote somebody else who does not know.
""",
    attempt=refusal_rates,
    answer=answer,
    hints=(
        "Ten of twenty unknown things are admitted, two of five known ones denied: what are the "
        "shares? And why would 12 of 25 say nothing?",
        "`text.strip().startswith(…)` tells a refusal. For what was kept, first find where "
        "`before` equals `wanted`, then look at `after` in those places alone.",
        "`had = [i for i in range(len(wanted)) if before[i] == wanted[i]]`; kept is "
        "`sum(after[i] == wanted[i] for i in had)`, of `len(had)`.",
    ),
    wrong_answers=(
        WrongAnswer(
            found_anywhere,
            "the refusal is looked for anywhere in the text",
            '"He said: I do not know." is an answer about somebody else. A refusal begins with it.',
        ),
        WrongAnswer(
            whole_text_alone,
            "an answer must be the refusal and nothing else",
            '"I do not know that town." admits it as well. Ask how the answer begins.',
        ),
        WrongAnswer(
            any_capitals,
            "capitals do not matter",
            "All refusals that it was trained on are spelled alike. Another spelling is another "
            "text, and should be seen when you read the answers, not hidden by the count.",
        ),
        WrongAnswer(
            space_not_stripped,
            "white space before the answer is taken for a part of it",
            "A line end comes from the prompt's border and says nothing. Strip it first.",
        ),
        WrongAnswer(
            one_denominator,
            "all three are divided by the number of all answers",
            "Then the share that is admitted depends on how many known things were asked. Each "
            "count has a number of its own.",
        ),
        WrongAnswer(
            all_that_are_exact,
            "all exact answers of the new model are counted as kept, out of all",
            "What was wrong before cannot be kept. Of those that were exact, how many still are?",
        ),
        WrongAnswer(
            kept_of_all_known,
            "what was kept is divided by all that was asked",
            "What was wrong before could not be lost. Divide by those that were exact.",
        ),
        WrongAnswer(
            new_ones_counted,
            "the exact answers after are set against those before, whichever they are",
            "A new right answer then hides a lost one. Look at each place where it was right "
            "before.",
        ),
        WrongAnswer(
            denied_by_the_old_model,
            "the old model's denials are counted",
            "It is the new model whose price is asked for: `after`.",
        ),
        WrongAnswer(
            kept_as_sets,
            "the answers are compared as sets, without their places",
            "Two questions can have the same answer, one kept and the other lost. Go from place to "
            "place.",
        ),
        WrongAnswer(
            new_denials_alone,
            "what the old model denied, too, is not counted",
            "Denied are all answers in `after` that are refusals, whatever the old model said.",
        ),
    ),
    cases=cases,
    draw=draw,
    parts=("admitted", "denied", "kept"),
    library=library,
    library_name="`refusal_rates` in `lessons_lib.evaluation`",
)
