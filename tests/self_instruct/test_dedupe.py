"""Near duplicates: the same instructions stay as by rouge-score, whatever is spared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer, _score_lcs
from rouge_score.tokenize import tokenize

from lessons_lib.data.draw import Draw
from lessons_lib.self_instruct import (
    InstructionPool,
    measure_diversity,
    rouge_l_f,
    rouge_words,
)

WORDS = st.lists(st.sampled_from("the cat sat on a mat".split()), max_size=12)
PHRASES = st.lists(WORDS.map(" ".join), max_size=25)


def all_pairs(seeds, new):
    """What Alpaca's loop keeps: (kept, ten most similar, mean) for each new instruction."""
    scorer, pool, found = RougeScorer(["rougeL"]), list(seeds), []
    for text in new:
        similar = [scorer.score(each, text)["rougeL"].fmeasure for each in pool]
        best = sorted(range(len(pool)), key=lambda i: -similar[i])[:10]
        kept = not similar or max(similar) <= 0.7
        mean = sum(similar) / len(similar) if similar else None
        found.append((kept, [(pool[i], similar[i]) for i in best], mean))
        pool += [text] * kept
    return found


@given(st.text())
def test_words_are_rouge_scores_own(text):
    assert rouge_words(text) == tokenize(text, None)


@given(WORDS, WORDS)
def test_f_is_rouge_scores_to_the_last_bit(first, second):
    assert rouge_l_f(first, second) == _score_lcs(first, second).fmeasure
    assert rouge_l_f(second, first) == rouge_l_f(first, second)


@pytest.mark.parametrize(("common", "first", "second"), [(7, 10, 10), (7, 8, 12), (14, 20, 20)])
def test_exactly_at_the_threshold_rouge_scores_rounding_decides(common, first, second):
    shared = [f"w{i}" for i in range(common)]
    texts = [
        " ".join(shared + [f"{side}{i}" for i in range(length - common)])
        for side, length in (("a", first), ("b", second))
    ]
    wanted = [kept for kept, _, _ in all_pairs([], texts)]
    for limit in (0, 5000):
        decisions = InstructionPool(compared_with_all=limit, workers=1).add(texts)
        assert [each.kept for each in decisions] == wanted


@given(PHRASES, PHRASES)
def test_kept_ten_most_similar_and_mean_are_those_of_all_pairs(seeds, new):
    decisions = InstructionPool(seeds, workers=1).add(new)
    wanted = all_pairs(seeds, new)
    assert [each.instruction for each in decisions] == new
    for found, (kept, most_similar, mean) in zip(decisions, wanted, strict=True):
        assert found.kept == kept and list(found.most_similar) == most_similar
        assert found.mean_similarity == (None if mean is None else pytest.approx(mean))


@given(PHRASES, PHRASES, st.integers(0, 30))
def test_above_the_number_the_same_are_kept_and_the_culprits_named(seeds, new, limit):
    decisions = InstructionPool(seeds, compared_with_all=limit, workers=1).add(new)
    pool_size = len(seeds)
    for found, (kept, most_similar, _) in zip(decisions, all_pairs(seeds, new), strict=True):
        assert found.kept == kept
        if pool_size > limit:
            assert found.mean_similarity is None
            assert list(found.most_similar) == [pair for pair in most_similar if pair[1] > 0.7]
        else:
            assert list(found.most_similar) == most_similar
        pool_size += kept


@given(PHRASES, st.lists(st.integers(1, 6)))
def test_in_how_many_batches_they_come_does_not_matter(new, sizes):
    pool, parts, start = InstructionPool(workers=1), [], 0
    for size in [*sizes, len(new)]:
        parts += pool.add(new[start : start + size])
        start += size
    assert parts[: len(new)] == InstructionPool(workers=1).add(new)


def test_many_instructions_from_a_small_vocabulary_and_all_cores():
    draw = Draw(123)
    words = [f"word{i}" for i in range(16)]
    texts = [" ".join(draw.several(words, draw.between(2, 9))) for _ in range(250)]
    texts += [" ".join(draw.shuffled(draw.pick(texts).split())) for _ in range(100)]
    wanted = [kept for kept, _, _ in all_pairs([], texts)]
    assert 40 < wanted.count(False) < 300
    for options in ({"workers": -1}, {"compared_with_all": 40}, {"compared_with_all": 0}):
        pool = InstructionPool(**options)
        assert [each.kept for each in pool.add(texts)] == wanted
        assert pool.instructions == [t for t, kept in zip(texts, wanted, strict=True) if kept]
        assert len(pool) == wanted.count(True)


def test_words_beyond_the_sixty_thousandth_still_differ():
    """Their characters lie where Unicode keeps halves of characters."""
    pool = InstructionPool([" ".join(f"w{i}" for i in range(60_000))], workers=1)
    texts = ["w55300 w55301 w57343 w57344", "w55302 w55303 w57342 w57345", "w55300 w55301 w57343 x"]
    assert [each.kept for each in pool.add(texts)] == [True, True, False]


def test_texts_without_a_latin_word_are_like_nothing_as_rouge_score_has_it():
    decisions = InstructionPool(["Напиши стих", "?!"]).add(["Напиши стих", "?!", ""])
    assert all(each.kept and each.mean_similarity == 0 for each in decisions)


def test_the_order_decides_which_of_two_stays():
    assert [d.kept for d in InstructionPool().add(["Name a bird.", "Name a bird!"])] == [
        True,
        False,
    ]
    (seed_stays,) = InstructionPool(["Name a bird!"]).add(["Name a bird."])
    assert not seed_stays.kept and seed_stays.most_similar == (("Name a bird!", 1.0),)


@pytest.mark.parametrize("threshold", [0, -1, 1.5, float("nan")])
def test_a_threshold_is_above_0_and_1_at_most(threshold):
    with pytest.raises(ValueError, match="threshold must be above 0"):
        InstructionPool(threshold=threshold)


def test_diversity_counts_first_words_and_the_nearest_of_each():
    found = measure_diversity(["Name a sea.", "name a sea now", "Sing!", "…"])
    assert found == (4, 2, pytest.approx(2 * (6 / 7) / 4))
    with pytest.raises(ValueError, match="two or more"):
        measure_diversity(["Name a sea."])
