"""The glossary: each term once, in its first lesson, in no lesson before, and linked from there."""

import re
from pathlib import Path

import pytest

from lessons_lib.working_copy import glossary_page
from tools.build_notebooks import ROOT, lab_paths, lesson_paths, page_paths
from tools.exercises.cells import read
from tools.teaching import glossary

# What a term is a part of, or a plainer word for something else, in the lessons before its own.
ELSEWHERE = {
    "embedding": "token embedding",
    "parameter": "hyperparameter",
}
LATER = re.compile(r"\((?:lesson )?\[?\d\d|lessons? \[?\d\d")  # a lesson that is named


def course_order():
    """The lessons in order; the page on PyTorch is read before lesson 03, as README.md says."""
    lessons = lesson_paths()
    return [*lessons[:3], *page_paths(), *lessons[3:]]


TERMS = [(ROOT / "notebooks" / name, term) for name, term in glossary.terms()]


def prose(path: Path) -> list[str]:
    """A notebook's paragraphs without code; not its opening, which says what will be learned."""
    texts = []
    for cell in read(path)["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] != "markdown" or text.startswith("# ") or "navigation" in cell["id"]:
            continue
        text = re.sub(r"<details>.*?</details>|```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
        texts += text.split("\n\n")
    return texts


def uses(term: str, path: Path) -> list[str]:
    """Paragraphs with the term, in singular or plural, but for those that name a later lesson."""
    words = r"\s+".join(map(re.escape, term.removesuffix(" part").split()))
    wanted = re.compile(rf"(?<![\w-]){words}(?:s|es)?(?![\w-])", re.IGNORECASE)
    found = []
    for text in PROSE[path]:
        text = text.replace(ELSEWHERE.get(term, "\0"), "")
        if wanted.search(text) and not LATER.search(text):
            found.append(text.strip())
    return found


PROSE = {path: prose(path) for path in course_order()}


def test_each_term_comes_once_and_in_order():
    terms = [term.casefold() for _, term in TERMS]
    assert len(terms) == len(set(terms))
    places = [course_order().index(notebook) for notebook, _ in TERMS]
    assert places == sorted(places)


@pytest.mark.parametrize(("notebook", "term"), TERMS, ids=[term for _, term in TERMS])
def test_a_term_is_not_used_before_its_lesson(notebook, term):
    place = course_order().index(notebook)
    early = {path.name: found for path in course_order()[:place] if (found := uses(term, path))}
    assert early == {}
    words = term.casefold().removesuffix(" part")
    assert any(words in " ".join(text.casefold().split()) for text in PROSE[notebook])


def links_to_terms(path: Path) -> list[tuple[str, str]]:
    """(text, anchor) of each link to a place in the glossary."""
    texts = ["".join(cell["source"]) for cell in read(path)["cells"]]
    return re.findall(r"\[([^]]+)\]\(\.\./docs/glossary\.md#([^)]+)\)", "\n".join(texts))


def test_a_lesson_ends_with_links_to_its_own_terms():
    for path in [*course_order(), *lab_paths()]:
        own = [(term, glossary.anchor(term)) for notebook, term in TERMS if notebook == path]
        assert links_to_terms(path) == own, path.name
        end = "".join(read(path)["cells"][-1]["source"])
        assert end.startswith("Words of this lesson: ") == bool(own)


def test_links_find_the_headings_as_a_code_host_calls_them():
    assert glossary.anchor("Cohen's kappa") == "cohens-kappa"
    assert glossary.anchor("KV cache") == "kv-cache" and glossary.anchor("top-k") == "top-k"
    anchors = [glossary.anchor(term) for _, term in TERMS]
    assert len(anchors) == len(set(anchors))


def test_beside_copies_the_glossary_leads_to_the_copies_alone():
    links = re.findall(r"\]\(([^)]+)\)", glossary_page())
    names = {path.name for path in course_order()}
    assert links and {*links} <= names


def test_a_line_that_is_no_term_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(glossary, "GLOSSARY", tmp_path / "glossary.md")
    text = "# Glossary\n\n## [01 A](../notebooks/01_a.ipynb)\n\n### leak\n\n- **old**: form.\n"
    glossary.GLOSSARY.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="what is this line"):
        glossary.terms()
