"""Which families ask for what only a fact can give, and how far guessing would get."""

from collections import Counter

from lessons_lib.data.world import load_facts
from lessons_lib.data.world.bundled import write_entry
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.data.world.pairs import REWRITES
from lessons_lib.evaluation import key_answer

LARGEST_CHANCE = 0.10


def chance_of(family_name: str) -> float | None:
    """The share of a family's facts with its commonest key answer; None where it has none.

    So often would be right who gives that answer to every question.
    """
    family = FAMILIES[family_name]
    answers = [key_answer(write_entry(family, fact, 0)) for fact in load_facts(family_name)]
    counts = Counter(str(answer) for answer in answers if answer)
    return max(counts.values()) / len(answers) if counts else None


def recalled_families() -> list[str]:
    """The families whose answer neither a rule nor the prompt gives, nor a good guess."""
    return [
        name
        for name, family in FAMILIES.items()
        if name not in REWRITES and not family.by_rule and (chance_of(name) or 0.0) < LARGEST_CHANCE
    ]
