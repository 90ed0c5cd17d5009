"""Right solutions of lesson 13's exercises, each written in another way."""

import heapq
import re
from itertools import groupby

import numpy as np

from lessons_lib.self_instruct.dedupe import rouge_l_f, rouge_words


def parse_line_by_line(reply, cut_off):
    tasks, block, field = [], {"instruction": ""}, "instruction"
    lines = reply.split("\n")
    for number, line in enumerate([*lines, None if cut_off else "###"]):
        if line is None:
            break
        heading = re.match(r"\d+\. (Instruction|Input|Output):", line)
        if line == "###":
            if len(block) == 3:
                texts = {name: text.strip() for name, text in block.items()}
                tasks.append(texts | {"input": texts["input"].replace("<noinput>", "")})
            block, field = {}, None
        elif heading and number:
            field = heading[1].lower()
            block[field] = line[heading.end() :]
        elif field:
            block[field] += "\n" * bool(number) + line
    return tasks


def parse_by_one_pattern(reply, cut_off):
    text = f"\n4. Instruction:{reply}"
    if cut_off:
        marks = list(re.finditer(r"\n###(?=\n|$)", text))
        text = text[: marks[-1].start()] if marks else ""
    whole = re.compile(r"\n\d+\. Instruction:(.*)\n\d+\. Input:(.*)\n\d+\. Output:(.*)", re.DOTALL)
    found = [whole.fullmatch(block) for block in re.split(r"\n###(?=\n|$)", text)]
    fields = [[field.strip() for field in each.groups()] for each in found if each]
    return [
        {"instruction": one, "input": "" if two == "<noinput>" else two, "output": three}
        for one, two, three in fields
    ]


def parse_by_grouping(reply, cut_off):
    lines = ("4. Instruction:" + reply).splitlines()
    if cut_off:
        while lines and lines[-1] != "###":
            lines.pop()
    tasks = []
    for is_mark, group in groupby(lines, key=lambda line: line == "###"):
        block = "\n".join(group)
        places = [block.find(f". {name}:") for name in ("Instruction", "Input", "Output")]
        if is_mark or min(places) < 0:
            continue
        fields = {}
        for name, start, end in zip(
            ("instruction", "input", "output"), places, [*places[1:], None], strict=True
        ):
            text = block[start + len(name) + 3 : end]
            fields[name] = (re.sub(r"\n\d+$", "", text) if end else text).strip()
        if fields["input"] == "<noinput>":
            fields["input"] = ""
        tasks.append(fields)
    return tasks


def keeps_by_one_pattern(instruction, keywords):
    return re.search(rf"\b({'|'.join(keywords)})\b", instruction, re.IGNORECASE) is None


def keeps_by_words_in_a_row(instruction, keywords):
    words = re.findall(r"\w+", instruction.lower())
    for keyword in keywords:
        wanted = keyword.split()
        starts = range(len(words) - len(wanted) + 1)
        if any(words[start : start + len(wanted)] == wanted for start in starts):
            return False
    return True


def keeps_by_spaces_around(instruction, keywords):
    letters = "".join(sign if sign.isalnum() else " " for sign in instruction.lower())
    return not any(f" {keyword} " in f" {letters} " for keyword in keywords)


def nearest_by_places(instructions, similarities, count):
    places = sorted(range(len(instructions)), key=lambda place: (-similarities[place], place))
    return [(instructions[place], similarities[place]) for place in places[:count]]


def nearest_by_numpy(instructions, similarities, count):
    order = np.argsort(-np.array(similarities), kind="stable")[:count]
    return [(instructions[place], float(similarities[place])) for place in order]


def nearest_by_heap(instructions, similarities, count):
    return heapq.nlargest(
        count, zip(instructions, similarities, strict=True), key=lambda pair: pair[1]
    )


def nearest_one_by_one(instructions, similarities, count):
    rest, found = list(zip(instructions, similarities, strict=True)), []
    while rest and len(found) < count:
        found.append(max(rest, key=lambda pair: pair[1]))
        rest.remove(found[-1])
    return found


def dedupe_with_words_kept(instructions, threshold):
    kept, words_kept = [], []
    for instruction in instructions:
        words = rouge_words(instruction)
        if not any(rouge_l_f(words, other) > threshold for other in words_kept):
            kept.append(instruction)
            words_kept.append(words)
    return kept


def dedupe_by_highest(instructions, threshold):
    kept = []
    for one in instructions:
        similar = [rouge_l_f(rouge_words(one), rouge_words(other)) for other in kept]
        if max(similar, default=0) > threshold:
            continue
        kept.append(one)
    return kept


def dedupe_by_crossing_out(instructions, threshold):
    rest, kept = list(instructions), []
    while rest:
        kept.append(rest.pop(0))
        words = rouge_words(kept[-1])
        rest = [each for each in rest if rouge_l_f(words, rouge_words(each)) <= threshold]
    return kept


def three_words_by_pattern(text):
    return len(re.findall(r"\S*[^\W_]\S*", text)) == 3


def three_words_by_sum(text):
    return sum(any(map(str.isalnum, piece)) for piece in text.split()) == 3


def three_words_by_what_is_left(text):
    cleaned = "".join(sign for sign in text if sign.isalnum() or sign.isspace())
    return len(cleaned.split()) == 3


VARIANTS = {
    "parse-cut-off": [parse_line_by_line, parse_by_one_pattern, parse_by_grouping],
    "good-data-thrown-away": [
        keeps_by_one_pattern,
        keeps_by_words_in_a_row,
        keeps_by_spaces_around,
    ],
    "nearest": [nearest_by_places, nearest_by_numpy, nearest_by_heap, nearest_one_by_one],
    "dedupe-in-order": [dedupe_with_words_kept, dedupe_by_highest, dedupe_by_crossing_out],
    "write-a-checker": [three_words_by_pattern, three_words_by_sum, three_words_by_what_is_left],
}
