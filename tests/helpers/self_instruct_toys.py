"""A teacher that writes at once, and the same each time; as a program, a run to be killed.

``python -m tests.helpers.self_instruct_toys FOLDER COUNT`` has a teacher that replies to ``COUNT``
requests, and is still at the next one when the test kills it.
"""

import sys
import time

from lessons_lib.data.draw import Draw
from lessons_lib.self_instruct import Completion, DecodingArguments, Funnel, generate_tasks

VERBS = "Name Describe Compare Rewrite Explain List Translate Sort Invent Judge".split()
THINGS = "rivers birds kings poems numbers cities proverbs tools dances soups wars games".split()
PLACES = "Norway Peru school winter dreams Rome spring space March history".split()
SEEDS = [
    {"instruction": f"{verb} three {thing} of Spain.", "input": "", "output": "One, two, three."}
    for verb, thing in zip(VERBS, THINGS, strict=False)
]
ARGUMENTS = DecodingArguments(max_tokens=300)
WANTED = 40


class ToyTeacher:
    """Writes four tasks after each prompt; some fail in each of the ways that tasks can fail."""

    name = "toy"

    def __init__(self, most: int | None = None):
        self.most = most  # requests; it is at the next one for ever
        self.asked: list[tuple[list[str], int]] = []

    def complete(self, prompts, arguments, seed):
        self.asked.append((prompts, seed))
        if self.most is not None and len(self.asked) > self.most:
            time.sleep(3600)
        return [self._reply(f"{seed}: {prompt}") for prompt in prompts]

    def _reply(self, source):
        draw, text = Draw(source), ""
        for number in range(4, 8):
            words = (draw.pick(each) for each in (VERBS, THINGS, PLACES))
            verb, thing, place = words
            instruction = f" {verb} {draw.between(2, 9)} {thing} from {place} with ё\u2028."
            instruction = " Draw a picture of a cat." if draw.chance(0.1) else instruction
            output = "Output" if draw.chance(0.9) else "Outptu"
            text += f"{'' if number == 4 else f'{number}. Instruction:'}{instruction}\n"
            text += f"{number}. Input:\n<noinput>\n{number}. {output}:\nAn answer.\n###\n"
        stopped = draw.chance(0.7)
        return Completion(text if stopped else text[:-25], stopped, 100, 60)


def generate(folder, teacher: ToyTeacher | None = None, **options) -> Funnel:
    """A run by the toy teacher."""
    options = {"wanted": WANTED, "prompts_per_request": 2, "arguments": ARGUMENTS} | options
    return generate_tasks(SEEDS, teacher or ToyTeacher(), folder=folder, **options)


if __name__ == "__main__":
    generate(sys.argv[1], ToyTeacher(int(sys.argv[2])))
