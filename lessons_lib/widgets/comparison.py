"""Ways to batch, compared: two batches side by side (lessons 02, 04, 06), and a race (lesson 07).

The race has four ways to batch the same entries, with growing bars of waste.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import traitlets
from PIL import Image

from lessons_lib.batching import create_loader
from lessons_lib.batching.loaders import count_cells
from lessons_lib.data import PromptFormat
from lessons_lib.pictures import draw_waste, small_png
from lessons_lib.widgets.inspector import BatchInspector
from lessons_lib.widgets.page import INSPECTOR, PicturedWidget

OPTIONS = (
    *("substep", "prompt_format", "padding", "fixed_length", "max_length", "instruction_mask"),
    *("prompt_loss_weight", "selected", "fold", "show", "show_bytes"),
)
EXPLAINS = {
    "static": "every row as long as the longest entry of all",
    "dynamic": "every row as long as the longest of its batch",
    "bucketed": "entries of similar length share a batch",
    "packed": "several whole entries share a row",
}


def compare_batches(left: BatchInspector, right: BatchInspector) -> "BatchComparison":
    """Show two inspectors side by side, and a sentence on what differs.

    Both must have the same entries; choosing entries on one side chooses them on the other.

    Raises:
        ValueError: the two have different entries.
    """
    return BatchComparison(left, right)


class BatchComparison(PicturedWidget):
    """The widget of ``compare_batches``; the traits of both ``inspectors`` follow clicks."""

    _esm, _css = INSPECTOR.esm, INSPECTOR.css
    _view = traitlets.Unicode("comparison").tag(sync=True)
    _datas = traitlets.List().tag(sync=True)
    left = traitlets.Dict().tag(sync=True)  # the options of the left side
    right = traitlets.Dict().tag(sync=True)

    def __init__(self, left: BatchInspector, right: BatchInspector):
        if left.entries != right.entries:
            raise ValueError("compare_batches needs two inspectors of the same entries")
        self.inspectors = (left, right)
        for inspector in self.inspectors:
            inspector.compared = True
        same = left._data == right._data
        super().__init__(
            _datas=[left._data, None if same else right._data],
            left=_options(left),
            right=_options(right),
        )
        for side, inspector in (("left", left), ("right", right)):
            self._follow(side, inspector)

    def _follow(self, side: str, inspector: BatchInspector) -> None:
        def from_click(change) -> None:
            with inspector.hold_trait_notifications():
                for name in OPTIONS:
                    inspector.set_trait(name, change.new[name])

        self.observe(from_click, names=side)
        inspector.observe(lambda _: setattr(self, side, _options(inspector)), names=list(OPTIONS))

    def alt_text(self) -> str:
        """Both pictures in words, as ``to_png`` draws them: the left one stands above."""
        left, right = (inspector.alt_text() for inspector in self.inspectors)
        return f"Above: {left} Below: {right}"

    def to_png(self) -> bytes:
        """Both pictures, the left one above the right one, as one PNG.

        Raises:
            BatchError: a side has nothing to show.
        """
        pictures = [Image.open(io.BytesIO(each.to_png())) for each in self.inspectors]
        size = max(p.width for p in pictures), sum(p.height for p in pictures)
        both, top = Image.new("RGB", size, "white"), 0
        for picture in pictures:
            both.paste(picture.convert("RGB"), (0, top))
            top += picture.height
        buffer = io.BytesIO()
        both.quantize(64).save(buffer, "PNG", optimize=True)
        return buffer.getvalue()

    def to_html(self, title: str = "Two batches") -> str:
        """One self-contained page with both; it works without Python or a network."""
        return INSPECTOR.page(self, title)


def _options(inspector: BatchInspector) -> dict:
    return inspector.get_state(OPTIONS)


def race_padding(
    entries: Sequence[Mapping[str, str]],
    *,
    batch_size: int = 8,
    prompt_format: str | PromptFormat = "alpaca",
    pack_length: int = 256,
    seed: int = 123,
) -> "PaddingRace":
    """Show the race on these entries, of which there may be any number.

    A packed row has ``pack_length`` tokens, or as many as the longest entry needs.

    Raises:
        ValueError: no entry, or a batch size below 1.
    """
    return PaddingRace(
        entries,
        batch_size=batch_size,
        prompt_format=prompt_format,
        pack_length=pack_length,
        seed=seed,
    )


class PaddingRace(PicturedWidget):
    """The widget of ``race_padding``. ``progress`` is how much of the epoch is batched, in %."""

    _esm, _css = INSPECTOR.esm, INSPECTOR.css
    _view = traitlets.Unicode("race").tag(sync=True)
    _lanes = traitlets.List().tag(sync=True)
    progress = traitlets.Int(0, min=0, max=100).tag(sync=True)

    def __init__(self, entries: Sequence[Mapping[str, str]], *, progress: int = 0, **options):
        super().__init__(_lanes=make_lanes(entries, **options), progress=progress)

    @property
    def wastes(self) -> dict[str, float]:
        """Padding as a share of all cells over the whole epoch, for ``charts.draw_waste``."""
        return {
            lane["name"]: sum(p for _, p in lane["batches"]) / sum(c for c, _ in lane["batches"])
            for lane in self._lanes
        }

    def alt_text(self) -> str:
        """The race's result in words."""
        shares = ", ".join(f"{name} {waste:.1%}" for name, waste in self.wastes.items())
        return f"Padding as a share of all cells: {shares}."

    def to_png(self) -> bytes:
        """The race's result as a PNG."""
        return small_png(draw_waste(self.wastes))

    def to_html(self, title: str = "Padding race") -> str:
        """One self-contained page with the race; it works without Python or a network."""
        return INSPECTOR.page(self, title)


def make_lanes(
    entries: Sequence[Mapping[str, str]],
    *,
    batch_size: int = 8,
    prompt_format: str | PromptFormat = "alpaca",
    pack_length: int = 256,
    seed: int = 123,
) -> list[dict[str, Any]]:
    """For each way to batch, its batches as (cells, cells of padding)."""
    common = {"batch_size": batch_size, "prompt_format": prompt_format, "seed": seed}
    dynamic = list(create_loader(entries, **common))
    longest = max(batch.inputs.shape[1] for batch in dynamic)
    pack_length = max(pack_length, longest + 1)  # with room for its end of text
    loaders = {
        "static": create_loader(entries, **common, pad_to=longest),
        "dynamic": dynamic,
        "bucketed": create_loader(entries, **common, batching="bucketed"),
        # No more tokens in a batch than the others have.
        "packed": create_loader(
            entries,
            **{**common, "batch_size": max(1, batch_size * longest // pack_length)},
            batching="packed",
            pack_length=pack_length,
        ),
    }
    return [
        {
            "name": name,
            "explains": EXPLAINS[name],
            "batches": [list(count_cells(batch)) for batch in loader],
        }
        for name, loader in loaders.items()
    ]
