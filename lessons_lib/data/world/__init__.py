"""The miniature world: its facts, and the entries and prose that are written from them.

The 1,100 bundled entries and the text that the base model was pretrained on come from here.
"""

from lessons_lib.data.world.bundled import (
    bundled_entries,
    choosing_entries,
    entry_families,
    facts_of,
    facts_of_test_validation_and_held_out,
    families_of,
    families_of_test_part,
    held_out_entries,
    held_out_families,
    reporting_entries,
    unseen_phrasing_entries,
)
from lessons_lib.data.world.corpus import write_dictation, write_documents
from lessons_lib.data.world.facts import load_facts

__all__ = [
    "bundled_entries",
    "choosing_entries",
    "entry_families",
    "facts_of",
    "facts_of_test_validation_and_held_out",
    "families_of",
    "families_of_test_part",
    "held_out_entries",
    "held_out_families",
    "reporting_entries",
    "unseen_phrasing_entries",
    "load_facts",
    "write_documents",
    "write_dictation",
]
