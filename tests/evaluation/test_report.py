"""The report's page and its CSV: complete, browsable, and texts are only texts in them."""

import csv
import re
from html.parser import HTMLParser

import pytest

from lessons_lib.evaluation import ROUGE_L, compare, score_answers, write_csv, write_report
from lessons_lib.evaluation.scorers import EXACT, RuleScorer
from tests.helpers.hostile import CANARY, HOSTILE

UNSURE = RuleScorer("<i>unsure</i>", lambda entries, answers: [None, *[0.25] * (len(answers) - 1)])


def scored(answers=None):
    answers = answers or [entry["output"] for entry in HOSTILE]
    families = ['"><script>window.canary()</script>', "a", "a", "b", "b"]
    return score_answers(HOSTILE, answers, [EXACT, ROUGE_L, UNSURE], families=families)


class Page(HTMLParser):
    """The tags of a page, and the texts of its cells."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self._cell = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag):
        self._cell = self._cell and tag != "td"

    def handle_data(self, data):
        if self._cell:
            self.rows[-1][-1] += data


@pytest.fixture
def page(tmp_path):
    first = scored()
    second = scored(["x"] * 5)
    path = tmp_path / "report.html"
    write_report(path, first, compare(first, second), title="<b>Mine</b> & yours")
    return path.read_text(encoding="utf-8")


def test_no_text_runs_as_html(page):
    tags = [tag for tag, _ in Page(page).tags]
    assert tags.count("script") == 1, "its own, and none of an entry's"
    assert not {"img", "svg", "b", "i", "iframe"}.intersection(tags)
    assert CANARY in page, "it is there to be read"
    for _, attributes in Page(page).tags:
        assert not [name for name in attributes if name.startswith("on")]
    assert "<title>&lt;b&gt;Mine&lt;/b&gt; &amp; yours</title>" in page


def test_the_page_needs_nothing_else(page):
    assert "default-src 'none'" in page
    tags = Page(page).tags
    assert all(not a.get("src") and a.get("href", "data:,") == "data:," for _, a in tags)
    assert not re.search(r"https?://", page)


def test_every_answer_is_there_with_its_scores(page):
    rows = [row for row in Page(page).rows if len(row) == 10]
    assert len(rows) == 5
    for row, entry in zip(rows, HOSTILE, strict=True):
        texts = entry["instruction"], entry.get("input", ""), entry["output"], entry["output"]
        # A parser turns a carriage return into a line's end and a NUL into U+FFFD.
        assert tuple(row[1:5]) == texts
        assert row[5] == "x", "the other model's answer"
        assert row[6] == "1"
    assert "<th>answer, first</th><th>answer, second</th>" in page
    assert rows[0][8] == "" and rows[1][8] == "0.25"
    data = [attributes for tag, attributes in Page(page).tags if "data-gap" in attributes]
    assert [a["data-score0"] for a in data] == ["1"] * 5 and data[0]["data-score2"] == ""


def test_either_model_of_a_comparison_can_come_first(tmp_path):
    first, second = scored(), scored(["x"] * 5)
    path = tmp_path / "report.html"
    write_report(path, second, compare(first, second, ("<old>", "new")))
    assert "<th>answer, new</th><th>answer, &lt;old&gt;</th>" in path.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="other answers"):
        write_report(path, scored(["y"] * 5), compare(first, second))
    write_report(path, first)
    assert "<th>answer</th>" in path.read_text(encoding="utf-8")


def test_it_can_be_chosen_by_family_and_sorted_by_score_and_disagreement(page):
    options = [a["value"] for tag, a in Page(page).tags if tag == "option"]
    assert options[:4] == ["", '"><script>window.canary()</script>', "a", "b"]
    assert options[4:] == ["index", "gap", "score0", "score1", "score2", "highest", "lowest"]


def test_the_csv_has_a_line_an_answer_and_starts_no_formula(tmp_path):
    entries = [
        {"instruction": "=1+1", "input": "@SUM(A1)", "output": "-5"},
        {"instruction": 'Say "a, b"\nor c', "output": "+3"},
    ]
    table = score_answers(entries, ["-5", "\tx"], [EXACT])
    path = tmp_path / "answers.csv"
    write_csv(path, table)
    with path.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head == ["family", "instruction", "input", "output", "answer", "exact", "disagreement"]
    assert rows == [
        ["", "'=1+1", "'@SUM(A1)", "'-5", "'-5", "1", "0"],
        ["", 'Say "a, b"\nor c', "", "'+3", "'\tx", "0", "0"],
    ]


def test_half_a_character_is_spelled_out(tmp_path):
    entries = [{"instruction": "Smile.", "input": "", "output": "🙂"}]
    table = score_answers(entries, ["\ud83d"], [EXACT])
    for write, name in ((write_report, "report.html"), (write_csv, "answers.csv")):
        write(tmp_path / name, table)
        assert r"\ud83d" in (tmp_path / name).read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError):
        write_report(tmp_path / "file" / "report.html", scored())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
