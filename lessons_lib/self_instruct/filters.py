"""Which generated tasks are refused before they are compared with others, by Alpaca's rules."""

import re
import string

from lessons_lib.data import Entry

FEWEST_WORDS, MOST_WORDS = 4, 150  # of an instruction
# What points to something that no language model can see, hear, open or make.
KEYWORDS = (
    "image",
    "images",
    "graph",
    "graphs",
    "picture",
    "pictures",
    "file",
    "files",
    "map",
    "maps",
    "draw",
    "plot",
    "go to",
    "video",
    "audio",
    "music",
    "flowchart",
    "diagram",
)
# Whole words, in whatever case: "filed" and "graphite" may stay.
_KEYWORD = re.compile(rf"\b({'|'.join(KEYWORDS)})\b", re.IGNORECASE)


def refusal_reason(entry: Entry) -> str | None:
    """Why a task is refused, in a phrase that can be counted; None where it may stay.

    The first rule that applies gives the reason. The rules look at words alone, so they also refuse
    good tasks ("How does music change our mood?") and let bad ones pass ("Sing me a song").

    Source: ``generate_instruction.py`` of tatsu-lab/stanford_alpaca. There an empty output passes.
    """
    instruction = entry["instruction"].strip()
    words = len(instruction.split())
    if words < FEWEST_WORDS:
        return f"instruction of fewer than {FEWEST_WORDS} words"
    if words > MOST_WORDS:
        return f"instruction of more than {MOST_WORDS} words"
    if _KEYWORD.search(instruction):
        return "instruction with a keyword such as image or file"
    # The teacher likes to put it before a task that a person would simply answer.
    if instruction.startswith("Write a program"):
        return "instruction beginning with “Write a program”"
    if instruction[0] in string.punctuation:
        return "instruction beginning with punctuation"
    if not instruction[0].isascii():
        return "instruction beginning with a non-ASCII character"
    if not entry["output"].strip():
        return "empty output"
    return None
