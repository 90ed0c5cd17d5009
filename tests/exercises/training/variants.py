"""Right solutions of lesson 09's exercises, each written in another way."""

import math

import numpy as np
import torch
from torch.nn import functional as F


def loop_cleared_afterwards(model, batches, optimizer):
    model.train()
    losses = []
    for inputs, targets in batches:
        loss = F.cross_entropy(model(inputs).transpose(1, 2), targets)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return losses


def loop_with_a_loss_by_hand(model, batches, optimizer):
    model.train(True)
    losses = []
    for inputs, targets in batches:
        model.zero_grad()
        live = targets != -100
        log_p = model(inputs)[live].log_softmax(dim=1)
        loss = -log_p[torch.arange(len(log_p)), targets[live]].mean()
        loss.backward()
        optimizer.step()
        losses += [loss.detach()]
    return tuple(losses)


def loop_with_a_step_function(model, batches, optimizer):
    def step(inputs, targets):
        optimizer.zero_grad(set_to_none=False)
        logits = model(inputs)
        flat = logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)
        loss = F.cross_entropy(*flat, reduction="sum") / (targets != -100).sum()
        loss.backward()
        optimizer.step()
        return loss.item()

    model.train()
    losses = torch.tensor([step(*batch) for batch in batches])
    model.eval()
    return losses


def rate_by_logarithms(train_and_measure, low, high, tries):
    tried, best, lowest = [], None, math.inf
    for power in np.linspace(math.log(low), math.log(high), tries):
        rate = math.exp(power)
        _, loss = train_and_measure(rate)
        tried.append((rate, loss))
        if loss < lowest:
            best, lowest = rate, loss
    return best, tried


def rate_by_geomspace(train_and_measure, low, high, tries):
    rates = np.geomspace(low, high, tries)
    losses = np.array([train_and_measure(float(rate))[1] for rate in rates])
    losses_or_inf = np.where(np.isfinite(losses), losses, np.inf)
    best = rates[losses_or_inf.argmin()] if np.isfinite(losses).any() else None
    return best, list(zip(rates, losses, strict=True))


def rate_by_multiplying(train_and_measure, low, high, tries):
    factor, rate, tried = (high / low) ** (1 / (tries - 1)), low, {}
    for _ in range(tries):
        tried[rate] = train_and_measure(rate)[1]
        rate *= factor
    ranked = sorted((loss, rate) for rate, loss in tried.items() if abs(loss) < math.inf)
    return (ranked[0][1] if ranked else None), list(tried.items())


def clipped_as_one_row(gradients, limit):
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    if norm <= limit:
        return gradients
    return [gradient / norm * limit for gradient in gradients]


def clipped_by_a_norm_of_norms(gradients, limit):
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    scale = torch.clamp(limit / (norm + 1e-6), max=1.0)
    return tuple(gradient * scale for gradient in gradients)


def clipped_in_plain_python(gradients, limit):
    numbers = [value for gradient in gradients for value in gradient.flatten().tolist()]
    norm = math.sqrt(sum(value**2 for value in numbers))
    copies = [gradient.clone() for gradient in gradients]
    if norm > limit:
        for each in copies:
            each.mul_(limit / norm)
    return copies


def rates_step_by_step(total_steps, highest, warmup_share):
    warmup, rates = round(warmup_share * total_steps), []
    for step in range(1, total_steps + 1):
        if step <= warmup:
            rates.append(step * highest / warmup)
            continue
        done = (step - warmup) / (total_steps - warmup)
        rates.append(highest * (0.1 + 0.9 * (1 + math.cos(math.pi * done)) / 2))
    return rates


def rates_by_numpy(total_steps, highest, warmup_share):
    warmup = int(warmup_share * total_steps + 0.5)
    up = np.linspace(0, 1, warmup + 1)[1:]
    down = 0.55 + 0.45 * np.cos(np.linspace(0, np.pi, total_steps - warmup + 1)[1:])
    return list(highest * np.concatenate([up, down]))


def rates_by_lambda(total_steps, highest, warmup_share):
    warmup = int(round(total_steps * warmup_share))
    least = highest / 10
    fall = [
        least + (highest - least) * math.cos(math.pi / 2 * (i / (total_steps - warmup))) ** 2
        for i in range(1, total_steps - warmup + 1)
    ]
    return tuple([highest / warmup * (i + 1) for i in range(warmup)] + fall)


VARIANTS = {
    "train-step-loop": [
        loop_cleared_afterwards,
        loop_with_a_loss_by_hand,
        loop_with_a_step_function,
    ],
    "learning-rate-search": [rate_by_logarithms, rate_by_geomspace, rate_by_multiplying],
    "clip-gradients": [clipped_as_one_row, clipped_by_a_norm_of_norms, clipped_in_plain_python],
    "warmup-schedule": [rates_step_by_step, rates_by_numpy, rates_by_lambda],
}
