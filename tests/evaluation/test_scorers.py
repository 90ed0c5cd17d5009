"""Scorers that need no model, the table of all scores, and two models compared."""

import csv
import math

import pytest
from rouge_score.tokenizers import DefaultTokenizer

from lessons_lib.data import DatasetError
from lessons_lib.evaluation import (
    ROUGE_L,
    STATISTICAL,
    RankAverage,
    Scorer,
    compare,
    score_answers,
    write_csv,
    write_report,
)
from lessons_lib.evaluation.comparison import mcnemar, paired_difference
from lessons_lib.evaluation.intervals import wilson_interval
from lessons_lib.evaluation.scorers import (
    CHRF,
    DISTINCT,
    EXACT,
    LENGTH_RATIO,
    NORMALISED,
    RuleScorer,
    ScriptTokenizer,
    normalise,
)
from tests.helpers.hostile import HOSTILE

NORWAY = {"instruction": "Capital of Norway?", "input": "", "output": "The capital is Oslo."}
PERU = {"instruction": "Capital of Peru?", "input": "", "output": "The capital is Lima."}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The capital is Oslo.", "capital is oslo"),
        ("  a  CAPITAL, is “Oslo”! ", "capital is oslo"),
        ("3.5 is not 35", "3.5 is not 35"),
        ("1,000.", "1,000"),
        ("It is −5.", "it is -5"),
        ("theme another", "theme another"),
        ("Straße É É", "strasse é é"),
        ("हिन्दी की।", "हिन्दी की"),
        ("5 > 3", "5 > 3"),
        ("**C++**!", "c++"),
        ("👍", "👍"),
        ("I ❤\ufe0f it", "i ❤ it"),
        ("A", "a"),
        (" ... ", "..."),
        ("", ""),
    ],
)
def test_what_hardly_matters_is_taken_off(text, expected):
    assert normalise(text) == expected


def test_normalised_forgives_form_and_nothing_else():
    answers = ["the capital is OSLO", "The capital is Oslo.", "The capital is Lima."]
    assert NORMALISED.score([NORWAY] * 3, answers) == [1, 1, 0]
    assert EXACT.score([NORWAY] * 3, answers) == [0, 1, 0]


def test_chrf_is_what_its_definition_gives():
    # "ab" against "abc": runs of one, 2 of 2 and 2 of 3; of two, 1 of 1 and 1 of 2; of three, none
    # of an answer so short, which is left out. Precision 1, recall (2/3 + 1/2) / 2 = 7/12.
    recall = 7 / 12
    assert CHRF.score([{"output": "abc"}], ["ab"])[0] == pytest.approx(5 * recall / (4 + recall))
    assert CHRF.score([{"output": "Oslo"}] * 3, ["Oslo", "xyz", ""]) == [1, 0, 0]


@pytest.mark.parametrize(
    "text",
    [
        "東京です。",
        "שלום עולם",
        "Привет, мир",
        "ภาษาไทย",
        "हिन्दी की",
        "٢٩ كتاب",
        "한국어",
        "Está añadido.",
    ],
)
def test_rouge_scores_every_script_that_has_words(text):
    other = {"output": "Нет."}
    assert ROUGE_L.score([{"output": text}] * 2 + [other], [text, "", text]) == [1, 0, 0]
    part = {"output": "Oslo — столица"}
    assert ROUGE_L.score([part], ["столица"]) == [pytest.approx(2 / 3)]


def test_rouge_takes_chinese_by_characters_and_either_spelling_of_a_letter():
    assert ScriptTokenizer().tokenize("日本の HiFi-ガ") == ["日", "本", "の", "hifi", "ガ"]
    assert ROUGE_L.score([{"output": "東京です"}], ["東京"]) == [pytest.approx(2 / 3)]
    assert ROUGE_L.score([{"output": "й ガ 한"}], ["и\u0306 カ\u3099 한"]) == [1]


@pytest.mark.parametrize(
    "text", ["Está añadido, ÉCOLE!", "5 µm² ≈ 1,000.50 ª", "İstanbul_x ʼn ﬁn", "It's A-1.", ""]
)
def test_rouges_words_in_latin_script_are_rouge_scores_own(text):
    assert ScriptTokenizer().tokenize(text) == DefaultTokenizer().tokenize(text)


@pytest.mark.parametrize("output", ["🦋", ">", "...", "É", "²"])
def test_where_the_output_has_no_word_there_is_no_rouge(output):
    assert ROUGE_L.score([{"output": output}] * 2, [output, "a b"]) == [None, None]
    assert CHRF.score([{"output": " "}], [""]) == [None]


def test_a_table_says_how_many_answers_a_mean_leaves_out(tmp_path):
    entries = [{**NORWAY, "output": output} for output in ("🦋", "The capital is Oslo.", "Oslo")]
    table = score_answers(
        entries, ["🦋", "The Oslo", "Oslo"], [ROUGE_L, CHRF], families=list("abb")
    )
    assert table.mean("ROUGE-L").count == 2 and table.mean("ROUGE-L").value == pytest.approx(5 / 6)
    everything, butterflies, others = table.table().rows
    assert everything[2].endswith(", 1 left out") and "left out" not in everything[3]
    assert (butterflies[2], "left out" in others[2]) == ("–", False)
    assert "1 left out" in table._repr_html_()
    write_csv(tmp_path / "scores.csv", table)
    (first, *_) = csv.DictReader((tmp_path / "scores.csv").read_text("utf-8").splitlines())
    assert first["ROUGE-L"] == "" and first["chrF"] == "1"
    write_report(tmp_path / "report.html", table)
    assert "1 left out" in (tmp_path / "report.html").read_text("utf-8")


def test_length_ratio_and_distinct_answers():
    assert LENGTH_RATIO.score([NORWAY] * 3, ["Oslo", "", "The capital is Oslo."]) == [0.25, 0, 1]
    assert DISTINCT.score([NORWAY, PERU, PERU], ["Oslo.", "oslo", "Lima"]) == [1, 0, 1]


@pytest.mark.parametrize("scorer", STATISTICAL, ids=lambda scorer: scorer.name)
def test_every_scorer_takes_any_text(scorer):
    assert isinstance(scorer, Scorer)
    answers = ["", "\x00", "🦋 日本 \u202e", "<b>", "a" * 10_000]
    scores = scorer.score([*HOSTILE, *HOSTILE], [e["output"] for e in HOSTILE] + answers)
    assert all(score is None or math.isfinite(score) for score in scores)
    assert scorer.score([], []) == []
    with pytest.raises(ValueError, match="1 entries and 2 answers"):
        scorer.score([NORWAY], ["a", "b"])
    with pytest.raises(TypeError, match="list of texts"):
        scorer.score([NORWAY], "a")


def test_two_scorers_as_one():
    both = RankAverage((ROUGE_L, CHRF))
    assert both.name == "combined"
    scores = both.score([NORWAY] * 3, ["The capital is Oslo.", "Oslo", ""])
    assert scores == [1.0, 0.5, 0.0]


# ---------------------------------------------------------------- the table


def constant(name, values):
    return RuleScorer(name, lambda entries, answers: values)


def test_a_share_has_wilsons_interval_and_a_mean_the_bootstraps():
    def mean(*values):
        scorer = constant("made", list(values))
        return score_answers([NORWAY] * len(values), ["x"] * len(values), [scorer]).mean("made")

    assert mean(1, 0, None, 1, 1) == wilson_interval(3, 4)
    found = mean(0.1, 0.2, 0.3, 0.4, 0.5, None)
    assert found.value == pytest.approx(0.3) and 0.1 <= found.low < 0.3 < found.high <= 0.5
    assert found.count == 5
    assert mean(0.1, 0.2).low is None, "two values say nothing about a spread"
    assert mean(None) == (None, None, None, 0)
    assert mean(*[0.3] * 9) == (pytest.approx(0.3), None, None, 9), "no spread"


def test_one_family_of_ones_does_not_make_a_score_a_share():
    table = score_answers(
        [NORWAY] * 4, list("abcd"), [constant("ratio", [1, 1, 1, 2.5])], families=list("nnns")
    )
    assert str(table.mean("ratio", "n")) == "1.00"
    right = score_answers([NORWAY] * 2, ["a", "b"], [EXACT], families=["n", "s"])
    assert right.mean("exact", "n") == wilson_interval(0, 1)


def test_a_score_that_depends_on_other_answers_has_no_interval():
    answers = ["a", "a", "b", "c", "a", "d"]
    table = score_answers([NORWAY] * 6, answers, [EXACT, DISTINCT, RankAverage((EXACT, CHRF))])
    assert table.mean("distinct") == (pytest.approx(4 / 6), None, None, 6)
    assert table.mean("combined").low is None
    assert list(table.marks) == ["exact"], "a share with Wilson's interval is of separate answers"
    with pytest.raises(KeyError, match="no mark 'distinct'"):
        table.share("distinct")
    other = score_answers([NORWAY] * 6, list("abcdee"), [DISTINCT])
    difference = compare(table, other).differences["distinct"].difference
    assert difference == (pytest.approx(1 / 6), None, None, 6)


def test_two_scorers_are_compared_on_the_answers_that_both_can_score():
    values = [1, None, 0, 1]
    table = score_answers(
        [NORWAY] * 4,
        ["The capital is Oslo.", "b", "c", "d"],
        [EXACT, constant("other", values)],
        stopped=[True] * 4,
        families=list("nnss"),
    )
    same = table.on_the_same("exact", "other")
    assert same.scores == {"exact": [1, 0, 0], "other": [1, 0, 1], "stopped": [1, 1, 1]}
    assert same.share("exact") == (1, 3) and same.share("other") == (2, 3)
    assert same.answers == ["The capital is Oslo.", "c", "d"] and same.families == list("nss")
    assert same.descriptive == table.descriptive and len(same.entries) == 3
    assert score_answers([NORWAY], ["a"], [EXACT]).on_the_same("exact").families is None
    with pytest.raises(KeyError, match="no score 'nobody'"):
        table.on_the_same("exact", "nobody")
    silent = score_answers([NORWAY], ["a"], [EXACT, constant("silent", [None])])
    with pytest.raises(ValueError, match="no answer has a score by each of exact, silent"):
        silent.on_the_same("exact", "silent")


def test_scores_by_family_and_overall():
    values = [0.5, None, 1.0]
    table = score_answers(
        [NORWAY, PERU, PERU],
        ["The capital is Oslo.", None, "Lima"],
        [EXACT, constant("other", values)],
        stopped=[True, None, False],
        families=["north", "south", "south"],
    )
    assert table.scores == {"exact": [1, 0, 0], "other": values, "stopped": [1, None, 0]}
    assert table.mean("exact").value == pytest.approx(1 / 3)
    assert table.mean("exact", "south") == wilson_interval(0, 2)
    assert table.mean("other", "south") == (1.0, None, None, 1)
    head, (everything, north, south) = table.table().head, table.table().rows
    assert head == ("family", "entries", "exact", "other", "stopped")
    assert everything[:2] == ("all entries", "3") and north[:2] == ("north", "1")
    assert south[0] == "south" and "all entries" in str(table) and "<table" in table._repr_html_()


def test_answers_on_which_scorers_disagree_stand_out():
    lists = {"one": [0, 1, 2], "two": [5, 4, 6], "none": [None] * 3}
    scorers = [constant(name, values) for name, values in lists.items()]
    table = score_answers([NORWAY] * 3, ["a", "b", "c"], scorers)
    assert table.disagreement() == [0.5, 0.5, 0.0]


def test_what_only_describes_an_answer_takes_no_part_in_disagreement():
    good, bad = "The capital is Oslo.", "x y z " * 9
    table = score_answers([NORWAY] * 3, [good, bad, bad], STATISTICAL, stopped=[True, False, True])
    assert table.ordering == ["exact", "normalised", "lenient", "ROUGE-L", "chrF"]
    assert table.descriptive == {"length ratio", "distinct", "stopped"}
    assert table.disagreement() == [0, 0, 0], "all five place the right answer highest"
    ratios = score_answers([NORWAY] * 2, [good, bad], [LENGTH_RATIO, DISTINCT])
    assert ratios.disagreement() == [None, None]


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(ValueError, match="a name of its own"):
        score_answers([NORWAY], ["a"], [EXACT, EXACT])
    with pytest.raises(ValueError, match="answers must have one value"):
        score_answers([NORWAY], [])
    with pytest.raises(DatasetError):
        score_answers([{"instruction": "a"}], ["b"])


@pytest.mark.parametrize(
    ("entries", "answers", "error", "says"),
    [
        ([NORWAY, PERU], ["a", None], TypeError, "answer 1 is None"),
        ([NORWAY, PERU], [2, "a"], TypeError, "answer 0 is an object of type int"),
        ([NORWAY], "2", TypeError, "list of texts"),
        ([NORWAY, {"instruction": "a"}], ["a", "b"], DatasetError, "row 1, field 'output'"),
        (["Oslo"], ["a"], DatasetError, "row 0: is an object of type str"),
    ],
)
@pytest.mark.parametrize("scorer", STATISTICAL, ids=lambda scorer: scorer.name)
def test_a_faulty_entry_or_answer_is_named(scorer, entries, answers, error, says):
    with pytest.raises(error, match=says):
        scorer.score(entries, answers)


@pytest.mark.parametrize(
    ("found", "error", "says"),
    [
        ([1.0], ValueError, "'faulty' returned 1 scores for 2 answers"),
        ([1.0, float("nan")], ValueError, "nan for answer 1"),
        ([float("inf"), 1.0], ValueError, "inf for answer 0"),
        ([0.5, "good"], TypeError, "'good' for answer 1; a score is a number"),
        (None, TypeError, "returned None, not a list"),
        ("12", TypeError, "returned an object of type str, not a list"),
    ],
)
def test_what_a_scorer_returns_is_checked(found, error, says):
    class Faulty(Scorer):
        name = "faulty"

        def score(self, entries, answers):
            return found

    for call in (score_answers, RankAverage((Faulty(),)).score):
        with pytest.raises(error, match=says):
            call([NORWAY, PERU], ["a", "b"], *([[Faulty()]] if call is score_answers else []))


def test_a_scorer_of_ones_own_inherits_and_may_say_that_it_only_describes():
    class Length(Scorer):
        name = "length"

        def score(self, entries, answers):
            return [len(answer) for answer in answers]

    class Described(Length):
        name, orders_quality = "described", False

    table = score_answers([NORWAY], ["Oslo"], [Length(), Described()])
    assert table.scores == {"length": [4], "described": [4]} and table.ordering == ["length"]

    class Stranger:
        name, score = "stranger", Length.score

    with pytest.raises(TypeError, match="inherits from lessons_lib.evaluation.Scorer"):
        score_answers([NORWAY], ["Oslo"], [Stranger()])


@pytest.mark.parametrize(
    ("scorers", "error", "says"),
    [
        (["rouge"], TypeError, "'rouge' is no scorer but an object of type str"),
        ("rouge", TypeError, "into \\[ \\]"),
        (EXACT, TypeError, "into \\[ \\]"),
        ([RankAverage], TypeError, "RankAverage is a class"),
        ([lambda entries, answers: [1]], TypeError, "is no scorer but an object of type function"),
        ([], ValueError, "no scorers"),
    ],
)
def test_what_is_no_scorer_is_refused(scorers, error, says):
    with pytest.raises(error, match=says):
        score_answers([NORWAY], ["a"], scorers)


def test_a_misspelt_name_is_answered_with_those_there_are():
    table = score_answers([NORWAY], ["a"], [EXACT, CHRF], families=["north"])
    with pytest.raises(KeyError, match="no score 'rouge'; there are exact, chrF"):
        table.mean("rouge")
    with pytest.raises(KeyError, match="no family 'nort'; there are north"):
        table.mean("exact", "nort")
    with pytest.raises(KeyError, match="there are none"):
        score_answers([NORWAY], ["a"]).share("exact", "north")
    with pytest.raises(KeyError, match="no score 'rouge' of both; there are exact, chrF"):
        compare(table, table).differing("rouge")


# ---------------------------------------------------------------- two models


@pytest.mark.parametrize(
    ("only_first", "only_second", "expected"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (0, 5, 2 / 32),
        (1, 5, 2 * (1 + 6) / 64),
        (10, 2, 2 * (1 + 12 + 66) / 4096),
    ],
)
def test_mcnemars_exact_p_value(only_first, only_second, expected):
    assert mcnemar(only_first, only_second) == pytest.approx(expected)
    assert mcnemar(only_second, only_first) == mcnemar(only_first, only_second)


def test_mcnemar_of_negative_counts_is_refused():
    with pytest.raises(ValueError, match="0 or more"):
        mcnemar(-1, 2)


def test_differences_are_taken_entry_by_entry():
    found = paired_difference([0, 0, 1, 1, None], [1, 1, 1, 0, 1])
    assert found[:2] == (0.5, 0.75) and (found.difference.value, found.difference.count) == (
        0.25,
        4,
    )
    assert found.p_value == mcnemar(1, 2)
    assert paired_difference([0.5], [1]).p_value is None, "only right and wrong are counted"
    assert paired_difference([None], [1]) is None
    assert paired_difference([0] * 5, [1] * 5, test=False).p_value is None
    with pytest.raises(ValueError, match="2 first scores and 1 second"):
        paired_difference([1, 0], [1])


def test_a_few_pairs_do_not_pretend_to_be_sure():
    found = paired_difference([0, 0], [1, 1])
    assert found.difference.low is None and str(found) == "+1.00, p = 0.5"
    assert str(paired_difference([0.5] * 4, [1] * 4)) == "+0.50"
    assert paired_difference([0] * 5, [1, 1, 1, 1, 0]).difference.low is not None


def test_an_equal_gain_everywhere_says_nothing_about_its_spread():
    assert str(paired_difference([0] * 5, [1] * 5)) == "+1.00, p = 0.062"
    tenths = [place / 10 for place in range(1, 7)]
    assert str(paired_difference(tenths, [score + 1 for score in tenths])) == "+1.00"


def test_the_entries_on_which_two_models_differ_come_first():
    entries = [NORWAY, PERU, NORWAY]
    scorer = [EXACT, constant("other", [0.5, 0.5, 0.5])]
    first = score_answers(entries, ["The capital is Oslo.", "Lima", "x"], scorer)
    second = score_answers(entries, ["The capital is Oslo.", "The capital is Lima.", "y"], scorer)
    found = compare(first, second, ("before", "after"))
    assert found.differing("exact").rows == (
        (
            "Capital of Peru?",
            "The capital is Lima.",
            "Lima  [0.00]",
            "The capital is Lima.  [1.00]",
        ),
    )
    assert found.differences["exact"].difference.value == pytest.approx(1 / 3)
    assert found.table().head == ("score", "before", "after", "difference", "entries")
    assert "p = 1" in str(found) and "<table" in found._repr_html_()
    assert found.differing("other").rows == ()


def test_mcnemars_test_is_left_out_where_no_answer_is_better():
    tables = [
        score_answers([NORWAY] * 3, answers, [EXACT, DISTINCT], stopped=[True] * 3)
        for answers in (["a", "a", "a"], ["The capital is Oslo.", "b", "c"])
    ]
    found = compare(*tables)
    assert found.differences["exact"].p_value == 1.0
    assert found.differences["distinct"].p_value is None
    assert found.differences["stopped"].p_value is None


def test_only_the_same_entries_can_be_compared():
    one, other = score_answers([NORWAY], ["a"]), score_answers([PERU], ["a"])
    with pytest.raises(ValueError, match="the same entries only"):
        compare(one, other)
    with pytest.raises(TypeError, match="not list"):
        compare(one, [1.0])
    with pytest.raises(ValueError, match="no scorer in common"):
        compare(score_answers([NORWAY], ["a"], [EXACT]), score_answers([NORWAY], ["a"], [CHRF]))
