"""Right solutions of lesson 08's exercises, each written in another way."""

import math

import torch


def greedy_by_appending(next_logits, prompt_ids, max_new_tokens, end_id):
    new = []
    while len(new) < max_new_tokens:
        best = next_logits([*prompt_ids, *new]).argmax().item()
        if best == end_id:
            return new
        new.append(best)
    return new


def greedy_by_tensors(next_logits, prompt_ids, max_new_tokens, end_id):
    ids = torch.tensor(prompt_ids)
    for _ in range(max_new_tokens):
        best = torch.argmax(next_logits(ids), dim=-1, keepdim=True)
        if best.item() == end_id:
            break
        ids = torch.cat([ids, best])
    return ids[len(prompt_ids) :]


def greedy_by_recursion(next_logits, prompt_ids, max_new_tokens, end_id):
    if max_new_tokens == 0:
        return []
    scores = next_logits(prompt_ids).tolist()
    best = max(range(len(scores)), key=scores.__getitem__)
    if best == end_id:
        return []
    rest = greedy_by_recursion(next_logits, prompt_ids + [best], max_new_tokens - 1, end_id)
    return [best, *rest]


def temperature_by_softmax(logits, temperature):
    return torch.softmax(logits / temperature, dim=-1)


def temperature_by_powers_of_probabilities(logits, temperature):
    powers = torch.softmax(logits, dim=0) ** (1 / temperature)
    return powers / powers.sum()


def temperature_in_plain_python(logits, temperature):
    powers = [math.exp(each / temperature) for each in logits.tolist()]
    return torch.tensor([each / sum(powers) for each in powers])


def temperature_by_logarithms(logits, temperature):
    scaled = (logits - logits.max()).double() / temperature
    return (scaled - scaled.logsumexp(0)).exp()


def top_k_by_infinity(logits, k):
    kept = torch.full_like(logits, -torch.inf)
    best = logits.topk(k).indices
    kept[best] = logits[best]
    return kept.softmax(0)


def top_k_by_probabilities(logits, k):
    values, places = torch.softmax(logits, dim=0).topk(k)
    return torch.zeros_like(logits).scatter(0, places, values / values.sum())


def top_k_by_dropping(logits, k):
    shares = torch.softmax(logits, dim=0)
    shares[torch.argsort(logits)[: len(logits) - k]] = 0
    return shares / shares.sum()


def top_k_in_plain_python(logits, k):
    scores = logits.tolist()
    best = sorted(range(len(scores)), key=lambda index: (-scores[index], -index))[:k]
    total = sum(math.exp(scores[index]) for index in best)
    return torch.tensor(
        [math.exp(each) / total if index in best else 0.0 for index, each in enumerate(scores)]
    )


def positions_by_subtracting_padding(attention_mask, cached):
    columns = torch.arange(attention_mask.shape[1])
    padding = (attention_mask == 0).sum(dim=1, keepdim=True)
    return torch.clamp(columns - padding, min=0)[:, cached:]


def positions_from_the_cached_lengths(attention_mask, cached):
    read = attention_mask[:, :cached].sum(dim=1, keepdim=True)
    within = attention_mask[:, cached:].cumsum(dim=1) - 1
    return (read + within).masked_fill(attention_mask[:, cached:] == 0, 0)


def positions_by_loops(attention_mask, cached):
    rows = []
    for mask in attention_mask.tolist():
        rows.append([sum(mask[:column]) for column in range(cached, len(mask))])
    return torch.tensor(rows)


def probe_by_replacing(complete, wordings, facts):
    shares = {}
    for wording in wordings:
        marks = []
        for name, wanted in facts.items():
            (text,) = complete([wording.replace("{name}", name)])
            marks.append(text.lstrip(" \n'\"").startswith(wanted))
        shares[wording] = sum(marks) / len(marks)
    return shares


def probe_in_one_call(complete, wordings, facts):
    asked = [(wording, name) for wording in wordings for name in facts]
    texts = complete([wording.format(name=name) for wording, name in asked])
    right = dict.fromkeys(wordings, 0)
    for (wording, name), text in zip(asked, texts, strict=True):
        found = text.strip().strip("'\"")
        right[wording] += found[: len(facts[name])] == facts[name]
    return {wording: count / len(facts) for wording, count in right.items()}


def probe_by_a_mean_of_tensors(complete, wordings, facts):
    def share(wording):
        texts = complete([wording.format(name=name) for name in facts])
        bare = [text.replace('"', "").replace("'", "").strip() for text in texts]
        pairs = zip(bare, facts.values(), strict=True)
        return torch.tensor([text.startswith(wanted) for text, wanted in pairs]).float().mean()

    return {wording: share(wording).item() for wording in wordings}


VARIANTS = {
    "greedy-loop": [greedy_by_appending, greedy_by_tensors, greedy_by_recursion],
    "temperature": [
        temperature_by_softmax,
        temperature_by_powers_of_probabilities,
        temperature_in_plain_python,
        temperature_by_logarithms,
    ],
    "top-k": [
        top_k_by_infinity,
        top_k_by_probabilities,
        top_k_by_dropping,
        top_k_in_plain_python,
    ],
    "cache-position": [
        positions_by_subtracting_padding,
        positions_from_the_cached_lengths,
        positions_by_loops,
    ],
    "ten-wordings": [probe_by_replacing, probe_in_one_call, probe_by_a_mean_of_tensors],
}
