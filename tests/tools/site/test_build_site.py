"""The static site: whole pages, links that lead somewhere, and no text of an entry that runs."""

import re
from html.parser import HTMLParser

import nbformat
import pytest

from lessons_lib.data import get_tokenizer
from lessons_lib.exercises import EXERCISES
from lessons_lib.exercises.open_ended import edit_tasks
from lessons_lib.widgets import inspect_batch, inspect_labels
from tests.helpers.label_toys import entry_row
from tools.build_notebooks import WIDGET_VIEW, lab_paths, lesson_paths, page_paths
from tools.site import build_site

TASK = {"instruction": "Name a colour.", "input": "", "output": "Blue."}
HOSTILE = "<script>canary()</script><img src=x onerror=canary()>"


class Page(HTMLParser):
    """What a page links to, loads and names."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.loads, self.alts, self.ids = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.ids += [values["id"]] if "id" in values else []
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in ("script", "img", "iframe", "source") and "src" in values:
            self.loads.append(values["src"])
        if tag == "link":
            self.loads.append(values["href"])
        if tag == "img":
            self.alts.append(values.get("alt", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    build_site.build_site(folder, run=False)
    return folder


@pytest.fixture(
    params=[path.stem for path in [*lesson_paths(), *lab_paths(), *page_paths()]]
    + ["index", "glossary"]
)
def page(request, site):
    return Page((site / f"{request.param}.html").read_text(encoding="utf-8"))


def test_one_page_a_lesson_or_lab_and_a_contents_page(site):
    pages = {path.stem for path in site.glob("*.html")}
    own = {path.stem for path in lesson_paths() + lab_paths() + page_paths()}
    assert pages == own | {"index", "glossary"}


def test_labs_and_lessons_lead_to_each_other(site):
    lab = Page((site / "masking.html").read_text("utf-8")).links
    assert {"index.html", "11_mask_or_not.html", "00_the_whole_way.html"} <= {*lab}
    for name in ("index", "00_the_whole_way"):
        assert "masking.html" in Page((site / f"{name}.html").read_text("utf-8")).links


def test_pages_beside_the_lessons_are_linked(site):
    links = Page((site / "index.html").read_text("utf-8")).links
    assert {f"{path.stem}.html" for path in page_paths()} <= {*links}
    assert "pytorch_you_need.html" in Page((site / "04_padding.html").read_text("utf-8")).links


def test_words_lead_to_their_places_in_the_glossary(site):
    glossary = Page((site / "glossary.html").read_text("utf-8"))
    assert len(glossary.ids) == len(set(glossary.ids)) and "cohens-kappa" in glossary.ids
    links = Page((site / "04_padding.html").read_text("utf-8")).links
    assert "glossary.html#attention-mask" in links
    for page in site.glob("*.html"):
        found = re.findall(r'href="glossary\.html#([^"]+)"', page.read_text("utf-8"))
        assert {*found} <= {*glossary.ids}, page.name


def test_nothing_is_loaded_from_outside_the_page(page):
    assert [source for source in page.loads if not source.startswith("data:")] == []


def test_links_lead_somewhere(page, site):
    for link in page.links:
        if link.startswith(("http://", "https://", "#")):
            continue
        assert (site / link.partition("#")[0]).is_file(), f"no such page: {link}"


def test_pages_have_one_title_and_pictures_have_words(page):
    assert page.tags.count("h1") == 1
    assert page.tags.count("main") == 1
    assert all(len(alt) > 20 for alt in page.alts)


def test_navigation_leads_from_lesson_to_lesson(site):
    stems = [path.stem for path in lesson_paths()]
    for before, after in zip(stems, stems[1:], strict=False):
        assert f"{after}.html" in Page((site / f"{before}.html").read_text("utf-8")).links
        assert f"{before}.html" in Page((site / f"{after}.html").read_text("utf-8")).links


def test_only_the_sites_own_scripts_may_run(site):
    text = (site / "06_masks.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[^']+';", policy)


def output(data, metadata=None):
    return nbformat.v4.new_output("display_data", data=data, metadata=metadata or {})


@pytest.mark.parametrize(
    "shown",
    [
        nbformat.v4.new_output("stream", name="stdout", text=HOSTILE),
        output({"text/plain": HOSTILE}),
        output({"text/html": f"<table><tr><td onclick='canary()'>{HOSTILE}</td></tr></table>"}),
        output(
            {"text/markdown": f"{HOSTILE}\n\n[a](javascript:canary())\n\n```python\n{HOSTILE}\n```"}
        ),
        output({"image/png": "iVBORw0KGgo="}, {"image/png": {"alt": f'">{HOSTILE}'}}),
    ],
    ids=["stream", "text", "html", "markdown", "alt text"],
)
def test_hostile_output_is_only_text(shown):
    page = Page(build_site.output_html(shown, {}))
    assert "script" not in page.tags
    assert all(source.startswith("data:") for source in page.loads)
    assert not any(link.startswith("javascript:") for link in page.links)
    assert "onclick" not in build_site.output_html(shown, {})


def test_a_widget_is_mounted_with_its_data_and_cannot_break_out_of_it():
    entry = {"instruction": "</script>" + HOSTILE, "input": "", "output": "Yes."}
    widget = inspect_batch([entry])
    view = output({WIDGET_VIEW: {"model_id": "w1"}, "text/plain": "stand-in"})
    text = build_site.output_html(view, {"w1": widget.get_state()})
    assert text.count("<script") == 1 and text.count("</script>") == 1
    assert "bi-mount" in text and "_esm" not in text


def test_anybodys_labels_stay_alive():
    widget = inspect_labels([entry_row("Red.")], get_tokenizer())
    view = output({WIDGET_VIEW: {"model_id": "w1"}, "text/plain": "stand-in"})
    text = build_site.output_html(view, {"w1": widget.get_state()})
    assert "bl-mount" in text and "_esm" not in text
    assets, (script,) = build_site.widget_assets(text)
    assert ".bl-whole" in assets and "columnsOf" in script


def test_a_widget_that_needs_python_leaves_its_picture():
    editor = edit_tasks([TASK])
    picture = {"image/png": "iVBORw0KGgo=", "text/plain": "stand-in"}
    view = output(
        {WIDGET_VIEW: {"model_id": "w1"}, **picture}, {"image/png": {"alt": "A task to judge"}}
    )
    page = Page(build_site.output_html(view, {"w1": editor.get_state()}))
    assert page.alts == ["A task to judge"] and "script" not in page.tags


def test_a_progress_bar_leaves_its_last_line_or_nothing():
    bar = nbformat.v4.new_output("stream", name="stdout", text="10 %\r100 %\n")
    assert "100 %" in build_site.output_html(bar, {})
    assert "10 %" not in build_site.output_html(bar, {}).replace("100 %", "")
    windows = nbformat.v4.new_output("stream", name="stdout", text="first\r\nsecond\r\n")
    assert "first\nsecond" in build_site.output_html(windows, {})
    view = output({WIDGET_VIEW: {"model_id": "gone"}, "text/plain": "HBox(children=…)"})
    assert build_site.output_html(view, {}) == ""


def test_still_pictures_stand_in_where_nothing_is_run(site):
    text = (site / "06_masks.html").read_text(encoding="utf-8")
    assert 'class="bi-mount"' not in text
    assert len(re.findall(r'<img class="picture"', text)) >= 3


def test_without_a_site_there_is_nothing_to_serve(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build_site, "SITE", tmp_path)
    assert build_site.main(["--serve"]) == 1
    assert "make site" in capsys.readouterr().out


def test_what_a_check_says_is_shown_without_its_style_sheet():
    result = EXERCISES["pad"].check(EXERCISES["pad"].attempt)
    text = build_site.output_html(output({"text/html": result._repr_html_()}), {})
    assert "<strong>○ Pad a batch: not attempted yet.</strong>" in text
    assert "{" not in text and "style" not in text
