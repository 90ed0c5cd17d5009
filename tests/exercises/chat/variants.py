"""Right solutions of lesson 12's exercises, each written in another way."""

import re

from lessons_lib.data import PROMPT_FORMATS, format_input

ALPACA = PROMPT_FORMATS["alpaca"]


def prompt_in_one_pass(messages):
    text, system = "", []
    for place, each in enumerate(messages):
        if each["role"] == "system":
            system.append(each["content"])
        elif each["role"] == "assistant":
            text += each["content"] + "\n\n"
        else:
            lines = [*system, each["content"]] if place == len(messages) - 1 else [each["content"]]
            text += format_input({"instruction": "\n\n".join(lines), "input": ""})
            text += "\n\n### Response:\n"
    return text


def prompt_by_the_format(messages):
    *earlier, last = [each for each in messages if each["role"] != "system"]
    texts = [
        ALPACA.text({"instruction": one["content"], "input": "", "output": other["content"]})
        for one, other in zip(earlier[::2], earlier[1::2], strict=True)
    ]
    system = [each["content"] for each in messages if each["role"] == "system"]
    asked = "\n\n".join([*system, last["content"]])
    return "\n\n".join([*texts, ALPACA.prompt({"instruction": asked})])


def prompt_from_the_end(messages):
    left = list(messages)
    asked = left.pop()["content"]
    while left and left[0]["role"] == "system":
        asked = left.pop(0)["content"] + "\n\n" + asked
    text = ALPACA.prompt({"instruction": asked})
    while left:
        reply, question = left.pop()["content"], left.pop()["content"]
        text = f"{ALPACA.prompt({'instruction': question})}{reply}\n\n{text}"
    return text


def fits_from_the_front(lengths, context, room):
    first = 0
    while first < len(lengths) - 1 and sum(lengths[first:]) > context - room:
        first += 2
    return list(range(first, len(lengths)))


def fits_by_running_sum(lengths, context, room):
    kept, free = [len(lengths) - 1], context - room - lengths[-1]
    for i in range(len(lengths) - 3, -1, -2):
        free -= lengths[i] + lengths[i + 1]
        if free < 0:
            break
        kept = [i, i + 1, *kept]
    return kept


def fits_by_choosing(lengths, context, room):
    starts = [i for i in range(0, len(lengths), 2) if sum(lengths[i:]) + room <= context]
    return [*range(min([*starts, len(lengths) - 1]), len(lengths))]


def rates_by_expression(unknown, before, after, wanted):
    refusals = [
        [bool(re.match(r"\s*I do not know", text)) for text in texts] for texts in (unknown, after)
    ]
    had = [
        new == right for old, new, right in zip(before, after, wanted, strict=True) if old == right
    ]
    return [[sum(each), len(each)] for each in (*refusals, had)]


def rates_by_loops(unknown, before, after, wanted):
    admitted = denied = kept = had = 0
    for text in unknown:
        if text.lstrip()[:13] == "I do not know":
            admitted += 1
    for old, new, right in zip(before, after, wanted, strict=True):
        denied += new.lstrip().startswith("I do not know")
        had += old == right
        kept += old == new == right
    return (admitted, len(unknown)), (denied, len(wanted)), (kept, had)


def rates_by_sets(unknown, before, after, wanted):
    were = {i for i, text in enumerate(wanted) if before[i] == text}
    are = {i for i, text in enumerate(wanted) if after[i] == text}

    def refused(texts):
        return len([text for text in texts if " ".join(text.split()).find("I do not know") == 0])

    return (
        (refused(unknown), len(unknown)),
        (refused(after), len(after)),
        (len(were & are), len(were)),
    )


VARIANTS = {
    "chat-prompt": [prompt_in_one_pass, prompt_by_the_format, prompt_from_the_end],
    "fit-turns": [fits_from_the_front, fits_by_running_sum, fits_by_choosing],
    "refusal-rate": [rates_by_expression, rates_by_loops, rates_by_sets],
}
