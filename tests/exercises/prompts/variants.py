"""Right solutions of lesson 02's exercises, each written in another way."""

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


VARIANTS = {"format-input": [joined, in_one_expression, stripped_input]}
