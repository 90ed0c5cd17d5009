"""The miniature world's entries with longer answers, little else changed. Lesson 11.

The same instructions, inputs, families and facts; after the wanted sentence come two more, which
tell the same fact, or the same rewriting, in words of the corpus, always the same two wordings for
a family. So an answer is longer, and its end repeats what its beginning said, in sentences of a
kind that the base model has read.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from lessons_lib.data import Entry
from lessons_lib.data.draw import Draw
from lessons_lib.data.world.bundled import bundled_entries, facts_of
from lessons_lib.data.world.facts import Fact
from lessons_lib.data.world.families import Family
from lessons_lib.data.world.pairs import REWRITES
from lessons_lib.data.world.prose import load_family_prose
from lessons_lib.support import cache_folder, write_whole

FURTHER_SENTENCES = 2
# Sentences that need somebody's name, a place or a day say more than the fact.
NEEDS_A_CAST = re.compile(r"{(person|other|place|weekday|month)}")


def told_at_length(entries: Sequence[Entry]) -> list[Entry]:
    """Each entry with an answer that goes on: the wanted one, then the same in other words.

    Raises:
        KeyError: an entry is neither a bundled nor a held-out one.
    """
    return [
        {**entry, "output": " ".join([entry["output"], *_further(entry, family, fact)])}
        for entry, (family, fact) in zip(entries, facts_of(entries), strict=True)
    ]


def told_at_length_file() -> Path:
    """Write the bundled entries, told at length, to a file in the cache folder; its path."""
    path = cache_folder() / "datasets" / "told-at-length.json"
    text = json.dumps(told_at_length(bundled_entries()), ensure_ascii=False, indent=1) + "\n"
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
    return path


def _further(entry: Entry, family: Family, fact: Fact) -> list[str]:
    statements = load_family_prose(family.facts).statements
    wordings = [text for text in statements if not NEEDS_A_CAST.search(text)]
    words = _words(entry, family, fact)
    # The same two for a whole family, so that an answer is as predictable as the short one.
    chosen = Draw(f"told at length {family.facts}").several(wordings, FURTHER_SENTENCES)
    return [text.format_map(words) for text in chosen]


def _words(entry: Entry, family: Family, fact: Fact) -> Fact:
    if family.facts not in REWRITES:
        return family.words(fact)
    if family.facts == "sentiments":  # what is told there is the feeling, not a sentence about it
        return {"before": fact["sentence"], "after": fact["sentiment"]}
    return {"before": entry["input"], "after": entry["output"]}
