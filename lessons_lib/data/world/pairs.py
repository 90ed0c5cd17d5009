"""Fresh pairs for the rewriting families: the corpus shows the skill, but no pair of an entry.

A pair is put together from parts (who did what to what) and is dropped if either half is the input
or the output of an entry. ``corpus`` tells the pairs in prose.
"""

import functools
from collections.abc import Callable, Iterator

from lessons_lib.data.draw import Draw
from lessons_lib.data.world.bundled import all_entries
from lessons_lib.data.world.facts import Fact, load_facts, upper_first
from lessons_lib.data.world.families import voices
from lessons_lib.data.world.prose import load_material

Pair = tuple[str, str]  # before, after

SINGULAR_AUXILIARIES = ("is", "was", "has", "does")
PLURAL_AUXILIARIES = ("are", "were", "have", "do")


def fresh_pairs(family: str, draw: Draw) -> Iterator[Pair]:
    """Yield endless pairs of a rewriting family; none contains a sentence or list of an entry."""
    taken = _sentences_of_entries()
    for before, after in REWRITES[family](draw):
        if before not in taken and after not in taken:
            yield before, after


@functools.cache
def _sentences_of_entries() -> frozenset[str]:
    """Inputs and outputs of all rewriting families: one's input may be another's output."""
    entries = [entry for name in REWRITES for entry in all_entries(name)]
    return frozenset(text for entry in entries for text in (entry["input"], entry["output"]))


def _voice_pairs(draw: Draw) -> Iterator[Pair]:
    """Active and passive sentences; they use deeds from entries, too, but done by other people."""
    deeds = load_material("deeds")
    told = [f for name in ("active_voice", "passive_voice") for f in load_facts(name)]
    agents = [row["agent"] for row in load_material("agents")]
    for deed in draw.endless((*deeds, *told, *told)):
        sentences = voices(deed | {"agent": draw.pick(agents)})
        yield sentences["active"], sentences["passive"]


def _active_to_passive(draw: Draw) -> Iterator[Pair]:
    yield from _voice_pairs(draw)


def _passive_to_active(draw: Draw) -> Iterator[Pair]:
    for active, passive in _voice_pairs(draw):
        yield passive, active


def _present_to_past(draw: Draw) -> Iterator[Pair]:
    people = _subjects("person")
    names = {name.lower() for number in people.values() for name in number}
    # Facts about rivers and frogs would sound odd if said of a person.
    facts = [f for f in load_facts("present_to_past") if f["subject"].lower() in names]
    for habit in draw.endless((*load_material("habits"), *facts, *facts)):
        number = habit.get("number") or ("singular" if habit["present"][-1] == "s" else "plural")
        subject = upper_first(draw.pick(people[number]))
        yield tuple(f"{subject} {habit[tense]} {habit['rest']}." for tense in ("present", "past"))


def _statements(draw: Draw) -> Iterator[tuple[str, Fact]]:
    subjects = {kind: _subjects(kind) for kind in ("person", "thing")}
    for state in draw.endless(load_material("states")):
        of_kind = subjects[state["kind"]]
        auxiliary = state["auxiliary"]
        if auxiliary in SINGULAR_AUXILIARIES:
            choice = of_kind["singular"]
        elif auxiliary in PLURAL_AUXILIARIES:
            choice = of_kind["plural"]
        else:
            choice = of_kind["singular"] + of_kind["plural"]
        yield draw.pick(choice), state


def _to_question(draw: Draw) -> Iterator[Pair]:
    for subject, state in _statements(draw):
        auxiliary, rest = state["auxiliary"], state["rest"]
        yield (
            upper_first(f"{subject} {auxiliary} {rest}."),
            upper_first(f"{auxiliary} {subject} {rest}?"),
        )


def _to_negative(draw: Draw) -> Iterator[Pair]:
    for subject, state in _statements(draw):
        rest = state["rest"]
        yield (
            upper_first(f"{subject} {state['auxiliary']} {rest}."),
            upper_first(f"{subject} {state['negative']} {rest}."),
        )


def _in_full(draw: Draw) -> Iterator[Pair]:
    for row in draw.endless(load_material("shortened")):
        yield f"{row['contraction']} {row['rest']}.", f"{row['full']} {row['rest']}."


def _feelings(draw: Draw) -> Iterator[Pair]:
    for row in draw.endless(load_material("opinions")):
        yield row["sentence"], row["sentiment"]


def _in_alphabetical_order(draw: Draw) -> Iterator[Pair]:
    facts = [fact["words"].split(", ") for fact in load_facts("sort_words")]
    used = sorted({word for words in facts for word in words})
    others = [row["word"] for row in load_material("words")]
    while True:
        words = draw.several(used if draw.chance(0.8) else others, len(draw.pick(facts)))
        if len(set(words)) == len(words) and words != sorted(words):
            yield ", ".join(words), ", ".join(sorted(words))


def _subjects(kind: str) -> dict[str, list[str]]:
    rows = [row for row in load_material("subjects") if row["kind"] == kind]
    return {
        number: [row["subject"] for row in rows if row["number"] == number]
        for number in ("singular", "plural")
    }


REWRITES: dict[str, Callable[[Draw], Iterator[Pair]]] = {
    "active_voice": _passive_to_active,
    "passive_voice": _active_to_passive,
    "present_to_past": _present_to_past,
    "statements_to_questions": _to_question,
    "negations": _to_negative,
    "contractions": _in_full,
    "sentiments": _feelings,
    "sort_words": _in_alphabetical_order,
}
