"""What OpenAI's API has and this server lacks: at which values it is allowed all the same.

An option that a server ignores makes another reply than the one that was asked for, and nobody
hears of it. So a request may have those of OpenAI's options that change nothing, and no others.
Source: OpenAI's API reference, "Create chat completion". Used by ``api``; lesson 12.
"""

import difflib
import json
from collections.abc import Iterable
from typing import Any

# Nothing here is stored, cached, billed or moderated, so these have no effect on a reply.
WITHOUT_EFFECT = {
    "store": bool,
    "user": str,
    "safety_identifier": str,
    "metadata": dict,
    "prompt_cache_key": str,
    "prompt_cache_retention": str,
    "prompt_cache_options": dict,
    "parallel_tool_calls": bool,
}
# The values, beside null, at which an option asks for what is done anyway.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "response_format": ({"type": "text"}, {}),
    "modalities": (["text"], []),
    "audio": ({},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "prediction": ({},),
    "moderation": ({},),
    "web_search_options": (),  # {} asks for a search
    "service_tier": ("auto", "default"),
    "reasoning_effort": ("none",),
    "verbosity": ("medium",),
}
# What an assistant's message may carry beside its text; clients send back what they were given.
NEUTRAL_IN_MESSAGES: dict[str, tuple[Any, ...]] = {
    "refusal": ("",),
    "annotations": ([],),
    "audio": ({},),
    "tool_calls": ([],),
    "function_call": ({},),
}


def fault_of(name: str, value: Any, neutral: dict[str, tuple[Any, ...]] = NEUTRAL) -> str:
    """Why one of OpenAI's options is refused at this value; "" where it is not."""
    if value is None:
        return ""
    if kind := WITHOUT_EFFECT.get(name):
        words = {bool: "true or false", str: "a text", dict: "an object"}
        if isinstance(value, kind):
            return ""
        return f"{name} must be {words[kind]}, or null, not {_shown(value)}."
    # In Python 1 == True and 0 == False; in JSON they differ.
    if any(value == each and type(value) in _kinds(each) for each in neutral[name]):
        return ""
    allowed = ", ".join(json.dumps(each) for each in (*neutral[name], None))
    possible = f"it may be left out, or be one of {allowed}"
    return f"This server does not support {name} {_shown(value)}: {possible}."


def unknown(name: str, known: Iterable[str]) -> str:
    """That there is no such option, and which there are."""
    known = sorted(known)
    alike = difflib.get_close_matches(name[:80], known, n=1)
    meant = f" Is {alike[0]} meant?" if alike else ""
    return f"There is no option {name[:80]!r} here.{meant} There are: {', '.join(known)}."


def _kinds(value: Any) -> tuple[type, ...]:
    """The types that a value equal to this one may have."""
    return (int, float) if type(value) is int else (type(value),)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
