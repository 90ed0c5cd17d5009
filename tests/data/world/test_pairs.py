"""Fresh pairs of the rewriting families: right, and never an entry's own."""

import itertools

import pytest

from lessons_lib.data.draw import Draw
from lessons_lib.data.world.bundled import all_entries
from lessons_lib.data.world.pairs import REWRITES, fresh_pairs


def some_pairs(family, count=400, seed=1):
    return list(itertools.islice(fresh_pairs(family, Draw(seed)), count))


@pytest.mark.parametrize("family", REWRITES)
def test_no_half_is_an_entrys(family):
    texts = {entry[part] for entry in all_entries(family) for part in ("input", "output")}
    if family == "sentiments":
        texts = {entry["input"] for entry in all_entries(family)}
    assert not texts & {before for before, _ in some_pairs(family)}
    if family != "sentiments":
        assert not texts & {after for _, after in some_pairs(family)}


@pytest.mark.parametrize("family", REWRITES)
def test_pairs_vary_and_change_something(family):
    pairs = some_pairs(family)
    assert len(set(pairs)) > 150
    assert all(before != after for before, after in pairs)


@pytest.mark.parametrize("family", REWRITES)
def test_the_same_seed_gives_the_same_pairs(family):
    assert some_pairs(family, 50, seed=3) == some_pairs(family, 50, seed=3)
    assert some_pairs(family, 50, seed=3) != some_pairs(family, 50, seed=4)


def test_sorted_words_are_the_same_words_in_order():
    for before, after in some_pairs("sort_words"):
        words = before.split(", ")
        assert after.split(", ") == sorted(words) != words and len(set(words)) == len(words)


def test_questions_hold_the_statements_words():
    for before, after in some_pairs("statements_to_questions"):
        assert before.endswith(".") and after.endswith("?")
        assert sorted(before[:-1].lower().split()) == sorted(after[:-1].lower().split())


def test_the_negative_adds_a_not():
    for before, after in some_pairs("negations"):
        assert after.replace("cannot", "can not").replace(" not ", " ", 1) == before


def test_the_passive_names_who_acted_last():
    for active, passive in some_pairs("passive_voice"):
        agent = passive[:-1].split(" by ")[-1]
        assert active.lower().startswith(agent.lower())
    first_ten = some_pairs("active_voice", 10)
    assert all(" by " in before and " by " not in after for before, after in first_ten)
