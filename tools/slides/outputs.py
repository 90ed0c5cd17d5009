"""What a cell printed or drew, as a slide can hold it, and how much room that takes."""

import re

import nbformat

from tools.build_notebooks import WIDGET_VIEW

ROOM = 20  # lines of code on one slide
TIGHT = 25  # as many as a slide holds in smaller type, so that code and result stay together
ROWS = 11  # of a table, its head among them
# What a notebook says to one who has not predicted, or has written no function yet.
TO_A_LEARNER = re.compile(
    r" You did not predict it\.|^No \w+ of yours was kept; [^\n]*\n", re.MULTILINE
)


def shown_output(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """The output without what it says to one learner; None if nothing is left."""
    output = nbformat.from_dict(output)
    if output.output_type == "stream":
        output.text = TO_A_LEARNER.sub("", output.text)
        return output if output.name == "stdout" and output.text.strip() else None
    for name in ("text/plain", "text/markdown"):
        if name in output.get("data", {}):
            output.data[name] = TO_A_LEARNER.sub("", output.data[name])
    return output


def together(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Text that was printed piece by piece becomes one output."""
    joined: list[nbformat.NotebookNode] = []
    for each in outputs:
        if joined and "text" in each and "text" in joined[-1]:
            joined[-1].text += each.text
        else:
            joined.append(each)
    return joined


def shortened(output: nbformat.NotebookNode) -> tuple[nbformat.NotebookNode, str]:
    """Long text without what a slide cannot hold, and the whole for the notes; "" where it fits."""
    data = output.get("data", {})
    if "text/html" in data and data["text/html"].count("<table") == 1:
        rows = data["text/html"].split("</tr>")
        if len(rows) > ROWS:
            data["text/html"] = "</tr>".join(rows[:ROWS]) + "</tr><tr><td>…</td></tr></table>"
            data["text/plain"] = "\n" * ROWS
            return output, "The lesson has the whole table."
    if takes_all(output) or "text/html" in data:
        return output, ""
    holder, key = (output, "text") if "text" in output else (data, "text/plain")
    if "text/markdown" in data:
        key = "text/markdown"
    text = holder.get(key, "")
    if text.count("\n") < TIGHT:
        return output, ""
    kept = "\n".join(text.splitlines()[:ROOM]) + "\n…"
    holder[key] = kept + ("\n```" if kept.count("```") % 2 else "")
    return output, text if "```" in text else f"```\n{text}\n```"


def takes_all(output: nbformat.NotebookNode) -> bool:
    """A widget or a picture has the slide to itself; the code is in the notes."""
    return bool({WIDGET_VIEW, "image/png"} & set(output.get("data", {})))


def output_room(output: nbformat.NotebookNode) -> float:
    """In lines of code."""
    data = output.get("data", {})
    if takes_all(output):
        return TIGHT if WIDGET_VIEW in data else ROOM - 4
    text = output.get("text") or data.get("text/markdown") or data.get("text/plain", "")
    return (1.5 if "text/html" in data else 1) * (text.count("\n") + 1) + 1
