"""Facts curated by hand, one per line of ``facts/*.tsv``; a file's first line names its columns.

A fact is kept apart from its phrasing: entries and prose are both written from it. New facts go to
the end of a file, so that what is made from the earlier ones stays the same.
"""

import functools
from pathlib import Path

FACTS = Path(__file__).resolve().parent / "facts"

Fact = dict[str, str]

# Beginnings of words that take "a" despite a vowel letter, or "an" despite a consonant.
SPOKEN_WITH_CONSONANT = ("eu", "ewe", "one", "ukulele", "uni", "use", "utensil")
SPOKEN_WITH_VOWEL = ("heir", "honest", "honor", "hour")


def load_facts(name: str) -> tuple[Fact, ...]:
    """The facts of ``facts/<name>.tsv`` in order, each a dictionary from column to text.

    Raises:
        ValueError: a line has more or fewer columns than the first, or an empty one.
    """
    return read_table(FACTS / f"{name}.tsv")


@functools.cache
def read_table(path: Path) -> tuple[Fact, ...]:
    """The rows of a tab-separated file whose first line names the columns.

    Raises:
        ValueError: a line has more or fewer columns than the first, or an empty one.
    """
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    columns = header.split("\t")
    rows = []
    for number, line in enumerate(lines, 2):
        values = line.split("\t")
        if len(values) != len(columns) or not all(value.strip() == value != "" for value in values):
            raise ValueError(f"{path.name}, line {number}: expected {', '.join(columns)}: {line!r}")
        rows.append(dict(zip(columns, values, strict=True)))
    return tuple(rows)


def fact_files() -> list[str]:
    """The names of all fact files, in alphabetical order."""
    return sorted(path.stem for path in FACTS.glob("*.tsv"))


def upper_first(text: str) -> str:
    """The text with its first letter capitalised and the rest unchanged."""
    return text[:1].upper() + text[1:]


def with_article(noun: str) -> str:
    """The noun with "a" or "an" before it, chosen by pronunciation."""
    word = noun.lower()
    vowel = word.startswith(tuple("aeiou")) and not word.startswith(SPOKEN_WITH_CONSONANT)
    return f"{'an' if vowel or word.startswith(SPOKEN_WITH_VOWEL) else 'a'} {noun}"


def wordings(fact: Fact) -> Fact:
    """The fact's columns in all forms that templates may use.

    Each column comes as it is, capitalised (``Column``), with an article (``a_column``) and with
    both (``A_column``).
    """
    words = dict(fact)
    for column, value in fact.items():
        words[upper_first(column)] = upper_first(value)
        words[f"a_{column}"] = with_article(value)
        words[f"A_{column}"] = upper_first(with_article(value))
    return words
