"""Marks of answers, key answers, first sentences, Wilson's interval, and the table of them all."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.data import DatasetError, load_entries
from lessons_lib.data.world import entry_families
from lessons_lib.evaluation import (
    ROUGE_L,
    Share,
    key_answer,
    score_answers,
    score_responses,
)
from lessons_lib.evaluation.intervals import bootstrap_interval, wilson_interval
from lessons_lib.evaluation.key_answers import find_words, first_sentence, split_sentences
from lessons_lib.evaluation.scorers import EXACT
from lessons_lib.evaluation.scores import CHECKS
from lessons_lib.widgets import show_answers
from tests.helpers.hostile import HOSTILE
from tests.helpers.toys import RANDOM_ENTRIES

NORWAY = {
    "instruction": "What is the capital of Norway?",
    "input": "",
    "output": "The capital of Norway is Oslo.",
}
SORT = {"instruction": "Sort the words.", "input": "pear, fig", "output": "fig, pear"}


def entry(instruction, output, given=""):
    return {"instruction": instruction, "input": given, "output": output}


def marks(entry, answer):
    scores = score_responses([entry], [answer])
    return scores.marks["exact"][0], scores.marks["lenient"][0]


# ---------------------------------------------------------------- marks


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The capital of Norway is Oslo.", (True, True)),
        ("\n The capital of Norway is Oslo. \n", (True, True)),
        ("Oslo", (False, True)),
        ("It is OSLO, I think. Or is it Bergen?", (False, True)),
        ("Norway's capital is called Oslo", (False, True)),
        ("The capital of Norway is Bergen. It is not Oslo.", (False, False)),  # second sentence
        ("The capital of Norway is Bergen.\nOslo is larger.", (False, False)),  # second line
        ("Oslovian", (False, False)),  # whole words only
        ("What is the capital of Norway?", (False, False)),  # repeats the question
        ("", (False, False)),
        ("   \n\t ", (False, False)),
        (None, (False, False)),
        ("…", (False, False)),
    ],
)
def test_exact_and_lenient(answer, expected):
    assert marks(NORWAY, answer) == expected


def test_lenient_is_not_defined_where_the_output_adds_no_word():
    assert marks(SORT, "fig, pear") == (True, None)
    assert marks(SORT, "pear, fig") == (False, None)
    assert score_responses([SORT], ["x"]).share("lenient") == Share(0, 0)
    assert str(Share(0, 0)) == "–" and Share(0, 0).value is None


@pytest.mark.parametrize(
    ("instruction", "output", "given", "words"),
    [
        (
            "Which word is the opposite of 'tall'?",
            "An antonym of 'tall' is 'short'.",
            "",
            ["short"],
        ),
        ("Compare 'big'.", "It is 'bigger', then “biggest”.", "", ["bigger", "biggest"]),
        ("Who wrote 'Emma'?", "'Emma' was written by Jane Austen.", "", ["jane", "austen"]),
        ("How many grams are in 7 kilograms?", "7 kilograms is 7,000 grams.", "", ["7000"]),
        ("What is half of 7?", "Half of 7 is 3.5.", "", ["3.5"]),
        ("Give the symbol of arsenic.", "The symbol of arsenic is As.", "", ["As"]),
        ("Correct the spelling.", "It is 'tomorrow'.", "tommorow", ["tomorrow"]),
        ("Who is Alderbrook's baker?", "The baker of Alderbrook is Otto.", "", ["otto"]),
        ("Name two fruits.", "1. Pear\n2. Fig", "", ["pear"]),
        ("Make it negative.", "We could not see it.", "We could see it.", ["not"]),
        ("Put it into the past.", "The dog dug holes.", "The dog digs holes.", None),  # rewritten
        ("Make it passive.", "The eggs were stolen by a fox.", "A fox stole the eggs.", None),
        ("What is the plural of 'sheep'?", "The plural of 'sheep' is 'sheep'.", "", None),
        ("What is 6 minus 3?", "6 minus 3 is 3.", "", None),
        ("Draw.", "!!! 🦋", "", None),
    ],
)
def test_key_answers(instruction, output, given, words):
    key = key_answer(entry(instruction, output, given))
    assert (key and list(key.words)) == words


def test_where_there_are_choices_only_one_may_be_named():
    ask = "Classify the animal as a mammal, bird, fish, reptile, amphibian, or insect."
    cricket = entry(ask, "A cricket is an insect.", "cricket")
    assert marks(cricket, "It is an insect.") == (False, True)
    assert marks(cricket, "A mammal, bird, fish, reptile, amphibian, or insect.") == (False, False)
    assert marks(cricket, "A cricket is a bird.") == (False, False)
    feeling = entry(
        "Is this a positive or a negative feeling?", "The sentence is negative.", "Oh no"
    )
    assert marks(feeling, "Negative.") == (False, True)
    assert marks(feeling, "Neither positive nor negative") == (False, False)


def test_a_symbol_that_is_also_a_word_keeps_its_case():
    arsenic = entry("Give the symbol of arsenic.", "The symbol of arsenic is As.")
    assert marks(arsenic, "As") == (False, True)
    assert marks(arsenic, "The symbol is Ar, as we know.") == (False, False)
    radium = entry("Give the symbol of radium.", "The symbol of radium is Ra.")
    assert marks(radium, "ra") == (False, True)


def test_letters_may_be_composed_in_two_ways():
    cafe = entry("Where do we meet?", "In the caf\u00e9.")
    assert marks(cafe, "cafe\u0301!") == (False, True)
    assert find_words("Don’t ask Ann's well-known 1,234.5 or 3,50 H₂O") == (
        ["Don't", "ask", "Ann", "well", "known", "1234.5", "or", "3,50", "H2O"]
    )


def test_a_minus_belongs_to_its_number():
    assert find_words("−1,000 and -5 - 7, 2020-21, (3)-4 x-2") == (
        ["-1000", "and", "-5", "7", "2020", "21", "3", "4", "x", "2"]
    )
    sum_of = entry("Subtract 8 from 3.", "-5")
    assert marks(sum_of, "It is −5.") == (False, True)
    assert marks(sum_of, "It is 5.") == (False, False)


def test_a_hyphen_in_a_range_is_no_minus():
    assert find_words("5%-6%, 5°-6° [3]-5") == ["5", "6", "5", "6", "3", "5"]


def test_vowel_signs_belong_to_their_word():
    delhi = entry("भारत की राजधानी क्या है?", "दिल्ली")
    assert marks(delhi, "दिल्ली है।") == (False, True)
    assert marks(delhi, "दिल्ला है।") == (False, False)


@given(RANDOM_ENTRIES)
def test_the_expected_answer_is_always_right(entry):
    try:
        scores = score_responses([entry], [entry["output"]])
    except DatasetError:  # what no loader would let through
        return
    assert scores.marks["exact"] == [True]
    assert scores.marks["lenient"] in ([True], [None])


def test_bundled_entries_have_key_answers_by_family():
    entries, families = load_entries(), entry_families()
    scores = score_responses(entries, [e["output"] for e in entries], families=families)
    assert scores.share("exact") == Share(1100, 1100)
    assert all(value is not False for value in scores.marks["lenient"])
    rewriting = {"statements_to_questions", "passive_voice", "contractions", "sort_words"}
    assert all(scores.share("lenient", name) == Share(0, 0) for name in rewriting)
    for name in ("capitals", "chemical_symbols", "roman_numerals", "animal_classes", "sentiments"):
        assert scores.share("lenient", name).total == families.count(name)


def test_answers_of_one_entry_do_not_fit_another():
    entries = load_entries()[:200]
    shifted = [e["output"] for e in entries[1:] + entries[:1]]
    scores = score_responses(entries, shifted)
    assert scores.share("exact").count == 0
    assert scores.share("lenient").value < 0.05


# ---------------------------------------------------------------- first sentences


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", ""),
        (" \n ", ""),
        ("No period here", "No period here"),
        ("One. Two.", "One."),
        ("One! Two.", "One!"),
        ("One.Two. Three.", "One.Two."),
        ("\n\nOne\nTwo", "One"),
        ("One\u2028Two", "One"),
        ("Dr. Watson met Mr. Holmes. Then they left.", "Dr. Watson met Mr. Holmes."),
        ("It is 3.5 km. That is far.", "It is 3.5 km."),
        ("Use fruit, e.g. Apples. Or not.", "Use fruit, e.g. Apples."),
        ("'Who is it?' asked Ann. Nobody knew.", "'Who is it?' asked Ann."),
        ('"Stop." Then she left.', '"Stop."'),
        ("She said 'Stop.' Then she left.", "She said 'Stop.'"),
        ("Wait ... what? Yes.", "Wait ... what?"),
        ("It was written by J. K. Rowling. She is British.", "It was written by J. K. Rowling."),
        ("By J.R.R. Tolkien. A classic.", "By J.R.R. Tolkien."),
        ("The symbol is K. It is a metal.", "The symbol is K."),
        ("1. A pear. 2. A fig.", "1. A pear."),
        ("The answer is 72. The end.", "The answer is 72."),
        ("72. The end.", "72. The end."),  # might be a list's number
        ("No. It is Oslo.", "No."),
        ("His Symphony No. 5 is known. It is short.", "His Symphony No. 5 is known."),
        ("東京です。大阪ではない。", "東京です。"),
        ("...", "..."),
    ],
)
def test_first_sentence(text, sentence):
    assert first_sentence(text) == sentence


def test_sentences_are_split_where_each_ends():
    assert split_sentences('Dr. Ames is in.\n It is 3.5. "Why?" asked Ann') == [
        "Dr. Ames is in.",
        "It is 3.5.",
        '"Why?" asked Ann',
    ]
    assert split_sentences("a, b, c") == ["a, b, c"] and split_sentences(" \n") == []


@given(st.text())
def test_a_first_sentence_opens_the_text(text):
    sentence = first_sentence(text)
    assert text.strip().startswith(sentence) and len(sentence.splitlines()) <= 1
    assert bool(sentence) == bool(text.strip())


@pytest.mark.parametrize(
    "text", ["." * 100_000 + "x", "a. " * 40_000, "'a " * 9_000, "a or " * 9_000]
)
def test_degenerate_texts_take_no_time(text):
    # An answer without an end often is one piece over and over: no pattern may grow quadratic.
    began = time.process_time()
    assert score_responses([NORWAY], [text]).marks["exact"] == [False]
    strange = entry(text, text, text)
    assert score_responses([strange], [text]).marks["exact"] == [True]
    assert time.process_time() - began < 10


# ---------------------------------------------------------------- counts


def test_families_add_up_to_all_entries():
    entries, families = load_entries()[935:1045], entry_families()[935:1045]
    answers = [e["output"] if n % 3 else "Oslo." for n, e in enumerate(entries)]
    stopped = [None if n % 10 == 0 else n % 4 > 0 for n in range(110)]
    scores = score_responses(entries, answers, stopped, families)
    overall, *rows = scores.table().rows
    assert overall[:2] == ("all entries", "110")
    assert [row[0] for row in rows] == sorted(set(families)) and len(rows) == 37
    assert sum(int(row[1]) for row in rows) == 110
    for mark in ("exact", "lenient", "stopped"):
        counts = [scores.share(mark, family) for family in set(families)]
        assert scores.share(mark) == (sum(s.count for s in counts), sum(s.total for s in counts))
    assert scores.share("exact") == (110 - 37, 110)
    assert scores.share("stopped").total == 99


def test_rows_in_the_order_of_a_share():
    entries = [NORWAY, NORWAY, NORWAY, NORWAY, SORT]
    answers = ["Oslo.", "Oslo.", "Bergen.", NORWAY["output"], "fig"]
    scores = score_responses(entries, answers, families=["b", "a", "c", "d", "e"])
    names = {by: [row[0] for row in scores.table(by).rows[1:]] for by in ("lenient", "exact")}
    assert names == {"lenient": ["a", "b", "d", "c", "e"], "exact": ["d", "a", "b", "c", "e"]}
    with pytest.raises(ValueError, match='sort_by must be one of "family", "exact", "lenient"'):
        scores.table("rouge")


def test_the_lowest_families_alone():
    entries = [NORWAY, NORWAY, NORWAY, SORT]  # lenient has no score for SORT
    scores = score_responses(
        entries, ["Oslo.", "Bergen.", NORWAY["output"], "fig"], families=["b", "a", "c", "d"]
    )
    rows = {n: [row[0] for row in scores.table("lenient", n).rows] for n in (0, 1, 2, 9)}
    assert rows[1] == ["all entries", "a"] and rows[2] == ["all entries", "c", "a"]
    assert rows[0] == ["all entries"] and rows[9] == ["all entries", "b", "c", "a"]
    assert scores.table("lenient", 1).rows[0] == scores.table().rows[0]
    with pytest.raises(ValueError, match="lowest needs a score"):
        scores.table(lowest=3)


def test_a_check_may_say_1_and_0_or_numpys_booleans():
    checks = {"oslo": lambda e, a: int("Oslo" in a), "short": lambda e, a: np.bool_(len(a) < 5)}
    scores = score_responses([NORWAY] * 3, ["Oslo", "Bergen", "In Oslo"], checks=checks)
    assert scores.marks == {"oslo": [True, False, True], "short": [True, False, False]}
    assert all(type(value) is bool for value in scores.marks["short"])
    assert show_answers(scores, marked="oslo").chosen == [0, 2]
    unmarked = score_answers([NORWAY], ["The capital."], [ROUGE_L])
    assert unmarked.marks == {} and show_answers(unmarked).chosen == [0]


def test_the_table_as_text():
    scores = score_responses([NORWAY, SORT], ["Oslo.", "fig, pear"], [True, False], ["b", "a"])
    head, overall, first, second = str(scores).splitlines()
    assert head.split() == ["family", "entries", "exact", "lenient", "stopped"]
    exact = "1/2 = 50.0% (9% to 91%)"
    assert overall.startswith("all entries  2        " + exact)
    assert first.startswith("a            1        1/1 = 100.0% (21% to 100%)  –  ")
    assert second.endswith("1/1 = 100.0% (21% to 100%)") and second.startswith("b ")
    column = head.index("stopped")
    assert [line[column - 1] for line in (overall, first, second)] == [" "] * 3
    assert overall[column:] == exact and repr(scores) == str(scores)


def test_without_families_there_is_one_row():
    table = score_responses([NORWAY], ["Oslo."]).table()
    assert table.head == ("", "entries", "exact", "lenient")
    assert table.rows == (("all entries", "1", str(Share(0, 1)), str(Share(1, 1))),)


def test_beside_other_scores_marks_are_shown_as_means():
    table = score_answers([NORWAY] * 2, ["Oslo.", NORWAY["output"]], [EXACT, ROUGE_L]).table()
    assert table.head == ("", "entries", "exact", "ROUGE-L")
    assert table.rows[0][2:] == ("0.50 (0.09 to 0.91)", "0.64")


def test_hostile_names_are_text_in_the_table():
    answers = [e["output"] for e in HOSTILE]
    names = ["<script>canary()</script>", "a&b", "__proto__", "\"'", "</table>"]
    text = score_responses(HOSTILE, answers, families=names)._repr_html_()
    assert "&lt;script&gt;canary()" in text and "<script" not in text
    assert "a&amp;b" in text and text.count("</table>") == 1


def test_another_check_becomes_another_column():
    checks = {**CHECKS, "short": lambda entry, answer: len(answer) < 10}
    scores = score_responses([NORWAY, SORT], ["Oslo.", "a long answer"], checks=checks)
    assert scores.share("short") == Share(1, 2)
    assert "short" in str(scores).splitlines()[0]
    with pytest.raises(KeyError, match="no mark 'rouge'; there are exact, lenient, short"):
        scores.share("rouge")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"answers": ["a"]}, "answers must have one value for each entry: there are 2"),
        ({"answers": ["a"] * 3}, "2 entries and 3 answers"),
        ({"answers": ["a", "b"], "stopped": []}, "2 entries and 0 stopped"),
        ({"answers": ["a", "b"], "families": ["x"]}, "2 entries and 1 families"),
    ],
)
def test_wrong_lengths_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        score_responses([NORWAY, SORT], **arguments)


def test_other_faults_are_named():
    with pytest.raises(ValueError, match="no entries to score"):
        score_responses([], [])
    with pytest.raises(DatasetError, match="output"):
        score_responses([{"instruction": "Ask."}], ["a"])
    with pytest.raises(TypeError, match="answer 1 is int"):
        score_responses([NORWAY, SORT], ["a", 7])


# ---------------------------------------------------------------- Wilson's interval


# Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_values(count, total, low, high):
    assert wilson_interval(count, total)[1:3] == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500), st.data())
def test_wilson_solves_the_score_test(total, data):
    count = data.draw(st.integers(0, total))
    value, low, high, _ = wilson_interval(count, total)
    assert value == count / total
    assert 0 <= low <= count / total <= high <= 1
    assert (low == 0) == (count == 0) and (high == 1) == (count == total)
    for bound in (low, high):
        if 0 < bound < 1:  # the bound is where the observed share is 1.96 standard errors away
            error = math.sqrt(bound * (1 - bound) / total)
            assert abs(count / total - bound) / error == pytest.approx(1.959964, rel=1e-5)
    mirrored = wilson_interval(total - count, total)
    assert mirrored[1:3] == pytest.approx((1 - high, 1 - low))


def test_wilson_at_its_limits():
    assert wilson_interval(0, 0) == (None, 0.0, 1.0, 0)
    for count, total in ((-1, 5), (6, 5), (1, 0)):
        with pytest.raises(ValueError, match="count must be between 0"):
            wilson_interval(count, total)


# ---------------------------------------------------------------- bootstrap and ROUGE-L


def test_the_bootstrap_lies_around_the_mean_and_is_the_same_for_a_seed():
    values = [0.0, 0.2, 0.2, 0.5, 0.9, 1.0, 1.0, 1.0] * 5
    found = bootstrap_interval(values)
    assert found.low < found.value == math.fsum(values) / len(values) < found.high
    assert found == bootstrap_interval(values)
    assert bootstrap_interval([0.5] * 9) == (0.5, None, None, 9), "no spread"
    assert bootstrap_interval([0.1, 0.2, 0.3, 0.4]).low is None, "too few"


def test_the_bootstrap_of_a_share_is_near_its_normal_interval():
    values = [1.0] * 60 + [0.0] * 40
    half = 1.96 * math.sqrt(0.6 * 0.4 / 100)
    assert bootstrap_interval(values)[1:3] == pytest.approx((0.6 - half, 0.6 + half), abs=0.02)


def test_a_bootstrap_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no values"):
        bootstrap_interval([])


def test_rouge_l_counts_words_in_their_order():
    # The longest common sequence has 4 of 6 wanted and of 4 written words: F = 2 · 1 · 2/3 / (5/3).
    # That of "mat the on" is "the on", 2 of 6 and of 3: F = 2 · 2/3 · 1/3 / 1.
    wanted = "The cat sat on the mat."
    answers = ["the cat sat mat", wanted.upper(), "", "mat the on"]
    scores = ROUGE_L.score([entry("Rhyme.", wanted)] * 4, answers)
    assert scores == pytest.approx([0.8, 1.0, 0.0, 4 / 9])


# ---------------------------------------------------------------- code, and numbers

HELLO = "```python\nprint('hello')\n```"


@pytest.mark.parametrize(
    ("output", "answer", "right"),
    [
        (HELLO, "print('hello')", True),
        (HELLO, "~~~\n    print('hello')  \n\n~~~", True),
        (HELLO, f"Use this:\n{HELLO}\nIt prints hello.", True),
        (HELLO, "Use this:\nprint('hello')", True),
        (HELLO, "```print('hello')```", True),
        (HELLO, "```python\nprint('hello')", True),  # cut off
        (HELLO, "python", False),
        (HELLO, "```python\nimport os; os.remove('x')\n```", False),
        (HELLO, "print('Hello')", False),
        (HELLO, "```\nprint('hello')\nos.remove('x')\n```", None),  # who knows?
        (HELLO, "Write print('hello') and run it.", None),
        ("print('hello')", HELLO, True),
        ("print('hello')", "import os; print('hello')", None),
        ("x = 1\nprint(x)", "x = 1\nos.remove(x)", False),
        ("Here is one:\ndef f(x):\n    return x", "Here is one:\ndef f(x):\n    return 1", False),
        ("Here is one:\ndef f(x):\n    return x", "```\ndef f(x):\n    return x\n```", True),
        ("SELECT name FROM seas;", "DROP TABLE seas; SELECT name FROM seas;", None),
        ("Use `git push`.", "`git push --force`", None),
        ("Use `git push`.", "git push", True),
        ("Oslo.", "```text\nOslo\n```", True),
    ],
)
def test_of_a_program_the_code_is_the_key(output, answer, right):
    assert marks(entry("Give an example.", output), answer)[1] is right
    assert marks(entry("Give an example.", output), output) == (True, True)


def test_a_key_answer_that_is_code_shows_the_code():
    assert str(key_answer(entry("Print hello.", HELLO))) == "print('hello')"
    assert key_answer(entry("Print.", "```\n```")) is None


@pytest.mark.parametrize(
    ("output", "answer", "right"),
    [
        ("29", "It is 29.0.", True),
        ("29.00", "$29", True),
        ("29", "29.05", False),
        (".5", "It is 0.50.", True),
        ("0.5", ".5", True),
        ("0.5", "5", False),
        ("1,000", "1000.0", True),
        ("1,000,000.50", "1000000.5", True),
        ("10", "1.0", False),
        ("100", "1.00", False),
        ("3.5", "35", False),
        ("-5", "5", False),
        ("-5", "**−5**", True),
        ("-5", "'-5'", True),
        ("5", "'-5'", False),
        ("-$5.00", "−$5", True),
        ("-$5", "$5", False),
        ("-.5", ".5", False),
        ("0", "-0.0", True),
        ("3.0.0", "3", False),
    ],
)
def test_a_number_may_be_written_in_several_ways(output, answer, right):
    assert marks(entry("How much?", output), answer)[1] is right
