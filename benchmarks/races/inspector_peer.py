"""The peer of ``benchmarks.inspector``: the same batch as a table, with ipywidgets alone."""

import html

import ipywidgets

from lessons_lib.batching import collate_steps, count_targets
from lessons_lib.batching.cells import padded_kinds, target_kinds
from lessons_lib.data import token_strings
from lessons_lib.pictures import STYLES
from lessons_lib.pictures.spelling import spell_token


def peer_table(entries: list[dict]) -> ipywidgets.VBox:
    """Two buttons and one table of inputs and targets, which Python redraws at each click."""
    table = ipywidgets.HTML()
    buttons = {mask: ipywidgets.Button(description=f"mask {mask}") for mask in ("none", "prompt")}
    for mask, button in buttons.items():
        button.add_class(f"peer-{mask}")
        button.on_click(lambda _, mask=mask: setattr(table, "value", draw(entries, mask)))
    table.value = draw(entries, "none")
    return ipywidgets.VBox([ipywidgets.HBox(list(buttons.values())), table])


def draw(entries: list[dict], mask: str) -> str:
    """The table as HTML, with the counts above it."""
    steps = collate_steps(entries, instruction_mask=mask)
    kinds, targets = padded_kinds(steps), target_kinds(steps)
    rows = []
    for row in range(len(entries)):
        rows.append(_line(steps.inputs[row].tolist(), kinds[row]))
        rows.append(_line(steps.targets[row].tolist(), targets[row]))
    table = f'<div style="overflow-x:auto;width:1200px"><table>{"".join(rows)}</table></div>'
    return f'<p class="peer-count">{count_targets(steps)}</p>{table}'


def _line(ids: list[int], kinds: list[str]) -> str:
    cells = []
    for token, kind in zip(ids, kinds, strict=False):
        fill, edge, color, *_ = STYLES[kind]
        word = "−100" if token < 0 else spell_token(token_strings([token])[0])
        style = f"background:{fill};border:1px solid {edge};color:{color}"
        cells.append(f'<td style="{style}">{html.escape(word)}<br><small>{token}</small></td>')
    return f"<tr>{''.join(cells)}</tr>"
