"""Right solutions of lesson 00's exercise, each written in another way."""


def unpacked(notes):
    found = []
    for note in notes:
        question, *middle, told = (part.strip() for part in note.split("|"))
        found.append({"instruction": question, "input": "".join(middle), "output": told})
    return found


def partitioned(notes):
    def entry(note):
        question, _, rest = note.partition("|")
        given, bar, told = rest.rpartition("|")
        texts = question.strip(), given.strip() if bar else "", told.strip()
        return dict(zip(("instruction", "input", "output"), texts, strict=True))

    return list(map(entry, notes))


def by_regular_expression(notes):
    import re

    pattern = re.compile(r"\s*(.*?)\s*\|(?:\s*(.*?)\s*\|)?\s*(.*?)\s*")
    matches = [pattern.fullmatch(note) for note in notes]
    return [{"instruction": m[1], "input": m[2] or "", "output": m[3]} for m in matches]


VARIANTS = {"notes-to-entries": [unpacked, partitioned, by_regular_expression]}
