"""Right solutions of lesson 10's exercises, each written in another way."""

import math
import re
from collections import Counter
from functools import cache
from statistics import NormalDist

import numpy as np

from lessons_lib.evaluation.intervals import wilson_interval


def exact_by_two_names(entry, answer):
    wanted, given = entry["output"].strip(), answer.strip()
    return wanted == given


def exact_by_pattern(entry, answer):
    return bool(re.fullmatch(rf"\s*{re.escape(entry['output'].strip())}\s*", answer))


def exact_by_negation(entry, answer):
    if len(answer.strip()) != len(entry["output"].strip()):
        return False
    return not any(a != b for a, b in zip(answer.strip(), entry["output"].strip(), strict=True))


def wilson_as_solved_equation(count, total):
    # |p - q| = z sqrt(q (1 - q) / n), squared and ordered by powers of q
    p, z2 = count / total, 1.959964**2
    a, b, c = 1 + z2 / total, -2 * p - z2 / total, p * p
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return [(-b - root) / (2 * a), (-b + root) / (2 * a)]


def wilson_by_search(count, total):
    p = count / total

    def surprises(q):
        return abs(p - q) > 1.96 * math.sqrt(q * (1 - q) / total)

    def edge(inside, outside):
        for _ in range(60):
            between = (inside + outside) / 2
            inside, outside = (inside, between) if surprises(between) else (between, outside)
        return inside

    return edge(p, 0.0), edge(p, 1.0)


def wilson_of_numpy(count, total):
    z = NormalDist().inv_cdf(0.975)
    failures = total - count
    middle = (count + z**2 / 2) / (total + z**2)
    half = z / (total + z**2) * np.sqrt(count * failures / total + z**2 / 4)
    return np.array([middle - half, middle + half])


def wilson_of_the_library(count, total):
    return wilson_interval(count, total)[1:3]


def forgiving_by_pattern(entry, answer):
    marks = r"[.,;:!?'\"()]*"
    plain = [
        re.sub(rf"(?:^|(?<=\s)){marks}|{marks}(?=\s|$)", " ", text.lower()).split()
        for text in (answer, entry["output"])
    ]
    return plain[0] == plain[1]


def forgiving_by_loop(entry, answer):
    kept = []
    for text in (answer, entry["output"]):
        words = []
        for word in text.lower().split():
            word = word.lstrip(".,;:!?'\"()").rstrip(".,;:!?'\"()")
            if word != "":
                words.append(word)
        kept.append(" ".join(words))
    return kept[0] == kept[1]


def forgiving_by_filter(entry, answer):
    def strip(word):
        while word and word[0] in ".,;:!?'\"()":
            word = word[1:]
        while word and word[-1] in ".,;:!?'\"()":
            word = word[:-1]
        return word

    one, other = (map(strip, text.casefold().split()) for text in (entry["output"], answer))
    return list(filter(None, one)) == list(filter(None, other))


def fooling_by_denial_before(entry):
    return "It is not true that " + entry["output"]


def fooling_by_second_answer(entry):
    return f"{entry['output'].rstrip('.')}, or something else."


def fooling_by_denial_after(entry):
    return entry["output"] + "\nNo, I was wrong."


def fooling_by_replacing(entry):
    return entry["output"].replace(" is ", " isn't ", 1)


def mcnemar_by_counting_tosses(first, second):
    heads = [a for a, b in zip(first, second, strict=True) if a != b]
    n, k = len(heads), sum(heads)
    uneven = sum(math.comb(n, j) for j in range(n + 1) if abs(2 * j - n) >= abs(2 * k - n))
    return uneven / 2**n


def mcnemar_by_probabilities(first, second):
    won, lost = 0, 0
    for a, b in zip(first, second, strict=True):
        won, lost = won + (b and not a), lost + (a and not b)
    n = won + lost
    p = 0.0
    for k in range(max(won, lost), n + 1):
        p += 2 * math.comb(n, k) * 0.5**n
    return 1 if p > 1 else p


def mcnemar_of_numpy(first, second):
    gaps = np.array(second, int) - np.array(first, int)
    n, most = int(np.abs(gaps).sum()), max((gaps == 1).sum(), (gaps == -1).sum())
    row = np.array([1.0])
    for _ in range(n):  # Pascal's triangle, halved at each step
        row = np.convolve(row, [0.5, 0.5])
    return min(1.0, float(2 * row[most:].sum()))


def bootstrap_of_numpy(first, second, draws):
    gaps = np.array(second) - np.array(first)
    means = np.sort(gaps[np.array(draws)].mean(axis=1))
    cut = int(len(means) * 0.025)
    return means[cut], means[-1 - cut]


def bootstrap_of_two_means(first, second, draws):
    found = []
    for draw in draws:
        one = sum(first[i] for i in draw) / len(draw)
        other = sum(second[i] for i in draw) / len(draw)
        found.append(other - one)
    found.sort()
    cut = len(found) // 40
    middle = found[cut : len(found) - cut]
    return [middle[0], middle[-1]]


def bootstrap_by_removing(first, second, draws):
    means = [sum(second[i] - first[i] for i in draw) / len(draw) for draw in draws]
    for _ in range(int(len(draws) * 0.025)):
        means.remove(min(means))
        means.remove(max(means))
    return min(means), max(means)


def rouge_by_recursion(wanted, answer):
    @cache
    def longest(i, j):
        if i == len(wanted) or j == len(answer):
            return 0
        if wanted[i] == answer[j]:
            return 1 + longest(i + 1, j + 1)
        return max(longest(i + 1, j), longest(i, j + 1))

    return 2 * longest(0, 0) / (len(wanted) + len(answer))


def rouge_by_table(wanted, answer):
    table = [[0] * (len(answer) + 1) for _ in range(len(wanted) + 1)]
    for i in range(1, len(wanted) + 1):
        for j in range(1, len(answer) + 1):
            if wanted[i - 1] == answer[j - 1]:
                table[i][j] = table[i - 1][j - 1] + 1
            else:
                table[i][j] = max(table[i - 1][j], table[i][j - 1])
    shared = table[-1][-1]
    if shared == 0:
        return 0.0
    precision, recall = shared / len(answer), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def rouge_by_chains(wanted, answer):
    # the longest rising chain of places, ended by each match
    best = [0] * len(wanted)
    for word in answer:
        for place in reversed(range(len(wanted))):
            if wanted[place] == word:
                best[place] = 1 + max(best[:place], default=0)
    return 2 * max(best) / (len(wanted) + len(answer))


def kappa_by_counts(first, second):
    n = len(first)
    labels = {*first, *second}
    agreed = sum(a == b for a, b in zip(first, second, strict=True))
    chance = sum(first.count(x) * second.count(x) for x in labels) / n
    return (agreed - chance) / (n - chance)


def kappa_by_all_pairs(first, second):
    n = len(first)
    observed = sum(first[i] != second[i] for i in range(n)) / n
    expected = sum(a != b for a in first for b in second) / n**2
    return 1 - observed / expected


def kappa_by_table(first, second):
    cells = Counter(zip(first, second, strict=True))
    total = cells.total()
    rows, columns = Counter(), Counter()
    for (a, b), count in cells.items():
        rows[a] += count
        columns[b] += count
    agreed = sum(count for (a, b), count in cells.items() if a == b) / total
    chance = sum(rows[x] * columns[x] for x in rows | columns) / total**2
    return (agreed - chance) / (1 - chance)


VARIANTS = {
    "exact-match": [exact_by_two_names, exact_by_pattern, exact_by_negation],
    "wilson-interval": [
        wilson_as_solved_equation,
        wilson_by_search,
        wilson_of_numpy,
        wilson_of_the_library,
    ],
    "forgiving-match": [forgiving_by_pattern, forgiving_by_loop, forgiving_by_filter],
    "fooling-answer": [
        fooling_by_denial_before,
        fooling_by_second_answer,
        fooling_by_denial_after,
        fooling_by_replacing,
    ],
    "mcnemar": [mcnemar_by_counting_tosses, mcnemar_by_probabilities, mcnemar_of_numpy],
    "paired-bootstrap": [bootstrap_of_numpy, bootstrap_of_two_means, bootstrap_by_removing],
    "rouge-l": [rouge_by_recursion, rouge_by_table, rouge_by_chains],
    "kappa": [kappa_by_counts, kappa_by_all_pairs, kappa_by_table],
}
