"""Prompt formats: how an entry becomes one text, and how the answer is taken out again.

Taught in lesson 02. The Alpaca format comes from Stanford Alpaca (Taori et al. 2023); Phi-3's from
Microsoft's model card.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PromptFormat:
    """One way to write an entry as text: question, response header, output, closing tag.

    ``question`` writes everything before the header from an entry; ``response_header`` announces
    the answer, and is what ``instruction_mask="keep-header"`` keeps in the loss; ``response_end``
    closes it. A header should not end in a space or a blank line: the tokenizer would join those
    with the first word of the answer.
    """

    name: str
    question: Callable[[Mapping[str, str]], str]
    response_header: str
    response_end: str = ""

    def prompt(self, entry: Mapping[str, str]) -> str:
        """What the model is given: the question and the response header."""
        return self.question(entry) + self.response_header

    def response(self, entry: Mapping[str, str]) -> str:
        """What the model should write: the entry's output and the closing tag, if there is one."""
        return entry["output"] + self.response_end

    def text(self, entry: Mapping[str, str]) -> str:
        """The whole text the model trains on: prompt, then response."""
        return self.prompt(entry) + self.response(entry)

    def extract_response(self, text: str, entry: Mapping[str, str] | None = None) -> str:
        """The answer in a text that starts with a prompt of this format.

        With ``entry``, exactly that entry's prompt is cut off. Without it, the text is cut after
        its *first* response header, so that a header inside the answer stays part of the answer;
        only an instruction that itself contains the header needs ``entry``.

        Raises:
            ValueError: the text does not start with the entry's prompt, or has no header.
        """
        if entry is not None:
            prompt = self.prompt(entry)
            if not text.startswith(prompt):
                raise ValueError(f"the text does not start with this entry's {self.name} prompt")
            answer = text.removeprefix(prompt)
        else:
            _, header, answer = text.partition(self.response_header)
            if not header:
                raise ValueError(
                    f"no {self.name} response header {self.response_header!r} in the text: "
                    "is it written in another format?"
                )
        return answer.removesuffix(self.response_end)


def _has_input(entry: Mapping[str, str]) -> bool:
    """Whether there is an input; white space alone is none, and null neither."""
    return bool((entry.get("input") or "").strip())


def _with_input(entry: Mapping[str, str], header: str) -> str:
    """The header and the entry's input, or nothing where the input is empty."""
    return header + entry["input"] if _has_input(entry) else ""


def format_input(entry: Mapping[str, str]) -> str:
    """Instruction and input in the Alpaca format, without the response header.

    An empty input is left out with its header. The preamble is always the short one.

    Source: Raschka, "Build a Large Language Model (From Scratch)", listing 7.2.
    """
    return (
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request."
        f"\n\n### Instruction:\n{entry['instruction']}" + _with_input(entry, "\n\n### Input:\n")
    )


def _stanford_question(entry: Mapping[str, str]) -> str:
    """Stanford's own template: a second preamble for entries that have an input.

    Source: Stanford Alpaca's ``train.py``, ``PROMPT_DICT``.
    """
    if not _has_input(entry):
        return format_input(entry)
    return (
        "Below is an instruction that describes a task, "
        "paired with an input that provides further context. "
        "Write a response that appropriately completes the request."
        f"\n\n### Instruction:\n{entry['instruction']}\n\n### Input:\n{entry['input']}"
    )


def _phi3_question(entry: Mapping[str, str]) -> str:
    """Phi-3 joins instruction and input into the user's one message."""
    return f"<|user|>\n{entry['instruction']}{_with_input(entry, chr(10))}<|end|>"


PROMPT_FORMATS: dict[str, PromptFormat] = {
    "alpaca": PromptFormat("alpaca", format_input, "\n\n### Response:\n"),
    # Nothing after the colon: in Stanford's code the output follows at once, whatever their README
    # shows. A tokenizer may then join the colon with the output's first character.
    "alpaca-stanford": PromptFormat("alpaca-stanford", _stanford_question, "\n\n### Response:"),
    "phi3": PromptFormat("phi3", _phi3_question, "\n<|assistant|>\n", "<|end|>"),
}


def get_prompt_format(prompt_format: str | PromptFormat) -> PromptFormat:
    """The format itself, or the one registered under this name in ``PROMPT_FORMATS``.

    Raises:
        ValueError: no format has this name; the message lists those there are.
    """
    if isinstance(prompt_format, PromptFormat):
        return prompt_format
    try:
        return PROMPT_FORMATS[prompt_format]
    except (KeyError, TypeError):
        known = ", ".join(sorted(PROMPT_FORMATS))
        raise ValueError(f"no prompt format {prompt_format!r}; there are: {known}") from None


# Stand for instruction and input while a format's own words are looked for.
_SLOTS = {"\ue000": "instruction", "\ue001": "input"}


def text_parts(entry: Mapping[str, str], prompt_format: PromptFormat) -> list[tuple[str, str]]:
    """The text of substep 2.1 cut into (kind, text): kinds are "template", "instruction", "input",
    "header", "output" and "closing"."""
    question = prompt_format.question(entry)
    slots = {"instruction": "\ue000", "input": "\ue001" if _has_input(entry) else ""}
    pieces = re.split("([\ue000\ue001])", prompt_format.question({**entry, **slots}))
    kinds = [_SLOTS.get(piece, "template") for piece in pieces]
    parts = [
        (kind, entry.get(kind, "") if kind in _SLOTS.values() else piece)
        for kind, piece in zip(kinds, pieces, strict=True)
    ]
    if "".join(text for _, text in parts) != question:  # a format that changes its entry's texts
        parts = [("template", question)]
    parts += [("header", prompt_format.response_header), ("output", entry["output"])]
    parts.append(("closing", prompt_format.response(entry).removeprefix(entry["output"])))
    return [(kind, text) for kind, text in parts if text]
