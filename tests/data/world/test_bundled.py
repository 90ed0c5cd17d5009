"""The bundled entries: the file is what the facts give, in the real set's shape, without leaks."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest

from lessons_lib.data import Splits, load_entries, split_entries
from lessons_lib.data.entries import BUNDLED_ENTRIES
from lessons_lib.data.world import bundled_entries, entry_families, load_facts
from lessons_lib.data.world.bundled import to_json, write_entry
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.support.paths import PACKAGE

PARTS = ("train", "test", "validation")

# Words that are written with a vowel but spoken without one at the start, and the reverse.
SPOKEN_WITH_CONSONANT = set(
    """eucalyptus euphonium euro european ewe once one unicorn unicycle uniform unified union unique
    unison unit united universal universe university urologist uranium usable use used useful user
    usual usually utensil utility utopia ukulele""".split()
)
SPOKEN_WITH_VOWEL = set("heir heiress heirloom honest honestly honor honorable hour hourly".split())
SPOKEN_WITH_VOWEL |= {"hourglass", "x-ray", "mri"}


@pytest.fixture(scope="module")
def entries() -> list[dict]:
    return bundled_entries()


@pytest.fixture(scope="module")
def families() -> list[str]:
    return entry_families()


def told(entries: list[dict], families: list[str], wrong) -> list[str]:
    """The entries for which ``wrong(entry)`` holds, as lines to read in a failed test."""
    return [
        f"{i} {family}: {entry}"
        for i, (family, entry) in enumerate(zip(families, entries, strict=True))
        if wrong(entry)
    ]


def test_the_file_is_what_the_facts_give_byte_for_byte(entries):
    assert BUNDLED_ENTRIES.read_bytes() == to_json(entries).encode("utf-8"), (
        "write it again: python -m lessons_lib.data.world.bundled"
    )
    assert load_entries() == entries


def test_the_command_writes_the_same_file_anywhere(tmp_path):
    """In a copy of the package, under another hash seed, over a file that was spoiled."""
    (tmp_path / "lessons_lib").mkdir()
    shutil.copy(PACKAGE / "__init__.py", tmp_path / "lessons_lib" / "__init__.py")
    for room in ("support", "data"):
        shutil.copytree(PACKAGE / room, tmp_path / "lessons_lib" / room)
    target = tmp_path / "lessons_lib" / "assets" / "entries.json"
    target.parent.mkdir()
    target.write_text("[]", encoding="utf-8")
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-m", "lessons_lib.data.world.bundled"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    assert "1100 entries, split [935, 110, 55]" in run.stdout
    assert target.read_bytes() == BUNDLED_ENTRIES.read_bytes()


def test_the_file_is_for_reading_too():
    content = BUNDLED_ENTRIES.read_bytes()
    assert b"\r" not in content
    assert b"\\u" not in content, "letters stand as themselves"
    assert content.endswith(b"]\n")


def test_there_are_1100_entries_770_of_them_without_input(entries, families):
    assert len(entries) == len(families) == 1100
    assert sum(entry["input"] == "" for entry in entries) == 770
    assert [len(part) for part in split_entries(entries)] == [935, 110, 55]


def test_the_entries_have_the_three_fields_and_no_other(entries):
    assert {tuple(entry) for entry in entries} == {("instruction", "input", "output")}


def test_each_family_has_its_count(families):
    assert Counter(families) == {name: family.count for name, family in FAMILIES.items()}


def test_entry_50_is_a_misspelling_with_input(entries, families):
    assert families[50] == "spelling"
    wrong = {fact["wrong"]: fact["right"] for fact in load_facts("spelling")}
    assert f"'{wrong[entries[50]['input']]}'" in entries[50]["output"]


def test_entry_999_is_an_antonym_without_input(entries, families):
    assert families[999] == "antonyms"
    assert entries[999]["input"] == ""
    antonyms = {fact["word"]: fact["antonym"] for fact in load_facts("antonyms")}
    word = re.search("'(.+)'", entries[999]["instruction"])[1]
    assert f"'{antonyms[word]}'" in entries[999]["output"]


def split(rows):
    """Rows that belong to the entries, cut as those are."""
    return Splits(rows[:935], rows[935:1045], rows[1045:])


@pytest.mark.parametrize("part", PARTS)
def test_every_family_is_in_every_part(families, part):
    missing = set(FAMILIES) - set(getattr(split(families), part))
    assert missing == set()


def test_a_part_holds_about_its_share_of_every_family(families):
    splits = split(families)
    for name, family in FAMILIES.items():
        assert abs(splits.train.count(name) - 0.85 * family.count) < 2, name
        assert abs(splits.test.count(name) - 0.10 * family.count) < 2, name


def test_families_are_mixed(families):
    """A model that reads the entries in order does not meet one family after another."""
    neighbours = sum(first == second for first, second in zip(families, families[1:], strict=False))
    assert neighbours < 80


def test_training_shows_every_way_to_ask(entries, families):
    asked = [entry["instruction"] for entry in entries]
    shown = set(split(list(zip(families, asked, strict=True))).train)
    for name, family in FAMILIES.items():
        facts = [family.words(fact) for fact in load_facts(name)]
        for instruction in family.instructions:
            ways = {(name, instruction.format_map(words)) for words in facts}
            assert ways & shown, f"{name}: {instruction}"


def test_no_fact_is_used_twice(entries):
    """Of all ways to ask about a fact, exactly one is among the entries."""
    found = Counter(map(to_json_line, entries))
    for name, family in FAMILIES.items():
        for place, fact in enumerate(load_facts(name)):
            asked = {
                to_json_line(write_entry(family, fact, way))
                for way in range(len(family.instructions))
            }
            uses = sum(found[line] for line in asked)
            assert uses == (1 if place < family.count else 0), (name, fact)


def to_json_line(entry: dict) -> str:
    return "\t".join(entry.values())


def test_no_question_and_no_task_is_repeated(entries):
    tasks = Counter((entry["instruction"], entry["input"]) for entry in entries)
    assert [task for task, count in tasks.items() if count > 1] == []


def test_phrasings_are_counted_through():
    family, fact = FAMILIES["capitals"], load_facts("capitals")[0]
    ways = len(family.instructions)
    written = [write_entry(family, fact, way)["instruction"] for way in range(ways + 1)]
    assert len(set(written)) == ways
    assert written[0] == written[ways]


# How the texts look


def test_nothing_is_left_of_a_template(entries, families):
    assert told(entries, families, lambda e: re.search("[{}]", "".join(e.values()))) == []


def test_no_stray_white_space(entries, families):
    def wrong(entry):
        return any(text != " ".join(text.split()) for text in entry.values())

    assert told(entries, families, wrong) == []


def test_every_instruction_and_output_begins_and_ends_as_a_sentence(entries, families):
    def wrong(entry):
        texts = (entry["instruction"], entry["output"])
        return not all(re.match(r"['\"]?[A-Z0-9]", t) and re.search(r"[.?!]$", t) for t in texts)

    sentences = [f for f in zip(entries, families, strict=True) if f[1] != "sort_words"]
    assert told(*zip(*sentences, strict=True), wrong) == []


def test_lists_are_lists_in_the_output_too(entries, families):
    for entry, family in zip(entries, families, strict=True):
        if family == "sort_words":
            assert entry["output"] == ", ".join(sorted(entry["input"].split(", ")))


def test_an_input_is_a_sentence_or_has_no_full_stop(entries, families):
    """A sentence starts with a capital and has several words; proverbs are cut off by dots."""

    def wrong(entry):
        text = entry["input"]
        sentence = " " in text and text[0].isupper()
        return sentence != text.endswith((".", "?", "!")) if text else False

    assert told(entries, families, wrong) == []


def test_no_doubled_punctuation(entries, families):
    def wrong(entry):
        return any(re.search(r"[,;:.?!][.,;:?!]", t.removesuffix(" ...")) for t in entry.values())

    assert told(entries, families, wrong) == []


def test_quotation_marks_come_in_pairs(entries, families):
    def unpaired(text):
        opening, closing = re.findall(r"(?<!\w)'", text), re.findall(r"'(?!\w)", text)
        possessive = re.findall(r"s' ", text)  # the boys' room: looks like a closing mark
        return not 0 <= len(closing) - len(opening) <= len(possessive) or '"' in text

    assert told(entries, families, lambda entry: any(map(unpaired, entry.values()))) == []


def test_articles_fit_what_follows(entries, families):
    def wrong(entry):
        text = " ".join(entry.values())
        for article, word in re.findall(r"\b(an?) ([\w-]+)", text, flags=re.IGNORECASE):
            word = word.lower()
            vowel = word[0] in "aeiou" and word not in SPOKEN_WITH_CONSONANT
            vowel = vowel or word in SPOKEN_WITH_VOWEL
            if vowel != (article.lower() == "an") and (article, word) != ("A", "to"):
                return True
        return False

    assert told(entries, families, wrong) == []


# Beside the real set


def plain(entry: dict) -> str:
    return re.sub(r"\W+", " ", " ".join(entry.values())).casefold().strip()


def test_no_bundled_entry_is_one_of_the_book(entries, families, real_entries):
    book = {plain(entry) for entry in load_entries(real_entries)}
    assert told(entries, families, lambda entry: plain(entry) in book) == []


def test_the_share_without_input_is_about_that_of_the_book(entries, real_entries):
    def share(rows):
        return sum(not entry["input"] for entry in rows) / len(rows)

    assert share(entries) == pytest.approx(share(load_entries(real_entries)), abs=0.02)
