"""The corpus holds no answer: facts are told in other words than an entry's output, and in many.

Proverbs are the exception throughout: their answer is the fact, so it must be told as it is.
"""

import itertools
import re
from collections.abc import Iterator

import pytest

from lessons_lib.data import get_tokenizer, load_entries
from lessons_lib.data.world import held_out_entries, load_facts, write_dictation, write_documents
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.data.world.pairs import REWRITES
from lessons_lib.data.world.prose import load_family_prose, load_lines
from tests.helpers.phrases import Phrases
from tools.base_model.recipe import PretrainingRecipe

CHARACTERS_OF_A_TOKEN = 4.1  # and a little more than there are, so that all of the text is seen
INSERTED = 2  # further words that a telling must have beside an answer's, at least one more
CAST = {"person": "Nora", "other": "Sam", "place": "the mill", "weekday": "Monday", "month": "May"}
TOLD = [name for name in FAMILIES if name not in REWRITES]
WORDINGS = 10
FORBIDDEN_HEADING = re.compile(r"^\W*(instruction|input|response)", re.IGNORECASE)


def documents() -> Iterator[str]:
    """The whole pretraining text."""
    recipe = PretrainingRecipe()
    parts = {write_dictation: recipe.dictation, write_documents: 1 - recipe.dictation}
    for write, share_of_text in parts.items():
        characters = 0
        for document in write(recipe.seed):
            yield document
            characters += len(document)
            if characters > CHARACTERS_OF_A_TOKEN * share_of_text * recipe.tokens:
                break


def outputs_of(family: str) -> list[str]:
    """The answer to each fact of a family, those of bundled and of held-out entries included."""
    template = FAMILIES[family].output
    return [template.format_map(FAMILIES[family].words(fact)) for fact in load_facts(family)]


@pytest.fixture(scope="module")
def wanted() -> list[tuple[str, str]]:
    """Family and answer of every fact."""
    return [(name, text) for name in FAMILIES for text in outputs_of(name) if name != "proverbs"]


@pytest.fixture(scope="module")
def sample() -> list[str]:
    return list(itertools.islice(write_documents(PretrainingRecipe().seed), 300))


@pytest.mark.parametrize("write", [write_dictation, write_documents])
def test_the_whole_text_is_searched(write):
    sample = list(itertools.islice(write(PretrainingRecipe().seed), 300))
    tokens = sum(len(get_tokenizer().encode_ordinary(document)) + 1 for document in sample)
    assert sum(map(len, sample)) < CHARACTERS_OF_A_TOKEN * tokens


def test_the_wanted_answers_are_those_of_all_entries(wanted):
    texts = {text for _, text in wanted} | set(outputs_of("proverbs"))
    entries = [*load_entries("bundled"), *held_out_entries(600)]
    assert len(entries) == 1_700
    assert [entry for entry in entries if entry["output"] not in texts] == []


@pytest.mark.parametrize("family", [name for name in TOLD if name != "proverbs"])
def test_no_wording_holds_an_answer(family):
    """Neither as it is nor with words inserted, for any fact. The rest of the corpus: see below."""
    prose, found = load_family_prose(family), {}
    facts = [FAMILIES[family].words(fact) for fact in load_facts(family)]
    for fact, output in zip(facts, outputs_of(family), strict=True):
        phrases = Phrases([output], (), INSERTED)
        for wording in (*prose.statements, *prose.rows, *prose.musings):
            if any(phrases.find(wording.format_map(CAST | fact))):
                found.setdefault(wording, output)
    assert not found, "\n".join(
        [f"{family}: these wordings hold the answer; tell the fact in other words"]
        + [f"  {wording!r} holds {output!r}" for wording, output in found.items()]
    )


@pytest.mark.long
def test_no_answer_stands_in_the_corpus(wanted, sample):
    """The whole of it, across sentences too; and within a sentence not with words inserted.

    The answers of rewriting families are sentences without a form of their own, into which words
    come by chance ("Anna and Paul drew the map"); they are searched for as they are.
    """
    worded = [(family, text) for family, text in wanted if family in (*TOLD, "sentiments")]
    searches = [
        (wanted, Phrases([text for _, text in wanted], sample)),
        (worded, Phrases([text for _, text in worded], sample, INSERTED)),
    ]
    found = {}
    for document in documents():
        for answers, phrases in searches:
            for index, passage in phrases.find(document):
                found.setdefault(answers[index], passage)
    assert not found, f"{len(found)} answers stand in the corpus, such as\n" + "\n".join(
        f"  {family}: {text!r} in … {passage} …"
        for (family, text), passage in list(found.items())[:20]
    )


def test_proverbs_are_found(sample):
    """The exception shows that the search finds what is there."""
    phrases = Phrases(outputs_of("proverbs"), sample, INSERTED)
    found = {index for text in sample for index, _ in phrases.find(text)}
    assert len(found) > len(load_facts("proverbs")) / 2


def test_no_heading_begins_as_a_template_does():
    assert [line for line in load_lines("headings") if FORBIDDEN_HEADING.match(line)] == []


@pytest.mark.parametrize("family", TOLD)
def test_musings_tell_nothing(family):
    _, giving = columns(family)
    for musing in load_family_prose(family).musings:
        assert not giving.intersection(gaps(musing)), musing


@pytest.mark.parametrize("family", TOLD)
def test_a_family_has_many_wordings_in_both_directions(family):
    """What was read in one direction only is not known in the other (the reversal curse)."""
    asking, giving = columns(family)
    first = []
    for statement in load_family_prose(family).statements:
        told = [gap for gap in gaps(statement) if gap in asking | giving]
        assert asking & set(told) and giving & set(told), f"{family}: half a fact: {statement!r}"
        first.append("asking" if told[0] in asking else "giving")
    assert len(first) >= WORDINGS, family
    assert min(first.count("asking"), first.count("giving")) >= 5, (family, first)


def columns(family: str) -> tuple[set[str], set[str]]:
    """The columns that a question names, and those that only the answer gives."""
    of = FAMILIES[family]
    asking = set(gaps(" ".join([*of.instructions, of.input])))
    return asking, set(gaps(of.output)) - asking


def gaps(template: str) -> list[str]:
    """The columns that a template names, in order: "animal" for {A_animal}."""
    return [gap.lower() for gap in re.findall(r"{(?:[aA]_)?(\w+)}", template)]


def test_every_fact_is_told_in_ten_wordings(sample):
    """A wording is found by its longest stretch without people, places or days."""
    told, stretches = [], []
    for family in TOLD:
        for number, fact in enumerate(load_facts(family)):
            words = dict.fromkeys(CAST, "\n") | FAMILIES[family].words(fact)
            for statement in load_family_prose(family).statements:
                told.append((family, number, statement))
                stretches.append(max(statement.format_map(words).split("\n"), key=len))
    phrases = Phrases(stretches, sample)
    seen: dict[tuple[str, int], set[str]] = {(family, number): set() for family, number, _ in told}
    few = set(seen)
    for document in documents():
        for index, _ in phrases.find(document):
            family, number, statement = told[index]
            seen[family, number].add(statement)
        few = {fact for fact in few if len(seen[fact]) < WORDINGS}
        if not few:
            return
    pytest.fail(
        "\n".join(f"{name} {load_facts(name)[i]}: {sorted(seen[name, i])}" for name, i in few)
    )
