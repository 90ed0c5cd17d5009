"""The evaluation report in Chromium: family, words, order; hostile answers; nothing leaves."""

from lessons_lib.evaluation import ROUGE_L, STATISTICAL, compare, score_answers, write_report
from lessons_lib.evaluation.scorers import RuleScorer
from tests.helpers.hostile import CANARY, HOSTILE
from tests.helpers.toys import ENTRIES as SOME

ENTRIES = [*HOSTILE, *SOME]
FAMILIES = ["</script>", "__proto__", *["plain"] * (len(ENTRIES) - 2)]
# Falls where ROUGE-L rises, so that the two disagree most on the first and the last answer.
CONTRARY = RuleScorer(
    "<i>contrary</i>", lambda entries, answers: [-x for x in ROUGE_L.score(entries, answers)]
)


def scored(answers):
    return score_answers(ENTRIES, answers, [*STATISTICAL, CONTRARY], families=FAMILIES)


def shown(page, column):
    """The texts of a column, in the rows on show."""
    cells = f"#answers tbody tr:not([hidden]) td:nth-child({column})"
    return page.locator(cells).all_text_contents()


def test_families_words_and_orders_and_no_answer_runs(visit, tmp_path):
    hostile = f"<img src=x onerror={CANARY}><script>{CANARY}</script>"
    answers = [hostile, *(entry["output"][: 9 * n] for n, entry in enumerate(ENTRIES[1:], 1))]
    table, other = scored(answers), scored([hostile[::-1]] * len(ENTRIES))
    report = tmp_path / "report.html"
    write_report(report, table, compare(table, other, ("mine", "<b>other</b>")))
    opened = visit(report.read_text(encoding="utf-8"))
    page = opened.page
    status = page.locator("#shown")
    assert status.inner_text() == f"{len(ENTRIES)} of {len(ENTRIES)} answers"
    assert shown(page, 5)[0] == hostile and shown(page, 6)[0] == hostile[::-1]

    page.get_by_label("family").select_option("__proto__")
    assert shown(page, 1) == ["__proto__"]
    page.get_by_label("family").select_option("")
    page.get_by_label("with the words").fill("TOSTRING")
    assert shown(page, 4) == ["toString"]
    page.get_by_label("with the words").fill("no such words")
    assert status.inner_text() == f"0 of {len(ENTRIES)} answers"
    page.get_by_label("with the words").fill("")

    for name, values in {
        "ROUGE-L": table.scores["ROUGE-L"],
        "disagreement": table.disagreement(),
    }.items():
        page.get_by_label("sort by").select_option(label=name)
        for order in ("highest", "lowest"):
            page.get_by_label("first the").select_option(order)
            places = sorted(
                range(len(values)), key=lambda place: values[place], reverse=order == "highest"
            )
            column = 7 + [*table.scores, "disagreement"].index(name)
            assert shown(page, column) == [f"{values[place]:.4g}" for place in places]
    page.get_by_label("sort by").select_option("index")
    assert shown(page, 5)[0] == hostile

    assert page.evaluate("window.canaryCalled") is None
    assert page.locator("main img, main script, main svg, main i, main b").count() == 0
    assert opened.errors == [] and opened.foreign == []
