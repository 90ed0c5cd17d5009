"""Right solutions of the museum's exercises, each written in another way."""

import math


def guarded_by_position(token_ids, prompt_length, inputs, targets):
    if inputs[: len(token_ids)] != token_ids:
        return False
    for t, target in enumerate(targets):
        if t < prompt_length - 1 or t >= len(token_ids):
            right = target == -100
        elif t == len(token_ids) - 1:
            right = target == 50256
        else:
            right = target == token_ids[t + 1]
        if not right:
            return False
    return True


def guarded_by_pieces(token_ids, prompt_length, inputs, targets):
    n, border = len(token_ids), prompt_length - 1
    before, live, after = targets[:border], targets[border:n], targets[n:]
    return (
        set(before + after) <= {-100}
        and live == token_ids[prompt_length:] + [50256]
        and inputs[:n] == token_ids
    )


def guarded_by_a_dictionary(token_ids, prompt_length, inputs, targets):
    text = [*token_ids, 50256]
    wanted = {t - 1: text[t] for t in range(prompt_length, len(text))}
    found = {t: target for t, target in enumerate(targets) if target != -100}
    return found == wanted and all(map(lambda one, other: one == other, token_ids, inputs))


def loss_by_two_lists(mean_loss, count, examples):
    counts, losses = [count(e) for e in examples], [mean_loss([e]) for e in examples]
    wanted = sum(c * x for c, x in zip(counts, losses, strict=True)) / sum(counts)
    return math.isclose(mean_loss(examples), wanted, rel_tol=1e-4)


def loss_as_sums(mean_loss, count, examples):
    total = weight = 0
    for each in examples:
        total += mean_loss([each]) * count(each)
        weight += count(each)
    together = mean_loss(examples) * weight
    return abs(together / total - 1) < 1e-4


def loss_by_shares(mean_loss, count, examples):
    weight = sum(map(count, examples))
    wanted = sum(count(each) / weight * mean_loss([each]) for each in examples)
    return bool(abs(wanted - mean_loss(examples)) < 1e-4 * wanted)


VARIANTS = {
    "guard-batch": [guarded_by_position, guarded_by_pieces, guarded_by_a_dictionary],
    "guard-loss": [loss_by_two_lists, loss_as_sums, loss_by_shares],
}
