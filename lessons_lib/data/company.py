"""A made-up company's answers: a domain to fine-tune for. Lesson 12."""

from lessons_lib.data.entries import load_entries
from lessons_lib.data.reading import Splits
from lessons_lib.support.paths import ASSETS

TRAINED_ON = 40


def company_entries() -> Splits:
    """What a lamp workshop tells its customers about refunds, delivery and the like.

    Ten answers. Each is asked for in four wordings to train on, 40 entries, and in a fifth, the
    test part. No validation part.
    """
    entries = load_entries(ASSETS / "company.json")
    return Splits(train=entries[:TRAINED_ON], validation=[], test=entries[TRAINED_ON:])
