"""Right solutions of lesson 03's exercises, each written in another way."""

import os
from collections import Counter
from itertools import takewhile


def merges_on_paper():
    return ["ea", "eat", "heat"]


def merges_as_a_tuple():
    return tuple("ea eat heat".split())


def merges_by_counting():
    words = [list(word) for word in "eat heat wheat tea".split()]
    found = []
    for _ in range(3):
        pairs = Counter(pair for word in words for pair in zip(word, word[1:], strict=False))
        left, right = pairs.most_common(1)[0][0]
        found.append(left + right)
        for word in words:
            for i in range(len(word) - 1, 0, -1):
                if word[i - 1 : i + 1] == [left, right]:
                    word[i - 1 : i + 1] = [left + right]
    return found


def length_by_takewhile(prompt_ids, text_ids):
    pairs = zip(prompt_ids, text_ids, strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def length_by_shortening(prompt_ids, text_ids):
    length = len(prompt_ids)
    while prompt_ids[:length] != text_ids[:length]:
        length -= 1
    return length


def length_by_commonprefix(prompt_ids, text_ids):
    return len(os.path.commonprefix([prompt_ids, text_ids]))


def length_by_index(prompt_ids, text_ids):
    i = 0
    while i < min(len(prompt_ids), len(text_ids)) and prompt_ids[i] == text_ids[i]:
        i += 1
    return i


VARIANTS = {
    "merge-pairs": [merges_on_paper, merges_as_a_tuple, merges_by_counting],
    "prompt-length": [
        length_by_takewhile,
        length_by_shortening,
        length_by_commonprefix,
        length_by_index,
    ],
}
