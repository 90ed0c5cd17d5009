"""The page to chat on, as the server gives it: four files, and nothing from anywhere else.

What it shows is drawn by ``chat.js``, as in the notebook. Lesson 12.
"""

import html
import json

from fastapi import FastAPI
from fastapi.responses import Response

from lessons_lib.chat.chat import Chat
from lessons_lib.support.paths import FRONT_END

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
<div id="chat" data-options="{options}"></div>
<noscript>This page needs JavaScript. The API at /v1 does not.</noscript>
</main>
</body>
</html>
"""


SETTINGS = ("temperature", "top_k", "max_new_tokens", "seed", "memory")


def add_page(app: FastAPI, chat: Chat) -> None:
    """Let the application give the page, and the style sheet and the two modules it asks for.

    The page's settings begin as those of ``chat``.
    """
    usual = {each: getattr(chat, each) for each in SETTINGS} | {"top_p": chat.top_p or 1}
    page = PAGE.replace("{options}", html.escape(json.dumps(usual)))
    styles = [_read("inspector.css"), _read("chat.css")]
    files = {
        "/": (page, "text/html"),
        "/chat.css": ("\n".join(styles), "text/css"),
        "/chat.js": (_read("chat.js"), "text/javascript"),
        "/page.js": (_read("chat_page.js"), "text/javascript"),
    }
    for path, (content, media_type) in files.items():
        app.get(path)(_giver(content, media_type))


def _giver(content: str, media_type: str):
    async def give() -> Response:
        return Response(content, media_type=media_type)

    return give


def _read(name: str) -> str:
    return (FRONT_END / name).read_text(encoding="utf-8")
