"""Pictures and tables for the lessons, and how notebooks show them; drawn with matplotlib.

A still picture stands in where a widget cannot run; each says in words what it shows.
"""

from lessons_lib.pictures.anatomy import (
    draw_transformer,
    likeliest_next,
    next_probabilities,
    parameter_table,
)
from lessons_lib.pictures.charts import (
    describe_history,
    draw_comparison,
    draw_history,
    draw_lengths,
    draw_shares,
    draw_waste,
)
from lessons_lib.pictures.notebook import LivePlot, show, show_source, side_by_side
from lessons_lib.pictures.spelling import spell_text
from lessons_lib.pictures.style import STYLES, small_png
from lessons_lib.pictures.tokens import draw_shape, draw_tokens

__all__ = [
    "STYLES",
    "small_png",
    "draw_tokens",
    "draw_shape",
    "draw_transformer",
    "draw_comparison",
    "draw_history",
    "draw_lengths",
    "draw_shares",
    "draw_waste",
    "describe_history",
    "show",
    "show_source",
    "side_by_side",
    "likeliest_next",
    "next_probabilities",
    "parameter_table",
    "LivePlot",
    "spell_text",
]
