"""The funnel to click: what travels, its counts in words, its still picture."""

import json
import re

import pytest
from traitlets import TraitError

from lessons_lib.self_instruct import Funnel, Refused
from lessons_lib.widgets import show_funnel
from lessons_lib.widgets.funnel import FUNNEL
from tests.helpers.hostile import HOSTILE
from tests.helpers.self_instruct_toys import generate


@pytest.fixture(scope="module")
def funnel(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("run"))


def test_each_stage_has_what_it_refused_and_why(funnel):
    stages = show_funnel(funnel)._data["stages"]
    assert [stage["passed"] for stage in stages][0] == funnel.parsed
    assert stages[-1]["passed"] == len(funnel.kept)
    for stage in stages:
        assert stage["refused"] == funnel.dropped(stage["name"]) > 0
        found = funnel.by_reason(stage["name"])
        assert {each["reason"]: each["total"] for each in stage["reasons"]} == {
            reason: len(refused) for reason, refused in found.items()
        }
    (alike,) = stages[-1]["reasons"]
    for item, refused in zip(
        alike["items"], funnel.by_reason("deduping")[alike["reason"]], strict=True
    ):
        assert item["f"] == refused.most_similar[1] > 0.7
        assert item["like"] and item["text"] and item["output"] == "An answer."


def test_its_words_have_all_counts(funnel):
    words = show_funnel(funnel).alt_text()
    assert words.startswith(f"toy: {funnel.blocks} blocks in {funnel.asked} replies. parsed as")
    assert words.endswith(f"kept {len(funnel.kept)}, refused {funnel.dropped('deduping')}.")


def test_only_stages_can_be_opened(funnel):
    assert show_funnel(funnel, "deduping").opened == "deduping"
    with pytest.raises(TraitError, match="opened"):
        show_funnel(funnel, "kept")


def test_no_more_than_fifty_of_a_reason_travel_and_long_texts_are_cut():
    refused = [Refused("parsing", "cut off", "word " * 5000)] * 60
    (reason,) = show_funnel(Funnel("toy", blocks=60, refused=refused))._data["stages"][0]["reasons"]
    assert (reason["total"], len(reason["items"])) == (60, 50)
    assert reason["items"][0]["text"].endswith("(24,000 more characters)")


def test_hostile_text_ends_no_script_and_hides_nothing(funnel):
    refused = [Refused("filtering", e["instruction"], e["input"], e) for e in HOSTILE]
    view = show_funnel(Funnel("</script><b>", blocks=len(refused), refused=refused))
    page = view.to_html("<img src=x>")
    assert "<img src=x>" not in page and page.count("</script>") == page.count("<script")
    data = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(data)["_data"] == view._data
    assert "innerHTML" not in FUNNEL.assets() and "insertAdjacent" not in FUNNEL.assets()
    assert view.to_png().startswith(b"\x89PNG")


def test_the_still_picture_is_small_and_an_empty_funnel_has_one(funnel, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_STILLS", "1")
    data, metadata = show_funnel(funnel)._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == show_funnel(funnel).alt_text() in data["text/plain"]
    assert len(show_funnel(funnel).to_png()) < 40_000
    assert show_funnel(Funnel("toy")).to_png().startswith(b"\x89PNG")
