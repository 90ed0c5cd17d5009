"""Prose cut for a slide: blocks of Markdown, their first sentences, and the room that they take.

Nothing is written anew. What a slide leaves out of a lesson's prose stands in the speaker's notes.
"""

import math
import re

ENDS = re.compile(r"(?<=[.?!])(?<!et al\.)[”\"*_)]*\s+(?=[\"“‘(`*_\[]*[A-Z0-9“])")
# A paragraph's words are about this many a line, at the size in which slides show them.
WORDS_A_LINE = 13
SHORT = 45  # words of a paragraph that has the slide to itself
SHORTER = 25  # of one beside others


def blocks(markdown: str) -> list[str]:
    """Paragraphs, headings, lists, quotes, tables, folded answers and fences, each one string."""
    found: list[list[str]] = []
    closer = ""  # what ends the block in which blank lines do not count
    fresh = True
    for line in markdown.splitlines():
        if not line.strip() and not closer:
            fresh = True
            continue
        if fresh or re.match(r"#+ ", line):
            found.append([])
        found[-1].append(line)
        fresh = bool(re.match(r"#+ ", line)) and not closer
        if closer:
            closer = "" if closer in line else closer
        elif line.startswith("```"):
            closer = "```"
        elif line.startswith("<details>") and "</details>" not in line:
            closer = "</details>"
    return ["\n".join(lines).rstrip() for lines in found]


def kind(block: str) -> str:
    """heading, quote, list, table, folded, fence or paragraph."""
    signs = {
        r"#+ ": "heading",
        r">": "quote",
        r"([-*]|\d+\.) ": "list",
        r"\|": "table",
        r"<details>": "folded",
        r"```": "fence",
    }
    return next((name for sign, name in signs.items() if re.match(sign, block)), "paragraph")


def sentences(paragraph: str) -> list[str]:
    """The paragraph's sentences; none ends inside code, brackets or emphasis."""
    parts, start = [], 0
    for end in ENDS.finditer(paragraph):
        so_far = paragraph[start : end.end()]
        open_ones = so_far.count("`") % 2 or so_far.count("**") % 2
        if not open_ones and so_far.count("(") <= so_far.count(")"):
            parts.append(so_far.strip())
            start = end.end()
    return [*parts, paragraph[start:].strip()]


def cut(block: str, count: int | None = None, short: int = SHORTER) -> str:
    """The block's first sentences: ``count``, or as many as have ``short`` words, at least one.

    Of a list that holds for each item, where only the first is taken; tables and fences stay whole.
    What a paragraph says in brackets, and folded answers, are left to the notes: "".
    """
    what = kind(block)
    if what in ("table", "fence", "quote", "heading"):
        return block
    if what == "folded" or count == 0 or (what == "paragraph" and block.startswith("(")):
        return ""
    if what == "paragraph":
        return _first(block, count, short)
    items = re.split(r"\n(?=(?:[-*]|\d+\.) )", block)
    return "\n".join(_first(item, count or 1, short) for item in items)


def _first(paragraph: str, count: int | None, short: int) -> str:
    found = sentences(paragraph)
    if count is None:
        fitting = [n for n in range(1, len(found) + 1) if words(" ".join(found[:n])) <= short]
        count = max(fitting, default=1)
    return " ".join(found[:count])


def lead_in(paragraph: str) -> tuple[str, str]:
    """A paragraph without its last sentence, and that sentence if it ends in a colon; else ""."""
    parts = sentences(paragraph)
    if kind(paragraph) != "paragraph" or not parts[-1].endswith(":"):
        return paragraph, ""
    return " ".join(parts[:-1]), parts[-1]


def words(markdown: str) -> int:
    """How many words one says to tell it; code and addresses are not read out."""
    spoken = re.sub(r"```.*?```|\]\([^)]*\)|<[^>]+>", " ", markdown, flags=re.DOTALL)
    return len(re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", spoken))


def lines(markdown: str) -> float:
    """The room that it takes on a slide, in lines of code."""
    room = 0.0
    for block in blocks(markdown):
        if kind(block) == "table":
            room += 1.6 * (block.count("\n") + 1)
            continue
        for part in block.splitlines():
            room += 1.5 * max(1, math.ceil(len(part.split()) / WORDS_A_LINE))
        room += 0.6
    return room
