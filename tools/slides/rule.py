"""Which cells of a lesson make which slides, by default and by a cell's metadata.

A heading begins a slide. Of prose a slide shows the first sentences and the lists, of code the
cell and what it printed, of a widget or picture only that; a prediction is a question on a slide of
its own, and what comes of it stands on the next. All that is left out is in the speaker's notes.

A cell's metadata can say otherwise. ``slideshow.slide_type``, which JupyterLab offers as "Slide
Type": "skip" leaves a cell out, "notes" moves it into the notes, "slide" begins a slide with it,
also where the rule would leave it out. ``slide`` holds what that has no place for:
``{"minutes": 2, "notes": "Ask for hands.", "sentences": 2, "code": false, "again": true}``, where
sentences are those of each paragraph, without its code a cell shows what it printed, and "again"
puts below a question what the slide before it printed.
"""

import math
import re
from dataclasses import dataclass, field

import nbformat

from tools.build_notebooks import NAVIGATION, WIDGET_VIEW
from tools.slides.outputs import (
    ROOM,
    TIGHT,
    output_room,
    shortened,
    shown_output,
    takes_all,
    together,
)
from tools.slides.prose import SHORT, SHORTER, blocks, cut, kind, lead_in, lines, sentences, words

SPOKEN = 130  # words a minute
MINUTES = {"title": 2, "question": 2, "widget": 3, "result": 1}
SLIDE = "slide"  # the metadata's key
SETUP = re.compile(r"check_environment\(\)|^(?:keep|grade|write_up)\(", re.MULTILINE)
# Lines that keep a learner's prediction, not part of what is shown.
KEEPING = re.compile(
    r"^(?:print\()?recall\(.*\n?|^from lessons_lib\.exercises import (?:predict|recall|, )+\n+",
    re.MULTILINE,
)

RECALLED = re.compile(r"(?:It is [^\n]*\.\n?)+")  # what came of a prediction


@dataclass
class Slide:
    """One slide. A part is (kind, content): markdown, code, output, choices, reveal or answer."""

    title: str
    kind: str = "text"
    section: str = ""  # the last heading of the second level; "" before the first
    parts: list[tuple[str, object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    minutes: float | None = None
    room: float = 0


def slides_of(notebook: nbformat.NotebookNode) -> list[Slide]:
    """All slides of a lesson, in its order."""
    deck = Deck()
    for cell in notebook.cells:
        deck.take(cell)
    deck.end()
    slides: list[Slide] = []
    left: list[str] = []
    for slide in deck.slides:
        slide.notes[:0], left = left, []
        if slide.parts or slide.kind == "title":
            slides.append(slide)
        else:  # a heading alone: what is said of it belongs to what follows
            left = slide.notes
    for slide in slides:
        if slide.minutes is None:
            slide.minutes = usual_minutes(slide)
    return slides


def usual_minutes(slide: Slide) -> float:
    """What a slide takes whose cells do not say: to think, to look, or to tell its notes."""
    if slide.kind == "exercise":
        said = re.search(r"\*(\d+) minutes", "\n".join(slide.notes))
        return float(said[1]) if said else 10
    told = sum(words(note) for note in slide.notes) / SPOKEN
    return max(MINUTES.get(slide.kind, 0.5), math.ceil(2 * told) / 2)


class Deck:
    """Slides as they grow, cell by cell."""

    def __init__(self) -> None:
        self.slides: list[Slide] = []
        self.heading = self.section = ""
        self.lead = ""  # what was said last, and leads to the next cell

    def take(self, cell: nbformat.NotebookNode) -> None:
        """Add one cell."""
        shown = cell.metadata.get("slideshow", {}).get("slide_type")
        if shown == "skip" or NAVIGATION in cell.metadata.get("tags", []):
            return
        if shown == "notes":
            self.slides[-1].notes.append(_as_note(cell))
            return
        before = len(self.slides)
        if cell.cell_type == "code":
            self._code(cell, shown == "slide")
        elif cell.id.startswith("exercise-"):
            self._exercise(cell.source)
        else:
            self._prose(cell, shown == "slide")
        self._say(cell, before)

    def _say(self, cell: nbformat.NotebookNode, before: int) -> None:
        """Minutes and notes of the metadata, for the cell's first slide or that which it joined."""
        given = cell.metadata.get(SLIDE, {})
        slide = self.slides[min(before, len(self.slides) - 1)]
        if "notes" in given:
            slide.notes.insert(0, f"**{given['notes']}**")
        if "minutes" in given:
            slide.minutes = given["minutes"]

    def begin(self, what: str, title: str = "") -> Slide:
        self.slides.append(Slide(title or self.heading, what, self.section))
        return self.slides[-1]

    def add(self, part: tuple[str, object], room: float, most: float = ROOM) -> Slide:
        """Put it on the last slide, or on one more of the same title where there is no room."""
        slide = self.slides[-1]
        if slide.parts and slide.room + room > most:
            slide = self.begin("text" if slide.kind == "exercise" else slide.kind, slide.title)
        slide.parts.append(part)
        slide.room += room
        return slide

    def _prose(self, cell: nbformat.NotebookNode, alone: bool) -> None:
        self.end()
        count = cell.metadata.get(SLIDE, {}).get("sentences")
        fresh = alone or not self.slides or self.slides[-1].kind in ("question", "exercise")
        again = cell.metadata.get(SLIDE, {}).get("again", False)
        answers = False
        found = blocks(cell.source)
        for place, block in enumerate(found):
            what = kind(block)
            if what == "heading":
                level, _, self.heading = block.partition(" ")
                self.section = self.heading if level == "##" else self.section
                answers = "questions" in self.heading
                if not answers:
                    self.begin("title" if level == "#" else "text")
                fresh = False
            elif what == "quote":
                self.end()
                printed = [part for part in self.slides[-1].parts if part[0] == "output" and again]
                self.begin("question", _label(block))
                self.add(("markdown", _unquoted(block)), lines(block))
                for part in printed:
                    self.add(part, output_room(part[1]), TIGHT)
                fresh = True
            elif answers and what == "list":
                self.begin("question")
                self.add(("markdown", re.sub(r"^\d+\. ", "", block)), lines(block))
            elif answers and what == "folded":
                self.add(("answer", _unfolded(block)), lines(_unfolded(block)), TIGHT)
            elif not block.startswith(("**Next:**", "**Before:**")):
                last = place == len(found) - 1 or kind(found[place + 1]) == "quote"
                headed = place > 0 and kind(found[place - 1]) == "heading"
                self._block(block, count, fresh, last and not headed and (place > 0 or fresh))
                fresh = False

    def _block(self, block: str, count: int | None, fresh: bool, leads: bool) -> None:
        """A paragraph, list or table: cut onto the slide, whole in the notes."""
        told, self.lead = lead_in(block)
        if leads and kind(block) == "paragraph":
            if self.lead:
                self.slides[-1].notes += [told] if told else []
            self.lead = self.lead or block
            return
        short = SHORTER if self.slides[-1].parts else SHORT
        shown = cut(told, count, short) if told else ""
        if self.slides[-1].kind == "title" and block.startswith("**Time:**"):
            shown = ""
        if not shown:
            self.slides[-1].notes += [told] if told else []
            return
        room = lines(shown)
        if fresh or (self.slides[-1].parts and self.slides[-1].room + room > ROOM + 2):
            self.begin("text")
        slide = self.add(("markdown", shown), room, ROOM + 2)
        if shown != told:
            slide.notes.append(told)

    def _add_lead(self) -> None:
        """What leads to a cell stands above it."""
        if self.lead:
            shown = cut(self.lead)
            self.slides[-1].notes += [self.lead] if shown != self.lead else []
            self.add(("markdown", shown), lines(shown))
        self.lead = ""

    def end(self) -> None:
        """What leads to no cell that is shown belongs to what was said before."""
        if self.lead:
            self.slides[-1].notes.append(self.lead)
        self.lead = ""

    def _exercise(self, source: str) -> None:
        self.end()
        heading, meta, *rest = blocks(source)
        slide = self.begin("exercise", re.sub(r"^#+ ", "", heading))
        slide.notes += [meta, *rest]
        told = [each for block in rest if kind(block) == "paragraph" for each in sentences(block)]
        task = next((each for each in told if re.search(r"\b[Ww]rite `", each)), " ".join(told[:2]))
        self.add(("markdown", meta), 2)
        self.add(("markdown", task), lines(task))

    def _code(self, cell: nbformat.NotebookNode, wanted: bool) -> None:
        source = KEEPING.sub("", cell.source).strip()
        if re.search(r"^predict\(", cell.source, re.MULTILINE):
            self._choices(cell)
        elif cell.id.startswith("attempt-"):
            stub = re.search(r"^(?:def|class) .*?(?=\n\n\n|\Z)", source, re.MULTILINE | re.DOTALL)
            if stub:
                code = re.sub(r"\n+", "\n", stub[0])
                self.add(("code", code), len(code.splitlines()) + 1, TIGHT)
        elif wanted or not SETUP.search(cell.source):
            self._result(source, cell)

    def _choices(self, cell: nbformat.NotebookNode) -> None:
        """A prediction's choices, as its form names them, go under the question."""
        said = " ".join(o.get("data", {}).get("text/plain", "") for o in cell.outputs)
        choices = re.findall(r'"([^"]+)"', said.partition("three dots:")[2])
        if choices:
            asked = next(each for each in reversed(self.slides) if each.kind == "question")
            asked.parts.append(("choices", choices))

    def _result(self, source: str, cell: nbformat.NotebookNode) -> None:
        outputs = together([shown for each in cell.outputs if (shown := shown_output(each))])
        big = any(takes_all(each) for each in outputs)
        live = any(WIDGET_VIEW in each.get("data", {}) for each in outputs)
        slide = self.begin("widget" if big else "result")
        if live:
            self.end()
        self._add_lead()
        if source and (big or not cell.metadata.get(SLIDE, {}).get("code", True)):
            slide.notes.append(_as_note(cell))
        elif source:
            self.add(("code", source), len(source.splitlines()) + 1, TIGHT)
        room = sum(map(output_room, outputs))
        if slide.parts and slide.room + room > TIGHT:
            self.begin(slide.kind)
        for each in outputs:
            each, whole = shortened(each)
            self.slides[-1].notes += [whole] if whole else []
            answer = each.get("text") or each.get("data", {}).get("text/markdown", "")
            part = (
                ("reveal", answer.strip().replace("\n", "\n\n"))
                if RECALLED.fullmatch(answer)
                else ("output", each)
            )
            self.add(part, output_room(each), 2 * TIGHT)


def _as_note(cell: nbformat.NotebookNode) -> str:
    return f"```python\n{cell.source}\n```" if cell.cell_type == "code" else cell.source


def _label(quote: str) -> str:
    found = re.search(r"\*\*(\w+)[.:]\*\*", quote)
    return found[1] if found else "Note"


def _unquoted(quote: str) -> str:
    text = re.sub(r"^> ?", "", quote, flags=re.MULTILINE)
    return re.sub(r"^\*\*\w+[.:]\*\* ?", "", text)


def _unfolded(folded: str) -> str:
    return re.sub(r"</?details>|<summary>.*?</summary>", "", folded).strip()
