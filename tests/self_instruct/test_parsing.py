"""The parser: what is whole is kept, all else is dropped by reason, and nothing makes it raise."""

import random
import time

import pytest

from lessons_lib.data import check_entries
from lessons_lib.self_instruct import encode_prompt, flatten, load_seed_tasks, parse_reply
from lessons_lib.self_instruct.parsing import CUT_OFF, NO_TASK

SEA = {"instruction": "Name a sea.", "input": "", "output": "The Baltic."}
DOUBLE = {"instruction": "Double the number.", "input": "21", "output": "42"}
REPLY = (
    " Name a sea.\n4. Input:\n<noinput>\n4. Output:\nThe Baltic.\n###\n"
    "5. Instruction: Double the number.\n5. Input:\n21\n5. Output:\n42\n###\n"
)


def reasons(parsed):
    return [dropped.reason for dropped in parsed.dropped]


def test_a_reply_goes_on_where_the_prompt_ended():
    assert parse_reply(REPLY) == ([SEA, DOUBLE], [])


def test_the_seed_tasks_come_back_as_they_are():
    entries = flatten(load_seed_tasks())
    for start in range(0, len(entries), 7):
        prompt = encode_prompt(entries[start : start + 7])
        reply = prompt.partition("###\n1. Instruction:")[2].removesuffix("8. Instruction:")
        assert parse_reply(reply, first_number=1) == (entries[start : start + 7], [])


def test_a_cut_off_last_block_is_dropped_even_if_it_looks_whole():
    whole = REPLY.removesuffix("###\n")
    tasks, (dropped,) = parse_reply(whole, cut_off=True)
    assert tasks == [SEA] and dropped.reason == CUT_OFF
    assert dropped.text.startswith("5. Instruction: Double")
    assert parse_reply(whole).tasks == [SEA, DOUBLE]


def test_a_reply_cut_off_behind_a_separator_lost_nothing():
    assert parse_reply(REPLY, cut_off=True) == ([SEA, DOUBLE], [])


@pytest.mark.parametrize(
    "reply",
    [
        REPLY.replace("###\n5", "###5"),
        REPLY.replace("###\n5", "### 5"),
        REPLY.replace("\n###", " ###"),
        REPLY.replace("###", "######"),
        REPLY.replace("\n", "\r\n"),
        REPLY.replace("<noinput>", "<NoInput>"),
        REPLY.replace("<noinput>", "N/A"),
        REPLY.replace("Input:\n", "Input: ").replace("Output:\n", "Output:"),
        "4. Instruction:" + REPLY,
        "###\n4. Instruction:" + REPLY,
        "\n### 4. Instruction:" + REPLY,
        REPLY.replace("\n5. ", "\n  5.  "),
        REPLY.replace("5. ", "17. "),
    ],
)
def test_small_differences_of_form_are_read(reply):
    assert parse_reply(reply) == ([SEA, DOUBLE], [])


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("no task at all", NO_TASK),
        ("5. Instruction: a b\n5. Output:\nx", NO_TASK),
        ("5. Instruction: a b\n5. Input:\nx", NO_TASK),
        ("5. Input:\nx\n5. Instruction: a\n5. Output:\nb", NO_TASK),
        ("5. Instruction: a\n5. Input:\nx\n6. Output:\nb", NO_TASK),
        ("5. Instruction: a\n5. Input:\nx\n5. Output:\nb\n5. Output:\nc", NO_TASK),
        # A forgotten separator: the first output would hold the whole second task.
        (
            "5. Instruction: a\n5. Input:\nx\n5. Output:\nb\n"
            "6. Instruction: c\n6. Input:\ny\n6. Output:\nd",
            NO_TASK,
        ),
        ("5. Instruction: a\n5. Input:\nx\n5. Output:\n", "empty output"),
        ("5. Instruction:\n5. Input:\nx\n5. Output:\n\u200b\n", "empty instruction"),
        ("5. Instruction: a\n5. Input:\nx\n5. Output:\nb\0", "output contains a NUL character"),
        (
            "5. Instruction: a\n5. Input:\n\udcff\n5. Output:\nb",
            "input contains half a character (a lone surrogate)",
        ),
    ],
)
def test_what_is_no_task_is_dropped_and_the_others_stay(block, reason):
    first, second = REPLY.split("###\n")[:2]
    parsed = parse_reply(f"{first}###\n{block}\n###\n{second}")
    assert parsed.tasks == [SEA, DOUBLE] and reasons(parsed) == [reason]
    assert parsed.dropped[0].text == block.strip()


def test_a_heading_or_a_numbered_list_in_an_output_parts_nothing():
    output = "### Steps\n1. Input: the beans\n2. Output: coffee\nC### and D###s"
    parsed = parse_reply(f" Make coffee.\n4. Input:\n<noinput>\n4. Output:\n{output}\n###")
    assert parsed == ([{"instruction": "Make coffee.", "input": "", "output": output}], [])


@pytest.mark.parametrize("reply", ["", " \n", "###", "\n###\n###\n"])
def test_an_empty_reply_leaves_only_the_unfinished_task(reply):
    assert parse_reply(reply).tasks == []
    assert reasons(parse_reply(reply)) == [NO_TASK]


@pytest.mark.parametrize("piece", ["#", "# ", " ", "\n", "###\n", "4.", "4. Instruction:", "9" * 9])
def test_a_huge_reply_is_read_at_once(piece):
    before = time.process_time()
    assert parse_reply(piece * (1_000_000 // len(piece))).tasks == []
    assert time.process_time() - before < 5  # seconds; a pattern that goes back would take hours


SCRIPTS = [
    "plain words", "Ünïcödé", "Привет мир", "你好世界", "こんにちは", "שלום", "مرحبا", "สวัสดี",
    "नमस्ते", "안녕", "🙂👩‍👩‍👧", "\u202eright to left", "e\u0301\u0301\u0301",
]  # fmt: skip
ODD = [
    "\0", "\x07", "\x1b[31m", "\ud800", "\udfff", "\u2028", "\x85", "\ufeff", "\u200b", "\r", "\t",
    "###", "####", " ### ", "\n###\n", "4.", "5. ", "٤. Instruction:", "99999999. Output:",
    "4. Instruction:", "\n5. Input:", "\n5. Output:", "\n6. Output: ", "<noinput>", "N/A", "\n20.",
    "```", "**5. Instruction:**", "1. Instruction: 2. Input: 3. Output:", "", "\n", " ",
]  # fmt: skip


def fuzzed(draw: random.Random) -> str:
    """A reply like those a teacher gives, then damaged."""
    parts = []
    for number in range(4, 4 + draw.randrange(6)):
        pieces = draw.choices(4 * SCRIPTS + ODD, k=6)
        texts = ["x" + " ".join(pieces[place : place + 2]) for place in (0, 2, 4)]
        if draw.random() < 0.1:
            texts[draw.randrange(3)] = draw.choice(ODD)
        numbers = [number, number, number + (draw.random() < 0.05)]
        headers = zip(numbers, ("Instruction", "Input", "Output"), texts, strict=True)
        fields = [f"{number}. {field}:\n{text}\n" for number, field, text in headers]
        if draw.random() < 0.05:
            fields.reverse()
        parts += [*fields, draw.choice(["###\n"] * 12 + ["", "###", " ### ", "##\n"])]
    text = "".join(parts).removeprefix("4. Instruction:")
    for _ in range(draw.randrange(3)):
        place = draw.randrange(len(text) + 1)
        kind = draw.randrange(5)
        if kind == 0:
            text = text[:place]  # cut
        elif kind == 1:
            text = text[:place] + draw.choice(ODD) + text[place:]
        elif kind == 2:
            text = text[:place] + text + text[place:]  # a reply within a reply
        elif kind == 3:
            text = text[:place] + text[place + draw.randrange(20) :]
        else:  # huge
            text = text[:place] + draw.choice(ODD + SCRIPTS) * 200 + text[place:]
    return text


def test_ten_thousand_damaged_replies_never_raise_and_give_only_entries():
    draw = random.Random(22)
    kept, why = 0, set()
    for _ in range(10_000):
        reply, cut_off = fuzzed(draw), draw.random() < 0.3
        parsed = parse_reply(reply, draw.choice([1, 4, 20]), cut_off)
        for task in parsed.tasks:
            assert task.keys() == {"instruction", "input", "output"}
            assert all(isinstance(text, str) for text in task.values())
            assert task["instruction"].strip() and task["output"].strip()
        if parsed.tasks:
            check_entries(parsed.tasks)
        assert all(isinstance(d.text, str) and d.reason for d in parsed.dropped)
        kept += len(parsed.tasks)
        why |= set(reasons(parsed))
    assert kept > 3000  # else the damage would hide what is tested
    assert {CUT_OFF, NO_TASK, "empty output", "empty instruction"} <= why and len(why) >= 8, why
