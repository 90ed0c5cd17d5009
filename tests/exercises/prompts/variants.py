"""Right solutions of lesson 02's exercises, each written in another way."""

import re

HEADER = "\n\n### Response:\n"
PREAMBLE = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request."
)


def joined(entry):
    parts = [PREAMBLE, f"### Instruction:\n{entry['instruction']}"]
    if entry["input"] != "":
        parts.append("### Input:\n" + entry["input"])
    return "\n\n".join(parts)


def in_one_expression(entry):
    extra = f"\n\n### Input:\n{entry['input']}" if entry.get("input") else ""
    return PREAMBLE + "\n\n### Instruction:\n" + entry["instruction"] + extra


def stripped_input(entry):
    text = PREAMBLE + "\n\n### Instruction:\n%s" % entry["instruction"]  # noqa: UP031
    return text + ("\n\n### Input:\n" + entry["input"] if entry["input"].strip() else "")


def repaired_by_loop(prompt, response):
    while prompt.endswith(" "):
        prompt, response = prompt[:-1], " " + response
    return prompt, response


def repaired_by_counting(prompt, response):
    count = len(prompt) - len(prompt.rstrip(" "))
    return [prompt[: len(prompt) - count], " " * count + response]


def repaired_by_pattern(prompt, response):
    border = re.search(r" *\Z", prompt).start()
    return prompt[:border], (prompt + response)[border:]


def extracted_by_split(text, header=HEADER):
    return text.split(header, 1)[1]


def extracted_by_index(text, header=HEADER):
    return text[text.index(header) + len(header) :]


def extracted_by_joining(text, header=HEADER):
    _, *pieces = text.split(header)
    return header.join(pieces)


VARIANTS = {
    "format-input": [joined, in_one_expression, stripped_input],
    "repair-format": [repaired_by_loop, repaired_by_counting, repaired_by_pattern],
    "extract-response": [extracted_by_split, extracted_by_index, extracted_by_joining],
}
