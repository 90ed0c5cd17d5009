"""Static pages of all lessons: ``make site`` writes them into site/, ``make serve`` shows them.

Each page is one file that needs no other and no network, and works even if opened with a double
click. Lessons with widgets are run to get the widgets' states; their inspectors then work without a
kernel. The outputs of the other lessons are the committed ones.
"""

import argparse
import base64
import functools
import hashlib
import html
import http.server
import re
import sys
import tempfile
from pathlib import Path
from string import Template

import bleach
import nbformat
from bleach.css_sanitizer import CSSSanitizer
from nbclient import NotebookClient
from nbconvert.filters import markdown2html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from lessons_lib.widgets.answers import ANSWERS
from lessons_lib.widgets.funnel import FUNNEL
from lessons_lib.widgets.page import INSPECTOR
from tools.build_notebooks import (
    KERNEL,
    NAVIGATION,
    NOTEBOOKS,
    ROOT,
    WIDGET_VIEW,
    lab_paths,
    lesson_paths,
    navigation,
    page_paths,
    read,
    title,
    usual_environment,
)

SITE = ROOT / "site"
PARTS = Path(__file__).parent
USES_WIDGETS = "lessons_lib.widgets"
TABLE_TAGS = ["table", "thead", "tbody", "tr", "th", "td", "b", "pre", "p", "div", "span", "code"]
TABLE_TAGS += ["strong"]  # a check's headline
TABLE_STYLES = CSSSanitizer(
    ["text-align", "vertical-align", "white-space", "table-layout", "width"]
    + ["overflow-wrap", "word-break"]
)
# The style of highlighted code on dark panels; light ones have the default style.
DARK = "github-dark"
SCROLLS = '<div class="table" tabindex="0">'
States = dict[str, dict]
# Widgets that need no Python, by their "_view"; inspectors have none. Of others a picture is shown.
INSPECTS = ""
LIVE = {INSPECTS: INSPECTOR, "comparison": INSPECTOR, "race": INSPECTOR}
LIVE |= {"answers": ANSWERS, "funnel": FUNNEL}


def build_site(site: Path = SITE, run: bool = True) -> list[Path]:
    """Write the pages of all lessons and labs and a contents page; returns their paths.

    With ``run=False`` nothing is executed: still pictures stand in for the widgets.
    """
    site.mkdir(parents=True, exist_ok=True)
    paths = lesson_paths()
    pages = []
    for path in [*paths, *lab_paths(), *page_paths()]:
        notebook = read(path)
        states = run_for_states(notebook) if run else {}
        links = to_html(navigation(path, paths))
        page = site / f"{path.stem}.html"
        write_page(page, title(notebook), links, lesson_content(notebook, states))
        pages.append(page)
    index = site / "index.html"
    write_page(index, "Instruction fine-tuning", "<p>Contents</p>", contents())
    return [*pages, index]


def run_for_states(
    notebook: nbformat.NotebookNode, environment: dict[str, str] | None = None
) -> States:
    """Run all cells in place; returns the widgets' states by the ids that their views name.

    A notebook without widgets is not run.
    """
    if USES_WIDGETS not in "".join(cell.source for cell in notebook.cells):
        return {}
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name=KERNEL["name"],
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    with tempfile.TemporaryDirectory() as cache:
        usual = environment or usual_environment()
        client.execute(env={**usual, "LESSONS_LIB_CACHE": cache})
    return dict(client.widget_state)


def write_page(page: Path, name: str, links: str, content: str) -> None:
    """Fill the template and write the page; one with widgets contains their code once."""
    template = Template((PARTS / "page.html").read_text(encoding="utf-8"))
    script = f"\n{(PARTS / 'theme.js').read_text(encoding='utf-8')}\n"
    assets, modules = widget_assets(content)
    text = template.substitute(
        title=html.escape(name),
        style=style_sheet(),
        script=script,
        allowed=" ".join(map(source_hash, [script, *modules])),
        navigation=links,
        content=content,
        assets=assets,
    )
    page.write_text(text, encoding="utf-8", newline="\n")


def widget_assets(content: str) -> tuple[str, list[str]]:
    """What the widgets of a page need, each kind once, and the scripts in it."""
    kinds = [each for each in dict.fromkeys(LIVE.values()) if each.mount in content]
    assets = "".join(each.assets() for each in kinds)
    return assets, re.findall(r'<script type="module">(.*?)</script>', assets, re.DOTALL)


def source_hash(script: str) -> str:
    """The script's name in a Content-Security-Policy, which lets only named scripts run."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def style_sheet() -> str:
    """The site's style rules, and those of highlighted code."""
    return f"{(PARTS / 'style.css').read_text(encoding='utf-8')}\n{code_rules()}"


@functools.cache
def code_rules() -> str:
    """The style rules of highlighted code, in both themes and on paper."""
    light = HtmlFormatter(style="default").get_style_defs(".code")
    dark = HtmlFormatter(style=DARK).get_style_defs('html[theme="dark"] .code')
    # The panels have their own background, and comments and operators need more contrast.
    code = re.sub(r"background: #\w+;?", "", f"{light}\n{dark}")
    for pale, deeper in (
        ("#3D7B7B", "#2f6666"),
        ("#666666", "#55606b"),
        ("#A2F", "#7a1fc2"),
        ("#AA5D1F", "#8a4a15"),
        ("#CB3F38", "#a8302a"),
        ("#A45A77", "#8a3f5e"),
    ):
        code = code.replace(pale, deeper)
    return f"{code}\n@media print {{ .code * {{ color: #000 !important; }} }}"


def contents() -> str:
    """The contents page: what the course is, and what one learns in each lesson and lab."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    opening = to_html(readme.split("## Start")[0])
    pages = [f'<a href="{p.stem}.html">{html.escape(title(read(p)))}</a>' for p in page_paths()]
    beside = f"<p>Beside the lessons: {', '.join(pages)}</p>"
    lessons = f"<h2>The lessons</h2>{_listed(lesson_paths())}{beside}"
    return f"{opening}{lessons}<h2>The labs</h2>{_listed(lab_paths())}"


def _listed(paths: list[Path]) -> str:
    """A list of links to pages, each with what one learns there."""
    items = []
    for path in paths:
        notebook = read(path)
        first = next(c.source for c in notebook.cells if c.source.startswith("# "))
        goals = "\n".join(line for line in first.splitlines() if line.startswith("- "))
        heading = f'<a href="{path.stem}.html">{html.escape(title(notebook))}</a>'
        items.append(f"<li><strong>{heading}</strong>{to_html(goals)}</li>")
    return f'<ul class="lessons">{"".join(items)}</ul>'


def lesson_content(notebook: nbformat.NotebookNode, states: States) -> str:
    """All cells except the navigation, as HTML."""
    parts = []
    for cell in notebook.cells:
        if NAVIGATION in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "markdown":
            parts.append(to_html(cell.source))
        elif cell.cell_type == "code":
            code = highlight(cell.source, PythonLexer(), HtmlFormatter(nowrap=True))
            parts.append(f'<div class="code"><pre tabindex="0">{code}</pre></div>')
            parts += [shown for output in cell.outputs if (shown := output_html(output, states))]
    return "\n".join(parts)


def to_html(markdown: str) -> str:
    """The lessons' Markdown as HTML; links between notebooks become links between pages."""
    text = markdown2html(markdown)
    # Lessons and labs stand side by side on the site.
    text = re.sub(r'href="(?:\.\./|labs/)?(\w+)\.ipynb(#[^"]*)?"', r'href="\1.html\2"', text)
    text = re.sub(r'href="(?:\.\./)+README\.md#the-lessons"', 'href="index.html"', text)
    return _reachable(text)


def _reachable(text: str) -> str:
    """Make what scrolls sideways on a phone reachable by keyboard."""
    text = text.replace("<table>", f"{SCROLLS}<table>").replace("</table>", "</table></div>")
    return text.replace("<pre>", '<pre tabindex="0">')


def output_html(output: nbformat.NotebookNode, states: States) -> str:
    """One output: a live widget, or else a picture, a table or text. Text is never run."""
    if output.output_type == "stream":
        # Progress bars overwrite their own line; keep its last state.
        text = re.sub(r"[^\n]*\r(?!\n)", "", output.text.replace("\r\n", "\n"))
        return _output(_text(text)) if text.strip() and output.name == "stdout" else ""
    data = output.get("data", {})
    view = data.get(WIDGET_VIEW, {}).get("model_id")
    state = states.get(view, {})
    if "_esm" in state and state.get("_view", INSPECTS) in LIVE:
        return _output(LIVE[state.get("_view", INSPECTS)].element(state))
    if "image/png" in data:
        alt = html.escape(output.metadata.get("image/png", {}).get("alt", ""))
        source = data["image/png"].replace("\n", "")
        return _output(f'<img class="picture" alt="{alt}" src="data:image/png;base64,{source}">')
    if "text/html" in data:
        # Style sheets go with what is in them; bleach would leave it as text.
        clean = bleach.clean(
            re.sub(r"<style>.*?</style>", "", data["text/html"], flags=re.DOTALL),
            tags=TABLE_TAGS,
            attributes={"*": ["style"]},
            css_sanitizer=TABLE_STYLES,
            strip=True,
        )
        return _output(f"{SCROLLS}{clean}</div>")
    if "text/markdown" in data:
        # An output's Markdown may contain text of a data set, so HTML in it is shown as text.
        renderer = IPythonRenderer(escape=True, allow_harmful_protocols=False)
        return _output(_reachable(MarkdownWithMath(renderer).render(data["text/markdown"])))
    # The rest of a progress bar, or of another widget without a picture, says nothing.
    return "" if WIDGET_VIEW in data else _output(_text(data.get("text/plain", "")))


def _text(text: str) -> str:
    return f'<pre tabindex="0">{html.escape(text.rstrip())}</pre>'


def _output(content: str) -> str:
    return f'<div class="output">{content}</div>'


def serve(site: Path = SITE, port: int = 8000) -> None:
    """Show the site on this machine alone, until Ctrl-C."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{server.server_port}/  (Ctrl-C stops)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.site.build_site", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="show site/ instead of building it")
    parser.add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args(arguments)
    if chosen.serve:
        if not (SITE / "index.html").is_file():
            print("There is no site yet; build it with: make site")
            return 1
        serve(port=chosen.port)
        return 0
    for page in build_site():
        print(f"{page.relative_to(ROOT)}  {page.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
