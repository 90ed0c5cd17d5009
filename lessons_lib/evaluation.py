"""How many answers of a model are right, in all and for each family of tasks. Taught in lesson 10.

Answers come from a model of any kind, as texts; this module only compares them with the entries.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from lessons_lib.intervals import Share
from lessons_lib.key_answers import first_sentence, key_answer
from lessons_lib.reading import Entry, check_entries
from lessons_lib.table import Table

# Whether an answer is right; None where this check says nothing about such an entry.
Check = Callable[[Entry, str], bool | None]
STOPPED = "stopped"
ALL = "all entries"


def matches_exactly(entry: Entry, answer: str) -> bool:
    """Whether the answer is the entry's output, white space around both aside."""
    return answer.strip() == entry["output"].strip()


def names_key_answer(entry: Entry, answer: str) -> bool | None:
    """Whether the answer's first sentence names what the output says beyond the prompt.

    What that is, ``key_answers.key_answer`` defines; None where it finds nothing. An exact match
    always names it.
    """
    key = key_answer(entry)
    return None if key is None else key.named_in(first_sentence(answer))


CHECKS: Mapping[str, Check] = MappingProxyType(
    {"exact": matches_exactly, "lenient": names_key_answer}
)


@dataclass(frozen=True)
class Row:
    """One line of the table: a family, or all entries, and the share of each mark."""

    name: str
    entries: int
    shares: dict[str, Share]


@dataclass(frozen=True)
class Scores:
    """What ``score_responses`` found: a table in a terminal and in Jupyter.

    Entries, answers, families and each list of ``marks`` have one value an entry, in one order.
    """

    entries: list[Entry]
    answers: list[str]
    families: list[str] | None
    marks: dict[str, list[bool | None]]  # name of a check → right, wrong, or None: not defined

    def share(self, mark: str, family: str | None = None) -> Share:
        """How many of the entries for which a mark is defined have it.

        Raises:
            KeyError: there is no such mark.
        """
        defined = [
            value
            for place, value in enumerate(self.marks[mark])
            if value is not None and family in (None, self._family(place))
        ]
        return Share(sum(defined), len(defined))

    def table(self, sort_by: str = "family") -> list[Row]:
        """A row for all entries, then one for each family.

        Rows come in the order of their names, or of a mark's share, the highest first; families
        for which the mark is not defined come last.

        Raises:
            ValueError: ``sort_by`` is neither "family" nor a mark.
        """
        if sort_by != "family" and sort_by not in self.marks:
            names = ", ".join(f'"{name}"' for name in ("family", *self.marks))
            raise ValueError(f"sort_by must be one of {names}, not {sort_by!r}")
        rows = [self._row(family) for family in sorted(set(self.families or []))]
        if sort_by != "family":  # a stable sort: equal shares stay in the order of their names
            rows.sort(key=lambda row: -_value(row.shares[sort_by]))
        return [self._row(None), *rows]

    def to_text(self, sort_by: str = "family") -> str:
        """The table as aligned lines. Raises ValueError as ``table``."""
        return str(self._shown(sort_by))

    def __str__(self) -> str:
        return self.to_text()

    __repr__ = __str__

    def to_html(self, sort_by: str = "family") -> str:
        """The table as HTML, every text escaped. Raises ValueError as ``table``."""
        return self._shown(sort_by)._repr_html_()

    _repr_html_ = to_html

    def _shown(self, sort_by: str) -> Table:
        head = ("family" if self.families else "", "entries", *self.marks)
        rows = (
            (row.name, str(row.entries), *map(str, row.shares.values()))
            for row in self.table(sort_by)
        )
        return Table(head, tuple(rows))

    def _row(self, family: str | None) -> Row:
        entries = len(self.entries) if family is None else self.families.count(family)
        shares = {mark: self.share(mark, family) for mark in self.marks}
        return Row(ALL if family is None else family, entries, shares)

    def _family(self, place: int) -> str | None:
        return self.families[place] if self.families else None


def score_responses(
    entries: Sequence[Entry],
    answers: Sequence[str | None],
    stopped: Sequence[bool | None] | None = None,
    families: Sequence[str] | None = None,
    checks: Mapping[str, Check] = CHECKS,
) -> Scores:
    """Mark each answer of a model by each check, and count.

    Args:
        entries: what was asked, with the output that is expected.
        answers: the model's answers in the same order; None counts as an empty one.
        stopped: whether the model ended each answer by itself, with end of text; None for an
            answer of which nobody knows. It becomes one more mark.
        families: the kind of each task. The bundled entries have theirs in
            ``world.entries.entry_families()``: places 935 to 1044 are those of the test part.
        checks: name → function of entry and answer that says whether the answer is right.

    Raises:
        ValueError: the lists are not equally long, or empty. DatasetError: an entry is faulty.
        TypeError: an answer is no text.
    """
    if not len(entries):
        raise ValueError("there are no entries to score")
    for name, values in (("answers", answers), ("stopped", stopped), ("families", families)):
        if values is not None and len(values) != len(entries):
            raise ValueError(
                f"{name} must have one value for each entry: there are {len(entries)} entries "
                f"and {len(values)} {name}"
            )
    entries = check_entries(list(entries))
    texts = [_answer(answer, place) for place, answer in enumerate(answers)]
    marks = {
        name: [_mark(check(*pair)) for pair in zip(entries, texts, strict=True)]
        for name, check in checks.items()
    }
    if stopped is not None:
        marks[STOPPED] = list(map(_mark, stopped))
    return Scores(entries, texts, None if families is None else list(families), marks)


def _mark(value: Any) -> bool | None:
    """What a check says: 1, numpy's booleans and the like are True or False too."""
    return None if value is None else bool(value)


def _answer(answer: str | None, place: int) -> str:
    if answer is None:
        return ""
    if not isinstance(answer, str):
        raise TypeError(f"answer {place} is {type(answer).__name__}; an answer is a text or None")
    return answer


def _value(share: Share) -> float:
    """For sorting: a share that is not defined comes after one of 0."""
    return -1.0 if share.value is None else share.value
