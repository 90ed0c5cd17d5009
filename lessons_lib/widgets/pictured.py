"""A widget that leaves a still picture where it cannot run: on a code host, in a plain export.

The picture costs time and bytes, so only the build of the committed notebooks asks for it, with
``LESSONS_LIB_STILLS=1``; the words come always.
"""

import base64
import os
from typing import Any

import anywidget


class PicturedWidget(anywidget.AnyWidget):
    """The base of the course's widgets: each can say and draw what it shows."""

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
