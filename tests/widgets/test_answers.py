"""The table of answers: what travels, what is chosen on both sides, and its still picture."""

import io
import itertools
import json
import re
import shutil
import subprocess

import pytest
from PIL import Image
from traitlets import TraitError

from lessons_lib.data import load_entries
from lessons_lib.data.world import entry_families
from lessons_lib.evaluation import score_responses
from lessons_lib.support.paths import FRONT_END
from lessons_lib.widgets import InspectorError, show_answers
from lessons_lib.widgets.answers import ANSWERS
from tests.helpers.hostile import HOSTILE

SCRIPT = FRONT_END / "answers.js"
ENTRIES, FAMILIES = load_entries()[935:1045], entry_families()[935:1045]
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")


@pytest.fixture(scope="module")
def scores():
    texts = ["output", "instruction", "output"]
    answers = [entry[texts[n % 3]] if n % 5 else "" for n, entry in enumerate(ENTRIES)]
    stopped = [None if n % 11 == 0 else n % 4 > 0 for n in range(110)]
    return score_responses(ENTRIES, answers, stopped, FAMILIES)


def test_each_filter_lets_through_what_it_says(scores):
    table = show_answers(scores)
    assert table.chosen == list(range(110))
    table.family = "capitals"
    assert table.chosen == [n for n in range(110) if FAMILIES[n] == "capitals"]
    table.family, table.marked = "", "not stopped"  # undefined is neither stopped nor not
    assert table.chosen == [n for n in range(110) if scores.marks["stopped"][n] is False]
    table.marked = "lenient"
    assert table.chosen == [n for n in range(110) if scores.marks["lenient"][n]]
    table.marked, table.words = "", " CAPITAL  of "
    assert table.chosen and all("capital" in str(ENTRIES[n]).lower() for n in table.chosen)
    table.words = "no such words anywhere"
    assert table.chosen == [] and table.alt_text().startswith("0 of 110 answers (with")


def test_orders_hold_every_answer_once(scores):
    table = show_answers(scores)
    orders = table._data["orders"]
    assert all(sorted(places) == list(range(110)) for places in orders.values())
    right = [scores.marks["exact"][n] for n in orders["right first"]]
    assert right == sorted(right, reverse=True)
    assert [scores.marks["exact"][n] for n in orders["wrong first"]] == right[::-1]
    assert [FAMILIES[n] for n in orders["family"]] == sorted(FAMILIES)
    lengths = [len(scores.answers[n]) for n in orders["longest first"]]
    assert lengths == sorted(lengths, reverse=True)


def test_shares_are_those_of_the_answers_on_show(scores):
    table = show_answers(scores)
    assert table.shares == {name: scores.share(name) for name in scores.marks}
    table.family = "capitals"
    assert table.shares["exact"] == scores.share("exact", "capitals")
    exact = table.shares["exact"]
    assert f"(family capitals): {exact.count} of {exact.total} exact" in table.alt_text()


@needs_node
def test_the_front_end_chooses_and_counts_as_python_does(scores):
    strange = score_responses(HOSTILE, [entry["output"] for entry in HOSTILE[1:]] + [None])
    tables = [show_answers(scores), show_answers(strange)]
    cases, expected = [], []
    for number, table in enumerate(tables):
        marks = table._data["marks"]
        for family, marked, words, order in itertools.product(
            ["", *table._data["families"][:6]],
            ["", *marks, *(f"not {name}" for name in marks)],
            ["", " The  IS", "'", "<svg", "U+202E"],
            table._data["orders"],
        ):
            options = {"family": family, "marked": marked, "words": words, "order": order}
            for name, value in options.items():
                setattr(table, name, value)
            shares = table.shares.items()
            counts = [{"name": name, "count": s.count, "total": s.total} for name, s in shares]
            cases.append([number, options])
            expected.append([table.chosen, counts])
    message = {"datas": [table._data for table in tables], "cases": cases}
    code = (
        f"const m = await import({json.dumps(SCRIPT.as_uri())});"
        "let text = ''; for await (const part of process.stdin) text += part;"
        "const { datas, cases } = JSON.parse(text);"
        "console.log(JSON.stringify(cases.map(([d, options]) => {"
        "  const places = m.choose(datas[d], options);"
        "  return [places, m.shares(datas[d], places)]; })));"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", code],
        input=json.dumps(message),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected and len(expected) > 1000


def test_options_that_do_not_exist_are_refused(scores):
    assert show_answers(scores, family="plurals", order="family").chosen
    for option in ({"family": "x"}, {"marked": "wrong"}, {"order": "shuffled"}, {"colour": "red"}):
        with pytest.raises(TraitError, match=next(iter(option))):
            show_answers(scores, **option)
    table = show_answers(score_responses(ENTRIES[:1], ["x"]))
    assert "family" not in table._data["orders"] and table._data["families"] == []
    with pytest.raises(TraitError, match="order"):
        table.order = "family"


def test_no_more_than_two_hundred_answers_travel():
    entries = load_entries()[:201]
    answers = [entry["output"] for entry in entries]
    assert len(show_answers(score_responses(entries[:200], answers[:200])).chosen) == 200
    with pytest.raises(InspectorError, match="200 answers at most, and these are 201"):
        show_answers(score_responses(entries, answers))


def test_an_answer_without_an_end_is_cut():
    table = show_answers(score_responses(ENTRIES[:1], ["again and " * 5000]))
    [row] = table._data["rows"]
    assert len(row["answer"]) < 2100 and row["answer"].endswith("(48,000 more characters)")
    assert table.scores.answers == ["again and " * 5000]


def test_hostile_text_ends_no_script_and_hides_nothing():
    names = ["</script>", "<b>", "&lt;", "__proto__", "'"]
    scores = score_responses(HOSTILE, [None, *(e["input"] for e in HOSTILE[1:])], families=names)
    table = show_answers(scores)
    page = table.to_html("<img src=x>")
    assert "<img src=x>" not in page and page.count("</script>") == page.count("<script")
    data = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(data)["_data"] == table._data
    assert "⟨U+202E⟩" in table._data["rows"][1]["instruction"]
    assert "innerHTML" not in ANSWERS.assets() and "insertAdjacent" not in ANSWERS.assets()
    assert table.to_png().startswith(b"\x89PNG")


def test_the_still_picture_is_small_and_follows_the_filters(scores, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_STILLS", "1")
    table = show_answers(scores)
    data, metadata = table._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == table.alt_text() in data["text/plain"]
    whole = table.to_png()
    assert len(whole) < 60_000
    table.family = "capitals"
    few = table.to_png()
    assert Image.open(io.BytesIO(few)).height < Image.open(io.BytesIO(whole)).height
    table.words = "no such words anywhere"
    assert Image.open(io.BytesIO(table.to_png())).width > 200
