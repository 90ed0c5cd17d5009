"""The options of a reply: what each takes, as a value and as it is typed, and what is said else."""

import inspect
import json
import math
import subprocess
import sys

import pytest

from lessons_lib.support.reply_options import (
    NUMBERS,
    ReplyOptions,
    list_options,
    numbers_for_page,
    parse_option,
    typed_name,
)

OF_ANOTHER_KIND = [
    ({"temperature": "hot"}, "temperature must be a number of 0 or more, not 'hot'"),
    ({"temperature": None}, "temperature must be a number of 0 or more, not None"),
    ({"top_p": True}, "top_p must be a number above 0, up to 1, or None, not True"),
    ({"top_k": 2.5}, "top_k must be a whole number of 1 or more, or None, not 2.5"),
    ({"seed": "a"}, "seed must be a whole number above -2⁵³ and below 2⁵³, or None, not 'a'"),
    ({"max_new_tokens": 1.5}, "max_new_tokens must be a whole number of 0 or more, not 1.5"),
    ({"max_new_tokens": None}, "max_new_tokens must be a whole number of 0 or more, not None"),
    ({"memory": "yes"}, "memory must be True or False, not 'yes'"),
    ({"stop": [5]}, "stop must be a text or a list of texts, not [5]"),
    ({"stop": 5}, "stop must be a text or a list of texts, not 5"),
]
OUT_OF_RANGE = [
    *({"temperature": value} for value in (-0.1, math.nan, math.inf, 10**400)),
    *({"top_p": value} for value in (0, -0.2, 1.01, math.nan)),
    *({"top_k": value} for value in (0, -3)),
    *({"seed": value} for value in (2**53, -(2**53))),
    {"max_new_tokens": -1},
]


@pytest.mark.parametrize(("wrong", "sentence"), OF_ANOTHER_KIND)
def test_an_option_of_another_kind_is_refused_by_its_name(wrong, sentence):
    with pytest.raises(TypeError) as error:
        ReplyOptions(**wrong)
    assert str(error.value) == sentence


@pytest.mark.parametrize("wrong", OUT_OF_RANGE, ids=lambda wrong: str(wrong)[:30])
def test_a_number_out_of_its_range_is_refused(wrong):
    [(name, value)] = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{NUMBERS[name].words}.*, not {value}"):
        ReplyOptions(**wrong)


@pytest.mark.parametrize("stop", ["", ["x", ""]])
def test_an_empty_stop_text_is_refused(stop):
    with pytest.raises(ValueError, match="a stop text is empty, so every reply would stop"):
        ReplyOptions(stop=stop)


def test_a_single_stop_text_is_one_text_and_not_its_letters():
    assert ReplyOptions(stop="###").stop == ReplyOptions(stop=["###"]).stop == ("###",)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", "0.8", 0.8),
        ("temperature", "20", 20),
        ("top_p", "0.01", 0.01),
        ("top_p", "off", None),
        ("top_k", "5", 5),
        ("max_new_tokens", "2048", 2048),
        ("max_new_tokens", "0", 0),
        ("seed", "-3", -3),
        ("seed", "off", None),
    ],
)
def test_what_is_typed_becomes_a_value_that_the_options_take(name, text, value):
    assert parse_option(name, text) == value
    ReplyOptions(**{name: value})


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("temperature", "hot", "temperature must be a number of 0 or more, not 'hot'"),
        ("temperature", "off", "temperature must be a number of 0 or more, not 'off'"),
        ("temperature", "nan", "temperature must be a number of 0 or more, not 'nan'"),
        ("top_p", "0", "top-p must be a number above 0, up to 1, or off, not '0'"),
        ("top_k", "1.5", "top-k must be a whole number of 1 or more, or off, not '1.5'"),
        ("max_new_tokens", "-1", "max-new-tokens must be a whole number of 0 or more, not '-1'"),
    ],
)
def test_what_is_typed_wrongly_is_refused_by_the_typed_name(name, text, sentence):
    with pytest.raises(ValueError) as error:
        parse_option(name, text)
    assert str(error.value) == sentence


def test_a_page_gets_every_number_in_json_that_all_browsers_read():
    numbers = json.loads(json.dumps(numbers_for_page(), allow_nan=False))
    assert [each["name"] for each in numbers] == [*NUMBERS] == [*vars(ReplyOptions())][:5]
    assert [typed_name(name) for name in NUMBERS][1:4] == ["top-p", "top-k", "max-new-tokens"]


def test_a_shrunk_run_makes_ten_tokens_at_most(monkeypatch):
    assert ReplyOptions(max_new_tokens=20).shrunk_if_quick().max_new_tokens == 20
    monkeypatch.setenv("LESSONS_LIB_QUICK", "1")
    limits = [ReplyOptions(max_new_tokens=n).shrunk_if_quick().max_new_tokens for n in (20, 4)]
    assert limits == [10, 4]


def test_help_lists_the_options_in_place_of_any_options():
    @list_options
    def reply(message, **options): ...

    names = ["message", *vars(ReplyOptions())]
    assert list(inspect.signature(reply).parameters) == names


def test_the_options_need_no_pytorch():
    code = "import sys, lessons_lib.support.reply_options; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
