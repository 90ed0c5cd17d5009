"""The decoding arguments: Alpaca's by default, and nothing that a server would refuse."""

import dataclasses

import pytest

from lessons_lib.self_instruct import DecodingArguments


def test_the_defaults_are_alpacas():
    assert dataclasses.asdict(DecodingArguments()) == {
        "temperature": 1.0,
        "top_p": 1.0,
        "n": 1,
        "max_tokens": 3072,
        "stop": ("\n20", "20."),
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "logit_bias": {50256: -100},
    }


def test_they_cannot_be_changed_but_replaced():
    arguments = DecodingArguments()
    with pytest.raises(dataclasses.FrozenInstanceError):
        arguments.n = 2
    assert dataclasses.replace(arguments, temperature=0).temperature == 0


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("temperature", -0.1, "temperature must be a number from 0 to 2, not -0.1"),
        ("temperature", float("nan"), "temperature must be"),
        ("temperature", "1", "temperature must be"),
        ("temperature", True, "temperature must be"),
        ("top_p", 0, "top_p must be above 0"),
        ("top_p", 1.1, "top_p must be a number from 0 to 1"),
        ("n", 0, "n must be a whole number of 1 or more, not 0"),
        ("n", 1.5, "n must be"),
        ("max_tokens", True, "max_tokens must be"),
        ("stop", "###", r'stop must be texts such as \("###",\)'),
        ("stop", ("###", ""), "none empty"),
        ("stop", ("a", "b", "c", "d", "e"), "stop has 5 texts; 4 is the limit"),
        ("presence_penalty", 2.5, "presence_penalty must be a number from -2 to 2"),
        ("frequency_penalty", None, "frequency_penalty must be"),
        ("logit_bias", {"50256": -100}, "logit_bias is by token id, a whole number, not '50256'"),
        ("logit_bias", {-1: 0}, "a whole number, not -1"),
        ("logit_bias", {7: -101}, "logit_bias of token 7 must be a number from -100 to 100"),
    ],
)
def test_what_no_server_would_take_is_refused(name, value, message):
    with pytest.raises(ValueError, match=message):
        DecodingArguments(**{name: value})
