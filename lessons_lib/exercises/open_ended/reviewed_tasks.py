"""Generated tasks reviewed by hand: what was found, what was corrected, how each stands. Lesson 13.

The three questions are about a task as its teacher wrote it, so that their shares measure the
teacher; a correction decides only whether the task is kept.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lessons_lib.data import Entry
from lessons_lib.data.reading import sift_entries
from lessons_lib.evaluation import Share
from lessons_lib.exercises.records import change_record, read_record
from lessons_lib.support import Table

REVIEWS = "reviews.json"
FIELDS = ("instruction", "input", "output")
QUESTIONS = {
    "task": "Is the instruction a valid task?",
    "input": "Does the input fit the instruction?",
    "output": "Is the output right?",
}
KEPT = ("good", "mended")  # standings; see ``standing``


@dataclass(frozen=True)
class Review:
    """What a reader answered about a task as it was written, and what they corrected in it.

    An answer of None was not given yet; ``corrected`` has the new text of each changed field.
    """

    task: bool | None = None
    input: bool | None = None
    output: bool | None = None
    corrected: Mapping[str, str] = field(default_factory=dict)

    @property
    def answers(self) -> tuple[bool | None, ...]:
        """The answers in the order of ``QUESTIONS``."""
        return self.task, self.input, self.output

    @property
    def is_judged(self) -> bool:
        """Whether all questions were answered."""
        return None not in self.answers

    def apply(self, entry: Entry) -> Entry:
        """A copy of the entry with the corrected texts in it."""
        return {**entry, **self.corrected}


def as_review(value: Any) -> Review:
    """The review in a JSON value, from the page or from a file; what is no part of one is left out.

    Half a character, which no file can hold, becomes the mark that stands for one.
    """
    value = value if isinstance(value, dict) else {}
    answers = {name: value.get(name) for name in QUESTIONS}
    texts = value.get("corrected")
    texts = texts if isinstance(texts, dict) else {}
    return Review(
        **{name: answer for name, answer in answers.items() if isinstance(answer, bool)},
        corrected={name: whole(texts[name]) for name in FIELDS if isinstance(texts.get(name), str)},
    )


def whole(text: str) -> str:
    """The text with U+FFFD in the place of half a character (a lone surrogate)."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def standing(entry: Entry, review: Review) -> str:
    """How a task stands: "open", "good", "bad", "mended", or "faulty".

    Mended was bad, and is corrected. Faulty is corrected so that it is no entry any more, for
    instance without an output; that comes before all else.
    """
    if _fault(entry, review):
        return "faulty"
    if not review.is_judged:
        return "open"
    if all(review.answers):
        return "good"
    return "mended" if review.corrected else "bad"


def tell(entry: Entry, review: Review) -> str:
    """How a task stands, in a sentence or two that say what to do."""
    left = review.answers.count(None)
    return {
        "faulty": f"{_fault(entry, review)}: write another, or undo the change. Until then the "
        "task is not kept.",
        "open": f"Not judged yet: {left} of {len(QUESTIONS)} questions are open.",
        "good": "Good, and kept.",
        "bad": "Bad, and not kept. You can correct it.",
        "mended": "Bad as it was written, and kept as you corrected it.",
    }[standing(entry, review)]


def tell_counts(entries: Sequence[Entry], reviews: Sequence[Review]) -> str:
    """ "4 of 10 judged, 1 corrected, 3 kept"."""
    judged = sum(review.is_judged for review in reviews)
    corrected = sum(bool(review.corrected) for review in reviews)
    kept = sum(standing(*each) in KEPT for each in zip(entries, reviews, strict=True))
    return f"{judged} of {len(reviews)} judged, {corrected} corrected, {kept} kept"


def review_shares(reviews: Sequence[Review]) -> dict[str, Share]:
    """For each question, and for all three at once, the share of yes among the answers.

    Source: Self-Instruct (Wang et al., 2023), whose authors put three such questions to one of
    themselves about 200 of the tasks that GPT-3 wrote.
    """
    shares = {}
    for place, question in enumerate(QUESTIONS.values()):
        answers = [review.answers[place] for review in reviews]
        shares[question] = Share(answers.count(True), len(answers) - answers.count(None))
    judged = [all(review.answers) for review in reviews if review.is_judged]
    return shares | {"All three?": Share(sum(judged), len(judged))}


def review_table(reviews: Sequence[Review]) -> Table:
    """``review_shares`` with their intervals of 95 %."""
    rows = [(question, str(share)) for question, share in review_shares(reviews).items()]
    return Table(("as the teacher wrote it", "yes"), tuple(rows))


def load_reviews(name: str, entries: Sequence[Entry]) -> list[Review]:
    """What was kept under this name about each of the entries; open where there is nothing."""
    known = read_record(REVIEWS).get(name, {})
    return [as_review(known.get(_digest(entry))) for entry in entries]


def save_reviews(name: str, entries: Sequence[Entry], reviews: Sequence[Review]) -> str:
    """Keep reviews in the learner's folder; returns a sentence where that failed.

    What was kept about other entries stays.
    """
    new = {_digest(e): asdict(review) for e, review in zip(entries, reviews, strict=True)}
    return change_record(REVIEWS, lambda record: record.setdefault(name, {}).update(new))


def _fault(entry: Entry, review: Review) -> str:
    """What is wrong with the corrected entry, or an empty text."""
    _, faults = sift_entries([review.apply(entry)])
    return f"The {faults[0].field} {faults[0].problem}" if faults else ""


def _digest(entry: Entry) -> str:
    """A name for an entry as it was written; the file knows it by that wherever it stands."""
    texts = json.dumps([entry[name] for name in FIELDS])
    return hashlib.sha256(texts.encode()).hexdigest()[:16]
