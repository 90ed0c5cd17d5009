"""Widgets outside a running notebook: as a page, as a part of a page, or as a still picture.

A page contains the script, the style sheet and, as JSON, the data; it needs no Python, no network
and no other file. Where no script can run, on a code host or in a plain export, a widget leaves a
picture. That costs time and bytes, so only the build of the committed notebooks asks for it, with
``LESSONS_LIB_STILLS=1``; the words are always there.
"""

import base64
import html
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget

from lessons_lib.support.paths import FRONT_END
from lessons_lib.widgets.payload import embed_json

# Runs in the same module as a front end, and so can use its localModel and its default export.
MOUNT = """
for (const place of document.querySelectorAll(".%s")) {
  const state = JSON.parse(place.querySelector("script").textContent);
  render({ model: localModel(state), el: place });
}
"""
FOLLOW_THEME = """
const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = () => (dark.matches ? "dark" : "light");
const follow = () => document.documentElement.setAttribute("theme", theme());
dark.addEventListener("change", follow);
follow();
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
body {{ background: #fff; margin: 0; padding: 12px; }}
html[theme="dark"] body {{ background: #0e1013; }}
h1 {{ font: 600 18px system-ui, sans-serif; margin: 0 0 10px; }}
html[theme="dark"] h1 {{ color: #eef1f4; }}
</style>
<script>{theme}</script>
</head>
<body>
<main>
<h1>{title}</h1>
{widget}
</main>
{assets}
</body>
</html>
"""


def inspector_state(widget: anywidget.AnyWidget) -> dict[str, Any]:
    """The traits that the widget's front end reads, as JSON values."""
    return front_end_state(widget.trait_values(sync=True))


def front_end_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a widget's synchronised traits that its front end reads, by name."""
    general = {"_esm", "_css", "_anywidget_id", *anywidget.AnyWidget.class_trait_names()}
    return {name: state[name] for name in sorted(set(state) - general)}


def style_sheets(*names: str) -> str:
    """Style sheets of the front end, one behind the other."""
    return "\n".join((FRONT_END / name).read_text(encoding="utf-8") for name in names)


@dataclass(frozen=True)
class FrontEnd:
    """A kind of widget that also lives on a page without Python, any number of them on one page.

    ``mount`` is the class of the elements that its script fills. ``scripts`` make one module; the
    first is the widget's own.
    """

    mount: str
    scripts: tuple[str, ...]
    styles: tuple[str, ...]

    @property
    def esm(self) -> Path:
        """The widget's own script."""
        return FRONT_END / self.scripts[0]

    @property
    def css(self) -> str:
        """The style sheets as one text."""
        return style_sheets(*self.styles)

    def element(self, state: Mapping[str, Any]) -> str:
        """The HTML element for one widget and its data; a page needs the assets once."""
        data = embed_json(front_end_state(state))
        return f'<div class="{self.mount}"><script type="application/json">{data}</script></div>'

    def assets(self) -> str:
        """The style sheets and the module that fill all elements of a page; they go at its end."""
        texts = [(FRONT_END / name).read_text(encoding="utf-8") for name in self.scripts]
        module = "".join([*texts, MOUNT % self.mount])
        return f'<style>\n{self.css}</style>\n<script type="module">\n{module}</script>'

    def page(self, widget: anywidget.AnyWidget, title: str) -> str:
        """A whole page with one widget."""
        return PAGE.format(
            title=html.escape(title),
            theme=FOLLOW_THEME,
            widget=self.element(widget.trait_values(sync=True)),
            assets=self.assets(),
        )


INSPECTOR = FrontEnd("bi-mount", ("inspector.js",), ("inspector.css",))


class PicturedWidget(anywidget.AnyWidget):
    """The base class of the course's widgets: each can describe and draw what it shows."""

    def alt_text(self) -> str:
        """What is on show, in words and with its counts."""
        raise NotImplementedError

    def to_png(self) -> bytes:
        """What is on show as a PNG, drawn without a browser."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        try:
            alt = self.alt_text()
        except ValueError as nothing_to_show:
            data["text/plain"] = f"[{nothing_to_show}]"
            return data, metadata
        data["text/plain"] = f"[picture: {alt}]"
        if os.environ.get("LESSONS_LIB_STILLS") == "1":
            data["image/png"] = base64.b64encode(self.to_png()).decode("ascii")
            metadata = {**metadata, "image/png": {"alt": alt}}
        return data, metadata
