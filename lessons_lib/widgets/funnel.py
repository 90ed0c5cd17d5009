"""The funnel of a run of self-instruct, to click: what each stage refused, and why. Lesson 13.

A count says how much is refused; reading it says whether the rule is a good one. It works without
Python as well.
"""

from typing import Any

import traitlets

from lessons_lib.pictures import small_png, spell_text
from lessons_lib.pictures.text_stills import draw_funnel
from lessons_lib.self_instruct import Funnel, Refused
from lessons_lib.widgets.page import FrontEnd, PicturedWidget

MOST_REFUSED = 50  # of one reason, that travel to the page; the funnel has all
MOST_CHARACTERS = 1000  # of one text that travels
STAGES = {
    "parsing": "parsed as tasks",
    "filtering": "passed the filters",
    "deduping": "unlike all others: kept",
}
FUNNEL = FrontEnd(
    "bf-mount",
    ("funnel.js", "local_model.js"),
    # The palette, the themes and the controls are those of the inspector.
    ("inspector.css", "funnel.css"),
)


def show_funnel(funnel: Funnel, opened: str = "") -> "FunnelView":
    """Show a run's funnel with a bar for each stage; a click opens what the stage refused.

    ``opened``: the stage that is open: "parsing", "filtering", "deduping", or "" for none.

    Raises:
        TraitError: there is no such stage.
    """
    return FunnelView(funnel, opened)


class FunnelView(PicturedWidget):
    """The widget of ``show_funnel``; ``opened`` can be set here or by a click."""

    _esm, _css = FUNNEL.esm, FUNNEL.css
    _view = traitlets.Unicode("funnel").tag(sync=True)
    _data = traitlets.Dict().tag(sync=True)
    opened = traitlets.Enum(("", *STAGES), "").tag(sync=True)

    def __init__(self, funnel: Funnel, opened: str = ""):
        self.funnel = funnel
        super().__init__(_data=make_stages(funnel), opened=opened)

    def alt_text(self) -> str:
        """The counts of all stages in words."""
        counts = "; ".join(
            f"{stage['label']} {stage['passed']:,}, refused {stage['refused']:,}"
            for stage in self._data["stages"]
        )
        return f"{self._data['says']} {counts}."

    def to_png(self) -> bytes:
        """The bars, with the reasons of each stage and their counts, as a PNG."""
        return small_png(draw_funnel(self._data))

    def to_html(self, title: str = "Funnel") -> str:
        """One self-contained page with the funnel; it works without Python or a network."""
        return FUNNEL.page(self, title)


def make_stages(funnel: Funnel) -> dict[str, Any]:
    """The front end's data: counts, and what was refused, with nothing invisible in the texts."""
    came, stages = funnel.blocks, []
    for name, label in STAGES.items():
        refused = funnel.dropped(name)
        reasons = [
            {
                "reason": reason,
                "total": len(found),
                "items": [_as_item(each) for each in found[:MOST_REFUSED]],
            }
            for reason, found in funnel.by_reason(name).items()
        ]
        came -= refused
        stage = {"name": name, "label": label, "passed": came, "refused": refused}
        stages.append({**stage, "reasons": reasons})
    says = f"{funnel.teacher}: {funnel.blocks:,} blocks in {funnel.asked:,} replies."
    return {"says": spell_text(says), "blocks": funnel.blocks, "stages": stages}


def _as_item(refused: Refused) -> dict[str, Any]:
    like, f = refused.most_similar or ("", 0.0)
    output = refused.entry["output"] if refused.entry else ""
    texts = {"text": refused.text, "output": output, "like": like}
    return {**{name: _shown(text) for name, text in texts.items()}, "f": f}


def _shown(text: str) -> str:
    more = len(text) - MOST_CHARACTERS
    cut = spell_text(text[:MOST_CHARACTERS])
    return f"{cut} … ({more:,} more characters)" if more > 0 else cut
