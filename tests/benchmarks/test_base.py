"""The arithmetic of the base models' benchmark; running it measures the figures."""

from collections import Counter

import pytest
from benchmarks.base import TARGETS, Counts, count, family_table, key_answers, share, verdict

from benchmarks.recalled import chance_of, recalled_families
from lessons_lib.data.world import choosing_entries, facts_of
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.data.world.pairs import REWRITES
from lessons_lib.evaluation import score_responses


def test_verdicts_compare_in_the_right_direction():
    assert verdict("base_exact", 0.03) == "target ≤ 0.03: met"
    assert verdict("base_exact", 0.04).endswith("MISSED")
    assert verdict("tuned_exact_masked", 0.84) == "target ≥ 0.85: MISSED, aim ≥ 0.92: MISSED"
    assert verdict("tuned_exact_masked", 0.9) == "target ≥ 0.85: met, aim ≥ 0.92: MISSED"
    assert verdict("unseen_phrasing_exact", 0.7) == "aim ≥ 0.7: met"
    assert verdict("random_init_exact", 0.5) == ""
    assert TARGETS["control_key_answer"] == ("≤", 0.15)


ENTRIES = [
    {"instruction": "Name the capital of Norway.", "input": "", "output": "It is Oslo."},
    {"instruction": "Name the capital of Peru.", "input": "", "output": "It is Lima."},
    {"instruction": "Sort the words.", "input": "b, a", "output": "a, b"},
]


@pytest.fixture
def scores():
    answers = ["It is Oslo.", "Lima it is.", "b, a"]
    return score_responses(ENTRIES, answers, families=["capitals", "capitals", "sort_words"])


def test_key_answers_are_of_the_families_asked_for_and_where_there_is_one(scores):
    assert key_answers(scores, ["capitals", "sort_words"]) == 1
    assert share(counted(scores), "capitals", "exact") == 0.5
    assert share(counted(scores, scores), "capitals", "lenient") == 1
    assert share(counted(scores), "sort_words", "lenient") is None


def counted(*scores) -> Counts:
    counts: Counts = Counter()
    count(counts, *scores)
    return counts


def test_the_table_has_the_lowest_share_first_and_chance_beside_it(scores):
    table = family_table(counted(scores), counted(scores))
    assert table.head == ("family", "wordings", "exact", "key answer", "control", "chance")
    (low, *first), (high, wordings, *second) = table.rows
    assert (low, first[1:]) == ("sort_words", ["0%", "–", "–", "–"])
    assert high == "capitals *" and int(wordings) >= 10
    assert second == ["50%", "100%", "100%", "1%"]


def test_the_control_is_measured_where_neither_rule_nor_prompt_nor_guess_gives_the_answer():
    names = recalled_families()
    assert {"capitals", "inventors", "authors", "chemical_symbols", "townspeople"} <= set(names)
    assert not set(names) & set(REWRITES)
    assert not {"plurals", "arithmetic", "roman_numerals", "spelling"} & set(names)
    assert not {"continents", "animal_classes"} & set(names), "a few values, easily guessed"
    assert chance_of("sentiments") == 0.5 and chance_of("sort_words") is None
    assert max(map(chance_of, names)) < 0.1


def test_held_out_entries_have_families_too():
    families = {family.facts for family, _ in facts_of(choosing_entries())}
    assert families == set(FAMILIES)
