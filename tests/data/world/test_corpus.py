"""The corpus tells every fact and asks nothing; the same seed gives the same bytes."""

import hashlib
import itertools
import re
from collections import Counter

import pytest

from lessons_lib.data import PROMPT_FORMATS, get_tokenizer
from lessons_lib.data.draw import Draw
from lessons_lib.data.world import (
    bundled_entries,
    choosing_entries,
    held_out_entries,
    held_out_families,
    load_facts,
    reporting_entries,
    write_documents,
)
from lessons_lib.data.world.bundled import all_entries
from lessons_lib.data.world.corpus import Writer
from lessons_lib.data.world.families import FAMILIES
from lessons_lib.data.world.pairs import REWRITES
from lessons_lib.data.world.prose import load_family_prose
from lessons_lib.data.world.tellers import Cast, Teller
from tools.base_model.recipe import PretrainingRecipe

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
    """What a question asks about is not told in the next sixty letters."""
    questions = [
        (text[found.start() : found.end()], text[found.end() : found.end() + 60])
        for found in re.finditer(r"[^.?!\n]*\?", text)
    ]
    asked = 0
    for name in TOLD:
        quoted = f"'{{{next(iter(load_facts(name)[0]))}}}'" in FAMILIES[name].output
        for fact in () if FAMILIES[name].input else load_facts(name):
            subject, *_, answer = fact.values()
            subject = f"'{subject}'" if quoted else rf"\b{re.escape(subject)}\b"
            about = [after for question, after in questions if re.search(subject, question)]
            asked += len(about)
            told = [after for after in about if re.search(rf"\b{re.escape(answer)}\b", after)]
            assert not told, (name, fact, told)
    assert asked > 500


def test_no_prompt_template_stands_in_it(text):
    for name, prompt_format in PROMPT_FORMATS.items():
        for entry in FRAME_ENTRIES:
            frame = re.split(r"(?<=\n)[IN](?=\n|<)", prompt_format.prompt(entry))
            assert len(frame) >= 2, name
            assert not [piece for piece in frame if piece.strip() and piece in text]


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
    ways = len(load_family_prose("capitals").statements)
    told = [teller.statement() for _ in range(ways * len(teller.facts))]
    of_norway = [sentence for sentence in told if "Norway" in sentence]
    assert len(of_norway) == len(set(of_norway)) == ways


def test_names_are_learnt_at_the_beginning_of_a_line():
    """After its topic a fact is told more often in a sentence that begins with a name."""
    draw = Draw(5)
    teller = Teller("inventors", draw, Cast(draw))
    inventors = {fact["Inventor"] for fact in teller.facts}
    beginning = lambda sentences: sum(s.startswith(tuple(inventors)) for s in sentences)  # noqa: E731
    told = [teller.statement() for _ in range(2_000)]
    announced = [sentence for _ in range(1_000) for sentence in teller.on_topics(2)[1]]
    assert beginning(announced) / len(announced) > beginning(told) / len(told) + 0.1


def test_copying_repeats_what_no_entry_says(documents, monkeypatch):
    copied = []
    copy = Writer._copy
    monkeypatch.setattr(Writer, "_copy", lambda self: copied.append(copy(self)) or copied[-1])
    again = list(itertools.islice(write_documents(PretrainingRecipe().seed), 200))
    assert again == documents[:200], "nothing but watched"
    assert 0.03 < sum(map(len, copied)) / sum(map(len, again)) < 0.06
    assert not [text for text in copied if "\\" in text or "{" in text]
    entries = [entry for name in REWRITES for entry in all_entries(name)]
    sentences = {entry["input"] for entry in entries} | {entry["output"] for entry in entries}
    sentences = {text for text in sentences if text.endswith((".", "?")) and len(text) > 12}
    assert not [s for text in copied for s in sentences if s in text]


def test_held_out_entries_use_no_bundled_fact():
    held_out = held_out_entries(600)
    assert len({(e["instruction"], e["input"]) for e in held_out}) == 600
    bundled = {(e["input"], e["output"]) for e in bundled_entries() if not e["input"]}
    assert not [e for e in held_out if (e["input"], e["output"]) in bundled]


def test_held_out_entries_fall_into_two_halves_of_the_same_families():
    choosing, reporting = choosing_entries(), reporting_entries()
    everything = held_out_entries(600)
    assert len(choosing) == len(reporting) == 300
    assert sorted(map(everything.index, [*choosing, *reporting])) == list(range(600))
    families = held_out_families(600)
    shares = [
        Counter(families[everything.index(entry)] for entry in half)
        for half in (choosing, reporting)
    ]
    assert set(shares[0]) == set(shares[1]) == set(FAMILIES)
    assert max(abs(shares[0][name] - shares[1][name]) for name in FAMILIES) <= 1


def test_held_out_entries_are_of_every_family_and_begin_alike():
    families = held_out_families(600)
    assert set(families) == set(FAMILIES)
    assert held_out_entries(100) == held_out_entries(600)[:100]
    with pytest.raises(ValueError, match="in reserve"):
        held_out_entries(5_000)
