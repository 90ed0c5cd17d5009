"""The corpus tells every fact and asks nothing; the same seed gives the same bytes."""

import hashlib
import itertools
import re

import pytest

from lessons_lib.data import PROMPT_FORMATS, get_tokenizer
from lessons_lib.data.draw import Draw
from lessons_lib.data.world import (
    bundled_entries,
    held_out_entries,
    held_out_families,
    load_facts,
    write_documents,
)
from lessons_lib.data.world.bundled import all_entries
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.data.world.pairs import REWRITES
from lessons_lib.data.world.prose import load_family_prose
from lessons_lib.data.world.tellers import Cast, Teller
from tools.base_model.pretraining import PretrainingRecipe

DOCUMENTS = 800  # about a fifth of the pretraining text, from its start
TOLD = [name for name in FAMILIES if name not in REWRITES]
FRAME_ENTRIES = (
    {"instruction": "I", "input": "", "output": "O"},
    {"instruction": "I", "input": "N", "output": "O"},
)


@pytest.fixture(scope="module")
def documents():
    return list(itertools.islice(write_documents(PretrainingRecipe().seed), DOCUMENTS))


@pytest.fixture(scope="module")
def text(documents):
    return "\n\n".join(documents)


def test_the_same_seed_gives_the_same_bytes():
    def digest(seed):
        documents = itertools.islice(write_documents(seed), 20)
        return hashlib.sha256("\0".join(documents).encode()).hexdigest()

    assert digest(7) == digest(7) != digest(8)


def test_documents_are_long(documents):
    tokenizer = get_tokenizer()
    lengths = [len(tokenizer.encode_ordinary(document)) for document in documents[:200]]
    assert min(lengths) > 500 and sum(lengths) / len(lengths) > 1_000


def test_no_instruction_stands_in_it(text):
    lower = text.lower()
    asked = {
        entry["instruction"].lower().rstrip(".?")
        for name in FAMILIES
        for entry in all_entries(name)
    }
    asked |= {
        template.lower().rstrip(".?")
        for name in FAMILIES
        for template in FAMILIES[name].unseen
        if "{" not in template
    }
    assert len(asked) > 4_000
    assert not [instruction for instruction in asked if instruction in lower]


def test_no_pair_of_a_rewriting_family_stands_in_it(text):
    for name in REWRITES:
        for entry in all_entries(name)[:: len(FAMILIES[name].instructions)]:
            halves = [entry["input"]] + [entry["output"]] * (name != "sentiments")
            assert not [half for half in halves if half in text], (name, entry)


def test_no_question_is_followed_by_its_answer(text):
    """Where an entry's output stands, no question about that fact stands shortly before it."""
    questions = 0
    for name in TOLD:
        family = FAMILIES[name]
        for fact in () if family.input else load_facts(name):
            words = family.words(fact)
            output, asked = family.output.format_map(words), next(iter(fact.values()))
            for found in re.finditer(re.escape(output), text):
                before = text[max(0, found.start() - 200) : found.start()]
                questions += "?" in before
                question = before[: before.rfind("?") + 1]
                assert asked not in question, before + output
    assert questions > 30


def test_no_prompt_template_stands_in_it(text):
    headings = text.count("### Response: ")
    assert headings == text.count("### Response:"), "a template puts nothing or a line end there"
    text = text.replace("### Response: ", "")
    for name, prompt_format in PROMPT_FORMATS.items():
        for entry in FRAME_ENTRIES:
            frame = re.split(r"(?<=\n)[IN](?=\n|<)", prompt_format.prompt(entry))
            assert len(frame) >= 2, name
            assert not [piece for piece in frame if piece.strip() and piece in text]
    assert headings


def test_every_token_of_every_template_is_in_ordinary_use(documents):
    tokenizer = get_tokenizer()
    counts = {}
    for document in documents:
        for token in tokenizer.encode_ordinary(document):
            counts[token] = counts.get(token, 0) + 1
    for name, prompt_format in PROMPT_FORMATS.items():
        for entry in FRAME_ENTRIES:
            frame = prompt_format.text(entry)
            for token in set(tokenizer.encode_ordinary(frame)):
                assert counts.get(token, 0) >= 10, (name, tokenizer.decode([token]))


@pytest.mark.parametrize("family", TOLD)
def test_every_fact_is_told_in_several_phrasings(family, text):
    """What is asked and what is answered stand close together, in different surroundings."""
    lower = text.lower()
    templates = FAMILIES[family].input + FAMILIES[family].output
    columns = [name.lower() for name in re.findall(r"{(?:[aA]_)?(\w+)}", templates)]
    for fact in load_facts(family):
        question, answer = fact[columns[0]], fact[columns[-1]]
        near = set()
        for found in re.finditer(re.escape(question.lower()), lower):
            window = lower[max(0, found.start() - 120) : found.end() + 120]
            if answer.lower() in window:
                near.add(lower[found.start() - 25 : found.end() + 12])
        assert len(near) >= 3, (question, answer, near)


def test_a_fact_meets_every_wording_of_its_family():
    draw = Draw(5)
    teller = Teller("capitals", draw, Cast(draw))
    ways = len(load_family_prose("capitals").statements) + 1  # and the plain statement
    told = [teller.statement() for _ in range(ways * len(teller.facts))]
    of_norway = [sentence for sentence in told if "Norway" in sentence]
    assert len(of_norway) == len(set(of_norway)) == ways
    assert "The capital of Norway is Oslo." in of_norway


def test_held_out_entries_use_no_bundled_fact():
    held_out = held_out_entries(600)
    assert len({(e["instruction"], e["input"]) for e in held_out}) == 600
    bundled = {(e["input"], e["output"]) for e in bundled_entries() if not e["input"]}
    assert not [e for e in held_out if (e["input"], e["output"]) in bundled]


def test_held_out_entries_are_of_every_family_and_begin_alike():
    families = held_out_families(600)
    assert set(families) == set(FAMILIES)
    assert held_out_entries(100) == held_out_entries(600)[:100]
    with pytest.raises(ValueError, match="in reserve"):
        held_out_entries(5_000)
