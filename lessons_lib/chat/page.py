"""The page to chat on, as the server gives it: four files, and nothing from anywhere else.

What it shows is drawn by ``chat.js``, as in the notebook. Lesson 12.
"""

import html
import json
from dataclasses import asdict

from fastapi import FastAPI
from fastapi.responses import Response

from lessons_lib.support.paths import FRONT_END
from lessons_lib.support.reply_options import ReplyOptions, numbers_for_page

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chat</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/chat.css">
<script type="module" src="/page.js"></script>
</head>
<body class="bc-page">
<main>
<h1>Chat</h1>
<div id="chat" data-numbers="{numbers}" data-options="{options}"></div>
<noscript>This page needs JavaScript. The API at /v1 does not.</noscript>
</main>
</body>
</html>
"""


def add_page(app: FastAPI, options: ReplyOptions) -> None:
    """Let the application give the page, and the style sheet and the two modules it asks for.

    The page's settings begin as ``options``.
    """
    page = PAGE.replace("{numbers}", _attribute(numbers_for_page()))
    page = page.replace("{options}", _attribute(asdict(options)))
    styles = [_read("inspector.css"), _read("chat.css")]
    files = {
        "/": (page, "text/html"),
        "/chat.css": ("\n".join(styles), "text/css"),
        "/chat.js": (_read("chat.js"), "text/javascript"),
        "/page.js": (_read("chat_page.js"), "text/javascript"),
    }
    for path, (content, media_type) in files.items():
        app.get(path)(_giver(content, media_type))


def _attribute(value: object) -> str:
    """A value as JSON, written so that it can stand in an attribute of HTML."""
    return html.escape(json.dumps(value))


def _giver(content: str, media_type: str):
    async def give() -> Response:
        return Response(content, media_type=media_type)

    return give


def _read(name: str) -> str:
    return (FRONT_END / name).read_text(encoding="utf-8")
