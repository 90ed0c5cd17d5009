"""Pairs of a right and a wrong answer, written by rules to train and test judges. Lesson 10.

Nobody read and graded these answers. Their labels follow from how they were made: a right one tells
the question's own fact, a wrong one tells something else, and tests hold both against the tables.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from lessons_lib.data import Entry, Splits, split_entries
from lessons_lib.data.draw import Draw
from lessons_lib.data.world import bundled_entries, choosing_entries, facts_of, load_facts
from lessons_lib.data.world.facts import Fact
from lessons_lib.data.world.families import Family
from lessons_lib.data.world.prose import load_family_prose
from lessons_lib.evaluation.judges.labelled_answers import (
    ECHO,
    EMPTY,
    OTHER_QUESTION,
    REWORDED,
    RIGHT,
    WRONG_FACT,
    Kind,
    LabelledAnswer,
    asked_columns,
    echo_of,
)

INSTRUCTION = "Does the answer say the same as the reference? Answer yes or no."
YES, NO = "Yes.", "No."
Part = Literal["training", "validation", "test"]

# Families of which no judgement is trained on: names, words, whole clauses, figures.
UNTRAINED_FAMILIES = (
    *("animal_young", "currencies", "homophones"),
    *("inventors", "jobs", "roman_numerals"),
)
# Of statements with people and places of a story, and of those that hold a rewritten text.
_GAPS = "{person}", "{other}", "{place}", "{weekday}", "{month}", "{before}", "{after}"
# What sort of word or unit is asked for: a wrong fact is of the same sort if the pool has one.
_SORTS = "part", "kind", "target"


class _Shape(NamedTuple):
    """How a pair is written: which answers use other words than the wanted text."""

    good: Kind
    bad: Kind
    bad_reworded: bool = False


# Each is used equally often. Good and bad answers stand in the wanted words, and in others, about
# equally often, so that wording alone says nothing.
_SHAPES = 2 * (
    _Shape(RIGHT, WRONG_FACT),
    _Shape(RIGHT, WRONG_FACT, True),
    _Shape(RIGHT, WRONG_FACT, True),
    _Shape(RIGHT, OTHER_QUESTION),
    _Shape(REWORDED, WRONG_FACT),
    _Shape(REWORDED, WRONG_FACT),
    _Shape(REWORDED, WRONG_FACT, True),
    _Shape(REWORDED, OTHER_QUESTION, True),
    _Shape(REWORDED, OTHER_QUESTION, True),
) + (_Shape(REWORDED, EMPTY), _Shape(REWORDED, ECHO))


def judgement_pairs(part: Part) -> list[LabelledAnswer]:
    """Two answers to each question, good then bad; every call gives the same ones.

    Good: the wanted text (*right*), or the fact in a wording of the prose (*reworded*). Bad: one
    of the two with another fact's answer (*wrong fact*), or a true sentence about another fact of
    the family (*other question*), nothing (*empty*), the question itself (*echo*). Where both are
    reworded, they are one sentence filled in two ways.

    Training and validation ask about facts of the bundled parts of these names, but for families
    in ``UNTRAINED_FAMILIES``; the test asks about the test part's and those of
    ``choosing_entries``. No training tells a fact of the test, and the test has wordings of its
    own.
    """
    draw = Draw(f"judgements for {part}")
    shapes, pairs = draw.endless(_SHAPES), []
    pools = _by_family("training") if part == "validation" else {}
    for family, asked in _by_family(part).items():
        wordings = draw.endless(wordings_of(family, part))
        pool = [fact for _, fact in (*asked, *pools.get(family, ()))]
        for entry, fact in asked:
            pairs += _write_pair(entry, family, fact, pool, next(shapes), next(wordings), draw)
    return pairs


def wordings_of(family: Family, part: Part) -> list[str]:
    """The statements that tell a family's fact in this part: two thirds, or the rest for a test.

    None for families that rewrite their input: another fact's answer is no plausible mistake there.
    """
    told = [
        line
        for line in load_family_prose(family.facts).statements
        if line != family.output and not any(gap in line for gap in _GAPS)
    ]
    return [line for i, line in enumerate(told) if (i % 3 == 2) == (part == "test")]


def judgement_entry(entry: Entry, answer: str, good: bool = True) -> Entry:
    """The question whether this answer is right, as an entry like any other, and what to answer."""
    question = "\n".join(filter(None, (entry["instruction"], entry.get("input", ""))))
    compared = f"Question: {question}\nReference: {entry['output']}\nAnswer: {answer}"
    return {"instruction": INSTRUCTION, "input": compared, "output": YES if good else NO}


def judgement_splits() -> Splits:
    """The entries that train a judge, and those to validate it.

    ``judgement_pairs("test")`` is none of its parts: a judge is tested by how it ranks answers.
    """
    train, validation = (
        [judgement_entry(each.entry, each.answer, each.good) for each in judgement_pairs(part)]
        for part in ("training", "validation")
    )
    return Splits(train, [], validation)


def _by_family(part: Part) -> dict[Family, list[tuple[Entry, Fact]]]:
    """The part's questions with their facts, for families whose facts are told in statements."""
    splits = split_entries(bundled_entries())
    entries = {
        "training": splits.train,
        "validation": splits.validation,
        "test": [*splits.test, *choosing_entries()],
    }[part]
    found: dict[Family, list[tuple[Entry, Fact]]] = {}
    for entry, (family, fact) in zip(entries, facts_of(entries), strict=True):
        trained = part == "test" or family.facts not in UNTRAINED_FAMILIES
        if trained and wordings_of(family, part):
            found.setdefault(family, []).append((entry, fact))
    return {family: found[family] for family in sorted(found, key=lambda each: each.facts)}


def _write_pair(
    entry: Entry,
    family: Family,
    fact: Fact,
    pool: Sequence[Fact],
    shape: _Shape,
    wording: str,
    draw: Draw,
) -> list[LabelledAnswer]:
    good = family.output if shape.good == RIGHT else wording
    bad = wording if shape.bad_reworded else family.output
    written = good.format_map(family.words(fact))
    if shape.bad == EMPTY:
        bad, wrong = "", ""
    elif shape.bad == ECHO:
        bad, wrong = "", echo_of(entry)
    else:
        asked = asked_columns(family, fact)
        others = [each for each in pool if _differ(each, fact, asked)]
        if shape.bad == WRONG_FACT:
            told = [column for column in fact if column not in asked]
            others = [each for each in others if not _could_be_true(family, each, fact, told)]
            same_sort = [each for each in others if not _differ(each, fact, _SORTS)]
            other = draw.pick(same_sort or others)
            other = {column: (fact if column in asked else other)[column] for column in fact}
        else:
            other = draw.pick(others)
        wrong = bad.format_map(family.words(other))
    return [
        LabelledAnswer(entry, written, shape.good, family.facts, good),
        LabelledAnswer(entry, wrong, shape.bad, family.facts, bad),
    ]


def _differ(one: Fact, other: Fact, columns: Sequence[str]) -> bool:
    """Whether two facts of a family differ in any of these columns, as far as it has them."""
    return any(one[column] != other[column] for column in columns if column in one)


def _could_be_true(family: Family, other: Fact, fact: Fact, told: Sequence[str]) -> bool:
    """Whether what the other fact tells may be true of this one, too, or is no answer at all."""
    asked = [column for column in fact if column not in told]
    answers = [each for each in load_facts(family.facts) if not _differ(each, fact, asked)]
    known = {each[column] for each in (fact, *answers) for column in fact}
    return any(other[column] in known for column in told)
