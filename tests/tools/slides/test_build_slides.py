"""The pages of slides: whole, and with nothing from outside."""

import re

import pytest

from tools.slides import build_slides


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slides")
    (path,) = build_slides.build_slides(folder, ["04"], still=True)
    return path.read_text(encoding="utf-8")


def test_a_page_is_whole(page):
    assert not re.search(r'(?:src|href)="(?!data:|https://|\w+\.html|#)', page)
    assert not re.search(r'<(?:script|img|link|iframe)[^>]* (?:src|href)="(?!data:)', page)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy and len(re.findall("'sha256-", policy)) == 2
    assert page.count("<h1>") == 1 and '<img class="picture" alt="' in page
    assert page.count('<section class="slide') == page.count('<template class="notes">')


def test_notes_and_minutes_are_the_cells(page):
    assert "<strong>Ask for hands before you go on.</strong>" in page
    exercise = re.search(r'data-minutes="(\d+)" data-title="Exercise: Pad a batch"', page)
    assert exercise[1] == "10"


def test_an_unknown_lesson_is_named(capsys):
    with pytest.raises(SystemExit):
        build_slides.main(["99"])
    assert "no lesson 99; there are 00, 01" in capsys.readouterr().err
