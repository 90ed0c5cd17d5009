"""Right solutions of the exercises on losses, each written in another way."""

import math

import torch
import torch.nn.functional as F


def cross_entropy_of_torch(logits, targets):
    return F.cross_entropy(logits, targets)


def cross_entropy_without_a_loop(logits, targets):
    live = targets != -100
    return -logits.log_softmax(1)[live, targets[live]].mean()


def cross_entropy_in_plain_python(logits, targets):
    total, count = 0.0, 0
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        if target == -100:
            continue
        powers = [math.exp(each) for each in row]
        total -= math.log(powers[target] / sum(powers))
        count += 1
    return total / count


def cross_entropy_by_hand_made_softmax(logits, targets):
    kept = torch.nonzero(targets != -100)[:, 0]
    powers = torch.exp(logits[kept])
    p = (powers / powers.sum(dim=1, keepdim=True)).gather(1, targets[kept].unsqueeze(1))
    return torch.mean(-torch.log(p))


def weighted_by_lists(losses, is_prompt, prompt_weight):
    weights = [prompt_weight if each else 1 for each in is_prompt.tolist()]
    return sum(w * x for w, x in zip(weights, losses.tolist(), strict=True)) / sum(weights)


def weighted_in_two_parts(losses, is_prompt, prompt_weight):
    prompt, response = losses[is_prompt], losses[~is_prompt]
    total = prompt_weight * prompt.sum() + response.sum()
    return total / (prompt_weight * len(prompt) + len(response))


def weighted_in_place(losses, is_prompt, prompt_weight):
    weights = torch.ones_like(losses)
    weights[is_prompt] = prompt_weight
    return torch.dot(losses, weights) / weights.sum()


def lost_by_nonzero(targets):
    return torch.nonzero((targets == -100).all(dim=1)).flatten().tolist()


def lost_by_counting(targets):
    live = (targets != -100).sum(dim=1)
    return [index for index in range(len(targets)) if live[index] == 0]


def lost_by_sets(targets):
    return [index for index, row in enumerate(targets.tolist()) if set(row) == {-100}]


def lost_as_tensor(targets):
    return torch.arange(len(targets))[targets.amax(dim=1) == -100]


def accumulated_by_joining(batches):
    return torch.cat([losses[targets != -100] for losses, targets in batches]).mean()


def accumulated_by_zeros(batches):
    count = sum(int((targets != -100).sum()) for _, targets in batches)
    return sum((losses * (targets != -100)).sum() / count for losses, targets in batches)


def accumulated_by_weighing(batches):
    counts = [(targets >= 0).sum().item() for _, targets in batches]
    means = [losses[targets >= 0].mean().item() for losses, targets in batches]
    return sum(map(lambda mean, n: mean * n, means, counts)) / sum(counts)


VARIANTS = {
    "cross-entropy": [
        cross_entropy_of_torch,
        cross_entropy_without_a_loop,
        cross_entropy_in_plain_python,
        cross_entropy_by_hand_made_softmax,
    ],
    "weighted-mean": [weighted_by_lists, weighted_in_two_parts, weighted_in_place],
    "all-masked": [lost_by_nonzero, lost_by_counting, lost_by_sets, lost_as_tensor],
    "accumulate": [accumulated_by_joining, accumulated_by_zeros, accumulated_by_weighing],
}
