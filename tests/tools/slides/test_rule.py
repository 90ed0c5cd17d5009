"""The rule by which cells become slides."""

import nbformat
import pytest

from tools.build_notebooks import WIDGET_VIEW, clean, lab_paths, lesson_paths, read
from tools.slides.outputs import ROWS, TIGHT
from tools.slides.rule import slides_of

LONG = "First. " + "Word " * 60 + "end."


def markdown(text, name=None, **metadata):
    cell = nbformat.v4.new_markdown_cell(text, metadata=metadata)
    cell.id = name or cell.id
    return cell


def code(source, *outputs, name=None, **metadata):
    cell = nbformat.v4.new_code_cell(source, metadata=metadata, outputs=list(outputs))
    cell.id = name or cell.id
    return cell


def printed(text):
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def data(**by_kind):
    kinds = {
        "html": "text/html",
        "plain": "text/plain",
        "markdown": "text/markdown",
        "view": WIDGET_VIEW,
    }
    named = {kinds[kind]: value for kind, value in by_kind.items()}
    return nbformat.v4.new_output("display_data", data=named)


def cut(*cells):
    return slides_of(nbformat.v4.new_notebook(cells=[markdown("# 04 A title"), *cells]))


def kinds(slides):
    return [slide.kind for slide in slides]


def test_the_question_comes_before_what_came_of_it():
    asked = data(plain='Choose one, here or in the place of the three dots: "a" · "b".')
    recalled = data(markdown="It is “a”. You did not predict it.", plain="…")
    question, result = cut(
        markdown("> **Predict.** Which?"),
        code('from lessons_lib.exercises import predict\n\npredict("04-x", ...)', asked),
        code('print(1)\nrecall("04-x", "a")', printed("1\n"), recalled),
    )[-2:]
    assert (question.kind, question.title) == ("question", "Predict")
    assert question.parts == [("markdown", "Which?"), ("choices", ["a", "b"])]
    assert result.parts[0] == ("code", "print(1)")
    assert result.parts[-1] == ("reveal", "It is “a”.")


def test_a_question_may_stand_with_what_was_printed_before_it():
    shown = code("show()", printed("a text\n"))
    quote = "> **Predict.** How long?"
    alone = cut(shown, markdown(quote))[-1]
    assert alone.parts == [("markdown", "How long?")]
    result, question = cut(shown, markdown(quote, slide={"again": True}))[-2:]
    assert question.parts == [("markdown", "How long?"), result.parts[-1]]
    assert question.parts[1][1].text == "a text\n" and question.kind == "question"


def test_what_prose_loses_is_in_the_notes():
    slide = cut(markdown(f"## Why\n\n{LONG}\n\n(An aside.)"))[-1]
    assert slide.title == "Why" and slide.parts == [("markdown", "First.")]
    assert slide.notes == [LONG, "(An aside.)"]
    assert slide.minutes == 0.5


def test_a_widget_has_the_slide_to_itself():
    slides = cut(
        markdown("## Look\n\nLook at it:"),
        code("show()", data(view={"model_id": "1"}, plain="[picture]")),
        markdown("It was seen."),
    )
    widget = next(slide for slide in slides if slide.kind == "widget")
    assert [kind for kind, _ in widget.parts] == ["output"] and widget.minutes == 3
    assert widget.notes == ["Look at it:", "```python\nshow()\n```"]
    assert slides[-1].parts == [("markdown", "It was seen.")] and slides[-1] is not widget


def test_code_and_result_part_only_where_both_are_long():
    lines = "\n".join(f"a{n} = {n}" for n in range(10))
    together = cut(code(lines, printed("1\n" * 5)))[-1]
    assert [kind for kind, _ in together.parts] == ["code", "output"]
    assert kinds(cut(code(lines, printed("1\n" * TIGHT)))[-2:]) == ["result", "result"]


def test_a_long_output_is_cut_and_whole_in_the_notes():
    slide = cut(code("f()", printed("".join(f"{n}\n" for n in range(90)))))[-1]
    assert slide.parts[-1][1].text.endswith("19\n…") and "89" in slide.notes[-1]
    table = data(html="<table>" + "<tr><td>1</td></tr>" * 90 + "</table>", plain="")
    slide = cut(code("f()", table))[-1]
    assert slide.parts[-1][1].data["text/html"].count("<tr>") == ROWS + 1 and slide.notes
    source = data(markdown="```python\n" + "a = 1\n" * 90 + "```", plain="")
    shown = cut(code("f()", source))[-1].parts[-1][1].data["text/markdown"]
    assert shown.count("```") == 2 and shown.count("\n") < TIGHT


def test_an_exercise_is_its_task_and_its_signature():
    text = "### Exercise: Pad\n\n*7 minutes · `pad`*\n\nWhy so. Write `f`: return one.\n\nMore."
    stub = (
        'from lessons_lib.exercises import check\n\n\ndef f():\n    """One."""\n\n    raise\n\n\n'
    )
    slides = cut(
        markdown("## Section"),
        markdown(text, "exercise-pad"),
        code(stub + 'check("pad", f)', data(plain="not attempted"), name="attempt-pad"),
        code("keep(f)", data(plain="Nothing was kept"), name="keep-pad"),
        code("f()", printed("No f of yours was kept; this is the course's own.\n1\n")),
    )
    task, result = slides[-2:]
    assert (task.kind, task.title, task.minutes) == ("exercise", "Exercise: Pad", 7)
    assert task.parts[1] == ("markdown", "Write `f`: return one.")
    assert task.parts[2] == ("code", 'def f():\n    """One."""\n    raise')
    assert result.title == "Section" and result.parts[-1][1].text == "1\n"


def test_closing_questions_have_an_answer_to_uncover():
    text = (
        "## What you learned\n\n- This. And that.\n\n### Three questions\n\n1. Why?\n\n"
        "<details><summary>Answer</summary>\nSo.\n</details>\n\n**Next:** more."
    )
    learned, question = cut(markdown(text))[-2:]
    assert learned.parts == [("markdown", "- This.")]
    assert question.parts == [("markdown", "Why?"), ("answer", "So.")]


def test_metadata_say_otherwise():
    def say(slide_type):
        return {"slideshow": {"slide_type": slide_type}}

    slides = cut(
        markdown("## One\n\nA. B. C.", slide={"minutes": 9, "notes": "Ask.", "sentences": 1}),
        code("secret()", printed("1"), **say("skip")),
        code("told()", printed("1"), **say("notes")),
        code("plumbing()", printed("shown"), slide={"code": False}),
        code("keep(f)", printed("kept"), **say("slide")),
    )
    assert [slide.minutes for slide in slides[1:]] == [9, 1, 1]
    assert slides[1].parts == [("markdown", "A.")]
    assert slides[1].notes == ["**Ask.**", "A. B. C.", "```python\ntold()\n```"]
    assert [kind for kind, _ in slides[2].parts] == ["output"]
    assert slides[2].notes == ["```python\nplumbing()\n```"]
    assert slides[3].parts[0] == ("code", "keep(f)")


def test_a_built_notebook_keeps_what_was_said_of_its_slides():
    said = {"slide": {"minutes": 2}, "slideshow": {"slide_type": "skip"}, "tags": ["a"]}
    notebook = nbformat.v4.new_notebook(cells=[code("1", **said, trusted=True)])
    clean(notebook)
    assert notebook.cells[0].metadata == said


@pytest.mark.parametrize("path", [*lesson_paths(), *lab_paths()], ids=lambda path: path.stem)
def test_every_lesson_makes_slides(path):
    slides = slides_of(read(path))
    assert slides[0].kind == "title" and slides[0].title.startswith(("0", "1", "Lab"))
    assert all(slide.parts and slide.title and slide.minutes >= 0.5 for slide in slides)
    # Two printed pages' worth on one slide would be illegible.
    assert max(slide.room for slide in slides) < 2 * TIGHT
    text = str([part for slide in slides for kind, part in slide.parts if kind != "output"])
    assert "did not predict" not in text and "<details>" not in text and "recall(" not in text


@pytest.mark.parametrize("path", [*lesson_paths(), *lab_paths()], ids=lambda path: path.stem)
def test_metadata_of_cells_are_known(path):
    for cell in read(path).cells:
        given = cell.metadata.get("slide", {})
        assert {*given} <= {"minutes", "notes", "sentences", "code", "again"}, cell.id
        assert cell.metadata.get("slideshow", {}).get("slide_type", "skip") in (
            *("skip", "notes", "slide"),
        ), cell.id
