"""Two batches side by side, with their differences counted. Lessons 02, 04 and 06."""

import io

import traitlets
from PIL import Image

from lessons_lib.support.paths import FRONT_END
from lessons_lib.widgets.inspector import BatchInspector
from lessons_lib.widgets.page import PicturedWidget, inspector_page

OPTIONS = (
    *("substep", "prompt_format", "padding", "fixed_length", "max_length", "instruction_mask"),
    *("prompt_loss_weight", "selected", "fold", "show", "show_bytes"),
)


def compare_batches(left: BatchInspector, right: BatchInspector) -> "BatchComparison":
    """Show two inspectors side by side, and a sentence on what differs.

    Both must have the same entries; choosing entries on one side chooses them on the other.

    Raises:
        ValueError: the two have different entries.
    """
    return BatchComparison(left, right)


class BatchComparison(PicturedWidget):
    """The widget of ``compare_batches``; the traits of both ``inspectors`` follow clicks."""

    _esm = FRONT_END / "inspector.js"
    _css = FRONT_END / "inspector.css"
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
        return inspector_page(self, title)


def _options(inspector: BatchInspector) -> dict:
    return inspector.get_state(OPTIONS)
