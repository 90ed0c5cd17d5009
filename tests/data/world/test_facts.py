"""Reading facts, and the small words that templates put around them."""

import pytest

from lessons_lib.data.world import facts, load_facts
from lessons_lib.data.world.facts import fact_files, read_table, upper_first, with_article, wordings


@pytest.fixture
def fact_folder(tmp_path, monkeypatch):
    """A folder of facts for one test; what was read from it is forgotten afterwards."""
    monkeypatch.setattr(facts, "FACTS", tmp_path)
    read_table.cache_clear()
    yield tmp_path
    read_table.cache_clear()


def write(folder, text: str) -> None:
    (folder / "made_up.tsv").write_text(text, encoding="utf-8", newline="")


@pytest.mark.parametrize("name", fact_files())
def test_each_file_can_be_read(name):
    rows = load_facts(name)
    assert rows
    assert all(rows[0].keys() == row.keys() for row in rows)


@pytest.mark.parametrize("name", fact_files())
def test_no_fact_stands_twice_in_a_file(name):
    rows = [tuple(fact.values()) for fact in load_facts(name)]
    assert len(set(rows)) == len(rows)


def test_a_fact_is_a_dictionary_by_column(fact_folder):
    write(fact_folder, "word\tpart\nété\tnoun\ngo on\tverb\n")
    assert load_facts("made_up") == (
        {"word": "été", "part": "noun"},
        {"word": "go on", "part": "verb"},
    )
    assert fact_files() == ["made_up"]


def test_lines_may_end_as_on_windows(fact_folder):
    write(fact_folder, "word\tpart\r\nfox\tnoun\r\n")
    assert load_facts("made_up") == ({"word": "fox", "part": "noun"},)


@pytest.mark.parametrize(
    "line",
    ["fox", "fox\tnoun\tagain", "fox\t", "\tnoun", "fox\t ", " fox\tnoun", "fox\tnoun ", "", "\t"],
)
def test_a_malformed_line_is_named(fact_folder, line):
    write(fact_folder, f"word\tpart\nowl\tnoun\n{line}\nelk\tnoun\n")
    with pytest.raises(ValueError, match=r"made_up\.tsv, line 3: expected word, part"):
        load_facts("made_up")


def test_a_file_without_even_a_header_is_an_error(fact_folder):
    write(fact_folder, "")
    with pytest.raises(ValueError):
        load_facts("made_up")


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("baker", "a baker"),
        ("owl", "an owl"),
        ("Owl", "an Owl"),
        ("umbrella", "an umbrella"),
        ("unicorn", "a unicorn"),
        ("uniform", "a uniform"),
        ("university", "a university"),
        ("European", "a European"),
        ("euphonium", "a euphonium"),
        ("ewe", "a ewe"),
        ("one-way street", "a one-way street"),
        ("useful tool", "a useful tool"),
        ("usher", "an usher"),
        ("uncle", "an uncle"),
        ("utensil", "a utensil"),
        ("ukulele", "a ukulele"),
        ("hour", "an hour"),
        ("hourglass", "an hourglass"),
        ("honest man", "an honest man"),
        ("heir", "an heir"),
        ("horse", "a horse"),
        ("house", "a house"),
        ("honey", "a honey"),
        ("eagle", "an eagle"),
        ("ice", "an ice"),
        ("yo-yo", "a yo-yo"),
    ],
)
def test_articles_go_by_the_sound(noun, expected):
    assert with_article(noun) == expected


def test_a_capital_letter_leaves_the_rest_as_it_is():
    assert upper_first("the World Wide Web") == "The World Wide Web"
    assert upper_first("élan") == "Élan"
    assert upper_first("") == ""


def test_wordings_of_a_column():
    assert wordings({"animal": "owl"}) == {
        "animal": "owl",
        "Animal": "Owl",
        "a_animal": "an owl",
        "A_animal": "An owl",
    }
