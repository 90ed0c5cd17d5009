"""What a family of bundled entries is: which facts, how they are asked, how they are answered.

Templates use a fact's columns: ``{country}`` as it is, ``{Country}`` with a capital,
``{a_job}`` with an article, ``{A_job}`` with both. One answer form a family, several ways to ask.
"""

from dataclasses import dataclass

from lessons_lib.world.facts import Fact, upper_first, wordings


@dataclass(frozen=True)
class Family:
    """One kind of task. The first ``count`` facts of its file make bundled entries."""

    facts: str  # the file facts/<facts>.tsv; also the family's name
    count: int
    instructions: tuple[str, ...]
    output: str
    input: str = ""

    def words(self, fact: Fact) -> dict[str, str]:
        """What the templates may use for this fact."""
        derive = DERIVED.get(self.facts)
        return wordings(fact | derive(fact) if derive else fact)


def _sorted_words(fact: Fact) -> Fact:
    return {"sorted": ", ".join(sorted(fact["words"].split(", ")))}


def voices(fact: Fact) -> Fact:
    """The deed told twice, "active" and "passive"."""
    be = "was" if fact["number"] == "singular" else "were"
    return {
        "active": upper_first(f"{fact['agent']} {fact['past']} {fact['object']}."),
        "passive": upper_first(f"{fact['object']} {be} {fact['participle']} by {fact['agent']}."),
    }


# Columns that follow from a fact's own by a rule.
DERIVED = {
    "sort_words": _sorted_words,
    "active_voice": voices,
    "passive_voice": voices,
}
