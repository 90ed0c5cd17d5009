"""Slides of the lessons: ``make slides`` writes them into slides/, one page a lesson.

Each page is one file that needs no other and no network. Lessons with widgets are run to get the
widgets' states, as for the site; ``--still`` runs nothing and shows pictures instead.
"""

import argparse
import html
import sys
from pathlib import Path
from string import Template

import nbformat
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tools.build_notebooks import ROOT, lab_paths, lesson_paths, read, short_name, title
from tools.site import build_site
from tools.site.build_site import States, code_rules, output_html, source_hash, to_html
from tools.slides.rule import Slide, slides_of

SLIDES = ROOT / "slides"
PARTS = Path(__file__).parent


def slides_page(notebook: nbformat.NotebookNode, states: States) -> str:
    """The whole page of a lesson's slides."""
    slides = slides_of(notebook)
    content = "\n".join(slide_html(slide, n, states) for n, slide in enumerate(slides, start=1))
    scripts = [(PARTS / name).read_text(encoding="utf-8") for name in ("deck.js", "presenter.js")]
    script = "\n".join(["", *scripts])
    theme = f"\n{(build_site.PARTS / 'theme.js').read_text(encoding='utf-8')}\n"
    assets, modules = build_site.widget_assets(content)
    template = Template((PARTS / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=html.escape(title(notebook)),
        style=f"{(PARTS / 'style.css').read_text(encoding='utf-8')}\n{code_rules()}",
        theme=theme,
        script=script,
        allowed=" ".join(map(source_hash, [theme, script, *modules])),
        slides=content,
        assets=assets,
    )


def slide_html(slide: Slide, number: int, states: States) -> str:
    """One slide; its notes are in a template, which a browser does not show."""
    level = "h1" if slide.kind == "title" else "h2"
    heading = to_html(slide.title).removeprefix("<p>").strip().removesuffix("</p>")
    parts = "\n".join(
        shown for kind, part in slide.parts if (shown := part_html(kind, part, states))
    )
    notes = to_html("\n\n".join(slide.notes))
    return (
        f'<section class="slide {slide.kind}" data-number="{number}" '
        f'data-minutes="{slide.minutes:g}" data-title="{html.escape(plain(slide.title))}" '
        f'aria-roledescription="slide" aria-label="{number}">\n'
        f'<{level}>{heading}</{level}>\n<div class="body">{parts}</div>\n'
        f'<template class="notes">{notes}</template>\n</section>'
    )


def part_html(kind: str, part: object, states: States) -> str:
    """A part of a slide as HTML."""
    if kind == "markdown":
        return f"<div>{to_html(part)}</div>"
    if kind == "code":
        code = highlight(part, PythonLexer(), HtmlFormatter(nowrap=True))
        return f'<div class="code"><pre tabindex="0">{code}</pre></div>'
    if kind == "choices":
        return (
            f'<ol class="choices">{"".join(f"<li>{html.escape(each)}</li>" for each in part)}</ol>'
        )
    if kind == "reveal":
        return f'<div class="reveal">{to_html(part)}</div>'
    if kind == "answer":  # of a question: shown by the next step
        return f'<div class="step"><div class="solved">{to_html(part)}</div></div>'
    return output_html(part, states)


def plain(markdown: str) -> str:
    """A heading without its marks."""
    return markdown.replace("`", "").replace("*", "")


def build_slides(
    folder: Path = SLIDES, names: list[str] | None = None, still: bool = False
) -> list[Path]:
    """Write the pages of these lessons and labs, by default of all; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for path in [*lesson_paths(), *lab_paths()]:
        if names and short_name(path) not in names:
            continue
        notebook = read(path)
        states = {} if still else build_site.run_for_states(notebook)
        page = folder / f"{path.stem}.html"
        page.write_text(slides_page(notebook, states), encoding="utf-8", newline="\n")
        pages.append(page)
    return pages


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.slides.build_slides", description=__doc__
    )
    parser.add_argument("lessons", nargs="*", help="such as 04, or a lab's name; default: all")
    parser.add_argument("--still", action="store_true", help="run nothing: pictures for widgets")
    chosen = parser.parse_args(arguments)
    offered = [short_name(path) for path in [*lesson_paths(), *lab_paths()]]
    if unknown := {*chosen.lessons} - {*offered}:
        parser.error(f"no lesson {', '.join(sorted(unknown))}; there are {', '.join(offered)}")
    for page in build_slides(names=chosen.lessons, still=chosen.still):
        print(f"{page.relative_to(ROOT)}  {page.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
